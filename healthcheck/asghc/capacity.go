package asghc

import "strings"

// inService is the lifecycle state of instances that Auto Scaling checks and replaces.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html (read 2026-11)
const inService = "InService"

// terminal tells whether an instance is on its way out for good.
func terminal(state string) bool { return strings.HasPrefix(state, "Terminat") }

// capacity is what is missing of a group, in the units of its desired capacity.
type capacity struct {
	group   Group
	most    int             // that may be missing, if anything is
	missing int             // now, with what the plan is to mark
	gone    map[string]bool // marked: in service yet, and missing already
}

func (s *Situation) capacity(g Group, l Limits, fresh map[string]bool) *capacity {
	c := &capacity{group: g, most: g.Desired * l.MaxInFlightPercent / 100, gone: map[string]bool{}}
	serving, marked := 0, 0
	for k := range g.Instances {
		i := &g.Instances[k]
		at, sent := s.Marked[i.ID]
		switch {
		case i.State != inService:
		case !i.Healthy || (sent && s.Now.Sub(at) < l.SettleTime):
			c.gone[i.ID] = true
			marked += i.weight()
		case !fresh[i.ID]:
			serving += i.weight()
		}
	}
	// A group with more instances than it wants is missing what is marked all the same.
	c.missing = max(g.Desired-serving, marked, 0)
	return c
}

// take lets an instance go if nothing is missing, or not too much is with it.
func (c *capacity) take(i *Instance) bool {
	if c.missing > 0 && c.missing+i.weight() > c.most {
		return false
	}
	c.missing += i.weight()
	c.gone[i.ID] = true
	return true
}

func (i *Instance) weight() int { return max(i.Weight, 1) }
