package rdssvc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

func (s *service) addTags(e *awstest.Endpoint) {
	awstest.Handle(e, s.addTagsToResource, "ResourceName", "Tags")
	awstest.Handle(e, s.removeTagsFromResource, "ResourceName", "TagKeys")
	awstest.Handle(e, s.listTagsForResource, "ResourceName")
}

func (s *service) addTagsToResource(tx *awstest.Tx, call *awstest.Call, in *rds.AddTagsToResourceInput) (*rds.AddTagsToResourceOutput, error) {
	return &rds.AddTagsToResourceOutput{}, s.region(call).SetTags(tx, *in.ResourceName, rdsmodel.AddTags(readTags(in.Tags)))
}

func (s *service) removeTagsFromResource(tx *awstest.Tx, call *awstest.Call, in *rds.RemoveTagsFromResourceInput) (*rds.RemoveTagsFromResourceOutput, error) {
	return &rds.RemoveTagsFromResourceOutput{}, s.region(call).SetTags(tx, *in.ResourceName, func(tags []rdsmodel.Tag) ([]rdsmodel.Tag, error) {
		return slices.DeleteFunc(slices.Clone(tags), func(t rdsmodel.Tag) bool { return slices.Contains(in.TagKeys, t.Key) }), nil
	})
}

func (s *service) listTagsForResource(_ *awstest.Tx, call *awstest.Call, in *rds.ListTagsForResourceInput) (*rds.ListTagsForResourceOutput, error) {
	tags, err := s.region(call).Tags(call.At, *in.ResourceName)
	if err != nil {
		return nil, err
	}
	return &rds.ListTagsForResourceOutput{TagList: showTags(tags)}, nil
}

func readTags(tags []types.Tag) (out []rdsmodel.Tag) {
	for _, t := range tags {
		out = append(out, rdsmodel.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	return out
}

func showTags(tags []rdsmodel.Tag) (out []types.Tag) {
	for _, t := range tags {
		out = append(out, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return out
}
