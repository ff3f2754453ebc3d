package healthcheck_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// TestBlackhole fills the backlog of a listener, so that the kernel drops further connection attempts without a word.
func TestBlackhole(t *testing.T) {
	t.Parallel()
	l := listen(t)
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var listenErr error
	if err := raw.Control(func(fd uintptr) { listenErr = syscall.Listen(int(fd), 0) }); err != nil || listenErr != nil {
		t.Fatal(err, listenErr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for range 4 { // one fits
		conn, err := (&net.Dialer{Timeout: 50 * time.Millisecond}).DialContext(ctx, "tcp", l.Addr().String())
		if err != nil {
			break
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	for name, checker := range map[string]healthcheck.Checker{"TCP": newTCP(t), "HTTP": newHTTP(t)} {
		begin := time.Now()
		r := check(t, checker, l.Addr().String(), 100*time.Millisecond)
		if r.Outcome != healthcheck.Fail || r.Reason != timeout || r.Connect != 0 {
			t.Errorf("%s: after %v: %+v", name, time.Since(begin), r)
		}
	}
}
