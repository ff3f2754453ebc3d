package healthcheck

import (
	"context"
	"errors"
	"time"
)

// TCPOptions are the options of a TCP checker. The zero value of each field means its default.
type TCPOptions struct {
	ConnOptions
}

// TCP returns a Checker for which a target passes when it accepts a connection, as a TCP check of a Network Load Balancer
// does. Each check makes a new connection. Every mistake in the options is a *FieldError of the error that it returns.
//
// A listener whose process hangs still accepts, because the kernel does: prefer HTTP where the target speaks it.
func TCP(optFns ...func(*TCPOptions)) (Checker, error) {
	var o TCPOptions
	for _, fn := range optFns {
		fn(&o)
	}
	m := mistakes{options: "TCPOptions"}
	c := &tcpChecker{connector: o.connector(&m)}
	if len(m.errs) > 0 {
		return nil, errors.Join(m.errs...)
	}
	return c, nil
}

type tcpChecker struct{ connector connector }

func (c *tcpChecker) Open(t Target) (Probe, error) {
	if err := c.connector.accepts(t); err != nil {
		return nil, err
	}
	return &tcpProbe{connector: &c.connector, addr: t.CheckAddr()}, nil
}

type tcpProbe struct {
	connector *connector
	addr      string
}

func (p *tcpProbe) Check(ctx context.Context) Result {
	start := time.Now()
	l, err := p.connector.connect(ctx, p.addr)
	if err != nil {
		return resultOf(ctx, err)
	}
	defer l.close()
	return Result{Outcome: Pass, RemoteAddr: l.remote, Connect: time.Since(start)}
}

func (*tcpProbe) Close() error { return nil }
