package sqssvc

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addTags(e *awstest.Endpoint) {
	awstest.Handle(e, s.tagQueue, "QueueUrl", "Tags")
	awstest.Handle(e, s.untagQueue, "QueueUrl", "TagKeys")
	awstest.Handle(e, s.listQueueTags, "QueueUrl")
}

func (s *service) tagQueue(tx *awstest.Tx, call *awstest.Call, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err == nil {
		err = q.Tag(tx, in.Tags)
	}
	if err != nil {
		return nil, err
	}
	return &sqs.TagQueueOutput{}, nil
}

func (s *service) untagQueue(tx *awstest.Tx, call *awstest.Call, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	q.Untag(tx, in.TagKeys)
	return &sqs.UntagQueueOutput{}, nil
}

func (s *service) listQueueTags(_ *awstest.Tx, call *awstest.Call, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	v, err := s.region(call).View(call.At, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	out := &sqs.ListQueueTagsOutput{}
	if len(v.Tags) > 0 {
		out.Tags = maps.Clone(v.Tags)
	}
	return out, nil
}
