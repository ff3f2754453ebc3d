package ec2svc

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addTemplates(e *awstest.Endpoint) {
	handle(e, s.createLaunchTemplate, "LaunchTemplateName", "LaunchTemplateData", "VersionDescription", "TagSpecifications", "ClientToken")
	handle(e, s.createLaunchTemplateVersion, "LaunchTemplateId", "LaunchTemplateName", "LaunchTemplateData", "SourceVersion", "VersionDescription", "ClientToken")
	handle(e, s.modifyLaunchTemplate, "LaunchTemplateId", "LaunchTemplateName", "DefaultVersion",
		"ClientToken") // to set a version twice is to set it once
	handle(e, s.deleteLaunchTemplate, "LaunchTemplateId", "LaunchTemplateName")
	handle(e, s.deleteLaunchTemplateVersions, "LaunchTemplateId", "LaunchTemplateName", "Versions")
	handle(e, s.describeLaunchTemplates, "LaunchTemplateIds", "LaunchTemplateNames", "Filters", "MaxResults", "NextToken")
	handle(e, s.describeLaunchTemplateVersions, "LaunchTemplateId", "LaunchTemplateName", "Versions", "Filters", "MaxResults", "NextToken")
}

// template returns the launch template that a request names.
func template(region *ec2model.Region, at time.Time, id, name *string) (ec2model.LaunchTemplate, error) {
	if id != nil {
		if err := templateKind.check(*id); err != nil {
			return ec2model.LaunchTemplate{}, err
		}
	}
	return region.Template(at, ec2model.TemplateRef{ID: aws.ToString(id), Name: aws.ToString(name)})
}

func (s *service) createLaunchTemplate(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateLaunchTemplateInput) (*ec2.CreateLaunchTemplateOutput, error) {
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeLaunchTemplate)
	if err != nil {
		return nil, err
	}
	first, err := versionSpec(call, in.LaunchTemplateData, in.VersionDescription, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	t, err := s.region(tx, call).CreateTemplate(tx, ec2model.TemplateSpec{Name: aws.ToString(in.LaunchTemplateName), Tags: tags, First: first})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateLaunchTemplateOutput{LaunchTemplate: showTemplate(tx, t)}, nil
}

// versionSpec is a version that a request asks for.
func versionSpec(call *awstest.Call, in *types.RequestLaunchTemplateData, description, token *string, request any) (spec ec2model.VersionSpec, err error) {
	if err := checkTokenOf(token, maxTemplateToken); err != nil {
		return spec, err
	}
	data, document, err := writeTemplate(call, in)
	if err != nil {
		return spec, err
	}
	text, err := json.Marshal(request)
	return ec2model.VersionSpec{
		Description: aws.ToString(description), Data: data, Document: document,
		Token: aws.ToString(token), Request: string(text),
	}, err
}

func (s *service) createLaunchTemplateVersion(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateLaunchTemplateVersionInput) (*ec2.CreateLaunchTemplateVersionOutput, error) {
	region := s.region(tx, call)
	t, err := template(region, tx.Now(), in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	data := in.LaunchTemplateData
	if in.SourceVersion != nil {
		source, err := region.TemplateVersion(tx.Now(), t, *in.SourceVersion)
		if err != nil {
			return nil, err
		}
		if data, err = basedOn(source.Document, data); err != nil {
			return nil, err
		}
	}
	spec, err := versionSpec(call, data, in.VersionDescription, in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	v, err := region.AddTemplateVersion(tx, t, spec)
	if err != nil {
		return nil, err
	}
	shown, err := showVersion(tx, t, v)
	return &ec2.CreateLaunchTemplateVersionOutput{LaunchTemplateVersion: &shown}, err
}

func (s *service) modifyLaunchTemplate(tx *awstest.Tx, call *awstest.Call, in *ec2.ModifyLaunchTemplateInput) (*ec2.ModifyLaunchTemplateOutput, error) {
	region := s.region(tx, call)
	t, err := template(region, tx.Now(), in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	if in.DefaultVersion == nil {
		return nil, missing("SetDefaultVersion")
	}
	if _, err := strconv.ParseInt(*in.DefaultVersion, 10, 64); err != nil {
		return nil, call.NotModelled("default version %q, which is not a number", *in.DefaultVersion)
	}
	v, err := region.TemplateVersion(tx.Now(), t, *in.DefaultVersion)
	if err != nil {
		return nil, err
	}
	return &ec2.ModifyLaunchTemplateOutput{LaunchTemplate: showTemplate(tx, region.SetDefaultVersion(tx, t.ID, v.Number))}, nil
}

func (s *service) deleteLaunchTemplate(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteLaunchTemplateInput) (*ec2.DeleteLaunchTemplateOutput, error) {
	region := s.region(tx, call)
	t, err := template(region, tx.Now(), in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	region.DeleteTemplate(tx, t)
	return &ec2.DeleteLaunchTemplateOutput{LaunchTemplate: showTemplate(tx, t)}, nil
}

// How many versions a request may delete.
// Source: DeleteLaunchTemplateVersionsInput.Versions of the SDK (read 2026-11)
const maxDeletedVersions = 200

// deleteLaunchTemplateVersions deletes what it can, and says what it cannot.
func (s *service) deleteLaunchTemplateVersions(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteLaunchTemplateVersionsInput) (*ec2.DeleteLaunchTemplateVersionsOutput, error) {
	region := s.region(tx, call)
	t, err := template(region, tx.Now(), in.LaunchTemplateId, in.LaunchTemplateName)
	switch {
	case err != nil:
		return nil, err
	case len(in.Versions) == 0:
		return nil, missing("LaunchTemplateVersion")
	case len(in.Versions) > maxDeletedVersions:
		return nil, awstest.Errorf("InvalidParameterValue", "At most %d versions can be deleted at once.", maxDeletedVersions)
	}
	out := &ec2.DeleteLaunchTemplateVersionsOutput{}
	for _, version := range in.Versions {
		number, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			return nil, call.NotModelled("deletion of version %q, which is not a number", version)
		}
		code := types.LaunchTemplateErrorCode("")
		if _, err := region.TemplateVersion(tx.Now(), t, version); err != nil {
			code = types.LaunchTemplateErrorCodeLaunchTemplateVersionDoesNotExist
		} else if number == t.Default {
			// The rule is documented; which of the codes of the SDK it has is not.
			code = types.LaunchTemplateErrorCodeUnexpectedError
		}
		if code != "" {
			out.UnsuccessfullyDeletedLaunchTemplateVersions = append(out.UnsuccessfullyDeletedLaunchTemplateVersions, types.DeleteLaunchTemplateVersionsResponseErrorItem{
				LaunchTemplateId: aws.String(t.ID), LaunchTemplateName: aws.String(t.Name), VersionNumber: aws.Int64(number),
				ResponseError: &types.ResponseError{Code: code, Message: aws.String("Version " + version + " cannot be deleted.")},
			})
			continue
		}
		region.DeleteVersion(tx, t.ID, number)
		out.SuccessfullyDeletedLaunchTemplateVersions = append(out.SuccessfullyDeletedLaunchTemplateVersions, types.DeleteLaunchTemplateVersionsResponseSuccessItem{
			LaunchTemplateId: aws.String(t.ID), LaunchTemplateName: aws.String(t.Name), VersionNumber: aws.Int64(number),
		})
	}
	return out, nil
}
