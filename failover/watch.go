package failover

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// watch looks at all services again and again, puts up the votes and reads those of others, until ctx ends. Every controller does,
// whether it leads or not, so that a fresh leader knows what the votes are and how old.
func (c *Controller) watch(ctx context.Context) {
	mine := ballot{Controller: c.opts.Name, Zone: c.opts.Zone, Run: c.run}
	at := make([]Version, len(c.parts))
	var posted time.Time
	var news bool
	for {
		began := time.Now()
		news = c.look(ctx) || news
		if ctx.Err() != nil {
			return
		}
		if news || time.Since(posted) >= c.repeat() {
			mine.Seq++
			mine.Term, mine.Unfit = c.standing()
			if c.post(ctx, mine, at) == nil {
				posted, news = time.Now(), false
			}
		}
		suspect, changed := c.judge(ctx)
		news = news || changed
		c.tick()

		pause := c.opts.Interval
		if suspect {
			pause = c.opts.RetryInterval
		}
		pause = time.Duration(float64(pause) * (1 - 0.1*rand.Float64()))
		if !c.rest(ctx, began, pause) {
			return
		}
	}
}

// rest waits until the next look: for the pause, or at least for RetryInterval if somebody wakes the controller.
func (c *Controller) rest(ctx context.Context, began time.Time, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-c.wake:
	}
	return sleep(ctx, min(pause, c.opts.RetryInterval-time.Since(began))) == nil
}

// repeat is after how long votes are put up again that have not changed.
func (c *Controller) repeat() time.Duration { return c.leastTTL() / 3 }

func (c *Controller) leastTTL() time.Duration {
	least := c.services[0].Quorum.TTL
	for _, w := range c.services {
		least = min(least, w.Quorum.TTL)
	}
	return least
}

// post puts the votes up, part by part.
func (c *Controller) post(ctx context.Context, mine ballot, at []Version) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.ObserveTimeout)
	defer cancel()
	var errs []error
	for i, services := range c.parts {
		mine.Votes = votes(services)
		errs = append(errs, c.board.post(ctx, mine, i, &at[i]))
	}
	err := errors.Join(errs...)
	if err != nil && ctx.Err() == nil {
		c.emit(ctx, Event{Kind: KindStoreError, Err: fmt.Errorf("votes: %w", err)})
	}
	return err
}

// grace is for how long an observer is waited for after its context has ended.
const grace = 100 * time.Millisecond

// look asks all observers at once, and tells whether a vote has changed. Who does not return in time cannot tell, and is not asked again before it has.
func (c *Controller) look(ctx context.Context) (changed bool) {
	bounded, cancel := context.WithTimeout(ctx, c.opts.ObserveTimeout)
	defer cancel()
	over, enough := context.WithTimeout(ctx, c.opts.ObserveTimeout+grace)
	defer enough()
	if c.opts.SelfCheck != nil && c.self == nil {
		answer := make(chan error, 1)
		c.self = answer
		c.watching.Go(func() { answer <- guard(func() error { return c.opts.SelfCheck(bounded) }) })
	}
	for _, w := range c.services {
		for _, v := range w.voters {
			if v.answer == nil {
				answer := make(chan Observation, 1)
				v.answer = answer
				c.watching.Go(func() {
					var o Observation
					if err := guard(func() error { o = v.observer.Observe(bounded); return nil }); err != nil {
						o = Observation{Evidence: err.Error()}
					}
					answer <- o
				})
			}
		}
	}
	unfit := c.checkSelf(over)
	for _, w := range c.services {
		for _, v := range w.voters {
			o := v.observed(over)
			if ctx.Err() != nil {
				return false
			}
			if unfit != nil && o.Verdict != Healthy {
				o = Observation{Evidence: fmt.Sprintf("abstains: %v", unfit)}
			}
			was := v.vote.Verdict
			v.see(o, time.Now())
			changed = changed || was != v.vote.Verdict
		}
	}
	return changed
}

// checkSelf takes in what the self-check says.
func (c *Controller) checkSelf(over context.Context) (unfit error) {
	if c.self != nil {
		select {
		case unfit = <-c.self:
			c.self = nil
		case <-over.Done():
			unfit = errSilent
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unwell = unfit
	if c.unwells++; unfit == nil {
		c.unwells = 0
	}
	return unfit
}

// errSilent is why nothing is known of who does not return.
var errSilent = errors.New("it does not return")

// observed is what an observer that has been asked saw.
func (v *voter) observed(over context.Context) Observation {
	select {
	case o := <-v.answer:
		v.answer = nil
		return o
	case <-over.Done():
		return Observation{Evidence: errSilent.Error()}
	}
}

func votes(services []*watched) map[string][]Vote {
	all := make(map[string][]Vote, len(services))
	for _, w := range services {
		for _, v := range w.voters {
			all[w.Name] = append(all[w.Name], v.vote)
		}
	}
	return all
}

// judge counts the votes for each service. It tells whether anything is suspect, and whether it has changed if this controller can lead.
func (c *Controller) judge(ctx context.Context) (suspect, changed bool) {
	bounded, cancel := context.WithTimeout(ctx, c.opts.ObserveTimeout)
	defer cancel()
	others, err := c.board.ballots(bounded, c.opts.Name)
	if err != nil && ctx.Err() == nil {
		c.emit(ctx, Event{Kind: KindStoreError, Err: fmt.Errorf("votes of others: %w", err)})
	}
	c.seeLeader(others)
	now := time.Now()
	for _, w := range c.services {
		var votes []Vote
		for _, v := range w.voters {
			vote := v.vote
			vote.Age = now.Sub(v.at)
			votes = append(votes, vote)
		}
		for _, other := range others {
			votes = append(votes, other.Votes[w.Name]...)
		}
		was, reason := w.take(votes, now)
		verdict := w.judged()
		if was != verdict {
			c.emit(ctx, Event{Kind: KindVerdict, Service: w.Name, Detail: verdict.String() + ": " + reason})
		}
		suspect = suspect || verdict == Suspect || verdict == Failed
	}
	return suspect, c.weigh(others)
}

// standing is the token of the lead, if this controller has it, and why it should not have it.
func (c *Controller) standing() (term uint64, unfit string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lead != nil {
		term = c.lead.lease.Token()
	}
	return term, c.unfit
}

// weigh finds out whether this controller should lead, or who else could. It tells whether the first has changed.
func (c *Controller) weigh(others []ballot) (changed bool) {
	failed := c.failedZones()
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	unfit, sick := "", c.unwell != nil && c.unwells >= 2 // once may be chance
	if service := failed[c.opts.Zone]; service != "" && c.opts.Zone != "" {
		unfit = fmt.Sprintf("it stands in zone %s, where %s has failed", c.opts.Zone, service)
	}
	if sick {
		unfit = fmt.Sprintf("the self-check fails: %v", c.unwell)
	}
	unfit = brief(unfit, maxEvidence)
	changed = (unfit == "") != (c.unfit == "")
	if changed {
		c.unfitFrom = now
	}
	c.unfit, c.successor = unfit, ""
	for i := range others {
		b := &others[i]
		if b.Unfit != "" || b.age > c.leastTTL() || failed[b.Zone] != "" {
			continue
		}
		if sick && now.Add(-b.age).Before(c.unfitFrom) { // what makes this one sick may make the other so too, and it has not said so yet
			continue
		}
		c.successor = b.Controller
	}
	return changed
}

// failedZones returns the zones where something has failed, and what.
func (c *Controller) failedZones() map[string]string {
	failed := make(map[string]string)
	for _, w := range c.services {
		if w.judged() != Failed {
			continue
		}
		if _, d := w.detection(); d.Zone != "" {
			failed[d.Zone] = w.Name
		}
	}
	return failed
}

// seeLeader notes who says to lead: to show, not to decide by.
func (c *Controller) seeLeader(others []ballot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var newest uint64
	for _, b := range others {
		if b.Term > newest {
			newest, c.leader = b.Term, b.Controller
		}
	}
	if c.lead != nil {
		c.leader = c.opts.Name
	}
}

// take counts votes.
func (w *watched) take(votes []Vote, now time.Time) (was Verdict, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was = w.verdict
	w.votes = votes
	w.verdict, w.reason = w.Quorum.Judge(votes)
	if w.verdict != was || w.since.IsZero() {
		w.since = now
	}
	w.failing = time.Time{}
	for _, v := range votes {
		if from := now.Add(-v.Age - v.Failing); v.Failing > 0 && v.Age <= w.Quorum.TTL && (w.failing.IsZero() || from.Before(w.failing)) {
			w.failing = from
		}
	}
	if w.failing.IsZero() && w.verdict == Failed {
		w.failing = w.since
	}
	return was, w.reason
}
