package eip

import (
	"context"

	"github.com/awsha/awsha/internal/retry"
)

// probe waits until traffic to the address arrives, as far as the request says how to find out.
func (m *move) probe(ctx context.Context) error {
	if m.req.Probe == nil {
		return nil
	}
	var err error
	reached := retry.Poll(ctx, m.opts.ProbeTimeout, m.opts.polling(), func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, m.opts.CallTimeout)
		defer cancel()
		if err = m.req.Probe(ctx, m.res.PublicIP); err != nil {
			m.emit(ctx, Event{Kind: KindUnreached, Association: m.res.After, Err: err})
		}
		return err == nil
	})
	if !reached {
		return m.fail(ctx, OpProbe, ErrUnreachable, err)
	}
	m.emit(ctx, Event{Kind: KindReached, Association: m.res.After})
	return nil
}
