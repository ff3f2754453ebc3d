package healthcheck

// State is where a target stands. The names are those of Elastic Load Balancing; the set is closed, so that a switch
// over it can be complete.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html (read 2026-11).
type State uint8

const (
	// Unused is the state of what is not registered, and the zero State.
	Unused State = iota
	// Initial is the state of a registered target until its health is known: one pass makes it Healthy,
	// Options.UnhealthyThreshold failures in a row make it Unhealthy.
	Initial
	// Healthy targets passed their latest checks and should get traffic.
	Healthy
	// Unhealthy targets failed Options.UnhealthyThreshold checks in a row and have not since passed
	// Options.HealthyThreshold in a row.
	Unhealthy
	// Draining targets were deregistered less than Options.DeregistrationDelay ago. They should get no new traffic
	// and are no longer checked.
	Draining

	numStates = int(Draining) + 1
)

// String returns the state as Elastic Load Balancing spells it, such as "healthy".
func (s State) String() string {
	switch s {
	case Unused:
		return "unused"
	case Initial:
		return "initial"
	case Healthy:
		return "healthy"
	case Unhealthy:
		return "unhealthy"
	case Draining:
		return "draining"
	}
	return "invalid"
}

// MarshalText returns String, so that a state reads the same in JSON and in logs.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// thresholds are how many results in a row move a target.
type thresholds struct{ healthy, unhealthy int }

// health is the state machine of one target: a value, so that each step is a pure function. The counters are of
// consecutive results, each set to zero by the opposite one; otherwise alternating results would in time trip both.
type health struct {
	state         State
	passes, fails int
}

// observe returns the health after one more result.
//
// An Unknown outcome says nothing about the target, so it moves nothing. Draining and Unused targets have no health.
func (h health) observe(o Outcome, t thresholds) health {
	if h.state == Draining || h.state == Unused {
		return h
	}
	switch o {
	case Pass:
		h.passes, h.fails = h.passes+1, 0
		if h.state == Initial || h.passes >= t.healthy {
			h.state = Healthy
		}
	case Fail:
		h.passes, h.fails = 0, h.fails+1
		if h.fails >= t.unhealthy {
			h.state = Unhealthy
		}
	case Unknown:
	}
	return h
}
