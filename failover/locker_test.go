package failover_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
)

func storeLocker(tb testing.TB, store failover.Store, optFns ...func(*failover.LockerOptions)) *failover.StoreLocker {
	tb.Helper()
	l, err := failover.NewLocker(store, optFns...)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func held(tb testing.TB, l failover.Locker, o failover.LeaseOptions) failover.Lease {
	tb.Helper()
	lease, err := l.Acquire(context.WithoutCancel(tb.Context()), "orders", o)
	if err != nil {
		tb.Fatal(err)
	}
	return lease
}

// chaosStore is a client's way to a store on which anything may happen to a request: it is refused, or its reply lost, or it comes late, even after
// its caller has given up.
type chaosStore struct {
	failover.Store

	rand  *rand.Rand
	late  sync.WaitGroup
	mu    sync.Mutex
	rate  float64 // of trouble
	delay time.Duration
	ttl   float64 // by which a rival's clock is fast or slow: it sees other TTLs
}

func (c *chaosStore) draw() (kind int, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d = time.Duration(c.rand.Int64N(int64(20 * time.Millisecond)))
	if c.rand.Float64() >= c.rate {
		return 0, d
	}
	return 1 + c.rand.IntN(4), time.Duration(c.rand.Int64N(int64(c.delay)))
}

func (c *chaosStore) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	kind, d := c.draw()
	if err := sleep(ctx, d); err != nil {
		return failover.Entry{}, err
	}
	switch kind {
	case 1:
		return failover.Entry{}, errFlaky
	case 2: // it hangs
		<-ctx.Done()
		return failover.Entry{}, context.Cause(ctx)
	}
	e, err := c.Store.Get(ctx, group, name)
	if err == nil && c.ttl != 0 && len(e.Value) > 0 && group == "lease" {
		var row map[string]any
		if err := json.Unmarshal(e.Value, &row); err != nil {
			return e, err
		}
		row["ttl_ns"] = int64(row["ttl_ns"].(float64) * c.ttl)
		e.Value, err = json.Marshal(row)
	}
	return e, err
}

func (c *chaosStore) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	kind, d := c.draw()
	switch kind {
	case 0, 1, 2:
		if err := sleep(ctx, d); err != nil {
			return "", err
		}
		if kind == 1 {
			return "", errFlaky // never came
		}
		v, err := c.Store.Put(ctx, group, name, value, old)
		if kind == 2 {
			return "", errFlaky // the reply is lost
		}
		return v, err
	case 3: // as the SDK repeats a request whose reply was lost
		if _, err := c.Store.Put(ctx, group, name, value, old); err != nil {
			return "", err
		}
		return c.Store.Put(ctx, group, name, value, old)
	default: // it comes late, whether its caller still waits or not
		done := make(chan struct{})
		var v failover.Version
		var err error
		c.late.Go(func() {
			time.Sleep(d)
			v, err = c.Store.Put(context.WithoutCancel(ctx), group, name, value, old)
			close(done)
		})
		select {
		case <-done:
			return v, err
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// Whatever becomes of requests, no two hold a lease at once, tokens rise, and in calm times somebody gets it soon. Clocks of rivals run up to a quarter
// faster or slower.
func TestNoTwoHoldALease(t *testing.T) {
	t.Parallel()
	grants := 0
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			shared := new(failover.MemoryStore)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			var mu sync.Mutex
			var holder failover.Lease
			var newest uint64
			var wg sync.WaitGroup
			for range 2 + r.IntN(4) {
				mine := rand.New(rand.NewPCG(seed, r.Uint64()))
				way := &chaosStore{Store: shared, rand: rand.New(rand.NewPCG(seed, r.Uint64())), rate: 0.3 * r.Float64(), delay: 20 * time.Second, ttl: 0.76 + 0.48*r.Float64()}
				locker := storeLocker(t, way)
				wg.Go(func() {
					for ctx.Err() == nil {
						lease, err := locker.Acquire(ctx, "orders", failover.LeaseOptions{})
						if err != nil {
							break
						}
						mu.Lock()
						if lease.Valid() == nil {
							if holder != nil && holder.Valid() == nil {
								t.Errorf("seed %d: tokens %d and %d hold the lease at once", seed, holder.Token(), lease.Token())
							}
							if lease.Token() <= newest {
								t.Errorf("seed %d: token %d after %d", seed, lease.Token(), newest)
							}
							holder, newest = lease, lease.Token()
							grants++
						}
						mu.Unlock()
						_ = sleep(lease.Context(), time.Duration(mine.Int64N(int64(time.Minute))))
						if mine.IntN(3) > 0 {
							bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
							_ = lease.Release(bounded)
							cancel()
						} else { // it is forgotten, as by a process that has died
							way.mu.Lock()
							rate := way.rate
							way.rate = 0
							way.mu.Unlock()
							gone, cancel := context.WithCancel(context.Background())
							cancel()
							_ = lease.Release(gone)
							way.mu.Lock()
							way.rate = rate
							way.mu.Unlock()
						}
					}
					way.late.Wait()
				})
			}
			wg.Wait()
		})
	}
	if grants < 3000 {
		t.Errorf("only %d grants: the test shows little", grants)
	}
}

func TestAProofOfDeathSavesTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(failover.MemoryStore)
		way := &link{Store: store}
		old := held(t, storeLocker(t, way), failover.LeaseOptions{Holder: "i-1"})
		defer func() {
			way.set(false)
			_ = old.Release(context.Background())
		}()
		way.set(true)
		asked := 0
		began := time.Now()
		next := held(t, storeLocker(t, store), failover.LeaseOptions{Holder: "i-2", Dead: func(_ context.Context, h failover.LeaseHolder) bool {
			asked++
			return h.Name == "i-1" && h.Token == old.Token()
		}})
		if took := time.Since(began); took >= time.Second || asked != 1 || next.Token() <= old.Token() {
			t.Errorf("it took %v and %d questions, token %d", took, asked, next.Token())
		}
		if err := next.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A holder that renews while its death is being proved is not dead.
func TestASignOfLifeRefutesAProofOfDeath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(failover.MemoryStore)
		old := held(t, storeLocker(t, store), failover.LeaseOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		asked := 0
		_, err := storeLocker(t, store).Acquire(ctx, "orders", failover.LeaseOptions{Dead: func(ctx context.Context, _ failover.LeaseHolder) bool {
			asked++
			_ = sleep(ctx, renew+time.Second) // the proof takes longer than a renewal
			return true
		}})
		if !errors.Is(err, context.DeadlineExceeded) || asked < 100 || old.Valid() != nil {
			t.Errorf("%v after %d questions; the holder: %v", err, asked, old.Valid())
		}
		if err := old.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAStoreThatMovedOnIsRetired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, ctx := new(failover.MemoryStore), t.Context()
		old := storeLocker(t, store)
		first := held(t, old, failover.LeaseOptions{})
		if err := first.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if err := old.Retire(ctx, "orders", failover.LeaseOptions{Holder: "operator"}); err != nil {
			t.Fatal(err)
		}
		if _, err := old.Acquire(ctx, "orders", failover.LeaseOptions{}); !errors.Is(err, failover.ErrRetired) || !strings.Contains(err.Error(), "operator") {
			t.Errorf("a retired lease: %v", err)
		}
		epoch := func(o *failover.LockerOptions) { o.Epoch = 1 }
		next := held(t, storeLocker(t, new(failover.MemoryStore), epoch), failover.LeaseOptions{}) // the new store knows nothing
		if next.Token() != 1<<48+1 || next.Token() <= first.Token() {
			t.Errorf("token %d", next.Token())
		}
		if err := next.Release(ctx); err != nil {
			t.Error(err)
		}
		again := held(t, storeLocker(t, store, epoch), failover.LeaseOptions{}) // or the same store under a higher epoch
		if again.Token() <= first.Token() || again.Token()>>48 != 1 {
			t.Errorf("token %d", again.Token())
		}
		if err := again.Release(ctx); err != nil {
			t.Error(err)
		}
		if _, err := old.Acquire(ctx, "orders", failover.LeaseOptions{}); !errors.Is(err, failover.ErrRetired) {
			t.Errorf("a lower epoch: %v", err)
		}
	})
}

func TestEntriesThatAreNoLeasesAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		value string
		err   error
	}{
		"of a newer version": {`{"v":2,"token":7}`, failover.ErrNewer},
		"of something else":  {`{"hello":"world"}`, nil},
		"no JSON":            {"\x00", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := new(failover.MemoryStore)
			if _, err := store.Put(t.Context(), "lease", "orders", []byte(tt.value), ""); err != nil {
				t.Fatal(err)
			}
			_, err := storeLocker(t, store).Acquire(t.Context(), "orders", failover.LeaseOptions{})
			if err == nil || tt.err != nil && !errors.Is(err, tt.err) {
				t.Error(err)
			}
		})
	}
}

// Wall clocks decide nothing: an entry that claims to be from another century is treated as any.
func TestWallClocksDecideNothing(t *testing.T) {
	t.Parallel()
	for _, year := range []string{"1970", "2970"} {
		synctest.Test(t, func(t *testing.T) {
			store := new(failover.MemoryStore)
			value := `{"v":1,"token":7,"grant":"x","ttl_ns":15000000000,"written":"` + year + `-01-01T00:00:00Z"}`
			if _, err := store.Put(t.Context(), "lease", "orders", []byte(value), ""); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			lease := held(t, storeLocker(t, store), failover.LeaseOptions{})
			if took := time.Since(began); took < ttl || took > ttl+retry {
				t.Errorf("it took %v", took)
			}
			if err := lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWrongOptionsOfALockerAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := failover.NewLocker(nil, func(o *failover.LockerOptions) { o.TTL, o.Margin, o.RenewInterval, o.RetryInterval = -1, -1, -1, -1 })
	for _, want := range []string{"store", "LockerOptions.TTL", "LockerOptions.Margin", "LockerOptions.RenewInterval", "LockerOptions.RetryInterval"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %s", err, want)
		}
	}
	var field *failover.FieldError
	if _, err := storeLocker(t, new(failover.MemoryStore)).Acquire(t.Context(), "", failover.LeaseOptions{}); !errors.As(err, &field) || field.Field != "name" {
		t.Error(err)
	}
	if _, err := failover.NewJournal(nil); !errors.As(err, &field) || field.Field != "store" {
		t.Error(err)
	}
	if _, err := failover.NewFileJournal(""); !errors.As(err, &field) || field.Field != "dir" {
		t.Error(err)
	}
}
