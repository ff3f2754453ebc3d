package queueworker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/queueworker"
)

// text is the attributes of a message of a type.
func text(value string) map[string]types.MessageAttributeValue {
	return map[string]types.MessageAttributeValue{"type": {DataType: aws.String("String"), StringValue: &value}}
}

// named is a handler whose error tells that it was called.
func named(name string) queueworker.Handler {
	return queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { return errors.New("by " + name) })
}

func TestMuxHandsOverByKey(t *testing.T) {
	t.Parallel()
	binary := map[string]types.MessageAttributeValue{"type": {DataType: aws.String("Binary"), BinaryValue: []byte("a")}}
	fallback := func(o *queueworker.MuxOptions) { o.Fallback = named("fallback") }
	later := queueworker.RetryAfter(time.Second, errors.New("later"))
	for name, tt := range map[string]struct {
		attributes map[string]types.MessageAttributeValue
		key        queueworker.KeyFunc
		optFns     []func(*queueworker.MuxOptions)
		want       string
		dead       bool
	}{
		"a key":                           {attributes: text("a"), want: "by a"},
		"another key":                     {attributes: text("b"), want: "by b"},
		"the empty key":                   {attributes: text(""), want: "by empty"},
		"a key in another case":           {attributes: text("A"), want: `there is no handler for the message: key "A"`, dead: true},
		"a key that is long":              {attributes: text(strings.Repeat("x", 1000)), want: `key "` + strings.Repeat("x", 100) + `"`, dead: true},
		"an unknown key, with a fallback": {attributes: text("c"), optFns: []func(*queueworker.MuxOptions){fallback}, want: "by fallback"},
		"no attribute":                    {want: "Options.Attributes", dead: true},
		"no attribute, with a fallback":   {optFns: []func(*queueworker.MuxOptions){fallback}, want: "Options.Attributes", dead: true},
		"a binary attribute":              {attributes: binary, want: "is not text", dead: true},
		"a key function's error":          {key: func(*queueworker.Message) (string, error) { return "", errors.New("odd") }, want: "odd", dead: true},
		"a key function's outcome":        {key: func(*queueworker.Message) (string, error) { return "", later }, want: "later"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := tt.key
			if key == nil {
				key = queueworker.ByAttribute("type")
			}
			mux, err := queueworker.NewMux(key, []queueworker.Route{{Key: "a", Handler: named("a")}, {Key: "b", Handler: named("b")}, {Key: "", Handler: named("empty")}}, tt.optFns...)
			if err != nil {
				t.Fatal(err)
			}
			err = mux.Handle(t.Context(), &queueworker.Message{ID: "m", Attributes: tt.attributes})
			var outcome *queueworker.OutcomeError
			if dead := errors.As(err, &outcome) && outcome.Outcome == queueworker.DeadLettered; dead != tt.dead || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, to the dead-letter queue: %v; want %s, %v", err, dead, tt.want, tt.dead)
			}
		})
	}
}

func TestMuxRefusesMistakesAllAtOnce(t *testing.T) {
	t.Parallel()
	mux, err := queueworker.NewMux(nil, []queueworker.Route{{Key: "a", Handler: named("a")}, {Key: "a", Handler: named("b")}, {Key: "c"}})
	want := "queueworker: key: must not be nil\nqueueworker: routes[1].Key: \"a\" must not be there twice\nqueueworker: routes[2].Handler: must not be nil"
	var field *queueworker.FieldError
	if mux != nil || err == nil || err.Error() != want || !errors.As(err, &field) {
		t.Errorf("%v: %v", mux, err)
	}
}

func TestMuxGetsAttributesThatTheWorkerReceives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		dead := w.redrive()
		for _, kind := range []string{"a", "unknown"} {
			if _, err := w.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: &kind, MessageAttributes: text(kind)}); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan struct{})
		var handled []string
		mux, err := queueworker.NewMux(queueworker.ByAttribute("type"), []queueworker.Route{{Key: "a", Handler: queueworker.HandlerFunc(func(_ context.Context, m *queueworker.Message) error {
			handled = append(handled, m.Body)
			return nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		left := 2
		worker := w.worker(mux.Handle, func(o *queueworker.Options) {
			o.Concurrency = 1
			o.Attributes = []string{"type"}
			o.OnEvent = func(_ context.Context, e queueworker.Event) {
				if e.Kind == queueworker.Handled {
					if left--; left == 0 {
						close(done)
					}
				}
			}
		})
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if visible, _ := w.counts(dead); visible != 1 || len(handled) != 1 || handled[0] != "a" {
			t.Errorf("handled %v; %d in the dead-letter queue, want 1", handled, visible)
		}
	})
}

func ExampleNewMux() {
	type order struct{ ID string }
	placed := queueworker.Typed(queueworker.JSON[order](), func(_ context.Context, _ *queueworker.Message, o order) error {
		fmt.Println("placed", o.ID)
		return nil
	})
	mux, err := queueworker.NewMux(queueworker.ByAttribute("type"), []queueworker.Route{{Key: "order.placed", Handler: placed}})
	if err != nil {
		fmt.Println(err)
		return
	}
	kind := func(s string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"type": {StringValue: &s}}
	}
	ctx := context.Background()
	fmt.Println(mux.Handle(ctx, &queueworker.Message{Body: `{"ID": "o-1"}`, Attributes: kind("order.placed")}))
	fmt.Println(mux.Handle(ctx, &queueworker.Message{ID: "m-2", Attributes: kind("order.lost")}))
	// Output:
	// placed o-1
	// <nil>
	// queueworker: message m-2 cannot be decoded: queueworker: there is no handler for the message: key "order.lost"
}
