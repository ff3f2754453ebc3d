package healthcheck

import (
	"context"
	"net"
	"time"
)

// TCPOptions are the options of a TCP checker. The zero value of each field means its default.
type TCPOptions struct {
	// Dial connects to a target. It must honour its context. Default: a net.Dialer without keep-alive probes.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// TCP returns a Checker for which a target passes when it accepts a connection, as a TCP check of a Network Load Balancer
// does. Each check makes a new connection and resets it, so that none is left in TIME_WAIT.
//
// A listener whose process hangs still accepts, because the kernel does: prefer HTTP where the target speaks it.
func TCP(optFns ...func(*TCPOptions)) (Checker, error) {
	var o TCPOptions
	for _, fn := range optFns {
		fn(&o)
	}
	return &tcpChecker{dial: dialerOr(o.Dial)}, nil
}

type tcpChecker struct{ dial dialFunc }

func (c *tcpChecker) Open(t Target) (Probe, error) {
	if err := requireAddr(t); err != nil {
		return nil, err
	}
	return &tcpProbe{dial: c.dial, addr: t.CheckAddr()}, nil
}

type tcpProbe struct {
	dial dialFunc
	addr string
}

func (p *tcpProbe) Check(ctx context.Context) Result {
	start := time.Now()
	_, hangUp, err := connect(ctx, p.dial, p.addr)
	if err != nil {
		return resultOf(ctx, err)
	}
	hangUp()
	return Result{Outcome: Pass, Connect: time.Since(start)}
}

func (*tcpProbe) Close() error { return nil }

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// dialerOr returns dial, or the default for nil. Keep-alive probes are off: a connection lives for one check.
func dialerOr(dial dialFunc) dialFunc {
	if dial != nil {
		return dial
	}
	return (&net.Dialer{KeepAlive: -1}).DialContext
}

// connect makes a connection for one check, which ends with ctx whatever happens: by its deadline, and by being closed for a
// connection that has none. hangUp closes it.
//
// A TCP connection is reset rather than closed in order. The side that closes first would keep the port in TIME_WAIT for a
// minute, and a checker always closes first: 470 checks a second of one address would use up all of its ports.
func connect(ctx context.Context, dial dialFunc, addr string) (conn net.Conn, hangUp func(), err error) {
	conn, err = dial(ctx, "tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	if c, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = c.SetLinger(0) // an optimisation
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // the close below does without
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return conn, func() {
		stop()
		_ = conn.Close()
	}, nil
}
