package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

// passivePool is a running pool of n healthy targets, "a" and so on, whose checks pass once and then are far away.
func passivePool(t *testing.T, n int, optFns ...func(*healthcheck.Options)) *healthcheck.Pool {
	t.Helper()
	pool, _ := passivePoolAndStop(t, n, optFns...)
	return pool
}

func passivePoolAndStop(t *testing.T, n int, optFns ...func(*healthcheck.Options)) (*healthcheck.Pool, func() error) {
	t.Helper()
	pool := newPool(t, pass(), append([]func(*healthcheck.Options){func(o *healthcheck.Options) {
		o.Interval, o.MaxStartSpread = 24*time.Hour, healthcheck.None
		o.Passive = &healthcheck.PassiveOptions{MaxEjectPercent: 100}
	}}, optFns...)...)
	for i := range n {
		register(t, pool, healthcheck.Target{ID: string(rune('a' + i))})
	}
	stop := run(t, pool)
	err := pool.Wait(t.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == n })
	if err != nil {
		t.Fatal(err)
	}
	return pool, stop
}

// use makes requests to one target that go as they are told to.
func use(t *testing.T, pool *healthcheck.Pool, id string, uses ...healthcheck.Use) {
	t.Helper()
	var others []string
	for other := range pool.All() {
		if other != id {
			others = append(others, other)
		}
	}
	for _, u := range uses {
		lease, err := pool.Pick(healthcheck.PickOptions{Except: others})
		if err != nil {
			t.Fatal(err)
		}
		lease.Done(u)
	}
	synctest.Wait()
}

func ejected(pool *healthcheck.Pool) []string {
	var ids []string
	for id, s := range pool.All() {
		if s.Ejected {
			ids = append(ids, id)
		}
	}
	return ids
}

var (
	good    = healthcheck.Use{StatusCode: 200}
	gateway = healthcheck.Use{StatusCode: 503}
	broken  = healthcheck.Use{Err: io.ErrUnexpectedEOF}
)

func TestPassiveChecksCountInARow(t *testing.T) {
	t.Parallel()
	repeat := func(u healthcheck.Use, n int) []healthcheck.Use { return slices.Repeat([]healthcheck.Use{u}, n) }
	for _, tt := range []struct {
		name  string
		uses  []healthcheck.Use
		eject bool
	}{
		{"fewer gateway errors", repeat(gateway, 4), false},
		{"as many gateway errors", repeat(gateway, 5), true},
		{"502, 503 and 504 alike", []healthcheck.Use{{StatusCode: 502}, {StatusCode: 504}, gateway, {StatusCode: 502}, gateway}, true},
		{"500 is the application's", repeat(healthcheck.Use{StatusCode: 500}, 20), false},
		{"fewer connect errors", repeat(broken, 2), false},
		{"as many connect errors", repeat(broken, 3), true},
		{"a success between them", slices.Concat(repeat(gateway, 4), []healthcheck.Use{good}, repeat(gateway, 4)), false},
		{"every other request fails", slices.Repeat([]healthcheck.Use{broken, good}, 20), false}, // what a rate would see
		{"a gateway error ends a row of connect errors", slices.Repeat([]healthcheck.Use{broken, broken, gateway}, 4), false},
		{"connect errors end no row of gateway errors", slices.Repeat([]healthcheck.Use{gateway, broken}, 5)[:9], true},
		{"those that the caller gives up", repeat(healthcheck.Use{Err: fmt.Errorf("get: %w", context.Canceled)}, 20), false},
		{"giving up ends no row", slices.Concat(repeat(broken, 2), []healthcheck.Use{{Err: context.Canceled}}, repeat(broken, 1)), true},
		{"a status beside an error", repeat(healthcheck.Use{StatusCode: 200, Err: io.ErrUnexpectedEOF}, 3), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pool := passivePool(t, 3)
				use(t, pool, "b", tt.uses...)
				var want []string
				if tt.eject {
					want = []string{"b"}
				}
				if diff := cmp.Diff(want, ejected(pool)); diff != "" {
					t.Errorf("ejected (-want +got):\n%s", diff)
				}
				if s, _ := pool.Status("b"); s.State != healthcheck.Healthy {
					t.Errorf("the state is %v: that is for the checks to say", s.State)
				}
				if tt.eject {
					wantPicks(t, pool, healthcheck.PickOptions{}, "a", "c")
				} else {
					wantPicks(t, pool, healthcheck.PickOptions{}, "a", "b", "c")
				}
			})
		})
	}
}

// TestEjectionsGrowAndEnd: 30 s times the number of ejections, up to 300 s, until a time of 300 s without one.
func TestEjectionsGrowAndEnd(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("running=", running), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var events []string
				pool, stop := passivePoolAndStop(t, 3, func(o *healthcheck.Options) {
					o.OnEvent = func(_ context.Context, e healthcheck.Event) {
						if e.Kind == healthcheck.Ejection {
							events = append(events, fmt.Sprint(e.Status.Target.ID, e.Status.Ejected))
						}
					}
				})
				if !running {
					_ = stop()
				}
				eject := func(want time.Duration) {
					t.Helper()
					use(t, pool, "b", broken, broken, broken)
					begin := time.Now()
					if len(events) == 0 || events[len(events)-1] != "btrue" {
						t.Fatalf("events %q", events)
					}
					if running {
						_ = pool.Wait(t.Context(), func(v *healthcheck.View) bool { s, _ := v.Status("b"); return !s.Ejected })
						if took := time.Since(begin); took != want {
							t.Errorf("ejected for %v, want %v", took, want)
						}
						synctest.Wait()
						return
					}
					// Without Run, the picks see to it.
					time.Sleep(want - time.Nanosecond)
					wantPicks(t, pool, healthcheck.PickOptions{}, "a", "c")
					time.Sleep(time.Nanosecond)
					wantPicks(t, pool, healthcheck.PickOptions{}, "a", "b", "c")
				}
				for n := range 12 {
					eject(time.Duration(min(n+1, 10)) * 30 * time.Second)
				}
				time.Sleep(300 * time.Second)
				eject(30 * time.Second)
				if len(events) != 26 || events[25] != "bfalse" {
					t.Errorf("events %q", events)
				}
			})
		})
	}
}

func TestAnActivePassBringsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := passivePool(t, 3, func(o *healthcheck.Options) { o.Interval = 6 * time.Second })
		use(t, pool, "b", broken, broken, broken)
		if len(ejected(pool)) != 1 {
			t.Fatal("not ejected")
		}
		time.Sleep(6*time.Second + healthcheck.Tick)
		synctest.Wait()
		if got := ejected(pool); got != nil {
			t.Errorf("%q are ejected still", got)
		}
		use(t, pool, "b", broken, broken)
		if got := ejected(pool); got != nil {
			t.Error("the counters have outlived the ejection")
		}
	})
}

func TestEjectionsAreBounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		n       int
		percent int
		option  func(*healthcheck.Options)
		want    int
	}{
		{name: "one of few, whatever the percentage", n: 5, percent: 10, want: 1},
		{name: "ten percent of 20", n: 20, percent: 10, want: 2},
		{name: "ten percent of 19", n: 19, percent: 10, want: 1},
		{name: "half of 10", n: 10, percent: 50, want: 5},
		{name: "never the last", n: 4, percent: 100, want: 3},
		{name: "never the only one", n: 1, percent: 100, want: 0},
		{
			name: "never into failing open", n: 10, percent: 100, want: 5,
			option: func(o *healthcheck.Options) { o.RoutingFailover = healthcheck.Threshold{Percent: 50} },
		},
		{
			name: "nor below its count", n: 10, percent: 100, want: 3,
			option: func(o *healthcheck.Options) { o.RoutingFailover = healthcheck.Threshold{Count: 7} },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pool := passivePool(t, tt.n, func(o *healthcheck.Options) {
					o.Passive.MaxEjectPercent = tt.percent
					if tt.option != nil {
						tt.option(o)
					}
				})
				for i := range tt.n {
					if id := string(rune('a' + i)); !slices.Contains(ejected(pool), id) {
						use(t, pool, id, broken, broken, broken)
					}
				}
				if n := len(ejected(pool)); n != tt.want {
					t.Errorf("%d are ejected, want %d", n, tt.want)
				}
				if pool.View().FailOpen("") {
					t.Error("the pool fails open for its ejections")
				}
				if lease := pick(t, pool, healthcheck.PickOptions{}); lease.FailOpen {
					t.Error("a lease says that it fails open")
				}
			})
		})
	}
}

// TestEjectionEndsWithHealth: what is unhealthy by its checks needs no ejection, and takes nobody's place among the ejected.
func TestEjectionEndsWithHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Interval, o.MaxStartSpread = 6*time.Second, healthcheck.None
			o.Passive = new(healthcheck.PassiveOptions)
		})
		register(t, pool, targets("", "a", "b", "c")...)
		run(t, pool)
		_ = pool.Wait(t.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 3 })
		use(t, pool, "a", broken, broken, broken)
		use(t, pool, "b", broken, broken, broken)
		if diff := cmp.Diff([]string{"a"}, ejected(pool)); diff != "" {
			t.Fatal(diff)
		}
		f.set("a", refuse)
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		synctest.Wait() // for the other checks of that moment: a pass ends an ejection
		if got := ejected(pool); got != nil {
			t.Errorf("%q are ejected", got)
		}
		use(t, pool, "b", broken, broken, broken)
		if diff := cmp.Diff([]string{"b"}, ejected(pool)); diff != "" {
			t.Error(diff)
		}
		_ = pool.Deregister("b")
		if got := ejected(pool); got != nil {
			t.Errorf("%q are ejected while draining", got)
		}
	})
}

// TestTransportFeedsPassiveChecks: a server that dies while it answers is ejected by what the readers of its answers see.
func TestTransportFeedsPassiveChecks(t *testing.T) {
	t.Parallel()
	truncate := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "the first half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	a, b := backendOf(t, ok), backendOf(t, truncate)
	pool := newPool(t, pass(), func(o *healthcheck.Options) {
		o.MaxStartSpread, o.Passive = healthcheck.None, new(healthcheck.PassiveOptions)
	})
	register(t, pool, healthcheck.Target{ID: "a", Addr: a.addr()}, healthcheck.Target{ID: "b", Addr: b.addr()})
	run(t, pool)
	if err := pool.Wait(t.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 2 }); err != nil {
		t.Fatal(err)
	}
	transport := pool.Transport(nil)
	defer transport.CloseIdleConnections()
	outcomes := map[string]int{}
	for range 10 {
		outcomes[read(t, transport, request(t, "GET", nil))]++
	}
	if diff := cmp.Diff(map[string]int{"200 ok": 7, "broken body": 3}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b"}, ejected(pool)); diff != "" {
		t.Errorf("ejected (-want +got):\n%s", diff)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	for range 10 {
		_, err := transport.RoundTrip(request(t, "GET", nil).WithContext(ctx))
		if err == nil {
			t.Error("a request under a context that had ended")
		}
	}
	if diff := cmp.Diff([]string{"b"}, ejected(pool)); diff != "" {
		t.Errorf("ejected after requests that were called off (-want +got):\n%s", diff)
	}
}
