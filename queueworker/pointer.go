package queueworker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// S3Pointer is where the body of a message is that was too large for SQS.
type S3Pointer struct {
	Bucket string
	Key    string
}

// Attributes of a message whose body is in Amazon S3, of the current and of older Extended Client Libraries. If Options.Attributes is
// set, it has to name those that the producers use.
const (
	ExtendedPayloadSize       = "ExtendedPayloadSize"
	LegacyExtendedPayloadSize = "SQSLargePayloadSize"
)

// The classes that a pointer is said to be of, by current and older libraries.
// Source: https://github.com/awslabs/payload-offloading-java-common-lib-for-aws (PayloadS3Pointer) and
// https://github.com/awslabs/amazon-sqs-java-extended-client-lib (read 2026-11).
const (
	pointerClass       = "software.amazon.payloadoffloading.PayloadS3Pointer"
	legacyPointerClass = "com.amazon.sqs.javamessaging.MessageS3Pointer"
)

// ErrPointer is that a body is not a pointer as the Extended Client Libraries write it, or one to a bucket that is not allowed.
var ErrPointer = errors.New("queueworker: not a pointer into S3")

// ParsePointer reads the body of a message that the Amazon SQS Extended Client Library has put into S3, which is a JSON array of the
// name of a class and an object:
//
//	["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"bucket","s3Key":"key"}]
//
// Fields of the object that are not known are skipped. Anything else is an error that is ErrPointer.
func ParsePointer(body string) (S3Pointer, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal([]byte(body), &parts); err != nil {
		return S3Pointer{}, fmt.Errorf("%w: %w", ErrPointer, err)
	}
	if len(parts) != 2 {
		return S3Pointer{}, fmt.Errorf("%w: an array of %d", ErrPointer, len(parts))
	}
	var class string
	var fields struct {
		Bucket string `json:"s3BucketName"`
		Key    string `json:"s3Key"`
	}
	if err := errors.Join(json.Unmarshal(parts[0], &class), json.Unmarshal(parts[1], &fields)); err != nil {
		return S3Pointer{}, fmt.Errorf("%w: %w", ErrPointer, err)
	}
	switch {
	case class != pointerClass && class != legacyPointerClass:
		return S3Pointer{}, fmt.Errorf("%w: of the class %.100q", ErrPointer, class)
	case fields.Bucket == "" || fields.Key == "":
		return S3Pointer{}, fmt.Errorf("%w: without a bucket or a key", ErrPointer)
	}
	return S3Pointer{Bucket: fields.Bucket, Key: fields.Key}, nil
}

// PointerOptions are the options of LoadPointers. The zero value of each field means its default.
type PointerOptions struct {
	// Buckets are those that pointers may name. Whoever can send to the queue chooses what is read with the worker's permissions, so
	// that naming them is best. Default: any; none, for an empty slice that is not nil.
	Buckets []string
}

// LoadPointers replaces the body of a message that is in S3 by what load returns, for the handlers inside. A message is taken for one
// by its attribute ExtendedPayloadSize, or the legacy one; others pass as they are.
//
// Load must not be nil. It is called once for each attempt, in the slot of the message, whose lease is extended meanwhile; what it returns is
// held to no limit. Its errors are those of a handler: it returns DeadLetter for an object that is gone for good. A body that is not
// a pointer, or points to another bucket, is a *DecodeError. What goes to the dead-letter queue is the pointer. The object is not
// deleted: a message may come again, and a lifecycle rule of the bucket is surer.
func LoadPointers(load func(ctx context.Context, p S3Pointer) (string, error), optFns ...func(*PointerOptions)) Middleware {
	var opts PointerOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	return func(next Handler) Handler {
		return HandlerFunc(func(ctx context.Context, m *Message) error {
			if !isPointer(m) {
				return next.Handle(ctx, m)
			}
			p, err := ParsePointer(m.Body)
			if err == nil && opts.Buckets != nil && !slices.Contains(opts.Buckets, p.Bucket) {
				err = fmt.Errorf("%w: bucket %.100q is not one of PointerOptions.Buckets", ErrPointer, p.Bucket)
			}
			if err != nil {
				return undecodable(m, err)
			}
			body, err := load(ctx, p)
			if err != nil {
				return fmt.Errorf("queueworker: load s3://%s/%s: %w", p.Bucket, p.Key, err)
			}
			if ctx.Err() != nil { // lost meanwhile, perhaps
				return context.Cause(ctx)
			}
			loaded := *m
			loaded.Body = body
			return next.Handle(ctx, &loaded)
		})
	}
}

// isPointer reports whether an Extended Client Library has put the body elsewhere.
func isPointer(m *Message) bool {
	_, current := m.Attributes[ExtendedPayloadSize]
	_, legacy := m.Attributes[LegacyExtendedPayloadSize]
	return current || legacy
}
