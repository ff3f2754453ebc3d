package failover

import (
	"context"
	"errors"
	"time"
)

// leave is an incident that is being given up by an order.
type leave struct {
	busy  bool
	tries int
	next  time.Time
	told  time.Time
}

// abandon gives up what orders say, whoever has begun it. An order that is carried out is taken down: what somebody opens again is another matter.
func (l *leading) abandon(ctx context.Context) {
	for _, o := range l.orders {
		key := incidentKey{o.Service, o.Incident}
		in := l.incident(key)
		if o.Kind != OrderAbandon || in == nil {
			continue
		}
		if c := l.cases[key.service]; c != nil && c.open != nil && c.open.in.ID == key.id && c.open.stop != nil {
			continue // it is being stopped
		}
		v := l.leaving[key]
		if v == nil {
			v = new(leave)
			l.leaving[key] = v
		}
		if v.busy {
			continue
		}
		if time.Now().Before(v.next) {
			l.remind(v.next)
			continue
		}
		v.busy = true
		open := in.State == IncidentOpen || in.State == IncidentRollingBack
		l.left++
		l.running.Go(func() {
			var err error
			if open {
				err = l.engine.Abandon(ctx, key.service, key.id, "by an order of "+o.By, func(x *ExecOptions) {
					x.Holder, x.Dead = l.holder(l.lease.Token()), l.predecessor
				})
			}
			if err == nil || errors.Is(err, ErrNotOpen) {
				bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.opts.ObserveTimeout)
				defer cancel()
				err = l.board.fulfil(bounded, OrderAbandon, key.service, key.id, o.Time)
			}
			l.ended <- left{key, err}
		})
	}
}

// left is how giving up has ended.
type left struct {
	key incidentKey
	err error
}

func (e left) take(ctx context.Context, l *leading) {
	l.read = time.Time{}
	if e.err == nil {
		delete(l.leaving, e.key)
		return
	}
	v := l.leaving[e.key]
	v.busy, v.next = false, time.Now().Add(l.pause(v.tries))
	v.tries++
	if time.Since(v.told) >= tellAgain && ctx.Err() == nil {
		v.told = time.Now()
		l.emit(ctx, Event{Kind: KindStoreError, Service: e.key.service, Incident: e.key.id, Err: e.err})
	}
}
