package awstest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
)

// sends makes the request of a client carry a stream, as the SDK's checksums
// do it.
func sends(text string, encodings ...string) func(*sts.Options) {
	return sts.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("test", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			req, err := in.Request.(*smithyhttp.Request).SetStream(strings.NewReader(text))
			if err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			req.Header["Content-Encoding"] = encodings
			req.Header.Set("X-Test", "header")
			in.Request = req
			return next.HandleFinalize(ctx, in)
		}), middleware.After)
	})
}

func TestBodyArrivesAsItIsSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text    string
		encoding      []string
		data, trailer string
		fails         bool
	}{
		{name: "one chunk", text: "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", encoding: []string{"aws-chunked"}, data: "hello", trailer: "AAAAAA=="},
		{name: "two chunks, in two encodings", text: "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", encoding: []string{"gzip,aws-chunked"}, data: "hello", trailer: "AAAAAA=="},
		{name: "in two encodings, apart", text: "5\r\nhello\r\n0\r\n\r\n", encoding: []string{"gzip", "aws-chunked"}, data: "hello"},
		{name: "no trailer", text: "5\r\nhello\r\n0\r\n\r\n", encoding: []string{"aws-chunked"}, data: "hello"},
		{name: "nothing", text: "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", encoding: []string{"aws-chunked"}, trailer: "AAAAAA=="},
		{name: "no chunks: the stream of the input", text: "5\r\nhello", data: "of the input"},
		{name: "cut off in a chunk", text: "5\r\nhel", encoding: []string{"aws-chunked"}, fails: true},
		{name: "cut off before the trailer", text: "5\r\nhello\r\n0\r\n", encoding: []string{"aws-chunked"}, fails: true},
		{name: "no chunk", text: "hello", encoding: []string{"aws-chunked"}, fails: true},
		{name: "more behind it", text: "5\r\nhello\r\n0\r\n\r\nmore", encoding: []string{"aws-chunked"}, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var data string
			var header http.Header
			cloud, err := awstest.New([]awstest.Service{func(r *awstest.Registry) error {
				e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
				awstest.HandleBody(e, func(*sts.GetCallerIdentityInput) io.Reader { return strings.NewReader("of the input") },
					func(_ *awstest.Tx, call *awstest.Call, _ *sts.GetCallerIdentityInput, sent []byte) (*sts.GetCallerIdentityOutput, error) {
						data, header = string(sent), call.Header
						return &sts.GetCallerIdentityOutput{Account: aws.String("1")}, nil
					})
				return e.Err()
			}})
			if err != nil {
				t.Fatal(err)
			}
			client := sts.NewFromConfig(cloud.Config("us-east-1"), func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
			_, err = client.GetCallerIdentity(t.Context(), nil, sends(c.text, c.encoding...))
			if c.fails {
				var broken *smithyhttp.RequestSendError
				if !errors.As(err, &broken) || header != nil {
					t.Errorf("got %v, and %q arrived", err, data)
				}
				return
			}
			if err != nil || data != c.data {
				t.Fatalf("got %q, %v", data, err)
			}
			if got := header.Get("X-Amz-Checksum-Crc32"); got != c.trailer || header.Get("X-Test") != "header" {
				t.Errorf("got %v", header)
			}
		})
	}
}

func TestClientsHaveTheSDKsDefaultsForChecksums(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	cfg := f.cloud.Config("us-east-1")
	if cfg.RequestChecksumCalculation != aws.RequestChecksumCalculationWhenSupported || cfg.ResponseChecksumValidation != aws.ResponseChecksumValidationWhenSupported {
		t.Errorf("got %v, %v", cfg.RequestChecksumCalculation, cfg.ResponseChecksumValidation)
	}
}
