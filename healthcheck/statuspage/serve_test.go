package statuspage_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/statuspage"
)

// TestMethods: HEAD says what GET would, and nothing else is answered.
func TestMethods(t *testing.T) {
	t.Parallel()
	h := handlerOf(fleet(3))
	for _, query := range []string{"/", "/?format=json", "/?page=x"} {
		// A real server: what is not sent in answer to HEAD is its part too.
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
		get, err := server.Client().Get(server.URL + query)
		if err != nil {
			t.Fatal(err)
		}
		head, err := server.Client().Head(server.URL + query)
		if err != nil {
			t.Fatal(err)
		}
		get.Header.Del("Date")
		head.Header.Del("Date")
		if query != "/?format=json" { // whose time differs in length
			if diff := cmp.Diff(get.Header, head.Header); diff != "" || get.StatusCode != head.StatusCode {
				t.Errorf("%s: %d and %d, headers of GET and HEAD differ:\n%s", query, get.StatusCode, head.StatusCode, diff)
			}
		}
		get.Body.Close()
		head.Body.Close()
		server.Close()
	}
	if w := request(h, http.MethodHead, "/"); w.Body.Len() > 0 {
		t.Errorf("the answer to HEAD has a body of %d bytes", w.Body.Len())
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"} {
		w := request(h, method, "/")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" || w.Body.Len() > 0 {
			t.Errorf("%s answers %d %q, Allow %q", method, w.Code, w.Body, w.Header().Get("Allow"))
		}
	}
}

func TestQueriesWithoutSense(t *testing.T) {
	t.Parallel()
	h := handlerOf(fleet(3))
	for query, want := range map[string]string{
		"page=0":                            "page must be a number from 1",
		"page=-1":                           "page must be a number from 1",
		"page=99999999999999999999":         "page must be a number from 1",
		"size=all":                          "size must be a number from 1",
		"state=sick":                        "state must be initial, healthy, unhealthy, draining or *",
		"state=unused":                      "state must be initial, healthy, unhealthy, draining or *",
		"format=xml":                        "format must be html or json",
		"q=" + strings.Repeat("x", 129):     "q must have at most 128 bytes",
		"state=%3Cscript%3Ealert%3C/script": "state must be initial, healthy, unhealthy, draining or *",
	} {
		w := request(h, http.MethodGet, "/?"+query)
		if w.Code != http.StatusBadRequest || strings.TrimSpace(w.Body.String()) != want ||
			!strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %q (%s), want 400 %q", query, w.Code, w.Body, w.Header().Get("Content-Type"), want)
		}
	}
}

// TestAskedOnce: however many look, the source is asked once for each MaxAge, and what it said is let go of after that.
func TestAskedOnce(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		maxAge time.Duration
		asked  int64 // by ten viewers that look each 100 ms for 10 s
	}{
		{"by default each second", 0, 10},
		{"each five seconds", 5 * time.Second, 2},
		{"for every answer", -1, 1000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				view := healthcheck.NewView(fleet(3)...)
				src := &healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View { asked.Add(1); return view }}
				h := statuspage.Handler(src, func(o *statuspage.Options) { o.MaxAge = tc.maxAge })
				var viewers sync.WaitGroup
				for i := range 10 {
					viewers.Go(func() {
						time.Sleep(time.Duration(i) * time.Millisecond)
						for range 100 {
							if w := request(h, http.MethodGet, "/?format=json"); w.Code != http.StatusOK {
								t.Errorf("got %d", w.Code)
							}
							time.Sleep(100 * time.Millisecond)
						}
					})
				}
				viewers.Wait()
				if n := asked.Load(); n != tc.asked {
					t.Errorf("the source was asked %d times, want %d", n, tc.asked)
				}
			})
		})
	}
}

// TestSlowSource: those who come while a view is made wait for the same one, for as long as they like.
func TestSlowSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked int
		free := make(chan struct{})
		src := &healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View {
			asked++
			<-free
			return healthcheck.NewView(fleet(3)...)
		}}
		h := statuspage.Handler(src)
		codes := make(chan int, 10)
		for range 9 {
			go func() { codes <- request(h, http.MethodGet, "/").Code }()
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("who left got %d, want 503", w.Code)
		}
		close(free)
		for range 9 {
			if code := <-codes; code != http.StatusOK {
				t.Errorf("who waited got %d", code)
			}
		}
		if asked != 1 {
			t.Errorf("the source was asked %d times, want once", asked)
		}
	})
}

// TestBrokenSource: a source that panics breaks the request that asked it, lets nobody wait for ever, and is asked again.
func TestBrokenSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		src := &healthcheckmock.SourceMock{ViewFunc: func() *healthcheck.View {
			if asked++; asked == 1 {
				time.Sleep(time.Second)
				panic("broken")
			}
			return healthcheck.NewView(fleet(3)...)
		}}
		h := statuspage.Handler(src)
		var waiting sync.WaitGroup
		waiting.Go(func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not reach the server")
				}
			}()
			request(h, http.MethodGet, "/")
		})
		synctest.Wait()
		waiting.Go(func() {
			if w := request(h, http.MethodGet, "/"); w.Code != http.StatusServiceUnavailable {
				t.Errorf("who waited got %d, want 503", w.Code)
			}
		})
		waiting.Wait()
		if w := request(h, http.MethodGet, "/"); w.Code != http.StatusOK {
			t.Errorf("the next got %d, want 200", w.Code)
		}
	})
}

// TestBusyPool: the page of a pool that is registered with, checked and picked from all the time is whole.
func TestBusyPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool, err := healthcheck.New(healthcheck.Func(func(_ context.Context, target healthcheck.Target) error {
			if strings.HasSuffix(target.ID, "3") {
				return context.DeadlineExceeded
			}
			return nil
		}), func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.DeregistrationDelay = 100*time.Millisecond, 50*time.Millisecond, healthcheck.None
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { _ = pool.Run(ctx) })
		targets := make([]healthcheck.Target, 500)
		for i, s := range fleet(len(targets)) {
			targets[i] = s.Target
		}
		h := statuspage.Handler(pool, func(o *statuspage.Options) { o.MaxAge = -1 })
		for range 2 {
			all.Go(func() {
				for range 50 {
					_ = pool.Register(targets...)
					time.Sleep(30 * time.Millisecond)
					_ = pool.Deregister(targets[7].ID, targets[8].ID)
				}
			})
			all.Go(func() {
				for range 50 {
					w := request(h, http.MethodGet, "/")
					if w.Code != http.StatusOK || !strings.HasSuffix(w.Body.String(), "</html>\n") {
						t.Errorf("got %d: %.200s", w.Code, w.Body)
					}
					time.Sleep(20 * time.Millisecond)
				}
			})
		}
		time.Sleep(3 * time.Second)
		stop()
		all.Wait()
		_ = pool.Register(targets...)
		if ids := shown(page(t, h, "?size=3")); len(ids) != 3 || !strings.HasSuffix(ids[0], "3") {
			t.Errorf("at the end the page shows %q first", ids)
		}
	})
}
