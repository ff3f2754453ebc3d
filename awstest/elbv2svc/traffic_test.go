package elbv2svc_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

func TestTrafficGoesWhereItIsHealthy(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, lb := w.front()
		a := w.machine(0, "172.31.0.10", named("a"))
		b := w.machine(1, "172.31.16.10", named("b"))
		c := w.machine(2, "172.31.32.10", named("c")) // a zone that is not enabled
		w.register(group, a.ID(), b.ID(), c.ID())
		w.until(group, a.ID(), isHealthy)
		w.until(group, b.ID(), isHealthy)
		want := func(what string, want map[string]int) {
			w.Helper()
			n := 0
			for _, count := range want {
				n += count
			}
			if diff := cmp.Diff(want, w.ask(n, *lb.DNSName)); diff != "" {
				w.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		want("both healthy", map[string]int{"a": 5, "b": 5})

		heal := a.Zone().Fail(awstest.PowerLoss)
		time.Sleep(25 * time.Second) // twice the interval and the timeout
		want("one zone down", map[string]int{"b": 10})

		stop := b.Fail(awstest.PowerLoss)
		time.Sleep(25 * time.Second)
		want("nothing lives", map[string]int{"error": 2})
		heal()
		time.Sleep(time.Second) // not yet healthy again: only failing open reaches it
		if got := w.ask(4, *lb.DNSName); got["a"] == 0 {
			w.Errorf("does not fail open: %v", got)
		}
		stop()
		w.until(group, a.ID(), isHealthy)
		w.until(group, b.ID(), isHealthy)

		w.deregister(group, a.ID())
		want("one is draining", map[string]int{"b": 4})
		w.power(b, false)
		want("the other is off: draining targets get nothing, not even then", map[string]int{"error": 2})
		w.power(b, true)
		w.register(group, a.ID())
		w.until(group, b.ID(), isHealthy)
		w.until(group, a.ID(), isHealthy)
		w.power(a, false)
		want("one is off, at once", map[string]int{"b": 4})
	})
}

func TestPortsWithoutListener(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		_, lb := w.front()
		for _, port := range []string{"80", "81"} { // no target; no listener
			ctx, cancel := context.WithTimeout(w.Context(), time.Second)
			_, err := w.cloud.Dial(ctx, "tcp", *lb.DNSName+":"+port)
			cancel()
			if !errors.Is(err, syscall.ECONNREFUSED) {
				w.Errorf("port %s: %v", port, err)
			}
		}
	})
}
