package dynamodbsvc

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
)

// Limits of tags, in characters.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html (read 2026-11)
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func (s *service) addTags(e *awstest.Endpoint) {
	awstest.Handle(e, s.tagResource, "ResourceArn", "Tags")
	awstest.Handle(e, s.untagResource, "ResourceArn", "TagKeys")
	awstest.Handle(e, s.listTags, "ResourceArn", "NextToken")
}

// tagged returns tags with more of them.
func tagged(old map[string]string, more []types.Tag) (map[string]string, error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = map[string]string{}
	}
	seen := map[string]bool{}
	for _, t := range more {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		switch {
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			return nil, member(key, "tags.member.key", "have length from 1 to 128")
		case utf8.RuneCountInString(value) > maxTagValue:
			return nil, member(value, "tags.member.value", "have length less than or equal to 256")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("One or more parameter values were invalid: Tag keys with the prefix aws: are reserved. Key: %s", key)
		case seen[key]:
			return nil, invalid("One or more parameter values were invalid: Duplicate tag key: %s", key)
		}
		seen[key] = true
		tags[key] = value
	}
	if len(tags) > maxTags {
		return nil, invalid("One or more parameter values were invalid: Too many tags: the limit is %d", maxTags)
	}
	return tags, nil
}

// resource returns the table of an ARN, which tags are always named by.
func (s *service) resource(tx *awstest.Tx, call *awstest.Call, ref *string) (*table, error) {
	if !strings.HasPrefix(aws.ToString(ref), "arn:aws:dynamodb:") {
		return nil, invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", aws.ToString(ref))
	}
	t, err := s.region(call).find(tx.Now(), tx, ref)
	if err != nil {
		return nil, notFound("Requested resource not found: ResourcArn: %s not found", *ref) // the misspelling is AWS's
	}
	return t, nil
}

func (s *service) tagResource(tx *awstest.Tx, call *awstest.Call, in *dynamodb.TagResourceInput) (*dynamodb.TagResourceOutput, error) {
	t, err := s.resource(tx, call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := tagged(t.tags, in.Tags)
	if err != nil {
		return nil, err
	}
	s.region(call).change(tx, t, func(t *table) { t.tags = tags })
	return &dynamodb.TagResourceOutput{}, nil
}

func (s *service) untagResource(tx *awstest.Tx, call *awstest.Call, in *dynamodb.UntagResourceInput) (*dynamodb.UntagResourceOutput, error) {
	t, err := s.resource(tx, call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags := maps.Clone(t.tags)
	for _, key := range in.TagKeys {
		delete(tags, key)
	}
	s.region(call).change(tx, t, func(t *table) { t.tags = tags })
	return &dynamodb.UntagResourceOutput{}, nil
}

// listTags is an eventually consistent read. Ten tags are on a page.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html (read 2026-11)
func (s *service) listTags(tx *awstest.Tx, call *awstest.Call, in *dynamodb.ListTagsOfResourceInput) (*dynamodb.ListTagsOfResourceOutput, error) {
	const page = 10
	now, err := s.resource(tx, call, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &dynamodb.ListTagsOfResourceOutput{Tags: []types.Tag{}}
	t, ok := s.region(call).tables.Get(call.At, now.name)
	if !ok {
		return out, nil // as if it had none, says the API reference
	}
	// The token is the key in front of the page, so that no other key is lost
	// if tags come and go meanwhile.
	keys := slices.Sorted(maps.Keys(t.tags))
	keys = slices.DeleteFunc(keys, func(key string) bool { return key <= aws.ToString(in.NextToken) })
	if len(keys) > page {
		keys = keys[:page]
		out.NextToken = aws.String(keys[page-1])
	}
	for _, key := range keys {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(t.tags[key])})
	}
	return out, nil
}
