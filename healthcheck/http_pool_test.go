package healthcheck_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// TestPoolOverKeptConnections: one connection a target, none after Deregister, and none after Run.
func TestPoolOverKeptConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var open, conns, served atomic.Int32
		handle := requests(&served, func(int32) string { return ok200 })
		checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Reuse = 1000
			o.Dial = serve(t, func(conn net.Conn) {
				conns.Add(1)
				open.Add(1)
				defer open.Add(-1)
				handle(conn)
			})
		})
		pool := newPool(t, checker, func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.DeregistrationDelay = 10*time.Second, 2*time.Second, time.Minute
		})
		register(t, pool, healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"}, healthcheck.Target{ID: "b", Addr: "10.0.0.2:80"})
		stop := run(t, pool)
		time.Sleep(10 * time.Minute)
		if n := conns.Load(); n != 2 || open.Load() != 2 || served.Load() < 100 {
			t.Errorf("%d connections for 2 targets and %d checks, %d open", n, served.Load(), open.Load())
		}
		if s, _ := pool.Status("a"); s.State != healthcheck.Healthy || !s.Last.Reused || s.Last.RemoteAddr != "10.0.0.1:80" {
			t.Errorf("a: %+v", s)
		}
		if err := pool.Deregister("a"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := open.Load(); n != 1 {
			t.Errorf("%d connections after one of two targets has been deregistered", n)
		}
		_ = stop()
		synctest.Wait()
		if n := open.Load(); n != 0 {
			t.Errorf("%d connections after the end of Run", n)
		}
	})
}

// TestPoolStopsDuringAKeptCheck: a check over a kept connection that waits for its answer does not hold up the end of Run.
func TestPoolStopsDuringAKeptCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		checker := newHTTP(t, func(o *healthcheck.HTTPOptions) {
			o.Reuse = 1000
			o.Dial = serve(t, func(conn net.Conn) {
				answer(ok200)(conn)
				_, _ = io.Copy(io.Discard, conn)
			})
		})
		pool := newPool(t, checker, func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.MaxStartSpread, o.UnhealthyThreshold = 10*time.Second, 8*time.Second, healthcheck.None, 1
		})
		register(t, pool, healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
		stop := run(t, pool)
		waitFor(t, pool, "a", healthcheck.Healthy)
		time.Sleep(11 * time.Second) // into the second check
		begin := time.Now()
		_ = stop()
		if took := time.Since(begin); took > 25*time.Millisecond {
			t.Errorf("the end of Run took %v", took)
		}
		if s, _ := pool.Status("a"); s.State != healthcheck.Healthy {
			t.Errorf("the check that was called off counts: %+v", s)
		}
	})
}
