package asgmodel

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// backoff is how launches that fail are tried again: not before a time, which
// is later after every failure. AWS documents no times.
type backoff struct {
	fails int
	until time.Time
}

func (b *backoff) active(now time.Time) bool { return b != nil && now.Before(b.until) }

func (b *backoff) fail(now time.Time, o *Options) {
	d := o.RetryMax
	if b.fails < 16 {
		d = min(d, o.Retry<<b.fails)
	}
	b.fails++
	b.until = now.Add(d)
}

// fill launches what the group has too little. The spares that it has come
// first.
func (c *control) fill(tx *awstest.Tx, g *Group) {
	missing := g.Desired - c.ordinary()
	for _, m := range c.members {
		if missing > 0 && m.spare && m.State.counts() {
			m.spare = false
			missing--
		}
	}
	if missing <= 0 || g.suspended(processLaunch) {
		return
	}
	reserved := map[*awstest.Zone]int{}
	for missing > 0 {
		z, held := c.place(tx, g, reserved)
		switch {
		case c.blocked(tx):
			return
		case z == nil:
			return // place has set the time of the next try
		case held:
			reserved[z]++
			missing--
		default:
			from := c.capacity()
			sentence := c.at(tx, "an instance was started in response to a difference between desired and actual capacity, increasing the capacity from %d to %d.", from, from+1)
			if c.replacing > 0 {
				sentence = c.at(tx, "an instance was launched in response to an unhealthy instance needing to be replaced.")
			}
			if _, err := c.launch(tx, g, z, nil, c.causes(sentence)); err == nil {
				missing--
				c.replacing = max(0, c.replacing-1)
			}
		}
	}
}

// blocked tells whether the launch template has just failed, in all zones. The
// group looks again when it may be tried once more.
func (c *control) blocked(tx *awstest.Tx) bool {
	if !c.templateRetry.active(tx.Now()) {
		return false
	}
	c.wake(tx, c.templateRetry.until)
	return true
}

// place returns the zone for a launch: of those in use and not shifted away
// from, the one with the fewest instances, those that it is to have included.
// Where launches have just failed, a group that is balanced only holds the
// place free, and any other goes elsewhere.
func (c *control) place(tx *awstest.Tx, g *Group, reserved map[*awstest.Zone]int) (best *awstest.Zone, held bool) {
	for _, z := range c.usable(tx, g) {
		blocked := c.zones[z].active(tx.Now())
		if blocked {
			c.wake(tx, c.zones[z].until)
			if !g.BalancedOnly {
				continue
			}
		}
		if best == nil || c.in(z)+reserved[z] < c.in(best)+reserved[best] {
			best, held = z, blocked
		}
	}
	return best, held
}

// usable returns the zones that a group can launch into, as far as the group
// itself is concerned.
func (c *control) usable(tx *awstest.Tx, g *Group) []*awstest.Zone {
	shifted := c.shifted(tx, g)
	return slices.DeleteFunc(slices.Clone(g.Zones), func(z *awstest.Zone) bool { return slices.Contains(shifted, z) })
}

// launch launches an instance into a zone, or into a subnet, with an activity
// either way. What fails is not tried again before its time.
func (c *control) launch(tx *awstest.Tx, g *Group, z *awstest.Zone, subnet *ec2model.Subnet, cause string) (*member, error) {
	known, version, err := c.region.template(tx, g.Template)
	if subnet == nil {
		subnet = roomiest(g.subnetsIn(z))
	}
	var i ec2model.Instance
	switch {
	case err != nil:
		err = &templateError{err}
	case tx.ServiceDown(ec2ServiceID, c.region.region):
		err = &templateError{&awstest.APIError{Code: "Unavailable", Message: "EC2 is unavailable.", Status: http.StatusServiceUnavailable}}
	default:
		i, err = c.region.ec2(tx).Launch(tx, version.Mark(version.Data), subnet.ID, g.instanceTags())
		if err != nil && !ofZone(err) {
			err = &templateError{err}
		}
	}
	if err != nil {
		c.launchFailed(tx, z, subnet, cause, err)
		return nil, err
	}
	delete(c.zones, z)
	c.templateRetry = backoff{}
	m := c.add(tx, g, i, Template{known.ID, known.Name, strconv.FormatInt(version.Number, 10)}, Pending)
	m.warmup = c.policyWarmup
	m.launching = c.begin(tx, launchingAnInstance+": "+m.ID, cause, m, PreInService, 30)
	c.giveUp(tx, m, m.turn, c.opts().LaunchTimeout)
	return m, nil
}

// giveUp abandons an instance that is still pending after a time. That is not
// held up by what holds up the instance. AWS does not say how long it waits.
func (c *control) giveUp(tx *awstest.Tx, m *member, turn int, after time.Duration) {
	tx.Schedule(tx.Now().Add(after), func(tx *awstest.Tx) {
		switch {
		case m.turn != turn || c.dead:
		case c.down(tx):
			c.giveUp(tx, m, turn, c.opts().Retry)
		default:
			c.abandon(tx, m, "Instance failed to run within "+c.opts().LaunchTimeout.String()+".")
		}
	})
}

// templateError is a launch that fails in every zone.
type templateError struct{ error }

func (e *templateError) Unwrap() error { return e.error }

// ofZone tells whether a launch that fails in one zone may succeed in another.
func ofZone(err error) bool {
	e, ok := errors.AsType[*awstest.APIError](err)
	return ok && (e.Code == "InsufficientInstanceCapacity" || e.Code == "InsufficientFreeAddressesInSubnet")
}

func (c *control) launchFailed(tx *awstest.Tx, z *awstest.Zone, subnet *ec2model.Subnet, cause string, err error) {
	b := c.zones[z]
	if t, ok := errors.AsType[*templateError](err); ok {
		b, err = &c.templateRetry, t.error
	} else if b == nil {
		b = &backoff{}
		c.zones[z] = b
	}
	b.fail(tx.Now(), c.opts())
	c.wake(tx, b.until)
	id := c.record(tx, Activity{
		Description: launchingAnInstance, Cause: cause, Status: InProgress,
		Details: fmt.Sprintf(`{"Subnet ID":%q,"Availability Zone":%q}`, subnet.ID, z.Name()),
	})
	c.end(tx, id, Failed, message(err)+" Launching EC2 instance failed.")
}

// roomiest returns the subnet with the most free addresses. AWS takes any of
// a zone, at random.
func roomiest(list []*ec2model.Subnet) *ec2model.Subnet {
	best := list[0]
	for _, s := range list[1:] {
		if s.Available() > best.Available() {
			best = s
		}
	}
	return best
}

// groupTag is the tag by which an instance says whose it is.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html (read 2026-11)
const groupTag = "aws:autoscaling:groupName"

func (g *Group) instanceTags() (tags ec2model.Tags) {
	for _, t := range g.Tags {
		if t.Propagate {
			tags = tags.With(ec2model.Tag{Key: t.Key, Value: t.Value})
		}
	}
	return tags.With(ec2model.Tag{Key: groupTag, Value: g.Name})
}

// instanceChanged hears that an instance has entered a state of EC2.
func (c *control) instanceChanged(tx *awstest.Tx, m *member, i ec2model.Instance) {
	off := i.State != ec2model.Pending && i.State != ec2model.Running
	if off {
		m.impaired = time.Time{} // its checks begin anew when it starts again
	}
	switch {
	case m.State == Pending && i.State != ec2model.Pending && c.down(tx):
		m.later(tx, c.opts().Retry, func(tx *awstest.Tx) {
			i, _ := c.instance(tx, m)
			c.instanceChanged(tx, m, i)
		})
	case i.State == ec2model.Running && m.State == Pending && m.launching != "":
		c.booted(tx, m)
	case off && m.State == Pending:
		c.abandon(tx, m, died)
	case off && m.State == InService:
		c.wake(tx, tx.Now().Add(c.opts().HealthChecks))
	case i.State == ec2model.Terminated && m.told:
		c.gone(tx, m)
	}
}

const died = "Instance became unhealthy while waiting for instance to be in InService state."

// booted takes an instance on that runs: to its lifecycle hooks, if there are
// any, and into service.
func (c *control) booted(tx *awstest.Tx, m *member) {
	g, ok := c.group(tx)
	if !ok {
		return
	}
	if c.await(tx, g, m, Launching) {
		return
	}
	m.later(tx, c.opts().Transition, func(tx *awstest.Tx) { c.serve(tx, m) })
}

// serve puts an instance into service, and into the target groups before.
func (c *control) serve(tx *awstest.Tx, m *member) {
	g, ok := c.group(tx)
	if !ok {
		return
	}
	if i, ok := c.instance(tx, m); !ok || i.State != ec2model.Running {
		c.abandon(tx, m, died)
		return
	}
	if !g.suspended(processAddToLoadBalancer) {
		c.register(tx, g.Sources, m)
	}
	m.inService = tx.Now()
	if g.Warmup != nil {
		m.warmup = max(m.warmup, *g.Warmup)
	}
	m.enter(tx, InService)
	c.end(tx, m.launching, Successful, "")
	m.launching = ""
	c.poke(tx)
	c.wake(tx, m.inService.Add(m.warmup))
}

// abandon ends a launch that has come to nothing. The instance is terminated,
// and what it was to be is launched again. Whether such a termination runs
// lifecycle hooks is not documented; here it does not.
func (c *control) abandon(tx *awstest.Tx, m *member, why string) {
	g, ok := c.group(tx)
	if !ok {
		return
	}
	c.end(tx, m.launching, Cancelled, why)
	m.launching = ""
	cause := c.at(tx, "an instance was taken out of service in response to a launch failure.")
	m.ending = c.begin(tx, terminatingAnInstance+": "+m.ID, cause, m, InProgress, 0)
	m.actions = nil
	m.enter(tx, Terminating)
	c.deregister(tx, g, m)
	c.terminate(tx, m)
	c.poke(tx)
}
