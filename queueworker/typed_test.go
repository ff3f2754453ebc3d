package queueworker_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/queueworker"
)

type order struct {
	ID    string `json:"id"`
	Note  any    `json:"note,omitempty"`
	Count int64  `json:"count,omitempty"`
}

func TestJSONDecodesOneValue(t *testing.T) {
	t.Parallel()
	strict := func(o *queueworker.JSONOptions) { o.DisallowUnknownFields = true }
	for name, tt := range map[string]struct {
		body   string
		optFns []func(*queueworker.JSONOptions)
		want   order
		wrong  string
	}{
		"a value":                       {body: ` {"id":"a"} `, want: order{ID: "a"}},
		"an unknown field is skipped":   {body: `{"id":"a","new":1}`, want: order{ID: "a"}},
		"an unknown field is refused":   {body: `{"id":"a","new":1}`, optFns: []func(*queueworker.JSONOptions){strict}, wrong: `unknown field "new"`},
		"a number is a float64":         {body: `{"note":1}`, want: order{Note: 1.0}},
		"a number is kept":              {body: `{"note":12345678901234567890}`, optFns: []func(*queueworker.JSONOptions){func(o *queueworker.JSONOptions) { o.UseNumber = true }}, want: order{Note: json.Number("12345678901234567890")}},
		"an empty body is refused":      {body: "", wrong: "unexpected end of JSON input"},
		"a body of spaces is refused":   {body: " \n", wrong: "unexpected end of JSON input"},
		"half a value is refused":       {body: `{"id":"a"`, wrong: "unexpected end of JSON input"},
		"a second value is refused":     {body: `{"id":"a"} {}`, wrong: "after top-level value"},
		"what follows it is refused":    {body: `{"id":"a"}]`, wrong: "after top-level value"},
		"strictly, an empty body":       {body: "", optFns: []func(*queueworker.JSONOptions){strict}, wrong: "the body is empty"},
		"strictly, a body of spaces":    {body: " \n", optFns: []func(*queueworker.JSONOptions){strict}, wrong: "the body is empty"},
		"strictly, half a value":        {body: `{"id":"a"`, optFns: []func(*queueworker.JSONOptions){strict}, wrong: "unexpected EOF"},
		"strictly, a second value":      {body: `{"id":"a"} {}`, optFns: []func(*queueworker.JSONOptions){strict}, wrong: "goes on after its value"},
		"strictly, what follows it":     {body: `{"id":"a"}]`, optFns: []func(*queueworker.JSONOptions){strict}, wrong: "goes on after its value"},
		"the last of two counts":        {body: `{"id":"a","note":1,"count":2,"ID":"b","note":null}`, want: order{ID: "b", Count: 2}},
		"a number that does not fit":    {body: `{"count":12345678901234567890}`, wrong: "cannot unmarshal number"},
		"a number beyond all":           {body: `{"note":1e999}`, wrong: "cannot unmarshal number"},
		"one that is nested too deep":   {body: `{"note":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}`, wrong: "exceeded max depth"},
		"a value of another type is so": {body: `{"id":1}`, wrong: "cannot unmarshal number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got order
			called := false
			h := queueworker.Typed(queueworker.JSON[order](tt.optFns...), func(_ context.Context, _ *queueworker.Message, o order) error {
				got, called = o, true
				return nil
			})
			err := h.Handle(t.Context(), &queueworker.Message{ID: "m", Body: tt.body})
			if tt.wrong == "" {
				if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
					t.Errorf("%v\n%s", err, diff)
				}
				return
			}
			var undecodable *queueworker.DecodeError
			if !errors.As(err, &undecodable) || undecodable.MessageID != "m" || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%v, want a DecodeError with %q", err, tt.wrong)
			}
			if called {
				t.Error("the handler was called")
			}
		})
	}
}

func TestADecoderThatSaysWhatBecomesOfTheMessageIsHeard(t *testing.T) {
	t.Parallel()
	later := queueworker.RetryAfter(time.Minute, errors.New("the registry is down"))
	h := queueworker.Typed(func(*queueworker.Message) (int, error) { return 0, fmt.Errorf("schema: %w", later) },
		func(context.Context, *queueworker.Message, int) error { return nil })
	err := h.Handle(t.Context(), &queueworker.Message{})
	var undecodable *queueworker.DecodeError
	if !errors.Is(err, later) || errors.As(err, &undecodable) {
		t.Errorf("%v, want %v", err, later)
	}
}

func TestAnUndecodableBodyGoesToTheDeadLetterQueueAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		dead := w.redrive()
		if _, err := w.client.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: aws.String("{")}); err != nil {
			t.Fatal(err)
		}
		h := queueworker.Typed(queueworker.JSON[order](), func(context.Context, *queueworker.Message, order) error {
			t.Error("the handler was called")
			return nil
		})
		done := make(chan struct{})
		worker := w.worker(h.Handle, func(o *queueworker.Options) {
			o.OnEvent = func(_ context.Context, e queueworker.Event) {
				if e.Kind == queueworker.Handled {
					close(done)
				}
			}
		})
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
			t.Errorf("%d and %d are left", visible, inFlight)
		}
		if visible, _ := w.counts(dead); visible != 1 {
			t.Errorf("%d in the dead-letter queue, want 1", visible)
		}
	})
}

// redrive gives the queue a dead-letter queue, and returns that one's URL.
func (w *world) redrive() string {
	w.Helper()
	dead := w.queue("dead", nil)
	out, err := w.client.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.client.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &w.url, Attributes: map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"maxReceiveCount":5,"deadLetterTargetArn":%q}`, out.Attributes["QueueArn"]),
	}}); err != nil {
		w.Fatal(err)
	}
	time.Sleep(2 * time.Minute) // attributes take up to 60 seconds to be known
	return dead
}

func FuzzJSON(f *testing.F) {
	for _, body := range []string{"", "{}", `{"id":"a"}`, `{"id":"a"}{}`, "null", "[1,2", `{"note":{"a":[1e999]}}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, strict := range []bool{false, true} {
			got, err := queueworker.JSON[order](func(o *queueworker.JSONOptions) { o.DisallowUnknownFields = strict })(&queueworker.Message{Body: body})
			var want order
			if reference := json.Unmarshal([]byte(body), &want); (reference == nil) != (err == nil) && (!strict || err == nil) {
				t.Fatalf("%q: %v, json.Unmarshal: %v", body, err, reference)
			}
			if err != nil {
				want = order{}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func ExampleTyped() {
	type shipment struct{ Order, To string }
	h := queueworker.Typed(queueworker.JSON[shipment](), func(_ context.Context, _ *queueworker.Message, s shipment) error {
		fmt.Println("ship", s.Order, "to", s.To)
		return nil
	})
	fmt.Println(h.Handle(context.Background(), &queueworker.Message{Body: `{"Order": "o-1", "To": "Oslo"}`}))
	fmt.Println(h.Handle(context.Background(), &queueworker.Message{ID: "m-2", Body: `{"Order": 7}`}))
	// Output:
	// ship o-1 to Oslo
	// <nil>
	// queueworker: message m-2 cannot be decoded: json: cannot unmarshal number into Go struct field shipment.Order of type string
}

func ExampleUnmarshal() {
	decode := queueworker.Unmarshal[[]byte](func(body []byte, value any) error {
		raw, err := base64.StdEncoding.AppendDecode(nil, body)
		*value.(*[]byte) = raw
		return err
	})
	value, err := decode(&queueworker.Message{Body: "aGVsbG8="})
	fmt.Println(string(value), err)
	// Output: hello <nil>
}
