//go:build unix

package healthcheck_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// cpu is what this process has used so far, on both sides of the system call.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkHTTP is a check beside the same check by net/http, in turns, against a server in a process of its own. The ratios are
// ours to theirs, of elapsed time and of CPU. A check by net/http is the least that is correct: a request with a context, and
// the body read to its end.
func BenchmarkHTTP(b *testing.B) {
	plain, secure := startServer(b)
	for name, bench := range map[string]struct {
		addr  string
		tls   bool
		reuse int
	}{
		"new":      {plain, false, 0},
		"kept":     {plain, false, 1 << 30},
		"TLS-new":  {secure, true, 0},
		"TLS-kept": {secure, true, 1 << 30},
	} {
		b.Run(name, func(b *testing.B) {
			checker, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
				o.Reuse = bench.reuse
				if bench.tls {
					o.TLS = &healthcheck.TLSOptions{}
				}
			})
			if err != nil {
				b.Fatal(err)
			}
			ours := openProbe(b, checker, healthcheck.Target{ID: "a", Addr: bench.addr})
			transport := &http.Transport{
				DisableKeepAlives: bench.reuse == 0,
				TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as the checker does
			}
			b.Cleanup(transport.CloseIdleConnections)
			theirs := openProbe(b, netHTTP(transport, bench.tls), healthcheck.Target{ID: "a", Addr: bench.addr})

			const batch = 50
			var took, used [2]time.Duration
			n := 0
			for b.Loop() {
				for i, probe := range []healthcheck.Probe{ours, theirs} {
					begin, before := time.Now(), cpu(b)
					for range batch {
						ctx, cancel := context.WithTimeout(b.Context(), 5*time.Second)
						if r := probe.Check(ctx); r.Outcome != healthcheck.Pass {
							b.Fatalf("%+v", r)
						}
						cancel()
					}
					took[i] += time.Since(begin)
					used[i] += cpu(b) - before
				}
				n += batch
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took[0].Microseconds())/float64(n), "us/check")
			b.ReportMetric(float64(used[0].Microseconds())/float64(n), "cpu-us/check")
			b.ReportMetric(float64(used[1].Microseconds())/float64(n), "cpu-us/net-http")
			b.ReportMetric(float64(took[0])/float64(took[1]), "time-ratio")
			b.ReportMetric(float64(used[0])/float64(used[1]), "cpu-ratio")
		})
	}
}

// netHTTP is a checker that uses net/http.
func netHTTP(transport *http.Transport, secure bool) healthcheck.Checker {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return healthcheck.Func(func(ctx context.Context, target healthcheck.Target) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+target.Addr, http.NoBody)
		if err != nil {
			return err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return err
	})
}

// BenchmarkCheck is each kind of check alone: what it costs and allocates. The gRPC server is in this process, and counts.
func BenchmarkCheck(b *testing.B) {
	plain, secure := startServer(b)
	for name, bench := range map[string]struct {
		checker healthcheck.Checker
		addr    string
	}{
		"TCP":           {newTCP(b), plain},
		"TCP-TLS":       {newTCP(b, func(o *healthcheck.TCPOptions) { o.TLS = &healthcheck.TLSOptions{} }), secure},
		"HTTP-new":      {newHTTP(b), plain},
		"HTTP-kept":     {newHTTP(b, func(o *healthcheck.HTTPOptions) { o.Reuse = 1 << 30 }), plain},
		"HTTPS-resumed": {newHTTP(b, func(o *healthcheck.HTTPOptions) { o.TLS = &healthcheck.TLSOptions{} }), secure},
		"HTTPS-new": {newHTTP(b, func(o *healthcheck.HTTPOptions) {
			o.TLS = &healthcheck.TLSOptions{Config: &tls.Config{SessionTicketsDisabled: true}} //nolint:gosec // the defaults otherwise
		}), secure},
		"HTTPS-new-X25519": {newHTTP(b, func(o *healthcheck.HTTPOptions) {
			o.TLS = &healthcheck.TLSOptions{Config: &tls.Config{ //nolint:gosec // the defaults otherwise
				SessionTicketsDisabled: true, CurvePreferences: []tls.CurveID{tls.X25519},
			}}
		}), secure},
		"HTTPS-kept": {newHTTP(b, func(o *healthcheck.HTTPOptions) { o.TLS, o.Reuse = &healthcheck.TLSOptions{}, 1<<30 }), secure},
		"GRPC-new":   {newGRPC(b), grpcServer(b, only("12")).Listener.Addr().String()},
		"GRPC-kept":  {newGRPC(b, func(o *healthcheck.GRPCOptions) { o.Reuse = 1 << 30 }), grpcServer(b, only("12")).Listener.Addr().String()},
	} {
		b.Run(name, func(b *testing.B) {
			probe := openProbe(b, bench.checker, healthcheck.Target{ID: "a", Addr: bench.addr})
			ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
			defer cancel()
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				if r := probe.Check(ctx); r.Outcome != healthcheck.Pass {
					b.Fatalf("%+v", r)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}
