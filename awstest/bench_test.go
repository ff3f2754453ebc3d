package awstest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/awsha/awsha/awstest"
)

// emptySeam answers every call with the same output, at the same place in the
// client where awstest answers: what remains is the SDK's own work.
func emptySeam(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("empty",
		func(context.Context, middleware.DeserializeInput, middleware.DeserializeHandler) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
			out.Result = &sts.AssumeRoleOutput{}
			return out, md, nil
		}), middleware.Before)
}

// BenchmarkCall compares a call to awstest with a call that meets an empty
// seam. The two take turns, so that a busy machine slows both: read the ratio,
// which is meant to stay below 2.
func BenchmarkCall(b *testing.B) {
	f := newFixture(b, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
	empty := sts.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: f.cloud.Config("us-east-1").Credentials, APIOptions: []func(*middleware.Stack) error{emptySeam},
	})
	call := func(client *sts.Client) time.Duration {
		start := time.Now()
		if _, err := client.AssumeRole(b.Context(), addInput()); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	var bare, full []time.Duration
	for b.Loop() {
		bare = append(bare, call(empty))
		full = append(full, call(f.client))
	}
	slices.Sort(bare)
	slices.Sort(full)
	a, z := bare[len(bare)/2], full[len(full)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(a.Nanoseconds()), "empty-ns/call")
	b.ReportMetric(float64(z.Nanoseconds()), "awstest-ns/call")
	b.ReportMetric(float64(z)/float64(a), "ratio")
}
