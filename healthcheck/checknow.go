package healthcheck

import (
	"context"
	"slices"
)

// answer is what CheckNow waits for.
type answer struct {
	result Result
	err    error
}

// CheckNow checks a target without waiting for its turn, or joins the check that is running, and returns what that found. The
// result counts as any other. The next check comes when it would have come without this one, or sooner where this one has put the
// target in doubt (Options.FastInterval); one that would be due while this one runs is left out. Before Run it waits for Run, and
// for a place under MaxInFlight it waits as others do, but for nothing else.
//
// The error is ErrNotRegistered if there is no such target, it drains, or that happens meanwhile; ErrStopped when Run has
// ended; the cause of ctx when that ends first, with the check going on. That a check fails is no error but in its Result.
func (p *Pool) CheckNow(ctx context.Context, id string) (Result, error) {
	p.mu.Lock()
	e := p.entries[id]
	switch {
	case p.stopped:
		p.mu.Unlock()
		return Result{}, ErrStopped
	case e == nil || e.state == Draining:
		p.mu.Unlock()
		return Result{}, ErrNotRegistered
	}
	ch := make(chan answer, 1)
	p.asked[e] = append(p.asked[e], ch)
	if e.call == nil && !e.waiting && p.checksCtx != nil {
		p.alarmLocked(e, p.now())
	}
	p.mu.Unlock()

	select {
	case a := <-ch:
		return a.result, a.err
	case <-ctx.Done():
		p.forgetAnswer(e, ch)
		return Result{}, context.Cause(ctx)
	}
}

// forgetAnswer is for those who no longer wait: it may take long until there is an answer, or until Run.
func (p *Pool) forgetAnswer(e *entry, ch chan<- answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := slices.DeleteFunc(p.asked[e], func(other chan<- answer) bool { return other == ch })
	if p.asked[e] = left; len(left) == 0 {
		delete(p.asked, e)
	}
}

// answerLocked tells those who asked for a check what it found, or that there will be none.
func (p *Pool) answerLocked(e *entry, r Result, err error) {
	if len(p.asked) == 0 {
		return
	}
	for _, ch := range p.asked[e] {
		ch <- answer{r, err} // which has room for it
	}
	delete(p.asked, e)
}
