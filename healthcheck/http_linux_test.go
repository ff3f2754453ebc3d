package healthcheck_test

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// timeWaits counts the connections of this machine to addr that hold a port after they have ended.
func timeWaits(t *testing.T, addr string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Skip(err)
	}
	to := netip.MustParseAddrPort(addr)
	ip := to.Addr().As4()
	var le [4]byte
	binary.LittleEndian.PutUint32(le[:], binary.BigEndian.Uint32(ip[:]))
	want := strings.ToUpper(hex.EncodeToString(le[:])) + ":" + strings.ToUpper(hex.EncodeToString(binary.BigEndian.AppendUint16(nil, to.Port())))
	n := 0
	for line := range strings.Lines(string(b)) {
		const remote, state, timeWait = 2, 3, "06"
		if f := strings.Fields(line); len(f) > state && f[remote] == want && f[state] == timeWait {
			n++
		}
	}
	return n
}

// TestNoTimeWait: hundreds of checks leave no port behind, unless that is asked for. The server is a process that never closes
// first.
func TestNoTimeWait(t *testing.T) {
	t.Parallel()
	const checks = 200
	for name, tt := range map[string]struct {
		open func(healthcheck.ConnOptions) healthcheck.Checker
		conn healthcheck.ConnOptions
		tls  bool
		want int
	}{
		"HTTP":               {open: overHTTP(t, 0)},
		"HTTP kept for four": {open: overHTTP(t, 4)},
		"HTTPS":              {open: overHTTP(t, 0), tls: true},
		"TCP": {open: func(c healthcheck.ConnOptions) healthcheck.Checker {
			return newTCP(t, func(o *healthcheck.TCPOptions) { o.ConnOptions = c })
		}},
		"HTTP closed in order": {open: overHTTP(t, 0), conn: healthcheck.ConnOptions{Close: healthcheck.Orderly}, want: checks},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, secure := startServer(t)
			if tt.tls {
				addr, tt.conn.TLS = secure, &healthcheck.TLSOptions{}
			}
			probe, err := tt.open(tt.conn).Open(healthcheck.Target{ID: "a", Addr: addr})
			if err != nil {
				t.Fatal(err)
			}
			for range checks {
				if r := again(t, probe, 10*time.Second); r.Outcome != healthcheck.Pass {
					t.Fatalf("result %+v", r)
				}
			}
			if err := probe.Close(); err != nil {
				t.Error(err)
			}
			n := timeWaits(t, addr)
			// The kernel may recycle some, and a few may be left of a server that had this port before, in another process.
			if tt.want == 0 && n > checks/20 || tt.want > 0 && n == 0 {
				t.Errorf("%d ports in TIME_WAIT after %d checks", n, checks)
			}
		})
	}
}

func overHTTP(t *testing.T, reuse int) func(healthcheck.ConnOptions) healthcheck.Checker {
	return func(c healthcheck.ConnOptions) healthcheck.Checker {
		return newHTTP(t, func(o *healthcheck.HTTPOptions) { o.ConnOptions, o.Reuse = c, reuse })
	}
}

// descriptors counts the sockets of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(fds) == 0 {
		t.Skip("no /proc/self/fd")
	}
	n := 0
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// TestNoDescriptorIsLeft is not parallel: it counts those of the whole process. Whatever becomes of a check, its connection is
// closed at the latest when its probe is.
func TestNoDescriptorIsLeft(t *testing.T) {
	plain, secure := startServer(t)
	refused := listen(t)
	_ = refused.Close()
	silent := listen(t) // never accepts
	secured := &healthcheck.TLSOptions{}
	for name, tt := range map[string]struct {
		checker healthcheck.Checker
		addr    string
		want    healthcheck.Outcome
	}{
		"TCP":                  {newTCP(t), plain, healthcheck.Pass},
		"TLS":                  {newTCP(t, func(o *healthcheck.TCPOptions) { o.TLS = secured }), secure, healthcheck.Pass},
		"TLS without":          {newTCP(t, func(o *healthcheck.TCPOptions) { o.TLS = secured }), plain, healthcheck.Fail},
		"TLS not trusted":      {newTCP(t, func(o *healthcheck.TCPOptions) { o.TLS = &healthcheck.TLSOptions{Verify: true} }), secure, healthcheck.Fail},
		"HTTP":                 {newHTTP(t), plain, healthcheck.Pass},
		"HTTP kept":            {newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse = 100 }), plain, healthcheck.Pass},
		"HTTP kept, in order":  {newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse, o.Close = 100, healthcheck.Orderly }), plain, healthcheck.Pass},
		"HTTP kept for two":    {newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse = 2 }), plain, healthcheck.Pass},
		"HTTP, another code":   {newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse, o.Matcher = 100, "201" }), plain, healthcheck.Fail},
		"HTTP to TLS":          {newHTTP(t), secure, healthcheck.Fail},
		"HTTP refused":         {newHTTP(t), refused.Addr().String(), healthcheck.Fail},
		"HTTP unanswered":      {newHTTP(t), silent.Addr().String(), healthcheck.Fail},
		"HTTPS unanswered":     {newHTTP(t, func(o *healthcheck.HTTPOptions) { o.TLS = secured }), silent.Addr().String(), healthcheck.Fail},
		"HTTPS kept":           {newHTTP(t, func(o *healthcheck.HTTPOptions) { o.TLS, o.Reuse = secured, 100 }), secure, healthcheck.Pass},
		"HTTPS kept, in order": {newHTTP(t, func(o *healthcheck.HTTPOptions) { o.TLS, o.Reuse, o.Close = secured, 100, healthcheck.Orderly }), secure, healthcheck.Pass},
		"gRPC without HTTP/2":  {newGRPC(t), plain, healthcheck.Fail},
		"gRPC unanswered":      {newGRPC(t), silent.Addr().String(), healthcheck.Fail},
		"gRPC over HTTPS only": {newGRPC(t, func(o *healthcheck.GRPCOptions) { o.TLS = secured }), secure, healthcheck.Fail},
		"all of some":          {healthcheck.All(newTCP(t), newHTTP(t, func(o *healthcheck.HTTPOptions) { o.Reuse = 9 })), plain, healthcheck.Pass},
	} {
		limit, cycles := 10*time.Second, 200
		if strings.Contains(name, "unanswered") {
			limit, cycles = 5*time.Millisecond, 50
		}
		if strings.Contains(name, "TLS") {
			cycles = min(cycles, 50) // handshakes take their time
		}
		before := descriptors(t)
		for i := range cycles {
			probe, err := tt.checker.Open(healthcheck.Target{ID: strconv.Itoa(i), Addr: tt.addr})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if r := again(t, probe, limit); r.Outcome != tt.want {
					t.Fatalf("%s: %+v", name, r)
				}
			}
			if err := probe.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		// What a net/http connection leaves closes at its own pace.
		for deadline := time.Now().Add(5 * time.Second); descriptors(t) > before && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if n := descriptors(t) - before; n > 0 {
			t.Errorf("%s: %d sockets are left", name, n)
		}
	}
}
