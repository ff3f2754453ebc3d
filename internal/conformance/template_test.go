package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html (read 2026-11)
var templateScenarios = []scenario{
	{
		name: "a launch template has versions",
		run: func(s *session) {
			id := s.template("the template", s.launchData())
			s.shows("at first", "default 1, latest 1", func() string { return s.defaults(id) })
			second := must(s.addVersion(id, aws.String("1"), &types.RequestLaunchTemplateData{KeyName: aws.String("key")}))(s)
			s.is("second", s.version(second), "2, t3.micro, key")
			third := must(s.addVersion(id, nil, &types.RequestLaunchTemplateData{InstanceType: types.InstanceTypeT3Nano}))(s)
			s.is("third", s.version(third), "3, t3.nano, no key")
			s.shows("then", "default 1, latest 3", func() string { return s.defaults(id) })
			s.shows("all", "1, t3.micro, no key, default; 2, t3.micro, key; 3, t3.nano, no key", func() string { return s.versions(id) })
			s.shows("latest and default", "1, t3.micro, no key, default; 3, t3.nano, no key", func() string { return s.versions(id, "$Latest", "$Default") })

			_, err := s.ec2.ModifyLaunchTemplate(s.Context(), &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")})
			s.accepted("another default", err)
			s.shows("default then", "default 2, latest 3", func() string { return s.defaults(id) })
			out, err := s.ec2.DeleteLaunchTemplateVersions(s.Context(), &ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"1", "2", "9"}})
			if s.accepted("deletion of versions", err) {
				s.is("deleted", fmt.Sprint(len(out.SuccessfullyDeletedLaunchTemplateVersions)), "1")
				s.is("not deleted, the default and one that is not there", fmt.Sprint(len(out.UnsuccessfullyDeletedLaunchTemplateVersions)), "2")
			}
			s.shows("left", "2, t3.micro, key, default; 3, t3.nano, no key", func() string { return s.versions(id) })
			_, err = s.ec2.DeleteLaunchTemplate(s.Context(), &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &id})
			s.accepted("deletion", err)
			s.shows("deleted template", "InvalidLaunchTemplateId.NotFound", func() string { return s.defaults(id) })
		},
		differs: []difference{
			{on: motoName, at: "second", does: "2, no type, key", because: "a source version is ignored"},
			{on: motoName, at: "all", does: "1, t3.micro, no key, default; 2, no type, key; 3, t3.nano, no key", because: "a source version is ignored"},
			{on: motoName, at: "deletion of versions", does: "not implemented"},
			{on: motoName, at: "left", does: "1, t3.micro, no key; 2, no type, key, default; 3, t3.nano, no key"},
			{on: motoName, at: "deleted template", does: "not shown"},
		},
	},
	{
		name: "instances are launched by a version of a template",
		run: func(s *session) {
			id := s.template("the template", s.launchData(func(d *types.RequestLaunchTemplateData) {
				d.TagSpecifications = []types.LaunchTemplateTagSpecificationRequest{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{tag(markKey, s.mark)}}}
			}))
			must(s.addVersion(id, aws.String("1"), &types.RequestLaunchTemplateData{InstanceType: types.InstanceTypeT3Nano}))(s)
			s.call(s.mark, "MARK")
			for what, in := range map[string]*ec2.RunInstancesInput{
				"the default one": {LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &id}},
				"the latest one":  {LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &id, Version: aws.String("$Latest")}},
				"an overridden one": {LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &id, Version: aws.String("1")},
					InstanceType: types.InstanceTypeT3Small},
			} {
				in.MinCount, in.MaxCount = aws.Int32(1), aws.Int32(1)
				out, err := s.run(in)
				if !s.accepted("launch by "+what, err) {
					continue
				}
				i := out.Instances[0]
				want := map[string]string{"the default one": "t3.micro, version 1", "the latest one": "t3.nano, version 2", "an overridden one": "t3.small, version 1"}[what]
				s.shows("instance by "+what, want+", mark MARK", func() string {
					got := must(s.instance(*i.InstanceId))(s)
					return string(got.InstanceType) + ", version " + valueOf(got.Tags, "aws:ec2launchtemplate:version") + ", mark " + s.told(valueOf(got.Tags, markKey))
				})
			}
		},
		differs: []difference{
			{on: motoName, at: "instance by the latest one", does: "t3.nano, version 2, mark none", because: "a source version is ignored"},
		},
	},
	{
		name: "launch templates are refused",
		run: func(s *session) {
			id := s.template("the template", s.launchData())
			name := "awsha-" + s.mark
			_, err := s.createTemplate(name, s.launchData(), nil)
			s.refused("a name that is taken", err, "InvalidLaunchTemplateName.AlreadyExistsException")
			_, err = s.createTemplate("with a space "+s.mark, s.launchData(), nil)
			s.refused("a name that is malformed", err, "InvalidLaunchTemplateName.MalformedException")
			_, err = s.createTemplate(name+"-empty", &types.RequestLaunchTemplateData{}, nil)
			s.refused("a template without data", err, "MissingParameter")
			_, err = s.ec2.ModifyLaunchTemplate(s.Context(), &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("9")})
			s.refused("a default that is not there", err, "InvalidLaunchTemplateId.VersionNotFound")
			_, err = s.ec2.DescribeLaunchTemplates(s.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{name + "-unknown"}})
			s.refused("an unknown name", err, "InvalidLaunchTemplateName.NotFoundException")
			_, err = s.ec2.DescribeLaunchTemplates(s.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{"lt" + unknown}})
			s.refused("an unknown ID", err, "InvalidLaunchTemplateId.NotFound")
			_, err = s.ec2.DescribeLaunchTemplates(s.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{"lt-1"}})
			s.refused("a malformed ID", err, "InvalidLaunchTemplateId.Malformed")
			_, err = s.ec2.DescribeLaunchTemplateVersions(s.Context(), &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"9"}})
			s.refused("an unknown version", err, "InvalidLaunchTemplateId.VersionNotFound")
			for what, by := range map[string]*types.LaunchTemplateSpecification{
				"an unknown ID":      {LaunchTemplateId: aws.String("lt" + unknown)},
				"an unknown name":    {LaunchTemplateName: aws.String(name + "-unknown")},
				"an unknown version": {LaunchTemplateId: &id, Version: aws.String("9")},
			} {
				_, err := s.run(&ec2.RunInstancesInput{LaunchTemplate: by, MinCount: aws.Int32(1), MaxCount: aws.Int32(1)})
				s.refused("a launch by "+what, err, map[string]string{
					"an unknown ID": "InvalidLaunchTemplateId.NotFound", "an unknown name": "InvalidLaunchTemplateName.NotFoundException",
					"an unknown version": "InvalidLaunchTemplateId.VersionNotFound",
				}[what])
			}
		},
		differs: []difference{
			{on: motoName, at: "a name that is malformed", does: "accepted"},
			{on: motoName, at: "a template without data", does: "accepted"},
			{on: motoName, at: "an unknown ID", does: "accepted", because: "unknown IDs are left out"},
			{on: motoName, at: "a malformed ID", does: "accepted", because: "unknown IDs are left out"},
			{on: motoName, at: "a launch by an unknown ID", does: "not implemented"},
		},
	},
	{
		name: "a repeated token makes no second template and no second version",
		run: func(s *session) {
			name, token := "awsha-"+s.mark, aws.String("a-"+s.mark)
			first := must(s.createTemplate(name, s.launchData(), token))(s)
			s.call(first, "the template")
			again, err := s.createTemplate(name, s.launchData(), token)
			if s.accepted("the repeat", err) {
				s.is("template of the repeat", same(again, first), "the same")
			}
			in := &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &first, LaunchTemplateData: s.launchData(), ClientToken: aws.String("b-" + s.mark)}
			for range 2 {
				must(s.ec2.CreateLaunchTemplateVersion(s.Context(), in))(s)
			}
			s.shows("versions", "default 1, latest 2", func() string { return s.defaults(first) })
		},
		differs: []difference{
			{on: motoName, at: "the repeat", does: "InvalidLaunchTemplateName.AlreadyExistsException", because: "tokens of templates are ignored"},
			{on: motoName, at: "versions", does: "default 1, latest 3", because: "tokens of templates are ignored"},
		},
	},
}

// valueOf returns the value of a tag, or none.
func valueOf(tags []types.Tag, key string) string {
	for _, t := range tags {
		if *t.Key == key {
			return *t.Value
		}
	}
	return "none"
}

// launchData is the data of a template for an instance.
func (s *session) launchData(change ...func(*types.RequestLaunchTemplateData)) *types.RequestLaunchTemplateData {
	data := &types.RequestLaunchTemplateData{ImageId: aws.String(s.image), InstanceType: types.InstanceTypeT3Micro}
	for _, fn := range change {
		fn(data)
	}
	return data
}

// createTemplate makes a launch template, which goes at the end.
func (s *session) createTemplate(name string, data *types.RequestLaunchTemplateData, token *string) (string, error) {
	out, err := s.ec2.CreateLaunchTemplate(s.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name, LaunchTemplateData: data, ClientToken: token, TagSpecifications: s.tagged(types.ResourceTypeLaunchTemplate),
	})
	if err != nil {
		return "", err
	}
	id := *out.LaunchTemplate.LaunchTemplateId
	s.cleanly(id, func(ctx context.Context) error {
		_, err := s.ec2.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &id})
		return unless(err, "InvalidLaunchTemplateId.NotFound")
	})
	return id, nil
}

func (s *session) template(name string, data *types.RequestLaunchTemplateData) string {
	s.Helper()
	id := must(s.createTemplate("awsha-"+s.mark, data, nil))(s)
	s.call(id, name)
	return id
}

func (s *session) addVersion(id string, source *string, data *types.RequestLaunchTemplateData) (*types.LaunchTemplateVersion, error) {
	out, err := s.ec2.CreateLaunchTemplateVersion(s.Context(), &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &id, SourceVersion: source, LaunchTemplateData: data})
	if err != nil {
		return nil, err
	}
	return out.LaunchTemplateVersion, nil
}

// defaults tells the default and the latest version of a template.
func (s *session) defaults(id string) string {
	out, err := s.ec2.DescribeLaunchTemplates(s.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{id}})
	switch {
	case err != nil:
		return outcome(err)
	case len(out.LaunchTemplates) == 0:
		return "not shown"
	}
	return fmt.Sprintf("default %d, latest %d", *out.LaunchTemplates[0].DefaultVersionNumber, *out.LaunchTemplates[0].LatestVersionNumber)
}

func (s *session) version(v *types.LaunchTemplateVersion) string {
	kind, key := string(v.LaunchTemplateData.InstanceType), aws.ToString(v.LaunchTemplateData.KeyName)
	if kind == "" {
		kind = "no type"
	}
	if key == "" {
		key = "no key"
	}
	text := fmt.Sprintf("%d, %s, %s", *v.VersionNumber, kind, key)
	if aws.ToBool(v.DefaultVersion) {
		text += ", default"
	}
	return text
}

// versions tells versions of a template, by number: AWS promises no order.
func (s *session) versions(id string, names ...string) string {
	out, err := s.ec2.DescribeLaunchTemplateVersions(s.Context(), &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: names})
	if err != nil {
		return outcome(err)
	}
	var list []string
	for i := range out.LaunchTemplateVersions {
		list = append(list, s.version(&out.LaunchTemplateVersions[i]))
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}
