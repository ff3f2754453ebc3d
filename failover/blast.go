package failover

import "strconv"

// Blast is how far a step reaches if it is wrong: what decides whether a person has to agree to it. The zero Blast stands for BlastZone.
type Blast int

// Radii from the smallest to the largest.
const (
	BlastInstance Blast = iota + 1 // one instance or volume is replaced where it is
	BlastZone                      // work moves to another zone of the Region
	BlastRegion                    // work moves to another Region
	BlastData                      // data is lost or diverges: a promotion of a replica that lags, a restore to an earlier point
)

func (b Blast) String() string {
	switch b {
	case 0:
		return "zone"
	case BlastInstance:
		return "instance"
	case BlastZone:
		return "zone"
	case BlastRegion:
		return "region"
	case BlastData:
		return "data"
	}
	return "Blast(" + strconv.Itoa(int(b)) + ")"
}

// Blaster is implemented by a step whose radius is not [BlastZone].
type Blaster interface {
	Blast() Blast
}

// Blast returns the largest radius of the plan's steps, and 0 for an invalid plan.
func (p Plan) Blast() Blast {
	g, err := compile(p)
	if err != nil {
		return 0
	}
	var worst Blast
	for i := range g.nodes {
		worst = max(worst, g.nodes[i].blast)
	}
	return worst
}
