package queueworker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/queueworker"
)

const pointerBody = `["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]`

// sized is the attributes of a message whose body is elsewhere.
func sized(name string) map[string]types.MessageAttributeValue {
	return map[string]types.MessageAttributeValue{name: {DataType: aws.String("Number"), StringValue: aws.String("300000")}}
}

func TestParsePointer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, wrong string }{
		"a current one":          {body: pointerBody},
		"a legacy one":           {body: `["com.amazon.sqs.javamessaging.MessageS3Pointer",{"s3BucketName":"b","s3Key":"k"}]`},
		"fields of a later one":  {body: ` [ "software.amazon.payloadoffloading.PayloadS3Pointer" , {"s3Key":"k","s3BucketName":"b","region":"x"} ] `},
		"an empty body":          {body: "", wrong: "unexpected end"},
		"text":                   {body: "hello", wrong: "invalid character"},
		"null":                   {body: "null", wrong: "an array of 0"},
		"an object":              {body: `{"s3BucketName":"b","s3Key":"k"}`, wrong: "cannot unmarshal object"},
		"an array of one":        {body: `["software.amazon.payloadoffloading.PayloadS3Pointer"]`, wrong: "an array of 1"},
		"an array of three":      {body: `["a",{},{}]`, wrong: "an array of 3"},
		"another class":          {body: `["java.net.URL",{"s3BucketName":"b","s3Key":"k"}]`, wrong: `of the class "java.net.URL"`},
		"a class that is none":   {body: `[1,{"s3BucketName":"b","s3Key":"k"}]`, wrong: "cannot unmarshal number"},
		"no bucket":              {body: strings.Replace(pointerBody, `"b"`, `""`, 1), wrong: "without a bucket or a key"},
		"no key":                 {body: strings.Replace(pointerBody, "s3Key", "key", 1), wrong: "without a bucket or a key"},
		"a key of another type":  {body: strings.Replace(pointerBody, `"k"`, `1`, 1), wrong: "cannot unmarshal number"},
		"something that follows": {body: pointerBody + "x", wrong: "after top-level value"},
		"fields that are null":   {body: `["software.amazon.payloadoffloading.PayloadS3Pointer",null]`, wrong: "without a bucket or a key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := queueworker.ParsePointer(tt.body)
			if tt.wrong == "" {
				if err != nil || p != (queueworker.S3Pointer{Bucket: "b", Key: "k"}) {
					t.Errorf("%+v, %v", p, err)
				}
				return
			}
			if !errors.Is(err, queueworker.ErrPointer) || !strings.Contains(err.Error(), tt.wrong) || p != (queueworker.S3Pointer{}) {
				t.Errorf("%+v, %v, want %s", p, err, tt.wrong)
			}
		})
	}
}

func TestLoadPointers(t *testing.T) {
	t.Parallel()
	gone := queueworker.DeadLetter(errors.New("gone"))
	only := func(buckets ...string) []func(*queueworker.PointerOptions) {
		return []func(*queueworker.PointerOptions){func(o *queueworker.PointerOptions) { o.Buckets = buckets }}
	}
	for name, tt := range map[string]struct {
		m      queueworker.Message
		optFns []func(*queueworker.PointerOptions)
		load   error
		want   string // the body that is handled
		wrong  string
		dead   bool
	}{
		"a body that is elsewhere":         {m: queueworker.Message{Body: pointerBody, Attributes: sized("ExtendedPayloadSize")}, want: "b/k"},
		"a body of an older library":       {m: queueworker.Message{Body: pointerBody, Attributes: sized("SQSLargePayloadSize")}, want: "b/k"},
		"a body that only looks like it":   {m: queueworker.Message{Body: pointerBody, Attributes: sized("Size")}, want: pointerBody},
		"a small body":                     {m: queueworker.Message{Body: "hello"}, want: "hello"},
		"a bucket that is allowed":         {m: queueworker.Message{Body: pointerBody, Attributes: sized("ExtendedPayloadSize")}, optFns: only("a", "b"), want: "b/k"},
		"a bucket of a long name":          {m: queueworker.Message{Body: strings.Replace(pointerBody, `"b"`, `"`+strings.Repeat("b", 500)+`"`, 1), Attributes: sized("ExtendedPayloadSize")}, optFns: only("a"), wrong: `bucket "` + strings.Repeat("b", 100) + `" is`, dead: true},
		"a bucket that is not":             {m: queueworker.Message{Body: pointerBody, Attributes: sized("ExtendedPayloadSize")}, optFns: only("a"), wrong: `bucket "b"`, dead: true},
		"no bucket is":                     {m: queueworker.Message{Body: pointerBody, Attributes: sized("ExtendedPayloadSize")}, optFns: only([]string{}...), wrong: `bucket "b"`, dead: true},
		"a body that is not a pointer":     {m: queueworker.Message{Body: "hello", Attributes: sized("ExtendedPayloadSize")}, wrong: "not a pointer", dead: true},
		"an object that cannot be read":    {m: queueworker.Message{Body: pointerBody, Attributes: sized("ExtendedPayloadSize")}, load: errors.New("slow down"), wrong: "load s3://b/k: slow down"},
		"an object that is gone, for good": {m: queueworker.Message{Body: pointerBody, Attributes: sized("ExtendedPayloadSize")}, load: gone, wrong: "gone", dead: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := "not handled"
			h := queueworker.Chain(queueworker.HandlerFunc(func(_ context.Context, m *queueworker.Message) error {
				got = m.Body
				return nil
			}), queueworker.LoadPointers(func(_ context.Context, p queueworker.S3Pointer) (string, error) {
				return p.Bucket + "/" + p.Key, tt.load
			}, tt.optFns...))
			before := tt.m.Body
			err := h.Handle(t.Context(), &tt.m)
			if tt.m.Body != before {
				t.Errorf("the message was changed: %s", tt.m.Body)
			}
			if tt.wrong == "" {
				if err != nil || got != tt.want {
					t.Errorf("%q, %v, want %q", got, err, tt.want)
				}
				return
			}
			var outcome *queueworker.OutcomeError
			dead := errors.As(err, &outcome) && outcome.Outcome == queueworker.DeadLettered
			if err == nil || !strings.Contains(err.Error(), tt.wrong) || dead != tt.dead || got != "not handled" {
				t.Errorf("%q, %v, to the dead-letter queue: %v", got, err, dead)
			}
		})
	}
}

func FuzzParsePointer(f *testing.F) {
	for _, body := range []string{"", "null", pointerBody, `["a",{}]`, `[[],{}]`, `["com.amazon.sqs.javamessaging.MessageS3Pointer",{"s3BucketName":"\u0000","s3Key":"k"}]`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p, err := queueworker.ParsePointer(body)
		if err != nil {
			if !errors.Is(err, queueworker.ErrPointer) || p != (queueworker.S3Pointer{}) {
				t.Fatalf("%+v, %v", p, err)
			}
			return
		}
		if p.Bucket == "" || p.Key == "" {
			t.Fatalf("%q: %+v", body, p)
		}
		again, err := json.Marshal([]any{"software.amazon.payloadoffloading.PayloadS3Pointer", map[string]string{"s3BucketName": p.Bucket, "s3Key": p.Key}})
		if err != nil {
			t.Fatal(err)
		}
		if q, err := queueworker.ParsePointer(string(again)); err != nil || q != p {
			t.Fatalf("%+v became %+v, %v", p, q, err)
		}
	})
}

func ExampleLoadPointers() {
	objects := map[string]string{"big-bodies/o-1": "a very long order"} // in truth, S3's GetObject
	load := func(_ context.Context, p queueworker.S3Pointer) (string, error) {
		body, ok := objects[p.Bucket+"/"+p.Key]
		if !ok {
			return "", queueworker.DeadLetter(errors.New("there is no such object"))
		}
		return body, nil
	}
	h := queueworker.Chain(queueworker.HandlerFunc(func(_ context.Context, m *queueworker.Message) error {
		fmt.Println(m.Body)
		return nil
	}), queueworker.LoadPointers(load, func(o *queueworker.PointerOptions) { o.Buckets = []string{"big-bodies"} }))
	fmt.Println(h.Handle(context.Background(), &queueworker.Message{
		Body:       `["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"big-bodies","s3Key":"o-1"}]`,
		Attributes: map[string]types.MessageAttributeValue{queueworker.ExtendedPayloadSize: {}},
	}))
	// Output:
	// a very long order
	// <nil>
}
