package healthcheck_test

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// idle returns n targets for which no memory is allocated later.
func idle(n int) []healthcheck.Target {
	targets := make([]healthcheck.Target, n)
	for i := range targets {
		targets[i] = healthcheck.Target{ID: fmt.Sprint("i-", i), Zone: "use1-az1", Addr: "10.0.0.1:80"}
	}
	return targets
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestIdleTargetCost is not parallel: it counts what the whole process has.
func TestIdleTargetCost(t *testing.T) {
	const targets, maxBytes = 50_000, 512
	synctest.Test(t, func(t *testing.T) {
		ts := idle(targets)
		goroutines, heap := runtime.NumGoroutine(), heapInUse()
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Interval = time.Hour })
		register(t, pool, ts...)
		stop := run(t, pool)
		time.Sleep(3 * time.Second) // the start spread and a little
		synctest.Wait()

		if n := pool.Zones()[0].Healthy; n != targets {
			t.Fatalf("%d targets are healthy", n)
		}
		if n := runtime.NumGoroutine() - goroutines; n > 2 { // Run and the test's own around it
			t.Errorf("%d goroutines for %d idle targets", n, targets)
		}
		bytes := (int64(heapInUse()) - int64(heap)) / targets
		t.Logf("%d bytes a target", bytes)
		if bytes > maxBytes {
			t.Errorf("%d bytes a target, want at most %d", bytes, maxBytes)
		}
		runtime.KeepAlive(ts)
		_ = stop()
	})
}

func BenchmarkIdleTarget(b *testing.B) {
	ts := idle(50_000)
	for b.Loop() {
		before := heapInUse()
		pool, err := healthcheck.New(pass())
		if err != nil {
			b.Fatal(err)
		}
		if err := pool.Register(ts...); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heapInUse()-before)/float64(len(ts)), "B/target")
		runtime.KeepAlive(pool)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ts)), "ns/target")
}

func BenchmarkReadResponse(b *testing.B) {
	const answer = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Length: 3\r\n\r\nok\n"
	src := strings.NewReader(answer)
	read := healthcheck.NewResponseReader(100, "")
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(answer)
		if r, err := read(src, false); r.Code != 200 || err != nil {
			b.Fatal(r, err)
		}
	}
}

// rawServer answers every request over one connection at a time with the same bytes, at the least cost.
func rawServer(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	tb.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		request, reply := make([]byte, 1024), []byte(ok200)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			for err == nil {
				if _, err = conn.Read(request); err == nil {
					_, err = conn.Write(reply)
				}
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}
