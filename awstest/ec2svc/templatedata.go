package ec2svc

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// The SDK has the launch parameters of a template in one shape for requests
// and in another for replies, and those of RunInstances in a third. The
// members that are modelled have the same names in all of them: a document in
// JSON, which the model keeps, goes from one to the other.

// templateFields are the members of a template's data that are read, or that
// may be ignored without harm.
var templateFields = []string{
	"ImageId", "InstanceType", "KeyName", "Placement", "NetworkInterfaces", "TagSpecifications", "BlockDeviceMappings",
	"CapacityReservationSpecification", "SecurityGroupIds", "SecurityGroups",
	// Accepted and without effect here:
	"UserData", "IamInstanceProfile", "MetadataOptions", "Monitoring", "EbsOptimized",
}

// writeTemplate returns what the model keeps of a template's data: what it
// launches, and the document.
func writeTemplate(call *awstest.Call, in *types.RequestLaunchTemplateData) (data ec2model.LaunchData, document string, err error) {
	if field := unread(*in, templateFields...); field != "" {
		return data, "", call.NotModelled("launch template data %s", field)
	}
	if reflect.ValueOf(*in).IsZero() {
		return data, "", missing("LaunchTemplateData")
	}
	text, err := json.Marshal(in)
	if err != nil {
		return data, "", err
	}
	var launch ec2.RunInstancesInput
	if err := json.Unmarshal(text, &launch); err != nil {
		return data, "", err
	}
	data, err = launchData(call, &launch)
	return data, string(text), err
}

// basedOn returns the data of a new version that has what it does not say from
// an older one.
func basedOn(document string, in *types.RequestLaunchTemplateData) (*types.RequestLaunchTemplateData, error) {
	var out types.RequestLaunchTemplateData
	if err := json.Unmarshal([]byte(document), &out); err != nil {
		return nil, err
	}
	overlay(&out, in)
	return &out, nil
}

// showTemplateData is a template's data as EC2 describes it.
func showTemplateData(document string) (*types.ResponseLaunchTemplateData, error) {
	var out types.ResponseLaunchTemplateData
	err := json.Unmarshal([]byte(document), &out)
	return &out, err
}

// fromTemplate returns a launch that has what it does not say from its
// template, if it names one, and the version.
func (s *service) fromTemplate(tx *awstest.Tx, call *awstest.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesInput, *ec2model.TemplateVersion, error) {
	if in.LaunchTemplate == nil {
		return in, nil, nil
	}
	region := s.region(tx, call)
	t, err := template(region, tx.Now(), in.LaunchTemplate.LaunchTemplateId, in.LaunchTemplate.LaunchTemplateName)
	if err != nil {
		return nil, nil, err
	}
	v, err := region.TemplateVersion(tx.Now(), t, aws.ToString(in.LaunchTemplate.Version))
	if err != nil {
		return nil, nil, err
	}
	var out ec2.RunInstancesInput
	if err := json.Unmarshal([]byte(v.Document), &out); err != nil {
		return nil, nil, err
	}
	overlay(&out, in)
	return &out, &v, nil
}

// overlay sets the members of a struct that are set in another one. Which
// parameters of a launch are merged with those of its template rather than
// replacing them, AWS does not say: here each replaces its own as a whole.
func overlay[T any](under, over *T) {
	to, from := reflect.ValueOf(under).Elem(), reflect.ValueOf(over).Elem()
	for i := range from.NumField() {
		if from.Type().Field(i).IsExported() && !unset(from.Field(i)) {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// unread names the first member of a struct that is set and that nobody
// reads.
func unread[T any](in T, fields ...string) string {
	v := reflect.ValueOf(in)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && !unset(v.Field(i)) && !slices.Contains(fields, f.Name) {
			return f.Name
		}
	}
	return ""
}

// unset tells whether a member of a request is not there: an empty list is not
// sent.
func unset(v reflect.Value) bool {
	return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}
