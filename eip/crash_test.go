package eip_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// A process dies before or after any call of a move, or a reply of any call is lost: the next run ends in the same state, the
// target was associated once, and nobody but the expected owner has lost an address.
func TestEveryCrashEndsInTheSameState(t *testing.T) {
	t.Parallel()
	moves := map[string]func(*testing.T, *world) eip.Request{
		"strict": func(_ *testing.T, w *world) eip.Request { return w.request(1) },
		"strict, owner not named": func(_ *testing.T, w *world) eip.Request {
			req := w.request(1)
			req.Expect = eip.Expect{}
			return req
		},
		"strict, to an instance, displacing": func(t *testing.T, w *world) eip.Request {
			req := w.request(1)
			req.Target.NetworkInterfaceID = ""
			req.Target.InstanceID, w.eni[1] = w.running(t)
			w.associate(t, w.allocate(t), w.eni[1])
			req.Displace = true
			return req
		},
		"free": func(t *testing.T, w *world) eip.Request {
			w.allocation = w.allocate(t)
			return eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[1]}, Guard: eip.GuardFree}
		},
		"lease": func(_ *testing.T, w *world) eip.Request { return w.underLease(1, &lease{}) },
		"lease, careful": func(_ *testing.T, w *world) eip.Request {
			req := w.underLease(1, &lease{})
			req.Displace, req.Expect = false, eip.Expect{}
			return req
		},
	}
	ends := map[string]func(die func()) awstest.Effect{
		"dies before": func(die func()) awstest.Effect {
			return awstest.Before(func(context.Context, awstest.Record) { die() })
		},
		"dies after":    func(die func()) awstest.Effect { return awstest.After(func(context.Context, awstest.Record) { die() }) },
		"loses a reply": func(func()) awstest.Effect { return awstest.LoseReply() },
		"hangs":         func(func()) awstest.Effect { return awstest.Hang() },
		"is told of an error": func(func()) awstest.Effect {
			return awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500})
		},
	}
	for move, request := range moves {
		for end, effect := range ends {
			t.Run(move+" "+end, func(t *testing.T) {
				t.Parallel()
				for call, more := 1, true; more; call++ {
					synctest.Test(t, func(t *testing.T) { more = crash(t, call, request, effect) })
				}
			})
		}
	}
}

// crash lets a move meet an effect at its nth call, and runs it again. It reports whether there was an nth call.
func crash(t *testing.T, nth int, request func(*testing.T, *world) eip.Request, effect func(func()) awstest.Effect) bool {
	t.Helper()
	w := settled(t)
	req := request(t, w)
	time.Sleep(time.Minute)
	last := w.associate(t, w.allocate(t), w.createInterface(t))
	died := errors.New("died")
	ctx, die := context.WithCancelCause(t.Context())
	defer die(nil)
	heal := w.inject(t, "", awstest.Match{Skip: nth - 1, Times: 1}, effect(func() { die(died) }))
	sent := len(w.cloud.Calls(awstest.Match{}))

	_, err := newRemapper(t, w.client).Remap(ctx, req)
	if err != nil && !errors.Is(err, died) {
		t.Fatalf("call %d: %v", nth, err)
	}
	reached := len(w.cloud.Calls(awstest.Match{}))-sent >= nth
	heal()
	if _, err := newRemapper(t, w.client).Remap(t.Context(), req); err != nil {
		t.Fatalf("call %d, the next run: %v", nth, err)
	}
	if owner := w.owner(t); owner != w.eni[1] {
		t.Fatalf("call %d: %s holds the address", nth, owner)
	}
	made := number(t, w.associate(t, w.allocate(t), w.createInterface(t)).ID) - number(t, last.ID) - 1
	if made != 1 {
		t.Fatalf("call %d: associated %d times", nth, made)
	}
	return reached
}
