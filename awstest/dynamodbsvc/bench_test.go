package dynamodbsvc_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func quick(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 100 }

func newBench(b *testing.B) (*awstest.Cloud, *dynamodb.Client) {
	b.Helper()
	cloud := svctest.Must(awstest.New([]awstest.Service{dynamodbsvc.New(instantly)}, quick))(b)
	b.Cleanup(func() { _ = cloud.Close() })
	client := dynamodb.NewFromConfig(cloud.Config(region))
	svctest.Must(client.CreateTable(b.Context(), tableInput("plain")))(b)
	svctest.Must(client.CreateTable(b.Context(), tableInput("sorted", types.ScalarAttributeTypeN)))(b)
	return cloud, client
}

// BenchmarkCall compares calls with such that meet an empty seam, which is the
// SDK's own work. The two take turns, so that a busy machine slows both: read
// the ratio, which is meant to stay below 3.
func BenchmarkCall(b *testing.B) {
	get := &dynamodb.GetItemInput{TableName: aws.String("plain"), Key: it("pk", "lease"), ConsistentRead: aws.Bool(true)}
	renew := updateInput("lease", "SET rvn = :new ADD n1 :one", "rvn = :new AND holder = :me", it(":new", "r1", ":me", "me", ":one", 1))
	put := &dynamodb.PutItemInput{TableName: aws.String("plain"), Item: it("pk", "lease", "rvn", "r1", "holder", "me", "n1", 0)}
	for name, c := range map[string]struct {
		call  func(context.Context, *dynamodb.Client) error
		empty any
	}{
		"GetItem":    {func(ctx context.Context, c *dynamodb.Client) error { _, err := c.GetItem(ctx, get); return err }, &dynamodb.GetItemOutput{}},
		"UpdateItem": {func(ctx context.Context, c *dynamodb.Client) error { _, err := c.UpdateItem(ctx, renew); return err }, &dynamodb.UpdateItemOutput{}},
	} {
		b.Run(name, func(b *testing.B) {
			cloud, client := newBench(b)
			svctest.Must(client.PutItem(b.Context(), put))(b)
			empty := dynamodb.NewFromConfig(aws.Config{
				Region: region, Credentials: cloud.Config(region).Credentials,
				APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
					return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("empty",
						func(context.Context, middleware.DeserializeInput, middleware.DeserializeHandler) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
							out.Result = c.empty
							return out, md, nil
						}), middleware.Before)
				}},
			})
			timed := func(client *dynamodb.Client) time.Duration {
				start := time.Now()
				if err := c.call(b.Context(), client); err != nil {
					b.Fatal(err)
				}
				return time.Since(start)
			}
			var bare, full []time.Duration
			for b.Loop() {
				bare = append(bare, timed(empty))
				full = append(full, timed(client))
			}
			slices.Sort(bare)
			slices.Sort(full)
			a, z := bare[len(bare)/2], full[len(full)/2]
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(a.Nanoseconds()), "empty-ns/call")
			b.ReportMetric(float64(z.Nanoseconds()), "awstest-ns/call")
			b.ReportMetric(float64(z)/float64(a), "ratio")
		})
	}
}

// BenchmarkQuery reads ten items from the middle of a partition of a thousand,
// and of a hundred thousand: the cost is to be the same.
func BenchmarkQuery(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("among=%d", n), func(b *testing.B) {
			_, client := newBench(b)
			for i := 0; i < n; i += 25 {
				requests := []types.WriteRequest{}
				for j := range 25 {
					requests = append(requests, puts(it("pk", "p", "sk", (i+j)*7919%n))...)
				}
				svctest.Must(client.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"sorted": requests}}))(b)
			}
			in := queryInput("pk = :p AND sk BETWEEN :a AND :z", it(":p", "p", ":a", n/2, ":z", n/2+9))
			b.ReportAllocs()
			for b.Loop() {
				if out := svctest.Must(client.Query(b.Context(), in))(b); out.Count != 10 {
					b.Fatal(out.Count)
				}
			}
		})
	}
}

// BenchmarkTransaction appends to a journal: a record, and its head.
func BenchmarkTransaction(b *testing.B) {
	_, client := newBench(b)
	svctest.Must(client.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: aws.String("plain"), Item: it("pk", "head", "token1", 1, "seq", 0)}))(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		svctest.Must(client.TransactWriteItems(b.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			tPut(it("pk", fmt.Sprint("record-", i), "step", "remap"), "attribute_not_exists(pk)", nil),
			tUpdate("head", "SET seq = seq + :one", "token1 = :t", it(":one", 1, ":t", 1)),
		}}))(b)
	}
}
