package failover

import (
	"context"
	"fmt"
	"maps"
	"time"
)

// survey asks a service's functions about an incident, beside the leading goroutine: they take their time.
type survey struct {
	answer chan findings // of those that are under way
	asked  time.Time
	last   *findings
	tries  int
	next   time.Time // not to be asked again before that
}

// findings are what a service's functions say about an incident.
type findings struct {
	at        time.Time
	facts     map[string]string
	zone      string
	cause     string
	plan      Plan
	blast     Blast
	digest    string
	surviving float64 // share; below 0: nobody tells
	held      bool    // a brake holds because of them, so that they are asked for again
	why       hold    // why they cannot be told
}

// surveyMax is the longest pause between two surveys of an incident that is held.
const surveyMax = time.Minute

// findings returns what the service's functions say about an incident once they have said it, and until then nil. It counts for as long as a vote. While
// it holds the incident it is asked for again and again, with pauses that double.
func (l *leading) findings(ctx context.Context, c *casefile, s *survey, ask func(context.Context) findings) *findings {
	now := time.Now()
	if s.answer != nil {
		select {
		case f := <-s.answer:
			s.answer, s.last = nil, &f
		default:
			silent := s.asked.Add(l.opts.ObserveTimeout + grace)
			if now.Before(silent) {
				l.remind(silent)
				return nil
			}
			return &findings{why: hold{"silent", fmt.Sprintf("Prepare, Plan or Surviving: %v", errSilent)}}
		}
	}
	f := s.last
	switch {
	case f != nil && f.why == (hold{}) && !f.held && now.Sub(f.at) <= c.w.Quorum.TTL:
		return f
	case f != nil && now.Before(s.next):
		l.remind(s.next)
		if f.why != (hold{}) || f.held {
			return f
		}
		return nil
	}
	s.next = now.Add(min(max(l.opts.RetryInterval, l.opts.RetryInterval<<min(s.tries, 6)), surveyMax))
	s.asked, s.answer = now, make(chan findings, 1)
	s.tries++
	answer := s.answer
	l.watching.Go(func() {
		bounded, cancel := context.WithTimeout(ctx, l.opts.ObserveTimeout)
		defer cancel()
		answer <- ask(bounded)
		l.tick()
	})
	return nil
}

// ask asks the functions of a service about an incident. Prepare is asked only about one whose facts may still change.
func (w *watched) ask(ctx context.Context, in Incident, d *Detection) (f findings) {
	f = findings{at: time.Now(), facts: in.Facts, surviving: -1}
	if d != nil {
		f.zone, f.cause = d.Zone, d.Reason
		f.facts = make(map[string]string)
		if d.Zone != "" {
			f.facts[FactZone] = d.Zone
		}
		if w.Prepare != nil {
			err := guard(func() error {
				found, err := w.Prepare(ctx, *d)
				maps.Copy(f.facts, found)
				return err
			})
			if err != nil {
				f.why = hold{"prepare", fmt.Sprintf("prepare: %v", err)}
				return f
			}
		}
	}
	in.Facts = maps.Clone(f.facts)
	err := guard(func() (err error) {
		f.plan, err = w.Plan(in)
		return err
	})
	if err == nil {
		err = f.plan.Validate()
	}
	if err == nil && f.plan.Service != in.Service {
		err = &FieldError{"Plan.Service", f.plan.Service, "must be " + in.Service}
	}
	if err != nil {
		f.why = hold{"plan", fmt.Sprintf("plan: %v", err)}
		return f
	}
	f.blast, f.digest = f.plan.Blast(), f.plan.digest()
	if w.Surviving == nil || in.State != "" { // what has begun goes on
		return f
	}
	err = guard(func() (err error) {
		f.surviving, err = w.Surviving(ctx, maps.Clone(f.facts))
		return err
	})
	switch {
	case err != nil:
		f.why = hold{"surviving", fmt.Sprintf("surviving: %v", err)}
	case !(f.surviving >= 0 && f.surviving <= 1): // NaN too
		f.why = hold{"surviving", fmt.Sprintf("surviving: %v is no share from 0 to 1", f.surviving)}
	}
	return f
}
