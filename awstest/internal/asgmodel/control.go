package asgmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// control is the live part of a group: what keeps its instances as the group
// asks. It looks at the whole of the group whenever something has happened to
// it, and at times that it has set itself; nothing of it polls.
type control struct {
	region  *Region
	name    string
	members []*member // in the order in which they came
	dead    bool      // the group is gone

	times []time.Time    // of the next looks, in order
	event *awstest.Event // at the first of them

	zones         map[*awstest.Zone]*backoff // where launches have failed
	templateRetry backoff
	reasons       []string      // of what the desired capacity is, for activities
	replacing     int           // launches that stand for instances that were unhealthy
	balancing     int           // instances too many since the group was rebalanced
	lastEnd       time.Time     // of an activity that has succeeded
	policyWarmup  time.Duration // of what is launched for a scaling policy
}

func (c *control) group(tx *awstest.Tx) (*Group, bool) {
	if c.dead {
		return nil, false
	}
	return c.region.groups.Get(tx.Now(), c.name)
}

func (c *control) opts() *Options { return &c.region.model.opts }

// poke makes the control look at its group as soon as Auto Scaling reacts.
func (c *control) poke(tx *awstest.Tx) { c.wake(tx, tx.Now().Add(c.opts().Reaction)) }

// wake makes the control look at its group at that time. No time that was
// asked for is forgotten for another one.
func (c *control) wake(tx *awstest.Tx, at time.Time) {
	if c.dead {
		return
	}
	i, known := slices.BinarySearchFunc(c.times, at, time.Time.Compare)
	if known {
		return
	}
	c.times = slices.Insert(c.times, i, at)
	if i == 0 {
		c.arm(tx)
	}
}

// arm sets the event for the next time.
func (c *control) arm(tx *awstest.Tx) {
	if c.event != nil {
		c.event.Cancel(tx)
		c.event = nil
	}
	if len(c.times) > 0 {
		c.event = tx.Schedule(c.times[0], c.wakened)
	}
}

func (c *control) wakened(tx *awstest.Tx) {
	for len(c.times) > 0 && !c.times[0].After(tx.Now()) {
		c.times = c.times[1:]
	}
	c.event = nil
	c.run(tx)
	c.arm(tx)
}

// run compares the group as it is with what it should be, and does all that
// can be done about it now.
func (c *control) run(tx *awstest.Tx) {
	g, ok := c.group(tx)
	if !ok || g.Status != "" {
		return
	}
	if c.down(tx) {
		c.wake(tx, tx.Now().Add(c.opts().Retry))
		return
	}
	g = c.settleSources(tx, g)
	c.checkHealth(tx, g)
	c.relieve(tx)
	c.shrink(tx, g)
	c.replace(tx, g)
	c.fill(tx, g)
	c.rebalance(tx, g)
	if c.ordinary() == g.Desired {
		c.reasons, c.replacing, c.policyWarmup = nil, 0, 0
	}
}

// The services that Auto Scaling does its work with, by the SDK's IDs.
const (
	serviceID    = "Auto Scaling"
	ec2ServiceID = "EC2"
)

// down tells whether Auto Scaling is down in the region. Then nothing of what
// it does by itself is done.
func (c *control) down(tx *awstest.Tx) bool { return tx.ServiceDown(serviceID, c.region.region) }

// count counts the instances that a condition holds for.
func (c *control) count(is func(*member) bool) (n int) {
	for _, m := range c.members {
		if is(m) {
			n++
		}
	}
	return n
}

// capacity is how many instances the group has, or will have once they are
// there.
func (c *control) capacity() int {
	return c.count(func(m *member) bool { return m.State.counts() })
}

// ordinary is the capacity without the spares.
func (c *control) ordinary() int {
	return c.count(func(m *member) bool { return m.State.counts() && !m.spare })
}

func (c *control) spares() int {
	return c.count(func(m *member) bool { return m.State.counts() && m.spare })
}

// in counts the capacity in a zone.
func (c *control) in(z *awstest.Zone) int {
	return c.count(func(m *member) bool { return m.State.counts() && m.Zone == z })
}

// relieve makes spares that are ready ordinary instances: what they stand in
// for can go.
func (c *control) relieve(tx *awstest.Tx) {
	for _, m := range c.members {
		if m.spare && m.ready(tx.Now()) {
			m.spare = false
		}
	}
}

// A process is something that a group does and that can be suspended.
const (
	processLaunch            = "Launch"
	processTerminate         = "Terminate"
	processAddToLoadBalancer = "AddToLoadBalancer"
	processAlarmNotification = "AlarmNotification"
	processAZRebalance       = "AZRebalance"
	processHealthCheck       = "HealthCheck"
	processInstanceRefresh   = "InstanceRefresh"
	processReplaceUnhealthy  = "ReplaceUnhealthy"
	processScheduledActions  = "ScheduledActions"
)

// Processes are the names of all processes.
func Processes() []string {
	return []string{
		processLaunch, processTerminate, processAddToLoadBalancer, processAlarmNotification, processAZRebalance,
		processHealthCheck, processInstanceRefresh, processReplaceUnhealthy, processScheduledActions,
	}
}

// Suspension is a process that is suspended.
type Suspension struct{ Process, Reason string }

func (g *Group) suspended(process string) bool {
	return slices.ContainsFunc(g.Suspended, func(s Suspension) bool { return s.Process == process })
}

// Suspend suspends processes of a group; none means all.
func (r *Region) Suspend(tx *awstest.Tx, name string, processes []string) error {
	g, err := r.processes(tx, name, &processes)
	if err != nil {
		return err
	}
	reason := "User suspended at " + tx.Now().UTC().Format("2006-01-02T15:04:05Z")
	r.change(tx, name, func(g *Group) {
		g.Suspended = slices.Clone(g.Suspended)
		for _, p := range processes {
			if !g.suspended(p) {
				g.Suspended = append(g.Suspended, Suspension{p, reason})
			}
		}
	})
	g.control.poke(tx)
	return nil
}

// Resume resumes processes of a group; none means all.
func (r *Region) Resume(tx *awstest.Tx, name string, processes []string) error {
	g, err := r.processes(tx, name, &processes)
	if err != nil {
		return err
	}
	r.change(tx, name, func(g *Group) {
		g.Suspended = slices.DeleteFunc(slices.Clone(g.Suspended), func(s Suspension) bool { return slices.Contains(processes, s.Process) })
	})
	g.control.poke(tx)
	return nil
}

func (r *Region) processes(tx *awstest.Tx, name string, processes *[]string) (*Group, error) {
	g, err := r.changeable(tx, name)
	if err != nil {
		return nil, err
	}
	if len(*processes) == 0 {
		*processes = Processes()
	}
	for _, p := range *processes {
		if !slices.Contains(Processes(), p) {
			return nil, invalid("%s is not a valid process type", p)
		}
	}
	return g, nil
}
