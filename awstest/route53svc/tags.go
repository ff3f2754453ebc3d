package route53svc

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addTags(e *awstest.Endpoint) {
	awstest.Handle(e, s.tag, "ResourceId", "ResourceType", "AddTags", "RemoveTagKeys")
	awstest.Handle(e, s.tags, "ResourceId", "ResourceType")
}

func taggable(call *awstest.Call, kind types.TagResourceType) error {
	if kind != types.TagResourceTypeHealthcheck {
		return call.NotModelled("tags of a %s", kind)
	}
	return nil
}

func (s *service) tag(tx *awstest.Tx, call *awstest.Call, in *route53.ChangeTagsForResourceInput) (*route53.ChangeTagsForResourceOutput, error) {
	if err := taggable(call, in.ResourceType); err != nil {
		return nil, err
	}
	if len(in.AddTags)+len(in.RemoveTagKeys) == 0 {
		return nil, invalid("There are no tags to add or to remove")
	}
	add := map[string]string{}
	for _, t := range in.AddTags {
		add[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return &route53.ChangeTagsForResourceOutput{}, s.model.Tag(tx, aws.ToString(in.ResourceId), add, in.RemoveTagKeys)
}

func (s *service) tags(_ *awstest.Tx, call *awstest.Call, in *route53.ListTagsForResourceInput) (*route53.ListTagsForResourceOutput, error) {
	if err := taggable(call, in.ResourceType); err != nil {
		return nil, err
	}
	hc, err := s.model.HealthCheck(call.At, aws.ToString(in.ResourceId))
	if err != nil {
		return nil, err
	}
	set := &types.ResourceTagSet{ResourceId: aws.String(hc.ID), ResourceType: in.ResourceType}
	for _, k := range slices.Sorted(maps.Keys(hc.Tags)) {
		set.Tags = append(set.Tags, types.Tag{Key: aws.String(k), Value: aws.String(hc.Tags[k])})
	}
	return &route53.ListTagsForResourceOutput{ResourceTagSet: set}, nil
}
