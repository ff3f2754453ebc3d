package queueworker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// Decoder makes a value out of a message. It is called for each delivery, from many goroutines at a time. See Typed for what its
// errors do.
type Decoder[T any] func(m *Message) (T, error)

// Typed is a handler of decoded messages. Neither argument may be nil.
//
// An error of the decoder becomes a *DecodeError, and the message goes to the dead-letter queue without further attempts: a body
// does not become better. A decoder that fails for a while, because it asks a registry of schemas for one, returns RetryAfter, or
// another error that says what becomes of the message: that is returned as it is. A panic of the decoder is one of the handler.
func Typed[T any](decode Decoder[T], fn func(ctx context.Context, m *Message, value T) error) Handler {
	return HandlerFunc(func(ctx context.Context, m *Message) error {
		value, err := decode(m)
		if err != nil {
			return undecodable(m, err)
		}
		return fn(ctx, m, value)
	})
}

// undecodable makes err a *DecodeError unless it says what becomes of the message.
func undecodable(m *Message, err error) error {
	if _, says := errors.AsType[*OutcomeError](err); says {
		return err
	}
	return &DecodeError{MessageID: m.ID, Err: err}
}

// JSONOptions are the options of JSON. The zero value of each field means its default.
type JSONOptions struct {
	// DisallowUnknownFields refuses objects with fields that T does not have. Default: they are skipped, so that a producer can add
	// some before its consumers know them.
	DisallowUnknownFields bool
	// UseNumber keeps the numbers in values of type any as json.Number, exactly. Default: they are float64.
	UseNumber bool
}

// JSON decodes bodies by encoding/json. A body that is empty, or has anything but white space after its value, is refused. As
// always with that package, "null" leaves a T that is not a pointer zero, names of fields match in any case, and of those that are there
// twice the last one counts, of objects by field. A number that does not fit is refused, and so is a value that is nested more than 10,000 deep.
func JSON[T any](optFns ...func(*JSONOptions)) Decoder[T] {
	var opts JSONOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	if opts == (JSONOptions{}) {
		return Unmarshal[T](json.Unmarshal) // which needs no buffer, unlike a json.Decoder
	}
	return Unmarshal[T](func(body []byte, value any) error {
		d := json.NewDecoder(bytes.NewReader(body))
		if opts.DisallowUnknownFields {
			d.DisallowUnknownFields()
		}
		if opts.UseNumber {
			d.UseNumber()
		}
		if err := d.Decode(value); err != nil {
			if errors.Is(err, io.EOF) { // which a reader of errors would take for a lost connection
				return errEmptyBody
			}
			return err
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return errTrailing
		}
		return nil
	})
}

var (
	errEmptyBody = errors.New("the body is empty")
	errTrailing  = errors.New("the body goes on after its value")
)

// Unmarshal decodes bodies by a function of the form of json.Unmarshal, which many codecs have: it is given a *T. SQS carries text
// only, so that binary encodings usually have base64 around them, which the function is to remove.
func Unmarshal[T any](unmarshal func(body []byte, value any) error) Decoder[T] {
	return func(m *Message) (T, error) {
		var value T
		if err := unmarshal([]byte(m.Body), &value); err != nil {
			return *new(T), err
		}
		return value, nil
	}
}
