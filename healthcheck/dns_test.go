package healthcheck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// resolver answers as it is told, and remembers when it was asked.
type resolver struct {
	mu    sync.Mutex
	addrs []netip.Addr
	err   error
	hang  bool
	asked []time.Time
}

func (r *resolver) answer(err error, addrs ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err, r.addrs = err, nil
	for _, a := range addrs {
		r.addrs = append(r.addrs, netip.MustParseAddr(a))
	}
}

func (r *resolver) lookups() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

func (r *resolver) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if host != "db.internal" {
		return nil, fmt.Errorf("asked for %s %s", network, host)
	}
	r.mu.Lock()
	r.asked = append(r.asked, time.Now())
	addrs, err, hang := slices.Clone(r.addrs), r.err, r.hang
	r.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return addrs, err
}

func TestDNS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass())
		register(t, pool, healthcheck.Target{ID: "mine"})
		stop := run(t, pool)
		var r resolver
		var log bytes.Buffer
		r.answer(nil, "10.0.0.1", "::ffff:10.0.1.2", "2001:db8::1")
		d, err := healthcheck.NewDNS(pool, "db.internal:5432", func(o *healthcheck.DNSOptions) {
			o.Lookup, o.Logger = r.lookup, slog.New(slog.NewTextHandler(&log, nil))
			o.Zone = func(a netip.Addr) string {
				if a.Is4() {
					return fmt.Sprint("z", a.As4()[2])
				}
				return ""
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- d.Run(t.Context()) }()
		want := func(ids ...string) {
			t.Helper()
			synctest.Wait()
			var got []string
			for id, s := range pool.All() {
				got = append(got, fmt.Sprint(id, " ", s.State, " ", s.Target.Zone))
			}
			if diff := cmp.Diff(append(ids, "mine healthy "), got); diff != "" {
				t.Errorf("targets (-want +got):\n%s", diff)
			}
		}
		time.Sleep(3 * time.Second)
		want("db.internal:5432/10.0.0.1 healthy z0", "db.internal:5432/10.0.1.2 healthy z1", "db.internal:5432/2001:db8::1 healthy ")
		if s, _ := pool.Status("db.internal:5432/2001:db8::1"); s.Target.Addr != "[2001:db8::1]:5432" || s.Target.Host != "db.internal" {
			t.Errorf("target %+v", s.Target)
		}

		// Failing, empty and hanging lookups change nothing.
		r.answer(errRefused)
		time.Sleep(30 * time.Second)
		r.answer(nil)
		time.Sleep(30 * time.Second)
		r.mu.Lock()
		r.hang = true
		r.mu.Unlock()
		time.Sleep(time.Minute)
		r.mu.Lock()
		r.hang = false
		r.mu.Unlock()
		want("db.internal:5432/10.0.0.1 healthy z0", "db.internal:5432/10.0.1.2 healthy z1", "db.internal:5432/2001:db8::1 healthy ")
		for _, text := range []string{"db.internal: refused", "no addresses of family any", "deadline exceeded"} {
			if !strings.Contains(log.String(), text) {
				t.Errorf("the log lacks %q:\n%s", text, &log)
			}
		}

		// A new address is a new target, whose health is not known, and the old one drains.
		r.answer(nil, "10.0.0.9", "10.0.1.2")
		asked := r.lookups()
		d.LookupNow()
		d.LookupNow()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if n := r.lookups() - asked; n != 1 {
			t.Errorf("%d lookups within MinInterval", n)
		}
		time.Sleep(5 * time.Second)
		want("db.internal:5432/10.0.0.1 draining z0", "db.internal:5432/10.0.0.9 healthy z0", "db.internal:5432/10.0.1.2 healthy z1",
			"db.internal:5432/2001:db8::1 draining ")

		if err := d.Run(t.Context()); !errors.Is(err, healthcheck.ErrAlreadyRun) {
			t.Errorf("a second Run returned %v", err)
		}
		_ = stop()
		r.answer(nil, "10.0.0.1")
		if err := <-ended; !errors.Is(err, healthcheck.ErrStopped) {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestDNSOfOneFamily(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass())
		var r resolver
		r.answer(nil, "10.0.0.1", "2001:db8::1")
		d, err := healthcheck.NewDNS(pool, "db.internal:5432", func(o *healthcheck.DNSOptions) {
			o.Lookup, o.Family = r.lookup, healthcheck.IPv6
			o.Target = func(t healthcheck.Target) healthcheck.Target {
				t.ID, t.CheckPort = "mine", 8080
				return t
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errRefused)
		defer cancel()
		if err := d.Run(ctx); !errors.Is(err, errRefused) {
			t.Errorf("Run returned %v", err)
		}
		s, ok := pool.Status("db.internal:5432/2001:db8::1")
		if !ok || s.Target.CheckAddr() != "[2001:db8::1]:8080" || pool.View().Registered() != 1 {
			t.Errorf("%d targets, %+v", pool.View().Registered(), s.Target)
		}
	})
}

// runDNS runs a DNS of db.internal:5432 until the test ends.
func runDNS(t *testing.T, registrar healthcheck.Registrar, optFn func(*healthcheck.DNSOptions)) {
	t.Helper()
	d, err := healthcheck.NewDNS(registrar, "db.internal:5432", optFn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
}

func TestDNSLooksUpATargetThatIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval = 10 * time.Second
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) { o.Interval = interval })
		register(t, pool, healthcheck.Target{ID: "other"})
		run(t, pool)
		var r resolver
		r.answer(nil, "10.0.0.1", "10.0.0.2")
		runDNS(t, pool, func(o *healthcheck.DNSOptions) { o.Lookup, o.Interval = r.lookup, time.Hour })
		waitFor(t, pool, "db.internal:5432/10.0.0.1", healthcheck.Healthy)
		waitFor(t, pool, "other", healthcheck.Healthy)

		f.set("other", refuse)
		waitFor(t, pool, "other", healthcheck.Unhealthy)
		time.Sleep(interval)
		if n := r.lookups(); n != 1 {
			t.Errorf("%d lookups after a target that has no name was lost", n)
		}
		r.answer(nil, "10.0.0.9", "10.0.0.2")
		f.set("db.internal:5432/10.0.0.1", refuse)
		time.Sleep(3 * interval) // not until it is Unhealthy, which it may be for no time at all
		synctest.Wait()
		wantStatus(t, pool, "db.internal:5432/10.0.0.1", healthcheck.Draining, healthcheck.ReasonDeregistrationInProgress)
		if _, ok := pool.Status("db.internal:5432/10.0.0.9"); !ok || r.lookups() != 2 {
			t.Errorf("%d lookups", r.lookups())
		}
	})
}

func TestDNSEndsWithItsPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass())
		stop := run(t, pool)
		var r resolver
		r.answer(nil, "10.0.0.1")
		dns, err := healthcheck.NewDNS(pool, "db.internal:5432", func(o *healthcheck.DNSOptions) { o.Lookup = r.lookup })
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- dns.Run(t.Context()) }()
		waitFor(t, pool, "db.internal:5432/10.0.0.1", healthcheck.Healthy)
		_ = stop()
		synctest.Wait()
		select {
		case err := <-ended:
			if !errors.Is(err, healthcheck.ErrStopped) {
				t.Errorf("it ends with %v", err)
			}
		default:
			t.Error("it goes on with the pool stopped, as long as the addresses are the same")
		}
	})
}

func TestDNSWithoutEventsLooksUpByTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r resolver
		r.answer(nil, "10.0.0.1")
		registrar := &healthcheckmock.RegistrarMock{
			RegisterFunc:   func(...healthcheck.Target) error { return nil },
			DeregisterFunc: func(...string) error { return nil },
		}
		runDNS(t, registrar, func(o *healthcheck.DNSOptions) { o.Lookup = r.lookup })
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := r.lookups(); n != 3 || len(registrar.RegisterCalls()) != 1 {
			t.Errorf("%d lookups in a minute, %d registrations", n, len(registrar.RegisterCalls()))
		}
	})
}

// TestDNSOfManyAddresses has answers that hold two of three addresses each, in turns, and at last always the same.
func TestDNSOfManyAddresses(t *testing.T) {
	t.Parallel()
	for keep, want := range map[time.Duration][]string{
		0:           {"10.0.0.1 1", "10.0.0.2 2", "10.0.0.3 2"},
		time.Minute: {"10.0.0.1 1", "10.0.0.2 1", "10.0.0.3 1"},
	} {
		t.Run(fmt.Sprint("kept for ", keep), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				registered := map[string]int{}
				pool := newPool(t, pass(), func(o *healthcheck.Options) {
					o.DeregistrationDelay = healthcheck.None
					o.OnEvent = func(_ context.Context, e healthcheck.Event) {
						if e.Kind == healthcheck.Transition && e.Status.State == healthcheck.Initial {
							registered[strings.TrimPrefix(e.Status.Target.ID, "db.internal:5432/")]++
						}
					}
				})
				run(t, pool)
				var r resolver
				r.answer(nil, "10.0.0.1", "10.0.0.2")
				runDNS(t, pool, func(o *healthcheck.DNSOptions) { o.Lookup, o.Interval, o.KeepFor = r.lookup, 10*time.Second, keep })
				for _, second := range []string{"10.0.0.3", "10.0.0.2", "10.0.0.3"} {
					time.Sleep(10*time.Second - time.Millisecond)
					r.answer(nil, "10.0.0.1", second)
				}
				time.Sleep(45 * time.Second)
				if n := pool.View().Registered(); n != 2+int(keep/time.Minute) {
					t.Errorf("%d targets are registered within %v", n, keep)
				}
				time.Sleep(30 * time.Second)
				if n := pool.View().Registered(); n != 2 {
					t.Errorf("%d targets are registered in the end", n)
				}
				var got []string
				for addr, n := range registered {
					got = append(got, fmt.Sprint(addr, " ", n))
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("registrations (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestNewDNSReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := healthcheck.NewDNS(nil, "db.internal", func(o *healthcheck.DNSOptions) {
		o.Interval, o.MinInterval, o.Timeout, o.Family, o.KeepFor = time.Millisecond, time.Second, -1, 9, -1
	})
	wantFieldErrors(t, err,
		"healthcheck: DNSOptions.Interval: 1ms must be at least 1s",
		"healthcheck: DNSOptions.MinInterval: 1s must be greater than zero and at most Interval",
		"healthcheck: DNSOptions.Timeout: -1ns must be greater than zero",
		"healthcheck: DNSOptions.KeepFor: -1ns must not be negative",
		"healthcheck: DNSOptions.Family: invalid must be AnyFamily, IPv4 or IPv6",
		"healthcheck: registrar: <nil> must not be nil",
		`healthcheck: addr: "db.internal" must be host:port with a port from 1 to 65535`,
	)
}
