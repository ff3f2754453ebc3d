package ec2svc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

// large is the data of a template for a larger instance.
func large(change ...func(*types.RequestLaunchTemplateData)) *types.RequestLaunchTemplateData {
	data := &types.RequestLaunchTemplateData{ImageId: aws.String("ami-00000002"), InstanceType: "m5.large"}
	for _, fn := range change {
		fn(data)
	}
	return data
}

// template makes a launch template and returns its ID.
func (w *world) template(name string, data *types.RequestLaunchTemplateData) string {
	w.Helper()
	out := must(w.CreateLaunchTemplate(w.Context(), &ec2.CreateLaunchTemplateInput{LaunchTemplateName: &name, LaunchTemplateData: data}))(w)
	return *out.LaunchTemplate.LaunchTemplateId
}

func (w *world) addVersion(id string, data *types.RequestLaunchTemplateData, change ...func(*ec2.CreateLaunchTemplateVersionInput)) types.LaunchTemplateVersion {
	w.Helper()
	in := &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &id, LaunchTemplateData: data}
	for _, fn := range change {
		fn(in)
	}
	return *must(w.CreateLaunchTemplateVersion(w.Context(), in))(w).LaunchTemplateVersion
}

// codeOf is the code of an error of EC2, or what else a call ended with.
func codeOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// by launches an instance by a version of a template, with nothing else.
func by(id, version string) *ec2.RunInstancesInput {
	return &ec2.RunInstancesInput{
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: &id, Version: &version},
		MinCount:       aws.Int32(1), MaxCount: aws.Int32(1),
	}
}

func TestLaunchByTemplate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.template("web", large(func(d *types.RequestLaunchTemplateData) {
			d.KeyName = aws.String("key")
			d.Placement = &types.LaunchTemplatePlacementRequest{AvailabilityZoneId: aws.String(zoneB)}
			d.UserData = aws.String("IyEvYmluL3No")
			d.TagSpecifications = []types.LaunchTemplateTagSpecificationRequest{
				{ResourceType: types.ResourceTypeInstance, Tags: tagList("role=web")},
				{ResourceType: types.ResourceTypeNetworkInterface, Tags: tagList("role=nic")},
			}
			d.NetworkInterfaces = []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{{DeviceIndex: aws.Int32(0)}, {DeviceIndex: aws.Int32(1)}}
		}))
		show := func(in *ec2.RunInstancesInput) []any {
			w.Helper()
			i := must(w.RunInstances(w.Context(), in))(w).Instances[0]
			tags := map[string]string{}
			for _, tag := range i.Tags {
				tags[*tag.Key] = *tag.Value
			}
			return []any{*i.ImageId, string(i.InstanceType), aws.ToString(i.KeyName), *i.Placement.AvailabilityZoneId, len(i.NetworkInterfaces), tags}
		}
		tags := func(version, role string) map[string]string {
			return map[string]string{"aws:ec2launchtemplate:id": id, "aws:ec2launchtemplate:version": version, "role": role}
		}
		want := func(what string, in *ec2.RunInstancesInput, want ...any) {
			w.Helper()
			if diff := cmp.Diff(want, show(in)); diff != "" {
				w.Errorf("%s: %s", what, diff)
			}
		}
		want("the template alone", by(id, "1"), "ami-00000002", "m5.large", "key", zoneB, 2, tags("1", "web"))
		over := by(id, "$Default")
		over.InstanceType, over.Placement = "t3.micro", at(zoneA)
		over.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: tagList("role=db")}}
		want("what the request says replaces it", over, "ami-00000002", "t3.micro", "key", zoneA, 2, tags("1", "db"))
		byName := by(id, "$Latest")
		byName.LaunchTemplate.LaunchTemplateId, byName.LaunchTemplate.LaunchTemplateName = nil, aws.String("web")
		w.addVersion(id, large())
		want("the latest version, by name", byName, "ami-00000002", "m5.large", "", zoneB, 1, map[string]string{"aws:ec2launchtemplate:id": id, "aws:ec2launchtemplate:version": "2"})
		byDefault := by(id, "")
		byDefault.LaunchTemplate.Version = nil
		want("the default version", byDefault, "ami-00000002", "m5.large", "key", zoneB, 2, tags("1", "web"))
	})
}

func TestTemplateNamesNothingUntilItLaunches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*types.RequestLaunchTemplateData)
		code   string
	}{
		"no image": {func(d *types.RequestLaunchTemplateData) { d.ImageId = nil }, "MissingParameter"},
		"an unknown zone": {func(d *types.RequestLaunchTemplateData) {
			d.Placement = &types.LaunchTemplatePlacementRequest{AvailabilityZone: aws.String("us-east-1z")}
		}, "InvalidParameterValue"},
		"an unknown subnet": {func(d *types.RequestLaunchTemplateData) { d.NetworkInterfaces = onSubnet("subnet-00000000") }, "InvalidSubnetID.NotFound"},
		"security groups beside interfaces": {func(d *types.RequestLaunchTemplateData) {
			d.NetworkInterfaces, d.SecurityGroupIds = onSubnet("subnet-00000001"), []string{"sg-00000001"}
		}, "InvalidParameterCombination"},
		"a malformed subnet": {func(d *types.RequestLaunchTemplateData) { d.NetworkInterfaces = onSubnet("net") }, "InvalidSubnetID.Malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				_, err := w.RunInstances(w.Context(), by(w.template("web", large(c.change)), "1"))
				wantCode(w, err, c.code)
			})
		})
	}
}

func onSubnet(id string) []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
	return []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{{DeviceIndex: aws.Int32(0), SubnetId: &id}}
}

// TestRepeatedLaunchByTemplate has the default version change between a launch
// and its repeat: the request is the same, and so are the instances.
func TestRepeatedLaunchByTemplate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.template("web", large())
		launch := by(id, "$Default")
		launch.ClientToken = aws.String("a")
		first := must(w.RunInstances(w.Context(), launch))(w)
		w.addVersion(id, large(func(d *types.RequestLaunchTemplateData) { d.InstanceType = "t3.micro" }))
		must(w.ModifyLaunchTemplate(w.Context(), &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")}))(w)
		again := must(w.RunInstances(w.Context(), launch))(w)
		if diff := cmp.Diff(ids(first.Instances), ids(again.Instances)); diff != "" {
			w.Error(diff)
		}
		launch.ClientToken = nil
		if other := must(w.RunInstances(w.Context(), launch))(w).Instances[0]; other.InstanceType != "t3.micro" {
			w.Errorf("without the token the default version launches a %s", other.InstanceType)
		}
	})
}

// TestRepeatedLaunchByTemplateInAnotherZone has the default version name
// another zone by the time of the repeat: the token is of the request.
func TestRepeatedLaunchByTemplateInAnotherZone(t *testing.T) {
	t.Parallel()
	in := func(zoneID string) *types.RequestLaunchTemplateData {
		return large(func(d *types.RequestLaunchTemplateData) {
			d.Placement = &types.LaunchTemplatePlacementRequest{AvailabilityZoneId: &zoneID}
		})
	}
	inBubble(t, func(w *world) {
		id := w.template("web", in(zoneA))
		launch := by(id, "$Default")
		launch.ClientToken = aws.String("a")
		first := must(w.RunInstances(w.Context(), launch))(w)
		w.addVersion(id, in(zoneB))
		must(w.ModifyLaunchTemplate(w.Context(), &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")}))(w)
		again := must(w.RunInstances(w.Context(), launch))(w)
		if diff := cmp.Diff(ids(first.Instances), ids(again.Instances)); diff != "" {
			w.Error(diff)
		}
	})
}

// TestEmptyListsSayNothing has lists without elements in a request, which are
// not sent: they replace nothing, and are no parameter that is not modelled.
func TestEmptyListsSayNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.template("web", large(func(d *types.RequestLaunchTemplateData) {
			d.NetworkInterfaces = []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{{DeviceIndex: aws.Int32(0)}, {DeviceIndex: aws.Int32(1)}}
			d.LicenseSpecifications = []types.LaunchTemplateLicenseConfigurationRequest{}
		}))
		launch := by(id, "1")
		launch.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{}
		if n := len(must(w.RunInstances(w.Context(), launch))(w).Instances[0].NetworkInterfaces); n != 2 {
			w.Errorf("launched with %d interfaces, want the template's 2", n)
		}
	})
}

// versions tells the versions of a template: number, type, image and key,
// with a star at the default one.
func (w *world) versions(in *ec2.DescribeLaunchTemplateVersionsInput) (list []string) {
	w.Helper()
	for _, v := range must(w.DescribeLaunchTemplateVersions(w.Context(), in))(w).LaunchTemplateVersions {
		text := fmt.Sprintf("%s %d %s", *v.LaunchTemplateName, *v.VersionNumber, v.LaunchTemplateData.InstanceType)
		if v.LaunchTemplateData.KeyName != nil {
			text += " " + *v.LaunchTemplateData.KeyName
		}
		if *v.DefaultVersion {
			text += "*"
		}
		list = append(list, text)
	}
	return list
}

func TestTemplateVersions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.template("web", large(func(d *types.RequestLaunchTemplateData) { d.KeyName = aws.String("key") }))
		w.template("other", large())
		small := &types.RequestLaunchTemplateData{InstanceType: "t3.micro"}
		second := w.addVersion(id, small, func(in *ec2.CreateLaunchTemplateVersionInput) {
			in.SourceVersion, in.VersionDescription = aws.String("1"), aws.String("smaller")
		})
		if got := []string{*second.LaunchTemplateData.ImageId, string(second.LaunchTemplateData.InstanceType), *second.VersionDescription}; !cmp.Equal(got, []string{"ami-00000002", "t3.micro", "smaller"}) {
			w.Errorf("based on the first, the second version is %v", got)
		}
		third := w.addVersion(id, small)
		if third.LaunchTemplateData.ImageId != nil {
			w.Errorf("based on nothing, the third version has the image %s", *third.LaunchTemplateData.ImageId)
		}
		want := func(in *ec2.DescribeLaunchTemplateVersionsInput, want ...string) {
			w.Helper()
			if diff := cmp.Diff(want, w.versions(in)); diff != "" {
				w.Error(diff)
			}
		}
		want(&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id}, "web 3 t3.micro", "web 2 t3.micro key", "web 1 m5.large key*")
		want(&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("web"), Versions: []string{"$Default", "2", "1", "$Latest"}}, "web 1 m5.large key*", "web 2 t3.micro key", "web 3 t3.micro")
		want(&ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"$Latest"}}, "web 3 t3.micro", "other 1 m5.large*")
		want(&ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"$Latest", "$Default"}}, "web 3 t3.micro", "web 1 m5.large key*", "other 1 m5.large*")
		want(&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Filters: []types.Filter{filter("instance-type", "t3.*"), filter("image-id", "ami-*")}}, "web 2 t3.micro key")
		want(&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id, Filters: []types.Filter{filter("is-default-version", "true")}}, "web 1 m5.large key*")

		out := must(w.ModifyLaunchTemplate(w.Context(), &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &id, DefaultVersion: aws.String("2")}))(w)
		if *out.LaunchTemplate.DefaultVersionNumber != 2 || *out.LaunchTemplate.LatestVersionNumber != 3 {
			w.Errorf("the default version is %d, the latest %d", *out.LaunchTemplate.DefaultVersionNumber, *out.LaunchTemplate.LatestVersionNumber)
		}
		deleted := must(w.DeleteLaunchTemplateVersions(w.Context(), &ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: []string{"1", "2", "3", "4"}}))(w)
		var done, not []int64
		for _, v := range deleted.SuccessfullyDeletedLaunchTemplateVersions {
			done = append(done, *v.VersionNumber)
		}
		for _, v := range deleted.UnsuccessfullyDeletedLaunchTemplateVersions {
			not = append(not, *v.VersionNumber)
		}
		if diff := cmp.Diff([][]int64{{1, 3}, {2, 4}}, [][]int64{done, not}); diff != "" {
			w.Errorf("deleted, and not deleted: %s", diff)
		}
		want(&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &id}, "web 2 t3.micro key*")
		left := must(w.DescribeLaunchTemplates(w.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{id}}))(w).LaunchTemplates[0]
		if *left.LatestVersionNumber != 2 {
			w.Errorf("the latest version is %d, which is deleted", *left.LatestVersionNumber)
		}
		if fourth := w.addVersion(id, small); *fourth.VersionNumber != 4 {
			w.Errorf("the number %d was given twice", *fourth.VersionNumber)
		}
	})
}

func TestDescribeLaunchTemplates(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		web := *must(w.CreateLaunchTemplate(w.Context(), &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("web"), LaunchTemplateData: large(), TagSpecifications: tags(types.ResourceTypeLaunchTemplate, "stack", "blue"),
		}))(w).LaunchTemplate.LaunchTemplateId
		db := w.template("database", large())
		must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{db}, Tags: tagList("stack=green")}))(w)
		for _, c := range []struct {
			in   ec2.DescribeLaunchTemplatesInput
			want []string
		}{
			{ec2.DescribeLaunchTemplatesInput{}, []string{web, db}},
			{ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{db}}, []string{db}},
			{ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{"web"}}, []string{web}},
			{ec2.DescribeLaunchTemplatesInput{Filters: []types.Filter{filter("launch-template-name", "w*")}}, []string{web}},
			{ec2.DescribeLaunchTemplatesInput{Filters: []types.Filter{filter("tag:stack", "green")}}, []string{db}},
			{ec2.DescribeLaunchTemplatesInput{Filters: []types.Filter{filter("create-time", "2000-01-01*")}}, []string{web, db}},
		} {
			var got []string
			for _, lt := range must(w.DescribeLaunchTemplates(w.Context(), &c.in))(w).LaunchTemplates {
				got = append(got, *lt.LaunchTemplateId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%+v: %s", c.in, diff)
			}
		}
		first := must(w.DescribeLaunchTemplates(w.Context(), &ec2.DescribeLaunchTemplatesInput{MaxResults: aws.Int32(1)}))(w)
		second := must(w.DescribeLaunchTemplates(w.Context(), &ec2.DescribeLaunchTemplatesInput{MaxResults: aws.Int32(1), NextToken: first.NextToken}))(w)
		if len(first.LaunchTemplates) != 1 || *second.LaunchTemplates[0].LaunchTemplateId != db || second.NextToken != nil {
			w.Error("two templates are not on two pages of one")
		}
		want := []string{web + " launch-template stack=blue", db + " launch-template stack=green"}
		if diff := cmp.Diff(want, w.tags()); diff != "" {
			w.Error(diff)
		}
	})
}

func TestTemplatesRefuse(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.template("web", large())
		create := func(name string, data *types.RequestLaunchTemplateData) error {
			_, err := w.CreateLaunchTemplate(w.Context(), &ec2.CreateLaunchTemplateInput{LaunchTemplateName: &name, LaunchTemplateData: data})
			return err
		}
		modify := func(id, name, version *string) error {
			_, err := w.ModifyLaunchTemplate(w.Context(), &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: id, LaunchTemplateName: name, DefaultVersion: version})
			return err
		}
		run := func(in *ec2.RunInstancesInput) error {
			_, err := w.RunInstances(w.Context(), in)
			return err
		}
		describe := func(in *ec2.DescribeLaunchTemplatesInput) error {
			_, err := w.DescribeLaunchTemplates(w.Context(), in)
			return err
		}
		versions := func(in *ec2.DescribeLaunchTemplateVersionsInput) error {
			_, err := w.DescribeLaunchTemplateVersions(w.Context(), in)
			return err
		}
		remove := func(versions ...string) error {
			_, err := w.DeleteLaunchTemplateVersions(w.Context(), &ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &id, Versions: versions})
			return err
		}
		one := aws.String("1")
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"a name that is taken":           {create("web", large()), "InvalidLaunchTemplateName.AlreadyExistsException"},
			"a name of two letters":          {create("ab", large()), "InvalidLaunchTemplateName.MalformedException"},
			"a name of 129":                  {create(strings.Repeat("a", 129), large()), "InvalidLaunchTemplateName.MalformedException"},
			"a name with a space":            {create("a b c", large()), "InvalidLaunchTemplateName.MalformedException"},
			"no data":                        {create("empty", &types.RequestLaunchTemplateData{}), "MissingParameter"},
			"neither ID nor name":            {modify(nil, nil, one), "MissingParameter"},
			"both ID and name":               {modify(&id, aws.String("web"), one), "InvalidParameterCombination"},
			"no default version":             {modify(&id, nil, nil), "MissingParameter"},
			"an unknown default version":     {modify(&id, nil, aws.String("2")), "InvalidLaunchTemplateId.VersionNotFound"},
			"a malformed ID":                 {modify(aws.String("web"), nil, one), "InvalidLaunchTemplateId.Malformed"},
			"an unknown ID":                  {modify(aws.String("lt-12345678"), nil, one), "InvalidLaunchTemplateId.NotFound"},
			"an unknown name":                {modify(nil, aws.String("Web"), one), "InvalidLaunchTemplateName.NotFoundException"},
			"a launch by an unknown ID":      {run(by("lt-12345678", "1")), "InvalidLaunchTemplateId.NotFound"},
			"a launch by an unknown version": {run(by(id, "2")), "InvalidLaunchTemplateId.VersionNotFound"},
			"a launch by no version":         {run(by(id, "one")), "InvalidParameterValue"},
			"an unknown ID of several":       {describe(&ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{id, "lt-12345678"}}), "InvalidLaunchTemplateId.NotFound"},
			"a malformed ID of several":      {describe(&ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{id, "lt-1"}}), "InvalidLaunchTemplateId.Malformed"},
			"an unknown name of several":     {describe(&ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{"web", "db"}}), "InvalidLaunchTemplateName.NotFoundException"},
			"a page of 201":                  {describe(&ec2.DescribeLaunchTemplatesInput{MaxResults: aws.Int32(201)}), "InvalidParameterValue"},
			"versions of nothing":            {versions(&ec2.DescribeLaunchTemplateVersionsInput{}), "MissingParameter"},
			"a number of every template":     {versions(&ec2.DescribeLaunchTemplateVersionsInput{Versions: []string{"1"}}), "InvalidParameterValue"},
			"no versions to delete":          {remove([]string{}...), "MissingParameter"},
			"201 versions to delete":         {remove(make([]string, 201)...), "InvalidParameterValue"},
		} {
			if got := codeOf(c.err); got != c.code {
				w.Errorf("%s: got %s, want %s", what, got, c.code)
			}
		}
	})
}

func TestDeletedTemplateIsGone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.template("web", large())
		instance := *must(w.RunInstances(w.Context(), by(id, "1")))(w).Instances[0].InstanceId
		must(w.DeleteLaunchTemplate(w.Context(), &ec2.DeleteLaunchTemplateInput{LaunchTemplateName: aws.String("web")}))(w)
		_, err := w.RunInstances(w.Context(), by(id, "1"))
		wantMessage(w, err, "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID "+id+", does not exist.")
		if got := must(w.DescribeLaunchTemplates(w.Context(), &ec2.DescribeLaunchTemplatesInput{}))(w).LaunchTemplates; len(got) != 0 {
			w.Errorf("there are still %d templates", len(got))
		}
		w.wantState(instance, pending)
		if again := w.template("web", large()); again == id { // the name is free
			w.Errorf("%s is back", id)
		}
		heal := must(w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DescribeLaunchTemplateVersions"}, awstest.Stale(awstest.Memory)))(w)
		defer heal()
		_, err = w.DescribeLaunchTemplateVersions(w.Context(), &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("web")})
		wantCode(w, err, "InvalidLaunchTemplateName.NotFoundException") // as of before it was made
	})
}

func TestTemplateTokens(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		in := &ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("web"), LaunchTemplateData: large()}
		must(w.cloud.LoseReply("EC2", "CreateLaunchTemplate", 1))(w)
		id := *must(w.CreateLaunchTemplate(w.Context(), in))(w).LaunchTemplate.LaunchTemplateId // the SDK makes a token, and a second attempt
		must(w.cloud.LoseReply("EC2", "CreateLaunchTemplateVersion", 1))(w)
		if v := w.addVersion(id, large()); *v.VersionNumber != 2 {
			w.Errorf("the second attempt made version %d", *v.VersionNumber)
		}
		in.ClientToken, in.LaunchTemplateName = aws.String(strings.Repeat("a", 128)), aws.String("database")
		must(w.CreateLaunchTemplate(w.Context(), in))(w)
		in.LaunchTemplateName = aws.String("cache")
		_, err := w.CreateLaunchTemplate(w.Context(), in)
		wantCode(w, err, "IdempotentParameterMismatch")
		in.ClientToken = aws.String(strings.Repeat("a", 129))
		_, err = w.CreateLaunchTemplate(w.Context(), in)
		wantCode(w, err, "InvalidClientToken")
	})
}

func TestReservedTagsStay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := *must(w.RunInstances(w.Context(), by(w.template("web", large()), "1")))(w).Instances[0].InstanceId
		for n := range 50 { // AWS's own do not count
			must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tagList(fmt.Sprint("key", n, "=x"))}))(w)
		}
		_, err := w.DeleteTags(w.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: tagList("aws:ec2launchtemplate:id")})
		wantCode(w, err, "InvalidTagKey.Malformed")
		must(w.DeleteTags(w.Context(), &ec2.DeleteTagsInput{Resources: []string{id}}))(w)
		if got := w.tags(); len(got) != 2 || !strings.Contains(got[0], "aws:") {
			w.Errorf("left are %v", got)
		}
	})
}
