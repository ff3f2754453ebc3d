package autoscalingsvc

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
)

func (s *service) addTags(e *awstest.Endpoint) {
	awstest.Handle(e, s.createOrUpdateTags, "Tags")
	awstest.Handle(e, s.deleteTags, "Tags")
	awstest.Handle(e, s.describeTags, "Filters", "MaxRecords", "NextToken")
}

// groupType is the one type of resource that has tags.
const groupType = "auto-scaling-group"

// tag reads a tag. It is for new instances unless it says that it is not:
// which is the default is not documented.
func tag(t types.Tag) asgmodel.Tag {
	return asgmodel.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value), Propagate: t.PropagateAtLaunch == nil || *t.PropagateAtLaunch}
}

func showTag(group string, t asgmodel.Tag) types.TagDescription {
	return types.TagDescription{
		Key: &t.Key, Value: &t.Value, PropagateAtLaunch: &t.Propagate, ResourceId: &group, ResourceType: aws.String(groupType),
	}
}

func groupTags(in []types.Tag) (list []asgmodel.GroupTag, err error) {
	for _, t := range in {
		if kind := aws.ToString(t.ResourceType); kind != groupType {
			return nil, invalid("The resource type of a tag must be %s, and not '%s'", groupType, kind)
		}
		list = append(list, asgmodel.GroupTag{Group: aws.ToString(t.ResourceId), Tag: tag(t)})
	}
	return list, nil
}

func (s *service) createOrUpdateTags(tx *awstest.Tx, call *awstest.Call, in *autoscaling.CreateOrUpdateTagsInput) (*autoscaling.CreateOrUpdateTagsOutput, error) {
	list, err := groupTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.region(call).SetTags(tx, list); err != nil {
		return nil, err
	}
	return &autoscaling.CreateOrUpdateTagsOutput{}, nil
}

func (s *service) deleteTags(tx *awstest.Tx, call *awstest.Call, in *autoscaling.DeleteTagsInput) (*autoscaling.DeleteTagsOutput, error) {
	list, err := groupTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.region(call).RemoveTags(tx, list); err != nil {
		return nil, err
	}
	return &autoscaling.DeleteTagsOutput{}, nil
}

func (s *service) describeTags(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeTagsInput) (*autoscaling.DescribeTagsOutput, error) {
	var list []types.TagDescription
	for name, g := range s.region(call).Groups(call.At) {
		for _, t := range g.Tags {
			ok, err := matchTag(in.Filters, name, t)
			if err != nil {
				return nil, err
			}
			if ok {
				list = append(list, showTag(name, t))
			}
		}
	}
	if _, err := matchTag(in.Filters, "", asgmodel.Tag{}); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b types.TagDescription) int { return cmp.Compare(*a.ResourceId, *b.ResourceId) })
	list, next, err := page(pagesOfGroups, list, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &autoscaling.DescribeTagsOutput{Tags: list, NextToken: next}, nil
}

// matchTag holds a tag against filters.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Filter.html (read 2026-11)
func matchTag(filters []types.Filter, group string, t asgmodel.Tag) (bool, error) {
	match := true
	for _, f := range filters {
		var value string
		switch name := aws.ToString(f.Name); name {
		case groupType:
			value = group
		case "key":
			value = t.Key
		case "value":
			value = t.Value
		case "propagate-at-launch":
			value = strconv.FormatBool(t.Propagate)
		default:
			return false, invalid("Filter type %s is not correct. Allowed Filter types are: auto-scaling-group, key, value, propagate-at-launch", name)
		}
		match = match && slices.Contains(f.Values, value)
	}
	return match, nil
}
