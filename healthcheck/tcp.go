package healthcheck

import (
	"context"
	"errors"
)

// TCPOptions are the options of a TCP checker. The zero value of each field means its default.
type TCPOptions struct {
	ConnOptions // with TLS, the handshake is part of the check
}

// TCP returns a Checker for which a target passes when it accepts a connection, as a TCP check of a Network Load Balancer
// does, and with TLS completes its handshake. Each check makes a new connection. Every mistake in the options is a *FieldError
// of the error that it returns.
//
// A listener whose process hangs still accepts, because the kernel does: prefer HTTP where the target speaks it.
func TCP(optFns ...func(*TCPOptions)) (Checker, error) {
	var o TCPOptions
	for _, fn := range optFns {
		fn(&o)
	}
	m := mistakes{options: "TCPOptions"}
	c := &tcpChecker{connector: o.connector(&m, "", false)}
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
	return &tcpProbe{place: c.connector.place(t)}, nil
}

type tcpProbe struct{ place place }

func (p *tcpProbe) Check(ctx context.Context) Result {
	l, err := p.place.connect(ctx)
	if err != nil {
		return resultOf(ctx, err)
	}
	defer l.close()
	return Result{Outcome: Pass, RemoteAddr: l.remote, Connect: l.took}
}

func (*tcpProbe) Close() error { return nil }
