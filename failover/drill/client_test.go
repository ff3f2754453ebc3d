package drill_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
	"github.com/awsha/awsha/failover/failovermock"
)

func TestHTTPLooksAtStatusAndBody(t *testing.T) {
	t.Parallel()
	answers := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "moved.example.com" {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		code int
		body string
		spec drill.HTTPSpec
		want string // in the error; empty: there is none
	}{
		"good":                   {200, "ok", drill.HTTPSpec{}, ""},
		"any 2xx":                {204, "", drill.HTTPSpec{}, ""},
		"bad status":             {503, "ok", drill.HTTPSpec{Body: "ok"}, "status 503"},
		"a status that is asked": {404, "", drill.HTTPSpec{Status: func(code int) bool { return code == 404 }}, ""},
		"body":                   {200, "all is well here", drill.HTTPSpec{Body: "well"}, ""},
		"wrong body":             {200, "maintenance", drill.HTTPSpec{Body: "well"}, `the body has no "well"`},
		"body too late":          {200, strings.Repeat(" ", 64<<10) + "well", drill.HTTPSpec{Body: "well"}, "the body has no"},
		"a redirect":             {200, "", drill.HTTPSpec{Header: http.Header{"Host": {"moved.example.com"}}}, "status 302"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				instance, _ := w.cloud.Instance(w.primary.id)
				_, err := instance.Serve(8080, answers(test.code, test.body))
				w.must(err)
				test.spec.URL, test.spec.Transport = "http://"+w.ip+":8080/", w.cloud.Transport()
				err = drill.HTTP(test.spec).Ask(w.Context())
				if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// By default a request finds its own way; KeepAlive shares a connection.
func TestHTTPConnections(t *testing.T) {
	t.Parallel()
	for keep, want := range map[bool]int{false: 3, true: 1} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			dials := 0
			transport := w.cloud.Transport()
			defer transport.CloseIdleConnections()
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials++
				return w.cloud.Dial(ctx, network, address)
			}
			client := drill.HTTP(drill.HTTPSpec{URL: "http://" + w.ip + "/", Transport: transport, KeepAlive: keep})
			for range 3 {
				w.must(client.Ask(t.Context()))
				synctest.Wait()
			}
			if dials != want {
				t.Errorf("keep-alive %t: %d dials", keep, dials)
			}
		})
	}
}

// The defaults are those of the system.
func TestClientsOfTheSystem(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() { _ = server.Close(); <-served }()
	address := l.Addr().String()
	if err := drill.TCP(drill.TCPSpec{Address: address}).Ask(t.Context()); err != nil {
		t.Error(err)
	}
	if err := drill.HTTP(drill.HTTPSpec{URL: "http://" + address}).Ask(t.Context()); err == nil || !strings.Contains(err.Error(), "status 404") {
		t.Error(err)
	}
	if err := drill.DNS(drill.DNSSpec{Host: "127.0.0.1", Want: []string{"127.0.0.1"}}).Ask(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTCPConnects(t *testing.T) {
	bubble(t, func(w *world) {
		ask := func(port string) error {
			ctx, cancel := context.WithTimeout(w.Context(), time.Second)
			defer cancel()
			return drill.TCP(drill.TCPSpec{Address: w.ip + ":" + port, Dial: w.cloud.Dial}).Ask(ctx)
		}
		w.must(ask("80"))
		if err := ask("81"); err == nil {
			t.Error("nobody listens there")
		}
	})
}

func TestDNSMatches(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		found []string
		err   error
		want  []string
		good  bool
	}{
		"any":                  {[]string{"203.0.113.1"}, nil, nil, true},
		"none":                 {nil, nil, nil, false},
		"one of them":          {[]string{"203.0.113.1", "203.0.113.2"}, nil, []string{"203.0.113.9", "203.0.113.2"}, true},
		"written differently":  {[]string{"2001:db8::1"}, nil, []string{"2001:db8:0::1"}, true},
		"another":              {[]string{"203.0.113.1"}, nil, []string{"203.0.113.2"}, false},
		"there is no such one": {nil, &net.DNSError{Err: "no such host", IsNotFound: true}, nil, false},
	} {
		r := &failovermock.DrillResolverMock{LookupHostFunc: func(context.Context, string) ([]string, error) { return test.found, test.err }}
		err := drill.DNS(drill.DNSSpec{Host: "orders.example.com", Want: test.want, Resolver: r}).Ask(t.Context())
		if (err == nil) != test.good || test.err != nil && !errors.Is(err, test.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// register is a number in a store, as clients of it see it.
type register struct {
	mu     sync.Mutex
	number uint64
	read   error
	write  error // after the write was applied
	stale  uint64
	until  time.Time // reads answer stale until then
}

func (r *register) client(lag time.Duration) drill.Client {
	return drill.WriteRead(drill.WriteReadSpec{
		ReadLag: lag,
		Read: func(context.Context) (uint64, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if time.Now().Before(r.until) {
				return r.stale, r.read
			}
			return r.number, r.read
		},
		Write: func(_ context.Context, number uint64) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.number = number
			return r.write
		},
	})
}

func TestWriteReadCountsWhatIsLost(t *testing.T) {
	t.Parallel()
	type loss = drill.Loss
	// Each script is of requests, a second apart: "w" goes well, "W" is applied and not acknowledged, "R" cannot read, a digit n takes the
	// store back n numbers before a good request, "+" lets somebody else write, "s" is a stale read of half a second.
	for script, want := range map[string]struct {
		loss
		failed int
	}{
		"":        {loss{}, 0},
		"www":     {loss{Unverified: 1}, 0},
		"ww1":     {loss{1, time.Second, 1}, 0},     // the write of the second request is gone
		"wwww3":   {loss{3, 3 * time.Second, 1}, 0}, // also what a read has seen already
		"wwww3w2": {loss{5, 6 * time.Second, 1}, 0}, // twice: the longest counts, with the lag of the first
		"ww9":     {loss{3, time.Second, 1}, 0},     // and what was there before the drill
		"wW":      {loss{Unverified: 0}, 1},         // nobody was told that it is there
		"wWw":     {loss{Unverified: 1}, 1},         // and nothing is wrong if it is
		"wW1":     {loss{Unverified: 1}, 1},         // nor if it is not
		"wRRw":    {loss{Unverified: 1}, 2},         // nothing was lost meanwhile
		"wRR1":    {loss{1, 0, 1}, 2},               // and here it was: the one before it had been there at the same moment
		"ww+":     {loss{Unverified: 1}, 1},         // two writers
		"wws":     {loss{Unverified: 1}, 0},         // the lag is allowed
		"wwRRRR1": {loss{1, time.Second, 1}, 4},     // the outage does not count
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &register{number: 100}
				client := r.client(time.Second)
				failed := 0
				for _, c := range script {
					r.mu.Lock()
					r.read, r.write = nil, nil
					switch {
					case c == 'R':
						r.read = errOops
					case c == 'W':
						r.write = errOops
					case c >= '1' && c <= '9':
						r.number -= uint64(c - '0')
					case c == '+':
						r.number += 5
					case c == 's':
						r.stale, r.until = r.number-1, time.Now().Add(500*time.Millisecond)
					}
					r.mu.Unlock()
					if client.Ask(t.Context()) != nil {
						failed++
					}
					time.Sleep(time.Second)
				}
				got := client.(drill.LossTeller).Loss()
				if got.Writes != want.Writes || got.Unverified != want.Unverified || failed != want.failed || got.Span != want.Span {
					t.Errorf("%+v, %d failed; want %+v", got, failed, want)
				}
			})
		})
	}
}

// A probe asks at its interval, never twice at once, and gives up in time.
func TestAProbeDoesNotOverlapItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		under, asked, slow := 0, 0, true
		client := drill.NewClient(func(ctx context.Context) error {
			mu.Lock()
			under++
			asked++
			if under > 1 {
				t.Error("two at once")
			}
			wait := slow && asked > 30
			mu.Unlock()
			defer func() { mu.Lock(); under--; mu.Unlock() }()
			if wait {
				time.Sleep(2500 * time.Millisecond) // and does not look at ctx: too late is no answer
				return nil
			}
			return nil
		})
		engine := newEngine(t)
		d, err := drill.New(injecting(injection(nil, ended), nil), drill.Fault{Kind: "x"}, drill.Response{Plan: nothing(), Engine: engine, Detect: func(ctx context.Context) error {
			err := after(20 * time.Second)(ctx)
			mu.Lock()
			slow = false
			mu.Unlock()
			return err
		}}, []drill.Probe{{Name: "fn", Client: client, Interval: 500 * time.Millisecond, Timeout: 2 * time.Second}}, func(o *drill.Options) { o.Confirm = "orders" })
		if err != nil {
			t.Fatal(err)
		}
		report, err := d.Run(t.Context())
		if err != nil || report.Verdict != drill.Pass {
			t.Fatalf("%v\n%v", err, report)
		}
		p := &report.Probes[0]
		if !strings.Contains(p.LastError.Error(), "too late") || p.Failed < 5 || p.Failed > 7 || p.P99 != 0 {
			t.Errorf("%+v", p)
		}
	})
}

func TestClientsThatPanicAreNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, err := drill.New(injecting(nil, nil), drill.Fault{Kind: "x"}, drill.Response{Plan: nothing(), Engine: newEngine(t)},
			[]drill.Probe{{Name: "fn", Client: drill.NewClient(func(context.Context) error { panic("oops") })}}, func(o *drill.Options) { o.Confirm = "orders" })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Run(t.Context()); !errors.Is(err, drill.ErrNotSteady) || !errors.As(err, new(*failover.PanicError)) {
			t.Errorf("%v", err)
		}
	})
}

// nothing is a plan without an effect.
func nothing() failover.Plan {
	return failover.Plan{Service: "orders", Steps: []failover.Step{failover.NewStep(failover.StepFuncs{
		ID: "move", Plane: failover.PlaneMutate, Do: func(context.Context, *failover.Env) error { return nil },
	})}}
}

func newEngine(t testing.TB) *failover.Engine {
	t.Helper()
	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		t.Fatal(err)
	}
	return engine
}
