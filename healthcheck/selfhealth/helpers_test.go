package selfhealth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

var errDown = errors.New("down")

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func newHealth(t *testing.T, checks []selfhealth.Check, optFns ...func(*selfhealth.Options)) *selfhealth.Health {
	t.Helper()
	h, err := selfhealth.New(optFns...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Register(checks...); err != nil {
		t.Fatal(err)
	}
	return h
}

// run runs h until the returned function is called, or the test ends, and lets the first checks through.
func run(t *testing.T, h *selfhealth.Health) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	var stopped bool
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run returned %v, want the cause of its context", err)
			}
		}
	}
	t.Cleanup(stop)
	synctest.Wait()
	return stop
}

// pass lets time go by and everything that it starts come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// thing is a dependency of which a test says how it is.
type thing struct {
	down  atomic.Bool
	hangs atomic.Bool
	calls atomic.Int64
	now   atomic.Int64 // calls that have not returned
	most  atomic.Int64
	free  chan struct{} // ends the hanging
}

func newThing() *thing { return &thing{free: make(chan struct{})} }

// check ignores its context while the thing hangs.
func (d *thing) check(context.Context) error {
	d.calls.Add(1)
	d.most.Store(max(d.most.Load(), d.now.Add(1)))
	defer d.now.Add(-1)
	if d.hangs.Load() {
		<-d.free
	}
	if d.down.Load() {
		return errDown
	}
	return nil
}

// answer is what a handler says to a request.
func answer(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, http.NoBody))
	return w
}

func wantStatus(t *testing.T, h *selfhealth.Health, live bool, status selfhealth.Status) {
	t.Helper()
	if r := h.Report(); r.Live != live || r.Status != status {
		t.Errorf("live %t and %v, want live %t and %v: %+v", r.Live, r.Status, live, status, r.Checks)
	}
	wantCode := map[bool]int{true: http.StatusOK, false: http.StatusServiceUnavailable}
	if w := answer(h.Livez(), "GET", "/livez"); w.Code != wantCode[live] {
		t.Errorf("/livez answers %d, want %d", w.Code, wantCode[live])
	}
	w := answer(h.Readyz(), "GET", "/readyz")
	if want := `{"status":"` + status.String() + `"}` + "\n"; w.Body.String() != want || w.Code != wantCode[status.Ready()] {
		t.Errorf("/readyz answers %d %q, want %d %q", w.Code, w.Body, wantCode[status.Ready()], want)
	}
}
