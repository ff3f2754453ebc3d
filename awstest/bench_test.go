package awstest_test

import (
	"context"
	"testing"

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
// seam. Compare the two within one run.
func BenchmarkCall(b *testing.B) {
	f := newFixture(b, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
	empty := aws.Config{Region: "us-east-1", Credentials: f.cloud.Config("us-east-1").Credentials, APIOptions: []func(*middleware.Stack) error{emptySeam}}
	for _, seam := range []struct {
		name   string
		client *sts.Client
	}{{"empty-seam", sts.NewFromConfig(empty)}, {"awstest", f.client}} {
		b.Run(seam.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := seam.client.AssumeRole(b.Context(), addInput()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
