package selfhealth_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

// TestConcurrentUse: components come, go and are reloaded, with checks of all sorts, while others ask. What remains at the end
// is what is registered, and no Func ran beside itself.
func TestConcurrentUse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHealth(t, nil)
		stop := run(t, h)
		const names, rounds = 5, 200
		things := make([]*thing, names)
		for i := range things {
			things[i] = newThing()
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range rounds {
					i := rand.N(names)
					d := things[i]
					d.down.Store(rand.N(2) == 0)
					remove, err := h.Register(selfhealth.Check{
						Name: strconv.Itoa(i), Kind: selfhealth.Local, Interval: time.Second, Timeout: 100 * time.Millisecond,
						Func: func(ctx context.Context) error {
							err := d.check(ctx)
							time.Sleep(rand.N(200 * time.Millisecond))
							return err
						},
					})
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(rand.N(3 * time.Second))
					if rand.N(2) == 0 {
						remove()
					}
				}
			})
			all.Go(func() {
				for range rounds {
					answer(h.Handler(), http.MethodGet, "/healthz?verbose")
					_, _ = h.Live(), h.Status()
					time.Sleep(rand.N(time.Second))
				}
			})
		}
		all.Wait()
		synctest.Wait()
		for i, d := range things {
			d.down.Store(false)
			if _, err := h.Register(selfhealth.Check{Name: strconv.Itoa(i), Kind: selfhealth.Local, Func: d.check}); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Minute)
		wantStatus(t, h, true, selfhealth.OK)
		if n := len(h.Report().Checks); n != names {
			t.Errorf("%d checks at the end, want %d", n, names)
		}
		for i, d := range things {
			if n := d.most.Load(); n != 1 {
				t.Errorf("check %d ran %d times at once", i, n)
			}
		}
		stop()
	})
}
