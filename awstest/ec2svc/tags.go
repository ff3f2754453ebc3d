package ec2svc

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// What a tag may be.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions (read 2026-11)
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func (s *service) addTags(e *awstest.Endpoint) {
	handle(e, s.createTags, "Resources", "Tags")
	handle(e, s.deleteTags, "Resources", "Tags")
	handle(e, s.describeTags, "Filters", "MaxResults", "NextToken")
}

// tagged is a resource that has tags, of any kind.
type tagged struct {
	id   string
	kind types.ResourceType
	tags ec2model.Tags
	set  func(ec2model.Tags)
}

func (s *service) findTagged(tx *awstest.Tx, call *awstest.Call, id string) (tagged, error) {
	region := s.region(tx, call)
	switch prefix, _, _ := strings.Cut(id, "-"); prefix {
	case "i":
		i, err := region.Instance(tx.Now(), id)
		return tagged{id, types.ResourceTypeInstance, i.Tags, func(t ec2model.Tags) { region.SetInstanceTags(tx, i, t) }}, err
	case "eni":
		n, err := region.Interface(tx.Now(), id)
		return tagged{id, types.ResourceTypeNetworkInterface, n.Tags, func(t ec2model.Tags) { region.SetInterfaceTags(tx, n, t) }}, err
	case "eipalloc":
		a, err := region.Address(tx.Now(), id)
		return tagged{id, types.ResourceTypeElasticIp, a.Tags, func(t ec2model.Tags) { region.SetAddressTags(tx, a, t) }}, err
	default:
		return tagged{}, call.NotModelled("tags of %s", id)
	}
}

func (s *service) createTags(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateTagsInput) (*ec2.CreateTagsOutput, error) {
	if len(in.Resources) == 0 {
		return nil, missing("resourceIdSet")
	}
	if len(in.Tags) == 0 {
		return nil, missing("tagSet")
	}
	return &ec2.CreateTagsOutput{}, s.retag(tx, call, in.Resources, func(tags ec2model.Tags) (ec2model.Tags, error) {
		return setTags(tags, in.Tags)
	})
}

func (s *service) deleteTags(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteTagsInput) (*ec2.DeleteTagsOutput, error) {
	if len(in.Resources) == 0 {
		return nil, missing("resourceIdSet")
	}
	return &ec2.DeleteTagsOutput{}, s.retag(tx, call, in.Resources, func(tags ec2model.Tags) (ec2model.Tags, error) {
		if len(in.Tags) == 0 {
			return nil, nil
		}
		for _, t := range in.Tags {
			tags = tags.Without(aws.ToString(t.Key), t.Value)
		}
		return tags, nil
	})
}

// retag changes the tags of all of the resources, or of none.
func (s *service) retag(tx *awstest.Tx, call *awstest.Call, ids []string, change func(ec2model.Tags) (ec2model.Tags, error)) error {
	var todo []func()
	for _, id := range ids {
		r, err := s.findTagged(tx, call, id)
		if err != nil {
			return err
		}
		tags, err := change(r.tags)
		if err != nil {
			return err
		}
		todo = append(todo, func() { r.set(tags) })
	}
	for _, do := range todo {
		do()
	}
	return nil
}

func (s *service) describeTags(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeTagsInput) (*ec2.DescribeTagsOutput, error) {
	type row struct {
		tagged
		tag ec2model.Tag
	}
	match, err := filterable[row]{
		"resource-id":   func(r row) []string { return []string{r.id} },
		"resource-type": func(r row) []string { return []string{string(r.kind)} },
		"key":           func(r row) []string { return []string{r.tag.Key} },
		"value":         func(r row) []string { return []string{r.tag.Value} },
	}.matcher(call, in.Filters, func(r row) ec2model.Tags { return ec2model.Tags{r.tag} })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	var all []types.TagDescription
	add := func(id string, kind types.ResourceType, tags ec2model.Tags) {
		for _, t := range tags {
			if match(row{tagged{id: id, kind: kind}, t}) {
				all = append(all, types.TagDescription{ResourceId: aws.String(id), ResourceType: kind, Key: aws.String(t.Key), Value: aws.String(t.Value)})
			}
		}
	}
	for id, i := range region.Instances(call.At) {
		add(id, types.ResourceTypeInstance, i.Tags)
	}
	for id, n := range region.Interfaces(call.At) {
		add(id, types.ResourceTypeNetworkInterface, n.Tags)
	}
	for id, a := range region.Addresses(call.At) {
		add(id, types.ResourceTypeElasticIp, a.Tags)
	}
	out := &ec2.DescribeTagsOutput{}
	out.Tags, out.NextToken, err = page(all, in.NextToken, in.MaxResults, pageLimits{5, 1000})
	return out, err
}

// tagsFor reads the tags that a request sets on the resource it creates. The
// other kinds are allowed beside it; any further kind is refused.
func tagsFor(call *awstest.Call, specs []types.TagSpecification, kind types.ResourceType, beside ...types.ResourceType) (tags ec2model.Tags, err error) {
	for _, spec := range specs {
		switch {
		case spec.ResourceType == kind:
			if tags, err = setTags(tags, spec.Tags); err != nil {
				return nil, err
			}
		case !slices.Contains(beside, spec.ResourceType):
			return nil, awstest.Errorf("InvalidParameterValue", "'%s' is not a valid taggable resource type for %s.", spec.ResourceType, call.Operation)
		}
	}
	return tags, nil
}

func setTags(tags ec2model.Tags, add []types.Tag) (ec2model.Tags, error) {
	for _, t := range add {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		switch {
		case key == "" || len(key) > maxTagKey:
			return nil, awstest.Errorf("InvalidParameterValue", "Tag keys must be from 1 to %d characters long.", maxTagKey)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, awstest.Errorf("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		case len(value) > maxTagValue:
			return nil, awstest.Errorf("InvalidParameterValue", "Tag values must be at most %d characters long.", maxTagValue)
		}
		tags = tags.With(ec2model.Tag{Key: key, Value: value})
	}
	if len(tags) > maxTags {
		return nil, awstest.Errorf("TagLimitExceeded", "More than %d tags specified", maxTags)
	}
	return tags, nil
}

func showTags(tags ec2model.Tags) []types.Tag {
	var out []types.Tag
	for _, t := range tags {
		out = append(out, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out
}
