package queueworker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/queueworkermock"
)

// second are the averages of a worker with ten slots and handlers of a second.
func second() queueworker.Stats {
	return queueworker.Stats{MeanHandler: time.Second, Slots: 10}
}

func (w *world) scaler(optFns ...func(*queueworker.ScalerOptions)) *queueworker.Scaler {
	w.Helper()
	s, err := queueworker.NewScaler(w.client, w.url, second, optFns...)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) hint(s *queueworker.Scaler) queueworker.ScaleHint {
	w.Helper()
	h, err := s.Hint(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return h
}

func TestScalerReadsTheQueueAndTheWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, map[string]string{"MessageRetentionPeriod": "3600"})
		w.send(50)
		if _, err := w.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.url, MaxNumberOfMessages: 10, VisibilityTimeout: 300}); err != nil {
			t.Fatal(err)
		}
		h := w.hint(w.scaler(func(o *queueworker.ScalerOptions) {
			o.TargetLatency = time.Second
			o.Instances = func(context.Context) (int, error) { return 2, nil }
			o.OldestAge = func(context.Context) (time.Duration, error) { return 40 * time.Minute, nil }
		}))
		if h.Desired != 4 || h.Floor != 1 || h.BacklogPerInstance != 20 || h.AcceptableBacklog != 10 || !h.AtRisk || h.LossIn != 20*time.Minute {
			t.Errorf("%+v", h)
		}
	})
}

func TestScalerAsksOncePerCacheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		s := w.scaler()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := s.Hint(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		asked := w.cloud.Count("SQS", "GetQueueAttributes")
		time.Sleep(14 * time.Second)
		w.hint(s)
		within := w.cloud.Count("SQS", "GetQueueAttributes")
		time.Sleep(2 * time.Second)
		w.hint(s)
		after := w.cloud.Count("SQS", "GetQueueAttributes")
		if asked != 1 || within != 1 || after != 2 {
			t.Errorf("%d, %d, %d calls; want 1, 1, 2", asked, within, after)
		}
	})
}

func TestScalerEstimatesArrivalsFromRateAndGrowth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		s, err := queueworker.NewScaler(w.client, w.url, func() queueworker.Stats {
			st := second()
			st.Rate = 10
			return st
		}, func(o *queueworker.ScalerOptions) {
			o.Instances = func(context.Context) (int, error) { return 2, nil }
		})
		if err != nil {
			t.Fatal(err)
		}
		if h := w.hint(s); h.Desired != 2 || !strings.HasPrefix(h.Reason, "20 messages arrive a second") {
			t.Errorf("by the rate alone: %+v", h)
		}
		start := time.Now()
		w.send(400)
		time.Sleep(20*time.Second - time.Since(start))
		if h := w.hint(s); h.Desired != 4 || !strings.Contains(h.Reason, "messages arrive a second") {
			t.Errorf("20 a second handled, 20 a second more: %+v", h)
		}
	})
}

func TestScalerWithoutAnAgeGivesAHint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(1)
		h := w.hint(w.scaler(func(o *queueworker.ScalerOptions) {
			o.OldestAge = func(context.Context) (time.Duration, error) { return 10 * 24 * time.Hour, errors.New("no datapoint") }
		}))
		if h.Desired != 1 || h.AtRisk {
			t.Errorf("%+v", h)
		}
	})
}

func TestScalerErrors(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	attributes := func(m map[string]string) queueworker.ScalerAPI {
		return &queueworkermock.ScalerAPIMock{GetQueueAttributesFunc: func(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
			return &sqs.GetQueueAttributesOutput{Attributes: m}, nil
		}}
	}
	whole := map[string]string{
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0", "MessageRetentionPeriod": "60",
	}
	hint := func(api queueworker.ScalerAPI, optFns ...func(*queueworker.ScalerOptions)) error {
		s, err := queueworker.NewScaler(api, "https://sqs.us-east-1.amazonaws.com/1/work", second, optFns...)
		if err != nil {
			t.Fatal(err)
		}
		h, err := s.Hint(t.Context())
		if err != nil && h != (queueworker.ScaleHint{}) {
			t.Errorf("%+v with %v", h, err)
		}
		return err
	}
	if err := hint(attributes(whole)); err != nil {
		t.Error(err)
	}
	var field *queueworker.FieldError
	if err := hint(attributes(nil)); !errors.As(err, &field) || !strings.Contains(err.Error(), "NotVisible") || !strings.Contains(err.Error(), "Delayed") {
		t.Errorf("a queue without numbers is no empty queue: %v", err)
	}
	// The retention only warns. Where an endpoint does not tell it, it is the default.
	partial := maps.Clone(whole)
	delete(partial, "MessageRetentionPeriod")
	if err := hint(attributes(partial)); err != nil {
		t.Error(err)
	}
	partial["MessageRetentionPeriod"] = "4 days"
	if err := hint(attributes(partial)); !errors.As(err, &field) || field.Field != "MessageRetentionPeriod" {
		t.Error(err)
	}
	if err := hint(attributes(whole), func(o *queueworker.ScalerOptions) {
		o.Instances = func(context.Context) (int, error) { return 0, mine }
	}); !errors.Is(err, mine) {
		t.Error(err)
	}
	if err := hint(attributes(whole), func(o *queueworker.ScalerOptions) {
		o.ArrivalRate = func(context.Context) (float64, error) { return 0, mine }
	}); !errors.Is(err, mine) {
		t.Error(err)
	}
	if err := hint(attributes(whole), func(o *queueworker.ScalerOptions) {
		o.ArrivalRate = func(context.Context) (float64, error) { return -1, nil }
	}); !errors.As(err, &field) || field.Field != "ScaleInput.ArrivalRate" {
		t.Error(err)
	}
	// A reading that hangs ends after the timeout, and with the context of who asks.
	synctest.Test(t, func(t *testing.T) {
		hangs := func(o *queueworker.ScalerOptions) {
			o.Instances = func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
		}
		start := time.Now()
		if err := hint(attributes(whole), hangs); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		s, err := queueworker.NewScaler(attributes(whole), "https://sqs.us-east-1.amazonaws.com/1/work", second, hangs)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 2 { // one reads, one waits
			wg.Go(func() {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(mine) })
				if _, err := s.Hint(ctx); !errors.Is(err, mine) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestScalerOfNoQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.url += "-not"
		_, err := w.scaler().Hint(t.Context())
		var q *queueworker.QueueError
		if !errors.Is(err, queueworker.ErrQueueNotFound) || !errors.As(err, &q) || q.Operation != "GetQueueAttributes" {
			t.Error(err)
		}
	})
}

func TestScalerThatIsDenied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		s := w.scaler()
		heal, err := w.cloud.Inject(awstest.Match{Service: "SQS", Operation: "GetQueueAttributes"}, awstest.Deny())
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Hint(t.Context())
		var q *queueworker.QueueError
		var api smithy.APIError
		if !errors.Is(err, queueworker.ErrAccessDenied) || errors.Is(err, queueworker.ErrQueueNotFound) || !errors.As(err, &q) || q.QueueURL != w.url || !errors.As(err, &api) {
			t.Error(err)
		}
		heal()
		w.hint(s) // the refusal is not kept
	})
}

// The retention of the queue decides from when on an age is a danger: 4 days unless it says otherwise, 14 at most.
func TestScalerHoldsTheAgeAgainstTheRetentionOfTheQueue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		retention string // of the queue; empty is not set
		age       time.Duration
		atRisk    bool
		lossIn    time.Duration
	}{
		{"half of the default of 4 days is a danger", "", 2 * day, true, 2 * day},
		{"less is none", "", 2*day - time.Second, false, 2*day + time.Second},
		{"of 14 days, two are none", "1209600", 2 * day, false, 12 * day},
		{"of 14 days, seven are", "1209600", 7 * day, true, 7 * day},
		{"a minute is short", "60", 30 * time.Second, true, 30 * time.Second},
		{"what should be gone is lost at any moment", "60", day, true, 0},
		{"an age that is not known is no danger", "60", 0, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var attributes map[string]string
				if tt.retention != "" {
					attributes = map[string]string{"MessageRetentionPeriod": tt.retention}
				}
				w := newWorld(t, attributes)
				h := w.hint(w.scaler(func(o *queueworker.ScalerOptions) {
					o.OldestAge = func(context.Context) (time.Duration, error) { return tt.age, nil }
				}))
				if h.AtRisk != tt.atRisk || h.LossIn != tt.lossIn || h.OldestAge != tt.age {
					t.Errorf("%+v", h)
				}
			})
		})
	}
}

func TestScalerWarnsOnceWhileDataIsAboutToBeLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		var log strings.Builder
		age := 3 * day
		s := w.scaler(func(o *queueworker.ScalerOptions) {
			o.OldestAge = func(context.Context) (time.Duration, error) { return age, nil }
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		for _, step := range []struct {
			age      time.Duration
			warnings int // so far
		}{{3 * day, 1}, {3 * day, 1}, {time.Minute, 1}, {2 * day, 2}} {
			age = step.age
			w.hint(s)
			if got := strings.Count(log.String(), "data is about to be lost"); got != step.warnings {
				t.Errorf("%v: %d warnings, want %d: %s", step.age, got, step.warnings, log.String())
			}
			time.Sleep(time.Minute)
		}
		if !strings.Contains(log.String(), "loss_in=24h0m0s") {
			t.Error(log.String())
		}
	})
}

func TestNewScalerRefuses(t *testing.T) {
	t.Parallel()
	_, err := queueworker.NewScaler(nil, "work", nil, func(o *queueworker.ScalerOptions) {
		o.TargetLatency, o.Min, o.Max, o.CacheFor, o.Timeout = -1, -1, -1, -1, -1
	})
	for _, name := range []string{"api", "queueURL", "stats", "TargetLatency", "Min", "Max", "CacheFor", "Timeout"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not told of: %v", name, err)
		}
	}
}

func TestScalerServes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(20)
		s := w.scaler(func(o *queueworker.ScalerOptions) { o.TargetLatency = time.Second })
		get := func(method, path string) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
			return rec
		}
		var got queueworker.ScaleHint
		rec := get(http.MethodGet, "/scale")
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got != w.hint(s) || rec.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%v: %s", err, rec.Body)
		}
		want := `# HELP queueworker_desired_instances Instances that the queue needs.
# TYPE queueworker_desired_instances gauge
queueworker_desired_instances{queue="work"} 2
# HELP queueworker_floor_instances Instances that are to stay since messages are in flight.
# TYPE queueworker_floor_instances gauge
queueworker_floor_instances{queue="work"} 0
# HELP queueworker_backlog_per_instance Visible messages by instance.
# TYPE queueworker_backlog_per_instance gauge
queueworker_backlog_per_instance{queue="work"} 20
# HELP queueworker_acceptable_backlog_per_instance Largest backlog by instance that keeps the target latency; NaN if not known.
# TYPE queueworker_acceptable_backlog_per_instance gauge
queueworker_acceptable_backlog_per_instance{queue="work"} 10
# HELP queueworker_expected_wait_seconds Wait of the last visible message.
# TYPE queueworker_expected_wait_seconds gauge
queueworker_expected_wait_seconds{queue="work"} 1
# HELP queueworker_oldest_message_age_seconds Age of the oldest message; NaN if not known.
# TYPE queueworker_oldest_message_age_seconds gauge
queueworker_oldest_message_age_seconds{queue="work"} NaN
# HELP queueworker_oldest_message_lost_in_seconds Time until the retention takes the oldest message; NaN if not known.
# TYPE queueworker_oldest_message_lost_in_seconds gauge
queueworker_oldest_message_lost_in_seconds{queue="work"} NaN
# HELP queueworker_data_at_risk 1 if messages are about to be lost to the retention.
# TYPE queueworker_data_at_risk gauge
queueworker_data_at_risk{queue="work"} 0
`
		if diff := cmp.Diff(want, get(http.MethodGet, "/scale/metrics").Body.String()); diff != "" {
			t.Error(diff)
		}
		s = w.scaler(func(o *queueworker.ScalerOptions) {
			o.OldestAge = func(context.Context) (time.Duration, error) { return 3 * day, nil }
		})
		text := get(http.MethodGet, "/scale/metrics").Body.String()
		for _, line := range []string{"oldest_message_age_seconds{queue=\"work\"} 259200", "oldest_message_lost_in_seconds{queue=\"work\"} 86400", "data_at_risk{queue=\"work\"} 1"} {
			if !strings.Contains(text, "\nqueueworker_"+line+"\n") {
				t.Errorf("no %s in\n%s", line, text)
			}
		}
		if rec := get(http.MethodPost, "/scale"); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST: %d", rec.Code)
		}
		w.url += "-not"
		s = w.scaler()
		if rec := get(http.MethodGet, "/metrics"); rec.Code != http.StatusServiceUnavailable || strings.Contains(rec.Body.String(), "work") {
			t.Errorf("no queue: %d %s", rec.Code, rec.Body)
		}
	})
}

// A monitor that gives up waiting is no fault of the queue's.
func TestScalerTellsOnlyWhoIsThereThatThereIsNoHint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		var log strings.Builder
		s := w.scaler(func(o *queueworker.ScalerOptions) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		ctx, leave := context.WithCancel(t.Context())
		leave()
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/scale", http.NoBody))
		if log.Len() > 0 {
			t.Error(log.String())
		}
	})
}

func ExampleNewScaler() {
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cloud.Close()
	client := sqs.NewFromConfig(cloud.Config("us-east-1"))
	name := "thumbnails"
	queue, err := client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		fmt.Println(err)
		return
	}
	worker, err := queueworker.New(client, *queue.QueueUrl, queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { return nil }))
	if err != nil {
		fmt.Println(err)
		return
	}
	scaler, err := queueworker.NewScaler(client, *queue.QueueUrl, worker.Stats, func(o *queueworker.ScalerOptions) {
		o.TargetLatency = 30 * time.Second
		o.Min, o.Max = 2, 20
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	hint, err := scaler.Hint(context.Background())
	fmt.Println(hint.Desired, hint.Reason, err)
	// Output: 2 the least that is allowed <nil>
}
