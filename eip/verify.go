package eip

import (
	"context"
	"time"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// verdict is what reads tell about an association.
type verdict uint8

const (
	unknown verdict = iota // the reads have not told in time
	held                   // it is there
	taken                  // somebody else holds the address
	free                   // nobody does
)

// verify waits until reads show the association that EC2 has accepted.
func (m *move) verify(ctx context.Context, made Association) error {
	m.res.After = made
	got, seen, err := m.watch(ctx, made.ID)
	switch got {
	case held:
		m.hold(ctx, seen)
		return nil
	case taken:
		m.res.After = Association{}
		failure := m.fail(ctx, OpVerify, ErrStolen, err)
		failure.Owner = seen
		return failure
	}
	return m.unverified(ctx, seen, err)
}

// settle finds out by reading what became of an AssociateAddress that got no answer, lost. It returns false and no error
// if reads agree that nobody holds the address, so that it was not applied.
func (m *move) settle(ctx context.Context, lost error) (settled bool, err error) {
	got, seen, err := m.watch(ctx, "")
	if err == nil {
		err = lost
	}
	switch got {
	case held:
		m.res.Changed = true
		m.hold(ctx, seen)
		return true, nil
	case taken:
		failure := m.fail(ctx, OpAssociate, ErrConflict, err)
		failure.Owner = seen
		return false, failure
	case free:
		return false, nil
	}
	m.res.Changed = true // perhaps
	return false, m.unverified(ctx, seen, err)
}

func (m *move) hold(ctx context.Context, a Association) {
	m.res.After = a
	m.emit(ctx, Event{Kind: KindHeld, Association: a})
}

// unverified says that no read has told in time. To go on is to expect what was made; where that has no ID, because the
// reply was lost, it is an association with the target and with nobody else.
func (m *move) unverified(ctx context.Context, seen Association, err error) error {
	m.res.Next = Expect{Association: m.res.After}
	if m.res.After.ID == "" {
		to := m.req.Target
		m.res.Next = Expect{Association: Association{NetworkInterfaceID: to.NetworkInterfaceID, InstanceID: to.InstanceID, PrivateIP: to.PrivateIP}}
	}
	failure := m.fail(ctx, OpVerify, ErrUnverified, err)
	failure.Owner = seen
	return failure
}

// watch reads the address until it can tell whether the association want holds; an empty want stands for one that was
// perhaps made, by a call that got no answer. It returns what the last read showed that was not stale, and the last error.
func (m *move) watch(ctx context.Context, want string) (result verdict, seen Association, err error) {
	var since time.Time // since when reads have agreed on seen; zero if the last one was stale
	retry.Poll(ctx, m.opts.VerifyTimeout, m.opts.polling(), func(ctx context.Context) (done bool) {
		var now Association
		if now, _, err = m.read(ctx); err != nil {
			m.emit(ctx, Event{Kind: KindLagging, Err: err})
			class := awserr.Of(err)
			return class == awserr.Denied || class == awserr.Terminal
		}
		if m.stale(now) {
			since = time.Time{}
		} else {
			if since.IsZero() || now.ID != seen.ID {
				since = time.Now()
			}
			seen = now
			result = m.judge(now, want, time.Since(since) >= m.opts.ReadLag)
		}
		if result == unknown {
			m.emit(ctx, Event{Kind: KindLagging, Association: now})
		}
		return result != unknown
	})
	return result, seen, err
}

// stale tells whether a read is known to show the past.
func (m *move) stale(now Association) bool {
	return now.ID != "" && (now.ID == m.res.Before.ID || m.history.ended(now.ID))
}

// judge says what a read means that is not known to be stale. agreed tells that reads have said the same for ReadLag.
//
// A read that shows want is proof, since nobody else was given that ID. Where the ID is not known even the target proves
// nothing by itself: the read may show a time before the address left it. An association that was never seen before is newer
// than ours, or older than all that this process knows; only agreement makes it a theft. And that nobody holds the
// address tells in the same way that a perhaps made association was not made, while one that was made for certain is
// waited for.
func (m *move) judge(now Association, want string, agreed bool) verdict {
	onTarget := m.req.Target.holds(now)
	switch {
	case now.ID != "" && now.ID == want:
		return held
	case !agreed:
		return unknown
	case onTarget:
		return held // somebody else has brought it to the same target
	case now.ID != "":
		return taken
	case want == "":
		return free
	}
	return unknown
}
