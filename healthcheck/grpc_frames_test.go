package healthcheck_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// The frames of HTTP/2, one by one: what a server that is made for it would never send.
// Source: RFC 9113, section 6.
const (
	dataFrame         = 0
	headersFrame      = 1
	resetFrame        = 3
	settingsFrame     = 4
	pushFrame         = 5
	goAwayFrame       = 7
	continuationFrame = 9

	endStream  = 1
	endHeaders = 4
)

func http2Frame(kind, flags byte, stream uint32, payload string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))[1:]
	return string(binary.BigEndian.AppendUint32(append(b, kind, flags), stream)) + payload
}

// fields returns names and values as HPACK has them without its tables.
func fields(namesAndValues ...string) string {
	var b strings.Builder
	for i, s := range namesAndValues {
		if i%2 == 0 {
			b.WriteByte(0)
		}
		b.WriteByte(byte(len(s)))
		b.WriteString(s)
	}
	return b.String()
}

// frames answers the n-th request of a connection, from 0, with what answer returns.
func frames(answer func(n int) []string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, http2Frame(settingsFrame, 0, 0, ""))
		_, _ = io.ReadFull(conn, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
		for n, head := 0, make([]byte, 9); ; {
			if _, err := io.ReadFull(conn, head); err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head)>>8)); err != nil {
				return
			}
			if kind, flags := head[3], head[4]; kind != dataFrame || flags&endStream == 0 {
				continue
			}
			said := answer(n)
			go func() { // reading goes on
				for _, s := range said {
					if _, err := io.WriteString(conn, s); err != nil {
						return
					}
				}
			}()
			n++
		}
	}
}

func TestGRPCFrames(t *testing.T) {
	t.Parallel()
	head := http2Frame(headersFrame, endHeaders, 1, fields(":status", "200", "content-type", "application/grpc"))
	early := http2Frame(headersFrame, endHeaders, 1, fields(":status", "200", "grpc-status", "12"))
	only := http2Frame(headersFrame, endHeaders|endStream, 1, fields(":status", "200", "grpc-status", "12"))
	for name, tt := range map[string]struct {
		answer []string
		reason healthcheck.Reason
	}{
		"a trailer in place of the header":      {[]string{only}, passed},
		"the same, and goodbye before it":       {[]string{http2Frame(goAwayFrame, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00"), only}, passed},
		"another status in the trailer":         {[]string{early, http2Frame(headersFrame, endHeaders|endStream, 1, fields("grpc-status", "5"))}, mismatched},
		"a message behind a status, no trailer": {[]string{early, http2Frame(dataFrame, endStream, 1, frame(""))}, failed},
		"goodbye to the request":                {[]string{http2Frame(goAwayFrame, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00")}, failed},
		"refused":                               {[]string{http2Frame(resetFrame, 0, 1, "\x00\x00\x00\x07")}, failed},
		"reset behind the header":               {[]string{head, http2Frame(resetFrame, 0, 1, "\x00\x00\x00\x00")}, failed},
		"pushed":                                {[]string{http2Frame(pushFrame, endHeaders, 1, "\x00\x00\x00\x02"+fields(":status", "200")), only}, failed},
		"switching protocols":                   {[]string{http2Frame(headersFrame, endHeaders|endStream, 1, fields(":status", "101", "grpc-status", "12"))}, failed},
		"a header and no more":                  {[]string{head}, timeout},
		"a flood of informational answers":      {floodOf(http2Frame(headersFrame, endHeaders, 1, fields(":status", "103"))), failed},
		"a flood of header": {append([]string{http2Frame(headersFrame, 0, 1, fields(":status", "200"))},
			floodOf(http2Frame(continuationFrame, 0, 1, fields("x", "y")))...), failed},
		"a flood of empty header": {append([]string{http2Frame(headersFrame, 0, 1, fields(":status", "200"))},
			floodOf(http2Frame(continuationFrame, 0, 1, ""))...), failed},
		"a flood of empty data": {append([]string{head}, floodOf(http2Frame(dataFrame, 0, 1, ""))...), failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dial := serve(t, frames(func(int) []string { return tt.answer }))
				checker := newGRPC(t, func(o *healthcheck.GRPCOptions) { o.Dial, o.Reuse = dial, 100 })
				begin := time.Now()
				r := check(t, checker, "10.0.0.1:80", 5*time.Second)
				if r.Reason != tt.reason || (r.Outcome == healthcheck.Pass) != (tt.reason == passed) || r.HasCode != (tt.reason == passed || tt.reason == mismatched) {
					t.Errorf("result %+v", r)
				}
				if (time.Since(begin) == 5*time.Second) != (tt.reason == timeout) {
					t.Errorf("after %v", time.Since(begin))
				}
			})
		})
	}
}

// floodOf is as much as no check reads.
func floodOf(s string) []string { return []string{strings.Repeat(s, 1<<20/len(s))} }

// TestGRPCResetIsAnAnswer: a target that resets each second request fails, for it has not closed the connection, while one that
// says goodbye is asked again.
func TestGRPCResetIsAnAnswer(t *testing.T) {
	t.Parallel()
	only := func(stream uint32) string {
		return http2Frame(headersFrame, endHeaders|endStream, stream, fields(":status", "200", "grpc-status", "12"))
	}
	for name, tt := range map[string]struct {
		second string
		want   healthcheck.Reason
		conns  int32
	}{
		"reset":   {http2Frame(resetFrame, 0, 3, "\x00\x00\x00\x02"), failed, 1},
		"refused": {http2Frame(resetFrame, 0, 3, "\x00\x00\x00\x07"), failed, 1},
		"goodbye": {http2Frame(goAwayFrame, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00"), passed, 2},
		"broken":  {http2Frame(dataFrame, 0, 0, ""), passed, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var conns atomic.Int32
				dial := serve(t, func(conn net.Conn) {
					conns.Add(1)
					frames(func(n int) []string {
						if n == 0 {
							return []string{only(1)}
						}
						return []string{tt.second}
					})(conn)
				})
				probe := openProbe(t, newGRPC(t, func(o *healthcheck.GRPCOptions) { o.Dial, o.Reuse = dial, 100 }), healthcheck.Target{ID: "a", Addr: "10.0.0.1:80"})
				if r := again(t, probe, time.Second); r.Outcome != healthcheck.Pass {
					t.Fatalf("first: %+v", r)
				}
				if r := again(t, probe, time.Second); r.Reason != tt.want || (r.Outcome == healthcheck.Pass) != (tt.want == passed) || conns.Load() != tt.conns {
					t.Errorf("second, over %d connections: %+v", conns.Load(), r)
				}
			})
		})
	}
}
