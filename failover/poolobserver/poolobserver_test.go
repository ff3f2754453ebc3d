package poolobserver_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/poolobserver"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ward is a pool whose targets are as a test says.
type ward struct {
	*healthcheck.Pool

	mu   sync.Mutex
	down map[string]error
}

func (w *ward) set(id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down[id] = err
}

func inWard(t *testing.T, test func(t *testing.T, w *ward)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &ward{down: make(map[string]error)}
		var err error
		w.Pool, err = healthcheck.New(healthcheck.Func(func(_ context.Context, target healthcheck.Target) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.down[target.ID]
		}), func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.HealthyThreshold, o.UnhealthyThreshold = 5*time.Second, 2*time.Second, 2, 2
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		test(t, w)
		cancel()
		<-done
	})
}

func (w *ward) register(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		zone, _, _ := strings.Cut(id, "-")
		if err := w.Register(healthcheck.Target{ID: id, Zone: zone, Addr: "10.0.0.1:80"}); err != nil {
			t.Fatal(err)
		}
	}
}

func observer(t *testing.T, w *ward, optFns ...func(*poolobserver.Options)) *poolobserver.Observer {
	t.Helper()
	o, err := poolobserver.New(w, "canary", "z", optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAPoolVotes(t *testing.T) {
	errRefused := errors.New("connection refused")
	tests := []struct {
		name     string
		targets  []string
		down     []string
		change   func(w *ward) error
		opts     func(*poolobserver.Options)
		want     failover.Verdict
		zone     string
		evidence string
	}{
		{name: "nothing is registered", want: failover.Unknown, evidence: "no target is selected"},
		{name: "all are healthy", targets: []string{"a-1", "b-1"}, want: failover.Healthy, evidence: "2 of 2"},
		{name: "one is left", targets: []string{"a-1", "b-1"}, down: []string{"a-1"}, want: failover.Healthy, evidence: "1 of 2"},
		{name: "none is left", targets: []string{"a-1", "b-1"}, down: []string{"a-1", "b-1"}, want: failover.Failed, evidence: "connection refused"},
		{name: "all of one zone", targets: []string{"a-1", "a-2"}, down: []string{"a-1", "a-2"}, want: failover.Failed, zone: "a", evidence: "0 of 2"},
		{
			name: "the selected one is down", targets: []string{"a-1", "b-1"}, down: []string{"a-1"}, want: failover.Failed, zone: "a", evidence: "0 of 1",
			opts: func(o *poolobserver.Options) {
				o.Select = func(s healthcheck.Status) bool { return s.Target.ID == "a-1" }
			},
		},
		{
			name: "fewer than must be", targets: []string{"a-1", "b-1", "c-1"}, down: []string{"a-1", "b-1"}, want: failover.Failed, evidence: "2 needed",
			opts: func(o *poolobserver.Options) { o.MinHealthy = 2 },
		},
		{
			name: "fewer percent than must be", targets: []string{"a-1", "b-1", "c-1"}, down: []string{"a-1"}, want: failover.Failed, zone: "a", evidence: "3 needed",
			opts: func(o *poolobserver.Options) { o.MinPercent = 67 },
		},
		{
			name: "as many percent as must be", targets: []string{"a-1", "b-1", "c-1"}, down: []string{"a-1"}, want: failover.Healthy,
			opts: func(o *poolobserver.Options) { o.MinPercent = 66 },
		},
		{
			name: "what drains does not count", targets: []string{"a-1", "b-1"}, down: []string{"b-1"}, want: failover.Failed, zone: "b", evidence: "0 of 1",
			change: func(w *ward) error { return w.Deregister("a-1") },
		},
		{
			name: "a person says that it is well", targets: []string{"a-1"}, down: []string{"a-1"}, want: failover.Healthy,
			change: func(w *ward) error { return w.Override("a-1", healthcheck.OverrideHealthy) },
		},
		{
			name: "a person says that it is not", targets: []string{"a-1"}, want: failover.Failed, zone: "a", evidence: "by an override",
			change: func(w *ward) error { return w.Override("a-1", healthcheck.OverrideUnhealthy) },
		},
		{
			name: "a person takes it out", targets: []string{"a-1"}, want: failover.Unknown, evidence: "no target",
			change: func(w *ward) error { return w.Override("a-1", healthcheck.OverrideDrain) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, func(t *testing.T, w *ward) {
				for _, id := range tt.down {
					w.set(id, errRefused)
				}
				w.register(t, tt.targets...)
				time.Sleep(time.Minute)
				if tt.change != nil {
					if err := tt.change(w); err != nil {
						t.Fatal(err)
					}
				}
				var opts []func(*poolobserver.Options)
				if tt.opts != nil {
					opts = append(opts, tt.opts)
				}
				seen := observer(t, w, opts...).Observe(t.Context())
				if seen.Verdict != tt.want || seen.Zone != tt.zone || !strings.Contains(seen.Evidence, tt.evidence) {
					t.Errorf("%+v", seen)
				}
			})
		})
	}
}

func TestWhatIsNotKnownYetIsNoReason(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		o := observer(t, w)
		w.register(t, "a-1")
		if seen := o.Observe(t.Context()); seen.Verdict != failover.Unknown {
			t.Errorf("before the first check: %+v", seen)
		}
		w.set("a-1", errors.New("down"))
		time.Sleep(time.Minute)
		w.register(t, "a-2")
		if seen := o.Observe(t.Context()); seen.Verdict != failover.Unknown || !strings.Contains(seen.Evidence, "1 not checked") {
			t.Errorf("with one that may be well: %+v", seen)
		}
	})
}

// A pool that has stopped says nothing any more, whatever it said last.
func TestWhatIsOldIsNoReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return errors.New("down") }))
		if err != nil {
			t.Fatal(err)
		}
		if err := pool.Register(healthcheck.Target{ID: "a-1", Addr: "10.0.0.1:80"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		o, err := poolobserver.New(pool, "canary", "z")
		if err != nil {
			t.Fatal(err)
		}
		_ = pool.Run(ctx)
		before := o.Observe(t.Context())
		time.Sleep(5 * time.Minute)
		if after := o.Observe(t.Context()); after.Verdict != failover.Unknown {
			t.Errorf("%+v, and before %+v", after, before)
		}
	})
}

// TestChecksThatTellNothingAreNoReason has a pool whose check is broken for an hour: what was known before is as old as that.
func TestChecksThatTellNothingAreNoReason(t *testing.T) {
	t.Parallel()
	for _, before := range []error{nil, errors.New("refused")} {
		synctest.Test(t, func(t *testing.T) {
			var broken atomic.Bool
			pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error {
				if broken.Load() {
					panic("the check is broken")
				}
				return before
			}), func(o *healthcheck.Options) { o.Interval, o.Timeout = 5*time.Second, 2*time.Second })
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- pool.Run(ctx) }()
			if err := pool.Register(healthcheck.Target{ID: "a-1", Zone: "a", Addr: "10.0.0.1:80"}); err != nil {
				t.Fatal(err)
			}
			o, err := poolobserver.New(pool, "canary", "z")
			if err != nil {
				t.Fatal(err)
			}
			want := failover.Healthy
			if before != nil {
				want = failover.Failed
			}
			for range 12 {
				time.Sleep(time.Minute)
				synctest.Wait()
				if seen := o.Observe(ctx); seen.Verdict != want {
					t.Errorf("while all is well: %+v", seen)
				}
			}
			broken.Store(true)
			for i := range 60 {
				time.Sleep(time.Minute)
				synctest.Wait()
				if seen := o.Observe(ctx); i > 2 && seen.Verdict != failover.Unknown {
					t.Errorf("after %d minutes in which no check told anything: %+v", i, seen)
				}
			}
			cancel()
			<-done
		})
	}
}

func TestSilentTargetsCountInPercentagesToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var statuses []healthcheck.Status
		for i, state := range []healthcheck.State{
			healthcheck.Healthy, healthcheck.Healthy, healthcheck.Healthy, healthcheck.Unhealthy, healthcheck.Unhealthy, healthcheck.Unhealthy, healthcheck.Unhealthy,
			healthcheck.Unhealthy, healthcheck.Initial,
		} {
			statuses = append(statuses, healthcheck.Status{Target: healthcheck.Target{ID: string(rune('a' + i))}, State: state, Since: time.Now()})
		}
		source := &healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View { return healthcheck.NewView(statuses...) }}
		o, err := poolobserver.New(source, "canary", "z", func(o *poolobserver.Options) { o.MinPercent = 50 })
		if err != nil {
			t.Fatal(err)
		}
		if seen := o.Observe(t.Context()); seen.Verdict != failover.Failed { // at best 4 of 9 are healthy
			t.Errorf("%+v", seen)
		}
	})
}

func TestChangesWake(t *testing.T) {
	inWard(t, func(t *testing.T, w *ward) {
		w.register(t, "a-1", "b-1")
		time.Sleep(time.Minute)
		var woken atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		o := observer(t, w, func(o *poolobserver.Options) {
			o.Select = func(s healthcheck.Status) bool { return s.Target.ID == "a-1" }
		})
		go func() { defer close(done); o.Watch(ctx, func() { woken.Add(1) }) }()
		w.set("b-1", errors.New("down")) // of another service
		time.Sleep(time.Minute)
		if n := woken.Load(); n != 0 {
			t.Errorf("woken %d times by another target", n)
		}
		w.set("a-1", errors.New("down"))
		time.Sleep(time.Minute)
		if n := woken.Load(); n != 1 {
			t.Errorf("woken %d times", n)
		}
		cancel()
		<-done
	})
}

func TestMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := poolobserver.New(nil, "", "z", func(o *poolobserver.Options) { o.MinHealthy, o.MinPercent, o.MaxAge = -1, 101, -1 })
	var field *failover.FieldError
	for _, want := range []string{"source", "name", "Options.MinHealthy", "Options.MinPercent", "Options.MaxAge"} {
		if !errors.As(err, &field) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
}

func Example() {
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }))
	if err != nil {
		log.Fatal(err)
	}
	observer, err := poolobserver.New(pool, "canary@use1-az2", "use1-az2", func(o *poolobserver.Options) { o.MinPercent = 50 })
	if err != nil {
		log.Fatal(err)
	}
	seen := observer.Observe(context.Background())
	fmt.Println(observer.Name(), seen.Verdict, seen.Evidence)
	// Output: canary@use1-az2 unknown no target is selected
}
