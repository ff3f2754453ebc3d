//go:build !race

package healthcheck_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// TestKeptCheckAllocatesNothing is not parallel: it counts what the whole process allocates. The race detector makes a sync.Pool
// forget at random.
func TestKeptCheckAllocatesNothing(t *testing.T) {
	client, server := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b, reply := make([]byte, 4096), []byte(ok200)
		for {
			if _, err := server.Read(b); err != nil {
				return
			}
			_, _ = server.Write(reply)
		}
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"pipe":   func(context.Context, string, string) (net.Conn, error) { return noDeadline{client}, nil },
		"socket": nil,
	} {
		addr := "10.0.0.1:80"
		if dial == nil {
			addr = rawServer(t)
		}
		probe := openProbe(t, newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse, o.Dial = 1<<30, dial }), healthcheck.Target{ID: "a", Addr: addr})
		if n := testing.AllocsPerRun(200, func() {
			if r := probe.Check(ctx); r.Outcome != healthcheck.Pass {
				t.Fatalf("%+v", r)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// noDeadline is a connection whose deadlines cost nothing and never pass.
type noDeadline struct{ net.Conn }

func (noDeadline) SetDeadline(time.Time) error { return nil }
