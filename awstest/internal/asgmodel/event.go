package asgmodel

import (
	"strings"

	"github.com/awsha/awsha/awstest"
)

// Event is what Auto Scaling tells of by itself: a lifecycle action that an
// instance waits for, or how a launch or a termination has ended.
type Event struct {
	Group, ARN string
	Instance   string // ID; empty of a launch that has made none
	Ending     bool   // it is about a termination

	Action   *Action   // nil of an activity
	Activity *Activity // nil of an action
}

// Action is a lifecycle action that has begun.
type Action struct {
	Hook  Hook
	Token string
}

// OnEvent makes fn hear of every event, at that very instant. It must not
// change anything: what it has to do it schedules. Other services ask for it
// while the cloud is being made.
func (m *Model) OnEvent(fn func(tx *awstest.Tx, region *awstest.Region, e Event)) {
	m.onEvent = append(m.onEvent, fn)
}

func (r *Region) tell(tx *awstest.Tx, e Event) {
	for _, fn := range r.model.onEvent {
		fn(tx, r.region, e)
	}
}

// What activities of launches and terminations begin with; attaching,
// detaching and standby are neither.
const (
	launchingAnInstance   = "Launching a new EC2 instance"
	terminatingAnInstance = "Terminating EC2 instance"
)

// tellOf tells how an activity has ended.
func (r *Region) tellOf(tx *awstest.Tx, a Activity) {
	ending := strings.HasPrefix(a.Description, terminatingAnInstance)
	if ending || strings.HasPrefix(a.Description, launchingAnInstance) {
		r.tell(tx, Event{Group: a.Group, ARN: a.ARN, Instance: a.Instance, Ending: ending, Activity: &a})
	}
}
