package ec2svc

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// How many launch templates or versions a page may have.
// Source: DescribeLaunchTemplatesInput.MaxResults of the SDK (read 2026-11)
var templatePages = pageSize{1, 200}

var templateFilters = filterable[ec2model.LaunchTemplate]{
	"launch-template-name": one(func(t ec2model.LaunchTemplate) string { return t.Name }),
	"create-time":          one(func(t ec2model.LaunchTemplate) string { return showTime(t.CreatedAt) }),
}

// showTime is a time as filters compare it.
func showTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *service) describeLaunchTemplates(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeLaunchTemplatesInput) (*ec2.DescribeLaunchTemplatesOutput, error) {
	match, err := templateFilters.matcher(call, in.Filters, func(t ec2model.LaunchTemplate) ec2model.Tags { return t.Tags })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.LaunchTemplate, error) {
		return region.Template(call.At, ec2model.TemplateRef{ID: id})
	}
	found, err := find(templateKind, in.LaunchTemplateIds, get, region.Templates(call.At))
	if err != nil {
		return nil, err
	}
	for _, name := range in.LaunchTemplateNames {
		if !slices.ContainsFunc(found, func(t ec2model.LaunchTemplate) bool { return t.Name == name }) {
			return nil, awstest.Errorf("InvalidLaunchTemplateName.NotFoundException", "At least one of the launch templates specified in the request does not exist.")
		}
	}
	found = only(found, func(t ec2model.LaunchTemplate) bool { return named(in.LaunchTemplateNames, t.Name) && match(t) })
	found, next, err := cut(templatePages, found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeLaunchTemplatesOutput{NextToken: next}
	for _, t := range found {
		out.LaunchTemplates = append(out.LaunchTemplates, *showTemplate(tx, t))
	}
	return out, nil
}

// version is a version of a launch template, with the template.
type version struct {
	ec2model.TemplateVersion
	of ec2model.LaunchTemplate
}

var versionFilters = filterable[version]{
	"create-time":        one(func(v version) string { return showTime(v.CreatedAt) }),
	"image-id":           ifAny(func(v version) string { return v.Data.Image }),
	"instance-type":      ifAny(func(v version) string { return v.Data.Type }),
	"is-default-version": one(func(v version) string { return strconv.FormatBool(v.Number == v.of.Default) }),
}

func (s *service) describeLaunchTemplateVersions(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeLaunchTemplateVersionsInput) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
	match, err := versionFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	found, err := versions(region, call.At, in)
	if err != nil {
		return nil, err
	}
	found, next, err := cut(templatePages, only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeLaunchTemplateVersionsOutput{NextToken: next}
	for _, v := range found {
		shown, err := showVersion(tx, v.of, v.TemplateVersion)
		if err != nil {
			return nil, err
		}
		out.LaunchTemplateVersions = append(out.LaunchTemplateVersions, shown)
	}
	return out, nil
}

// versions returns the versions that a request names: of one template some or
// all, youngest first; or of all templates the latest, the default, or both.
func versions(region *ec2model.Region, at time.Time, in *ec2.DescribeLaunchTemplateVersionsInput) (found []version, err error) {
	if in.LaunchTemplateId == nil && in.LaunchTemplateName == nil {
		return everywhere(region, at, in.Versions)
	}
	t, err := template(region, at, in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	if len(in.Versions) == 0 {
		for v := range region.TemplateVersions(at, t) {
			found = append(found, version{v, t})
		}
		slices.Reverse(found)
		return found, nil
	}
	for _, name := range in.Versions {
		v, err := region.TemplateVersion(at, t, name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(found, func(other version) bool { return other.Number == v.Number }) {
			found = append(found, version{v, t})
		}
	}
	return found, nil
}

func everywhere(region *ec2model.Region, at time.Time, names []string) (found []version, err error) {
	if len(names) == 0 {
		return nil, missing("LaunchTemplateVersion")
	}
	for _, name := range names {
		if name != ec2model.LatestVersion && name != ec2model.DefaultVersion {
			return nil, awstest.Errorf("InvalidParameterValue", "Without a launch template, the version must be %s or %s.", ec2model.LatestVersion, ec2model.DefaultVersion)
		}
	}
	for _, t := range region.Templates(at) {
		of, err := versions(region, at, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String(t.ID), Versions: names})
		if err != nil {
			return nil, err
		}
		found = append(found, of...)
	}
	return found, nil
}

func showTemplate(tx *awstest.Tx, t ec2model.LaunchTemplate) *types.LaunchTemplate {
	return &types.LaunchTemplate{
		LaunchTemplateId: aws.String(t.ID), LaunchTemplateName: aws.String(t.Name), CreateTime: aws.Time(t.CreatedAt),
		CreatedBy: creator(tx), DefaultVersionNumber: aws.Int64(t.Default), LatestVersionNumber: aws.Int64(t.Latest), Tags: showTags(t.Tags),
	}
}

func showVersion(tx *awstest.Tx, t ec2model.LaunchTemplate, v ec2model.TemplateVersion) (types.LaunchTemplateVersion, error) {
	data, err := showTemplateData(v.Document)
	out := types.LaunchTemplateVersion{
		LaunchTemplateId: aws.String(t.ID), LaunchTemplateName: aws.String(t.Name), VersionNumber: aws.Int64(v.Number),
		DefaultVersion: aws.Bool(v.Number == t.Default), CreateTime: aws.Time(v.CreatedAt), CreatedBy: creator(tx), LaunchTemplateData: data,
	}
	if v.Description != "" {
		out.VersionDescription = aws.String(v.Description)
	}
	return out, err
}

// creator is the principal of the clients of a cloud. That an instance may
// have made the template is not told.
func creator(tx *awstest.Tx) *string {
	return aws.String(fmt.Sprintf("arn:aws:iam::%s:user/awstest", tx.Cloud().AccountID()))
}
