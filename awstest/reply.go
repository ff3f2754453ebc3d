package awstest

import (
	"errors"
	"time"
)

// Reply is the answer to a call, which a handler of [HandleLater] owes. It
// is used with the cloud locked.
type Reply[Out any] struct{ r *reply }

// Send answers the call; of several answers the first counts. An error has
// the meaning that it has as the result of a handler; no output and no error
// are an empty output.
func (p *Reply[Out]) Send(tx *Tx, out *Out, err error) {
	switch {
	case err != nil:
		p.r.send(tx, nil, err)
	case out == nil: // the SDK takes no nil
		p.r.send(tx, new(Out), nil)
	default:
		p.r.send(tx, out, nil)
	}
}

// Gone tells whether the caller has stopped waiting, and since when: its
// context has ended, or it has lost its power or its network. AWS cannot know
// that, or not at once; an answer that is sent all the same takes effect and
// reaches nobody.
func (p *Reply[Out]) Gone(tx *Tx) (since time.Time, gone bool) {
	r := p.r
	if !r.gone.IsZero() {
		return r.gone, true
	}
	switch c := r.caller; {
	case c == nil:
	case !c.reachable():
		return c.reach.Since, true
	case c.boot != r.boot: // it has forgotten the call
		return c.reach.Since.Add(-c.reach.Before), true
	}
	return time.Time{}, false
}

// reply is guarded by the cloud's lock until it is sent; from then on it does
// not change.
type reply struct {
	endpoint *Endpoint
	op       *operation
	rec      *Record
	caller   *Instance
	boot     int           // of the caller
	final    bool          // nothing happens between effect and answer
	ready    chan struct{} // closed by send; nil while nobody waits
	gone     time.Time

	sent bool
	out  any
	err  error // in the shape that the caller gets
}

func (r *reply) send(tx *Tx, out any, err error) {
	if r.sent {
		return
	}
	if errors.Is(err, ErrNotModelled) {
		tx.problem(err)
	}
	r.sent, r.out, r.err = true, out, r.endpoint.shape(r.op.name, err, r.rec.RequestID)
	r.rec.Applied = err == nil
	if r.final && r.gone.IsZero() {
		r.rec.answer(tx.now, r.op, out, r.err)
	}
	if r.ready != nil {
		close(r.ready)
	}
}
