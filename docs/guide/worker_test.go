package guide

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queue "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/sqssvc"
)

// A shop is a queue of orders, a table for the books, and a machine in each of two zones that a worker runs on.
type shop struct {
	cloud    *awstest.Cloud
	queue    *sqs.Client
	books    *dynamodb.Client
	url      string
	machines []*awstest.Instance
}

func newShop(t *testing.T) *shop {
	cloud, err := awstest.New([]awstest.Service{sqssvc.New(), dynamodbsvc.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &shop{cloud: cloud, queue: sqs.NewFromConfig(cloud.Config("us-east-1")), books: dynamodb.NewFromConfig(cloud.Config("us-east-1"))}
	created, err := s.queue.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	s.url = *created.QueueUrl
	_, err = s.books.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("books"), BillingMode: ddb.BillingModePayPerRequest,
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}},
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	exists := dynamodb.NewTableExistsWaiter(s.books)
	if err := exists.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("books")}, time.Hour); err != nil {
		t.Fatal(err)
	}

	// With ec2svc, RunInstances makes machines. Without it, so that EC2's client need not be compiled, they are made by hand.
	for i, id := range []string{"use1-az1", "use1-az2"} {
		zone, err := cloud.Zone(id)
		if err != nil {
			t.Fatal(err)
		}
		cloud.Update(func(tx *awstest.Tx) {
			m := tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
			tx.Route(zone.Region(), netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), m)
			tx.PowerOn(m)
			s.machines = append(s.machines, m)
		})
	}
	return s
}

// work runs a worker on a machine until the test ends, or the machine loses its power.
func (s *shop) work(ctx context.Context, m *awstest.Instance) {
	ctx, end := m.Program(ctx)
	defer end()
	w := &Worker{SQS: sqs.NewFromConfig(m.Config()), DynamoDB: dynamodb.NewFromConfig(m.Config()), Queue: s.url, Table: "books"}
	w.Run(ctx)
}

// send sends the orders of these numbers.
func (s *shop) send(t *testing.T, from, to int) {
	for i := from; i < to; i++ {
		if _, err := s.queue.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &s.url, MessageBody: aws.String(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
}

// total returns how many orders are booked.
func (s *shop) total(t *testing.T) int {
	got, err := s.books.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("books"), ConsistentRead: aws.Bool(true),
		Key: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: "total"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	orders, ok := got.Item["orders"].(*ddb.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(orders.Value)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// left returns how many orders are still in the queue, waiting or in somebody's hands.
func (s *shop) left(t *testing.T) (n int) {
	got, err := s.queue.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &s.url, AttributeNames: []queue.QueueAttributeName{
		queue.QueueAttributeNameApproximateNumberOfMessages, queue.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range got.Attributes {
		orders, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		n += orders
	}
	return n
}

// wantBooked asserts that every order is booked, and out of the queue.
func (s *shop) wantBooked(t *testing.T, orders int) {
	if n, left := s.total(t), s.left(t); n != orders || left != 0 {
		t.Errorf("%d orders are booked and %d are left, of %d that were sent", n, left, orders)
	}
}

func TestEveryOrderIsBookedOnce(t *testing.T) {
	const orders = 100
	calls := func(service, operation string) awstest.Match {
		return awstest.Match{Service: service, Operation: operation, Times: 20}
	}
	for name, fail := range map[string]struct {
		match  awstest.Match
		effect awstest.Effect
	}{
		"messages come twice":            {calls("SQS", "ReceiveMessage"), sqssvc.Duplicate()},
		"messages are lost on their way": {calls("SQS", "ReceiveMessage"), awstest.LoseReply()},
		"deletes do not arrive":          {calls("SQS", "DeleteMessage"), awstest.Reject(awstest.APIError{Code: "InternalError", Status: 500})},
		"the queue throttles":            {calls("SQS", ""), awstest.Throttle()},
		"booked, and nobody knows":       {calls("DynamoDB", "TransactWriteItems"), awstest.LoseReply()},
		"booking takes too long":         {calls("DynamoDB", "TransactWriteItems"), awstest.Delay(40 * time.Second)},
		"booking hangs half the time":    {awstest.Match{Service: "DynamoDB", Probability: 0.5, Times: 20}, awstest.DelayReply(40 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t)
				s.send(t, 0, orders)
				if _, err := s.cloud.Inject(fail.match, fail.effect); err != nil {
					t.Fatal(err)
				}
				for _, m := range s.machines {
					go s.work(t.Context(), m)
				}
				time.Sleep(2 * time.Hour)
				s.wantBooked(t, orders)
			})
		})
	}
}

func TestWorkersDieWithOrdersInTheirHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const orders = 1000
		s := newShop(t)
		for _, m := range s.machines {
			go s.work(t.Context(), m)
		}
		s.send(t, 0, orders/2)
		zone := s.machines[0].Zone()
		heal := zone.Fail(awstest.PowerLoss)
		s.send(t, orders/2, orders)
		time.Sleep(5 * time.Minute)
		s.wantBooked(t, orders)
		heal()
	})
}
