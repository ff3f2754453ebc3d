package sqssvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addAttributes(e *awstest.Endpoint) {
	awstest.Handle(e, s.getQueueAttributes, "QueueUrl", "AttributeNames")
	awstest.Handle(e, s.setQueueAttributes, "QueueUrl", "Attributes")
}

func (s *service) getQueueAttributes(tx *awstest.Tx, call *awstest.Call, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	v, err := s.region(call).View(call.At, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range in.AttributeNames {
		names = append(names, string(n))
	}
	found, err := v.Attributes(tx, call.At, names)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		found = nil
	}
	return &sqs.GetQueueAttributesOutput{Attributes: found}, nil
}

func (s *service) setQueueAttributes(tx *awstest.Tx, call *awstest.Call, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err == nil {
		err = q.Set(tx, in.Attributes)
	}
	if err != nil {
		return nil, err
	}
	s.model.Settle(tx)
	return &sqs.SetQueueAttributesOutput{}, nil
}
