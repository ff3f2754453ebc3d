package eventbridgesvc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/eventbridgesvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// until lets time pass until an offset from the start, at least until now.
func (w *world) until(d time.Duration) {
	time.Sleep(max(time.Millisecond, time.Until(w.start.Add(d))))
}

func TestAnEventIsDelivered(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(), "events")
		at := time.Date(2026, 11, 24, 1, 2, 3, 0, time.FixedZone("", 3600))
		out := w.put(entry(1, func(e *types.PutEventsRequestEntry) { e.Resources, e.Time = []string{"a<b"}, &at }), entry(2))
		w.until(0)
		got := w.received("events")
		want := `{"version":"0","id":"00000000-0000-4000-8000-000000000001","detail-type":"Tick","source":"app","account":"123456789012","time":"2026-11-24T00:02:03Z","region":"us-east-1","resources":["a<b"],"detail":{"n":1}}`
		if len(got) != 2 || got[0].body != want || got[0].ID != *out.Entries[0].EventId || got[1].ID != *out.Entries[1].EventId || !strings.Contains(got[1].body, `"resources":[]`) {
			w.Errorf("got %v\nwant %s", got, want)
		}
	})
}

func TestEntriesFailByThemselves(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(pattern(`{"source": [{"exists": true}]}`)), "events")
		out := w.put(
			entry(1),
			entry(2, func(e *types.PutEventsRequestEntry) { e.Source = nil }),
			entry(3, func(e *types.PutEventsRequestEntry) { e.Detail = aws.String("[1]") }),
			entry(4, func(e *types.PutEventsRequestEntry) { e.Source = aws.String("aws.ec2") }),
			entry(5, func(e *types.PutEventsRequestEntry) { e.DetailType = aws.String(strings.Repeat("x", 129)) }),
			entry(6),
		)
		var told []string
		for _, e := range out.Entries {
			told = append(told, aws.ToString(e.ErrorCode))
		}
		if out.FailedEntryCount != 4 || !slices.Equal(told, []string{"", "InvalidArgument", "MalformedDetail", "NotAuthorizedForSourceException", "InvalidArgument", ""}) {
			w.Errorf("%d: %q", out.FailedEntryCount, told)
		}
		w.until(0)
		if got := w.told("events"); got != `{"n":1} {"n":6}` {
			w.Error(got)
		}
		big := aws.String(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`)
		_, err := w.PutEvents(w.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry(1, func(e *types.PutEventsRequestEntry) { e.Detail = big })}})
		svctest.WantCode(w, err, "ValidationException")
	})
}

func TestEntriesAreMadeToFail(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(), "events")
		second := func(i int) bool { return i == 1 }
		heal := svctest.Must(w.cloud.Inject(awstest.Match{}, eventbridgesvc.FailEntries("InternalFailure", second)))(w)
		if out := w.put(entry(1), entry(2), entry(3)); out.FailedEntryCount != 1 || *out.Entries[1].ErrorCode != "InternalFailure" {
			w.Errorf("%+v", out)
		}
		put := svctest.Must(w.PutTargets(w.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("wake"), Targets: targets("a", "b")}))(w)
		removed := svctest.Must(w.RemoveTargets(w.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String("wake"), Ids: []string{"a", "events"}}))(w)
		if put.FailedEntryCount != 1 || *put.FailedEntries[0].TargetId != "b" || removed.FailedEntryCount != 1 || *removed.FailedEntries[0].TargetId != "events" {
			w.Errorf("%+v %+v", put, removed)
		}
		heal()
		if told := w.targetsOf("wake"); told != "events=events" {
			w.Error(told)
		}
		if got := w.told("events"); got != `{"n":1} {"n":3}` {
			w.Error(got)
		}
	})
}

func TestDeliveriesTakeTheirTimeAndOvertakeEachOther(t *testing.T) {
	t.Parallel()
	play := func() (order string) {
		inBubbleWith(t, func(o *eventbridgesvc.Options) { o.Delay, o.Spread = time.Second, 10*time.Second }, func(w *world) {
			w.wire(rule(), "events")
			for i := range 20 {
				w.put(entry(i))
			}
			w.until(900 * time.Millisecond)
			if got := w.told("events"); got != "" {
				w.Errorf("too early: %s", got)
			}
			w.until(12 * time.Second)
			order = w.told("events")
		})
		return order
	}
	var straight []string
	for i := range 20 {
		straight = append(straight, fmt.Sprintf(`{"n":%d}`, i))
	}
	first := play()
	got := strings.Fields(first)
	if slices.Equal(got, straight) {
		t.Error("in order")
	}
	slices.Sort(got)
	slices.Sort(straight)
	if !slices.Equal(got, straight) {
		t.Errorf("got %s", first)
	}
	if second := play(); second != first {
		t.Errorf("another run: %s, %s", first, second)
	}
}

func TestDeliveriesAreDroppedAndDuplicated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.queue("more", nil)
		w.queue("once.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
		w.wire(rule(), "events", "once.fifo")
		w.wire(rule(func(in *eventbridge.PutRuleInput) { in.Name = aws.String("other") }), "more")
		drop := svctest.Must(eventbridgesvc.Drop(w.cloud, eventbridgesvc.Deliveries{Rule: "wake", Text: `"n":2`}))(w)
		svctest.Must(eventbridgesvc.Duplicate(w.cloud, eventbridgesvc.Deliveries{Region: "us-east-1", Source: "app", DetailType: "Tick", Skip: 4, Times: 1, Rule: "wake"}))(w)
		for i := range 4 {
			w.put(entry(i)) // two deliveries of each, by rule wake
		}
		w.until(0)
		if got := w.told("events"); got != `{"n":0} {"n":1} {"n":3}` {
			w.Error(got)
		}
		drop()
		w.put(entry(2))
		w.until(0)
		if got := w.told("events"); got != `{"n":2}` {
			w.Error(got)
		}
		if got := w.told("more"); got != `{"n":0} {"n":1} {"n":2} {"n":3} {"n":2}` {
			w.Error(got)
		}
		again := svctest.Must(eventbridgesvc.Duplicate(w.cloud, eventbridgesvc.Deliveries{}))(w)
		w.put(entry(5))
		w.until(0)
		if got := w.received("events"); len(got) != 2 || got[0].ID != got[1].ID {
			w.Errorf("%v", got)
		}
		again()
		if got := w.told("once.fifo"); got != `{"n":0} {"n":1} {"n":3} {"n":2} {"n":5}` {
			w.Error(got)
		}
	})
}

func TestChangesTakeTheirTime(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *eventbridgesvc.Options) { o.Effect = time.Minute }, func(w *world) {
		w.wire(rule(), "events")
		w.put(entry(1))
		w.until(61 * time.Second)
		w.put(entry(2))
		svctest.Must(w.RemoveTargets(w.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String("wake"), Ids: []string{"events"}}))(w)
		w.put(entry(3))
		w.until(130 * time.Second)
		w.put(entry(4))
		w.until(0)
		if got := w.told("events"); got != `{"n":2} {"n":3}` {
			w.Error(got)
		}
	})
}

func TestWhatIsDisabledOrNotThereGetsNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.queue("strict.fifo", map[string]string{"FifoQueue": "true"})
		w.wire(rule(), "nowhere", "strict.fifo", "events")
		w.put(entry(1))
		svctest.Must(w.PutRule(w.Context(), rule(func(in *eventbridge.PutRuleInput) { in.State = types.RuleStateDisabled })))(w)
		w.put(entry(2))
		w.until(time.Hour)
		w.queue("nowhere", nil)
		if got := w.told("events") + w.told("nowhere") + w.told("strict.fifo"); got != `{"n":1}` {
			w.Error(got)
		}
	})
}

func TestOutagesDelay(t *testing.T) {
	t.Parallel()
	for service, lost := range map[string]time.Duration{"SQS": 25 * time.Hour, "EventBridge": 25 * time.Hour} {
		inBubble(t, func(w *world) {
			w.wire(rule(pattern(`{"source": [{"exists": true}]}`)), "events")
			event := func(n int) { w.tell("app", n) }
			for i, d := range []time.Duration{time.Minute, 3 * time.Hour, lost} {
				heal := svctest.Must(w.cloud.FailService(service, "us-east-1"))(w)
				event(i)
				time.Sleep(d)
				heal()
				time.Sleep(10 * time.Minute)
			}
			if got := w.told("events"); got != `{"n":0} {"n":1}` {
				w.Errorf("%s: %s", service, got)
			}
		})
	}
}

func TestMistakesOfDeliveries(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, d := range []eventbridgesvc.Deliveries{{Skip: -1}, {Times: -1}, {Region: "nowhere"}} {
			if _, err := eventbridgesvc.Drop(w.cloud, d); err == nil {
				w.Errorf("%+v is taken", d)
			}
		}
	})
	cloud := svctest.Must(awstest.New(nil))(t)
	if _, err := eventbridgesvc.Duplicate(cloud, eventbridgesvc.Deliveries{}); err == nil {
		t.Error("a cloud without EventBridge")
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
}
