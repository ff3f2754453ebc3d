package failover_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/failovermock"
)

// The default timing, on which these tests compute.
const (
	ttl    = 15 * time.Second
	margin = 5 * time.Second
	renew  = 3 * time.Second
	retry  = 2 * time.Second
)

func acquire(tb testing.TB, l failover.Locker, name string) failover.Lease {
	tb.Helper()
	lease, err := l.Acquire(context.WithoutCancel(tb.Context()), name, failover.LeaseOptions{Holder: "test"})
	if err != nil {
		tb.Fatal(err)
	}
	return lease
}

func TestLeaseRenewsItselfForAsLongAsItIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		lease := acquire(t, l, "orders")
		time.Sleep(24 * time.Hour)
		if err := lease.Valid(); err != nil || lease.Context().Err() != nil {
			t.Errorf("after a day: Valid %v, context %v", err, lease.Context().Err())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := l.Acquire(ctx, "orders", failover.LeaseOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a rival got the lease: %v", err)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestReleaseLetsARivalInAtItsNextLookAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // a goroutine left behind would fail the bubble
		l := newLocker(t)
		first := acquire(t, l, "orders")
		time.AfterFunc(time.Minute, func() {
			if err := first.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		second := acquire(t, l, "orders")
		if waited := time.Since(began); waited < time.Minute || waited > time.Minute+retry {
			t.Errorf("the rival waited %s, want 1m and a look at most", waited)
		}
		if first.Valid() == nil || !errors.Is(context.Cause(first.Context()), failover.ErrLeaseLost) {
			t.Errorf("the released lease: Valid %v, cause %v", first.Valid(), context.Cause(first.Context()))
		}
		if err := first.Release(t.Context()); err != nil || second.Valid() != nil {
			t.Errorf("releasing twice: %v, and the rival's lease is %v", err, second.Valid())
		}
		if second.Token() <= first.Token() {
			t.Errorf("tokens %d, %d do not rise", first.Token(), second.Token())
		}
		if err := second.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestHolderStopsAMarginBeforeARivalMayStart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			l := newLocker(t)
			lease := acquire(t, l, "orders")
			began := time.Now()
			cutAt := time.Duration(r.Int64N(int64(time.Minute)))
			rivals := make(chan failover.Lease, 1)
			go func() { rivals <- acquire(t, &linkedLocker{store: l.store, holders: map[string]*link{}}, "orders") }()
			time.Sleep(cutAt)
			l.Cut("orders")

			<-lease.Context().Done()
			lastRenewal := cutAt.Truncate(renew)
			if stopped := time.Since(began); stopped != lastRenewal+ttl-margin {
				t.Errorf("seed %d: cut off at %s, stopped at %s, want %s", seed, cutAt, stopped, lastRenewal+ttl-margin)
			}
			if err := lease.Valid(); !errors.Is(err, failover.ErrLeaseLost) || !strings.Contains(err.Error(), "not renewed in time") {
				t.Errorf("seed %d: Valid returns %v", seed, err)
			}
			rival := <-rivals
			if at := time.Since(began); at < lastRenewal+ttl || at > lastRenewal+ttl+retry {
				t.Errorf("seed %d: the rival came at %s, want %s and a look at most", seed, at, lastRenewal+ttl)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := lease.Release(ctx); !errors.Is(err, context.DeadlineExceeded) || rival.Valid() != nil {
				t.Errorf("seed %d: late release: %v, rival: %v", seed, err, rival.Valid())
			}
			if err := rival.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRenewalUnderWayDoesNotBringAReleasedLeaseBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		for range 300 {
			lease := acquire(t, l, "orders")
			time.Sleep(renew) // the renewal is at this instant, too
			for range 2 {
				if err := lease.Release(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			rival := acquire(t, l, "orders")
			if waited := time.Since(began); waited != 0 {
				t.Fatalf("the rival waited %s", waited)
			}
			if err := rival.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestHealedHolderKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		lease := acquire(t, l, "orders")
		for range 20 {
			heal := l.Cut("orders")
			time.Sleep(renew + renew/2)
			heal()
			time.Sleep(2 * renew)
			if err := lease.Valid(); err != nil {
				t.Fatal(err)
			}
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		l.Cut("orders")() // nobody holds it: nothing to cut
		l.Cut("never seen")()
	})
}

func TestHolderThatWakesUpLateIsToldWhoTookOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		lease := acquire(t, l, "orders")
		heal := l.Cut("orders")
		time.Sleep(ttl)
		heal()
		rival := acquire(t, l, "orders")
		defer rival.Release(t.Context())
		time.Sleep(ttl)
		if lease.Valid() == nil || lease.Release(t.Context()) != nil || rival.Valid() != nil {
			t.Errorf("old lease %v, rival %v", lease.Valid(), rival.Valid())
		}
	})
}

func TestOneOfManyWaitersGetsTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		var (
			wg      sync.WaitGroup
			mu      sync.Mutex
			holders int
			tokens  = map[uint64]bool{}
		)
		for range 20 {
			wg.Go(func() {
				lease := acquire(t, l, "orders")
				mu.Lock()
				holders++
				if holders > 1 || tokens[lease.Token()] {
					t.Errorf("%d holders, token %d", holders, lease.Token())
				}
				tokens[lease.Token()] = true
				mu.Unlock()
				time.Sleep(time.Minute)
				mu.Lock()
				holders--
				mu.Unlock()
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		other := acquire(t, l, "billing") // another name is another lease
		wg.Wait()
		if len(tokens) != 20 {
			t.Errorf("%d tokens, want 20", len(tokens))
		}
		if err := other.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAcquireEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l := newLocker(t)
	lease := acquire(t, l, "orders")
	defer lease.Release(context.Background())
	errEnough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	if _, err := l.Acquire(ctx, "orders", failover.LeaseOptions{}); !errors.Is(err, errEnough) {
		t.Errorf("error is %v", err)
	}
}

// TestStaleHolderHasNoEffectOnceARivalMayAct cuts the holder off in the middle of a step that makes an effect every 100 ms.
func TestStaleHolderHasNoEffectOnceARivalMayAct(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		var j failover.MemoryJournal
		var w world
		busy := step("busy", time.Hour)
		busy.Do = func(_ context.Context, env *failover.Env) error { // deaf to its context: only the fence stops it
			for range 1000 {
				if err := env.Valid(); err != nil {
					return err
				}
				w.apply("busy")
				time.Sleep(100 * time.Millisecond)
			}
			return nil
		}
		time.AfterFunc(31*time.Second, func() { l.Cut("orders") })
		began := time.Now()
		rivalAt := make(chan time.Duration, 1)
		time.AfterFunc(35*time.Second, func() {
			lease := acquire(t, l, "orders")
			rivalAt <- time.Since(began)
			_ = lease.Release(context.Background())
		})

		_, err := newEngine(t, l, &j).Execute(t.Context(), "i", plan(busy, w.step("next", 0, "busy")))
		if !errors.Is(err, failover.ErrLeaseLost) {
			t.Errorf("error is %v, want one that matches ErrLeaseLost", err)
		}
		effects := w.times("busy")
		last, rival := effects[len(effects)-1].Sub(began), <-rivalAt
		if want := 30*time.Second + ttl - margin; last >= want || last < want-100*time.Millisecond {
			t.Errorf("the last effect was at %s, want just before %s", last, want)
		}
		if rival-last < margin {
			t.Errorf("the rival came %s after the last effect, want at least the margin of %s", rival-last, margin)
		}
		if len(w.times("next")) != 0 {
			t.Error("a step started after the lease was lost")
		}
	})
}

func TestLostLeaseCancelsRunningSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		began := time.Now()
		a := step("a", 0)
		a.Do = func(ctx context.Context, _ *failover.Env) error {
			l.Cut("orders")
			err := sleep(ctx, time.Hour)
			if took := time.Since(began); took != ttl-margin || !errors.Is(err, failover.ErrLeaseLost) {
				t.Errorf("the step was cancelled after %s with %v", took, err)
			}
			return nil
		}
		tl, err := newEngine(t, l, new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(a, step("b", 0, "a")))
		if !errors.Is(err, failover.ErrLeaseLost) {
			t.Errorf("error is %v", err)
		}
		var stopped []failover.Event
		for _, ev := range tl.Events() {
			if ev.Kind == failover.KindStopped {
				stopped = append(stopped, ev)
			}
		}
		if len(stopped) != 1 || !errors.Is(stopped[0].Err, failover.ErrLeaseLost) || stopped[0].Time.Sub(began) != ttl-margin {
			t.Errorf("the timeline has the stop as %v", stopped)
		}
	})
}

// TestDoIsFencedEvenIfTheStepDoesNotAsk lets the lease end while the intent is on its way to the journal.
func TestDoIsFencedEvenIfTheStepDoesNotAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLocker(t)
		slow := &failovermock.JournalMock{OpenFunc: func(context.Context, string, string, uint64) (failover.Log, error) {
			return &failovermock.LogMock{
				ReplayFunc: func(context.Context) ([]failover.Record, error) { return nil, nil },
				AppendFunc: func(context.Context, failover.Record) error {
					l.Cut("orders")
					time.Sleep(time.Minute)
					return nil
				},
			}, nil
		}}
		a := step("a", 0)
		a.Do = func(context.Context, *failover.Env) error { t.Error("Do was called"); return nil }
		if _, err := newEngine(t, l, slow).Execute(t.Context(), "i", plan(a)); !errors.Is(err, failover.ErrLeaseLost) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestJournalOpenedWithANewerTokenStopsTheExecution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j failover.MemoryJournal
		var w world
		time.AfterFunc(5*time.Second, func() {
			if _, err := j.Open(context.Background(), "orders", "i", 99); err != nil {
				t.Error(err)
			}
		})
		p := plan(w.step("a", 10*time.Second), w.step("b", 0, "a"), w.step("long", time.Hour))
		began := time.Now()
		_, err := newEngine(t, newLocker(t), &j).Execute(t.Context(), "i", p)
		if !errors.Is(err, failover.ErrFenced) || time.Since(began) != 10*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if len(w.times("b"))+len(w.times("long")) != 0 {
			t.Error("effects were made after the journal had fenced the execution")
		}
	})
}
