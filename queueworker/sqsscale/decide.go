package sqsscale

import (
	"fmt"
	"time"

	"github.com/awsha/awsha/queueworker"
)

// Limits bound what a driver may do. The zero value of each field means its default.
type Limits struct {
	// Cooldown is for how long the hints must have stayed below the capacity, and the capacity as it is, before the group is scaled in.
	// Scaling out never waits. Default 5 minutes.
	Cooldown time.Duration
	// MaxStepOut is the most instances that are added at a time. Zero means no such limit.
	MaxStepOut int
	// MaxStepIn is the most instances that are taken away at a time. Zero means half of the capacity, rounded up.
	MaxStepIn int
	// ScaleOutInRefresh allows to scale out during an instance refresh. By default the capacity is left alone then. It is never
	// scaled in during one.
	ScaleOutInRefresh bool
	// SettleTime is for how long a capacity that was set counts as there, if reads show a smaller one: they can be behind. Default 1 minute.
	SettleTime time.Duration
}

const (
	defaultCooldown   = 5 * time.Minute
	defaultSettleTime = time.Minute
)

func (l Limits) withDefaults() Limits {
	orDefault(&l.Cooldown, defaultCooldown)
	orDefault(&l.SettleTime, defaultSettleTime)
	return l
}

// Situation is what a decision is made from.
type Situation struct {
	Now   time.Time
	Group Group
	Hint  queueworker.ScaleHint

	// Peak is the largest ScaleHint.Desired since Now - Limits.Cooldown, and Known since when there have been hints without a break. Zero is
	// since this one.
	Peak  int
	Known time.Time
	// Changed is when the desired capacity changed last, by whomever, as far as it was seen. Zero is long ago.
	Changed time.Time
	// Set is what the driver has set the desired capacity to last, and SetAt when. Zero is never.
	Set   int
	SetAt time.Time
}

// Verdict is the outcome of a decision.
type Verdict string

// The verdicts. The capacity changes by the first two only.
const (
	Out     Verdict = "out"     // more instances, now
	In      Verdict = "in"      // fewer instances, now
	Steady  Verdict = "steady"  // the capacity is what it should be
	Cooling Verdict = "cooling" // fewer would do, but not for long enough
	Busy    Verdict = "busy"    // fewer would do, but those that are there have work, or the group has not come to rest
	Blocked Verdict = "blocked" // the state of the group makes it senseless
)

// Decision is what is to become of the capacity of a group, and why.
type Decision struct {
	Group    string
	Verdict  Verdict
	From, To int    // desired capacity; the same unless Verdict is Out or In
	Reason   string // in words
}

// The processes of a group without which its instances do not follow the desired capacity. AZRebalance does not matter: that it is
// suspended keeps no instance from coming or going.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html (read 2026-11)
const (
	processLaunch    = "Launch"
	processTerminate = "Terminate"
)

// Decide decides what the desired capacity of a group should be. It is a pure function: what a [Driver] does, and what it would do.
//
// To is within the bounds of the group, and differs from From by no more than the steps allow; a capacity that somebody has set outside
// of the bounds cannot be. It scales out at once. It scales in only if all of these hold:
//   - no hint within Cooldown was for as many instances as there are, there were hints all the time, and nobody has changed the capacity in it,
//   - as many instances stay as messages in flight need, by ScaleHint.Floor, and no fewer than are protected from scale-in,
//   - no message is at risk to be lost,
//   - the group has come to rest: nothing comes or goes, as while it is rebalanced between zones; of what it wants in vain, for want of
//     capacity, less is wanted, and all that run stay,
//   - and Terminate is not suspended.
//
// Nothing changes while the group is being deleted, during an instance refresh, and if capacity is not counted in instances; nothing is added
// while Launch is suspended.
func Decide(s Situation, l Limits) Decision {
	l = l.withDefaults()
	g := &s.Group
	from, want := g.Desired, min(max(s.Hint.Desired, g.Min), g.Max)
	if !s.SetAt.IsZero() && s.Now.Sub(s.SetAt) < l.SettleTime && s.Set > from && s.Set > want {
		from = s.Set // The read is behind: what looks like scaling out would take instances away.
	}
	d := Decision{Group: g.Name, From: from, To: from}
	switch {
	case g.Deleting:
		d.say(Blocked, "the group is being deleted")
	case g.OtherUnits:
		d.say(Blocked, "the group does not count its capacity in instances")
	case want > from:
		s.out(&d, want, l)
	case want == from:
		d.say(Steady, "%s", s.why(want))
	default:
		s.in(&d, want, l)
	}
	return d
}

func (d *Decision) say(v Verdict, format string, args ...any) {
	d.Verdict, d.Reason = v, fmt.Sprintf(format, args...)
}

// why is the reason of the hint, and what the group makes of it.
func (s *Situation) why(want int) string {
	reason := s.Hint.Reason
	if reason == "" {
		reason = fmt.Sprintf("%d instances are needed", s.Hint.Desired)
	}
	switch {
	case want < s.Hint.Desired:
		return fmt.Sprintf("%s; the group allows no more than %d", reason, s.Group.Max)
	case want > s.Hint.Desired:
		return fmt.Sprintf("%s; the group allows no less than %d", reason, s.Group.Min)
	}
	return reason
}

func (s *Situation) out(d *Decision, want int, l Limits) {
	g := &s.Group
	switch {
	case g.suspended(processLaunch):
		d.say(Blocked, "Launch is suspended: nothing would come of %d", want)
		return
	case g.Refresh != "" && !l.ScaleOutInRefresh:
		d.say(Blocked, "an instance refresh is under way: %s", g.Refresh)
		return
	}
	d.To = want
	d.say(Out, "%s", s.why(want))
	if l.MaxStepOut > 0 && d.To-d.From > l.MaxStepOut {
		d.To = max(d.From+l.MaxStepOut, g.Min) // AWS takes nothing below the minimum
		d.Reason += fmt.Sprintf("; %d more at a time", l.MaxStepOut)
	}
}

func (s *Situation) in(d *Decision, want int, l Limits) {
	g := &s.Group
	known := s.Known
	if known.IsZero() {
		known = s.Now
	}
	floor := max(s.Hint.Floor, g.Protected)
	target := min(max(want, s.Peak, floor), g.Max)
	switch {
	case g.suspended(processTerminate):
		d.say(Blocked, "Terminate is suspended: nothing would go")
	case g.Refresh != "":
		d.say(Blocked, "an instance refresh is under way: %s", g.Refresh)
	case s.Hint.AtRisk:
		d.say(Busy, "%s", s.why(want))
	case g.Changing > 0 || g.InService > d.From:
		d.say(Busy, "the group has not come to rest: %d of %d instances are in service, and %d come or go", g.InService, d.From, g.Changing)
	case floor >= d.From:
		d.say(Busy, "%d instances have work: %d by the messages in flight, %d are protected", floor, s.Hint.Floor, g.Protected)
	case s.Peak >= d.From:
		d.say(Cooling, "%d instances were needed less than %v ago", s.Peak, l.Cooldown)
	case s.Now.Sub(known) < l.Cooldown:
		d.say(Cooling, "what is needed is known for %v only", s.Now.Sub(known).Round(time.Second))
	case !s.Changed.IsZero() && s.Now.Sub(s.Changed) < l.Cooldown:
		d.say(Cooling, "the capacity changed %v ago", s.Now.Sub(s.Changed).Round(time.Second))
	default:
		d.To = target
		d.say(In, "%s", s.why(want))
		if g.InService < d.From && g.InService > d.To {
			// The rest is wanted in vain, for want of capacity in a zone: it need not come any more, and all that run stay.
			d.To = g.InService
		}
		step := l.MaxStepIn
		if step == 0 {
			step = (d.From + 1) / 2
		}
		if d.From-d.To > step {
			d.To = d.From - step
			d.Reason += fmt.Sprintf("; %d fewer at a time", step)
		} else if d.To > want {
			d.Reason += fmt.Sprintf("; %d stay: %d were needed within %v, %d have work", d.To, s.Peak, l.Cooldown, floor)
		}
		d.To = min(d.To, g.Max)
	}
}
