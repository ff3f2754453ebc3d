package cloudwatchsvc

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

func (s *service) addTags(e *awstest.Endpoint) {
	awstest.Handle(e, s.tagResource, "ResourceARN", "Tags")
	awstest.Handle(e, s.untagResource, "ResourceARN", "TagKeys")
	awstest.Handle(e, s.listTagsForResource, "ResourceARN")
}

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Tag.html (read 2026-11)
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// newTags returns tags with others added to them.
func newTags(tags map[string]string, more []types.Tag) (map[string]string, error) {
	all := maps.Clone(tags)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range more {
		k, v := aws.ToString(t.Key), aws.ToString(t.Value)
		if k == "" || len([]rune(k)) > maxTagKey || len([]rune(v)) > maxTagValue || strings.HasPrefix(k, "aws:") {
			return nil, badValue("The tag %q is invalid.", k)
		}
		all[k] = v
	}
	if len(all) > maxTags {
		return nil, badValue("A resource has at most %d tags.", maxTags)
	}
	return all, nil
}

// tagged returns the alarm of an ARN as of a moment. Other resources with tags
// are not modelled.
func (s *service) tagged(call *awstest.Call, at time.Time, arn *string) (cwmodel.Alarm, error) {
	region := s.region(call)
	_, name, _ := strings.Cut(aws.ToString(arn), ":alarm:")
	if a, ok := region.Alarm(at, name); ok && a.ARN == *arn {
		return a, nil
	}
	e := awstest.Errorf("ResourceNotFoundException", "Unknown resource %s", aws.ToString(arn))
	e.Status = 404
	return cwmodel.Alarm{}, e
}

func (s *service) tagResource(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	a, err := s.tagged(call, tx.Now(), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(a.Tags, in.Tags)
	if err != nil {
		return nil, err
	}
	s.region(call).SetTags(tx, a.Name, tags)
	return &cloudwatch.TagResourceOutput{}, nil
}

func (s *service) untagResource(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	a, err := s.tagged(call, tx.Now(), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(a.Tags)
	for _, k := range in.TagKeys {
		delete(tags, k)
	}
	s.region(call).SetTags(tx, a.Name, tags)
	return &cloudwatch.UntagResourceOutput{}, nil
}

func (s *service) listTagsForResource(_ *awstest.Tx, call *awstest.Call, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	a, err := s.tagged(call, call.At, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{}
	for _, k := range slices.Sorted(maps.Keys(a.Tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(k), Value: aws.String(a.Tags[k])})
	}
	return out, nil
}
