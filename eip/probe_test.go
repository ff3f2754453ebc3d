package eip_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/eip"
)

// probe answers after the time that traffic takes to follow.
func probe(until time.Time, asked *[]netip.Addr) func(context.Context, netip.Addr) error {
	return func(_ context.Context, ip netip.Addr) error {
		*asked = append(*asked, ip)
		if time.Now().Before(until) {
			return errors.New("connection refused")
		}
		return nil
	}
}

func TestProbeWaitsForTraffic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		var asked []netip.Addr
		var kinds []eip.Kind
		r := newRemapper(t, w.client, func(o *eip.Options) {
			o.OnEvent = func(_ context.Context, e eip.Event) { kinds = append(kinds, e.Kind) }
		})
		req := w.request(1)
		req.Probe = probe(time.Now().Add(20*time.Second), &asked)
		res, err := r.Remap(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Took < 20*time.Second || res.Took > 23*time.Second {
			t.Errorf("took %v, want 20 s and at most one more pause", res.Took)
		}
		if len(asked) < 5 || asked[0] != res.PublicIP || !res.PublicIP.IsValid() {
			t.Errorf("asked for %v, the address is %v", asked, res.PublicIP)
		}
		if first, last := kinds[3], kinds[len(kinds)-1]; first != eip.KindUnreached || last != eip.KindReached {
			t.Errorf("events %v", kinds)
		}
		if want := (eip.Calls{Describe: 1, Disassociate: 1, Associate: 1}); res.Calls != want {
			t.Errorf("calls %+v, want %+v", res.Calls, want)
		}
	})
}

// The address is where it should be, and the error says that it is.
func TestProbeThatNeverSucceedsLeavesTheAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		var asked []netip.Addr
		req := w.request(1)
		req.Probe = probe(time.Now().Add(time.Hour), &asked)
		r := newRemapper(t, w.client, func(o *eip.Options) { o.ProbeTimeout = 10 * time.Second })
		res, err := r.Remap(t.Context(), req)
		e := failure(t, err, eip.ErrUnreachable)
		if e.Op != eip.OpProbe || e.Err == nil || !res.Changed || res.After.NetworkInterfaceID != w.eni[1] || w.owner(t) != w.eni[1] {
			t.Errorf("error %v, result %+v", err, res)
		}
		if res.Took < 10*time.Second || res.Took > 11*time.Second {
			t.Errorf("took %v, want 10 s", res.Took)
		}
		if res, err = r.Remap(t.Context(), req); !errors.Is(err, eip.ErrUnreachable) || res.Changed {
			t.Errorf("on the target already: %+v, %v", res, err)
		}
	})
}

func TestProbeThatHangsIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		req := w.request(1)
		times := 0
		req.Probe = func(ctx context.Context, _ netip.Addr) error {
			if times++; times == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		if res, err := newRemapper(t, w.client).Remap(t.Context(), req); err != nil || res.Took > 12*time.Second {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}
