package sqssvc

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

func (s *service) addQueues(e *awstest.Endpoint) {
	awstest.Handle(e, s.createQueue, "QueueName", "Attributes", "Tags")
	awstest.Handle(e, s.deleteQueue, "QueueUrl")
	awstest.Handle(e, s.purgeQueue, "QueueUrl")
	awstest.Handle(e, s.getQueueURL, "QueueName", "QueueOwnerAWSAccountId")
	awstest.Handle(e, s.listQueues, "QueueNamePrefix", "MaxResults", "NextToken")
}

func (s *service) createQueue(tx *awstest.Tx, call *awstest.Call, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	q, err := s.region(call).Create(tx, aws.ToString(in.QueueName), in.Attributes, in.Tags)
	if err != nil {
		return nil, err
	}
	return &sqs.CreateQueueOutput{QueueUrl: aws.String(q.URL())}, nil
}

func (s *service) deleteQueue(tx *awstest.Tx, call *awstest.Call, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	q.Remove(tx)
	return &sqs.DeleteQueueOutput{}, nil
}

func (s *service) purgeQueue(tx *awstest.Tx, call *awstest.Call, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	q, err := s.queue(tx, call, in.QueueUrl)
	if err == nil {
		err = q.Purge(tx)
	}
	if err != nil {
		return nil, err
	}
	s.model.Settle(tx)
	return &sqs.PurgeQueueOutput{}, nil
}

func (s *service) getQueueURL(tx *awstest.Tx, call *awstest.Call, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	name := aws.ToString(in.QueueName)
	if owner := in.QueueOwnerAWSAccountId; owner != nil && *owner != tx.Cloud().AccountID() {
		name = "" // the other account has no queues
	}
	v, err := s.region(call).Named(call.At, name)
	if err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(v.URL())}, nil
}

func (s *service) listQueues(_ *awstest.Tx, call *awstest.Call, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	var found []sqsmodel.View
	for v := range s.region(call).All(call.At) {
		if strings.HasPrefix(v.Name(), aws.ToString(in.QueueNamePrefix)) {
			found = append(found, v)
		}
	}
	urls, next, err := page(found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &sqs.ListQueuesOutput{QueueUrls: urls, NextToken: next}, nil
}

// maxPage is how many queues a page may have, and has if nothing is said.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html (read 2026-11)
const maxPage = 1000

// page cuts one page out of a list of queues, which it sorts by name. Its
// token is the name of its last queue, so that what comes and goes between
// two pages moves nothing from one to the other. Without a size asked for
// there is no next page.
func page(queues []sqsmodel.View, token *string, size *int32) (urls []string, next *string, err error) {
	slices.SortFunc(queues, func(a, b sqsmodel.View) int { return cmp.Compare(a.Name(), b.Name()) })
	if aws.ToString(token) != "" {
		last, ok := strings.CutPrefix(*token, tokenPrefix)
		if !ok {
			return nil, nil, awstest.Errorf("InvalidParameterValue", "Invalid or expired next token.")
		}
		queues = slices.DeleteFunc(queues, func(v sqsmodel.View) bool { return v.Name() <= last })
	}
	count := maxPage
	if size != nil {
		if count = int(*size); count < 1 || count > maxPage {
			return nil, nil, awstest.Errorf("InvalidParameterValue", "Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and %d.", count, maxPage)
		}
	}
	if len(queues) > count {
		queues = queues[:count]
		if size != nil {
			next = aws.String(tokenPrefix + queues[count-1].Name())
		}
	}
	for _, v := range queues {
		urls = append(urls, v.URL())
	}
	return urls, next, nil
}

const tokenPrefix = "after "
