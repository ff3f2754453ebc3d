package zonalshiftmodel

import "github.com/awsha/awsha/awstest"

// EventKind is what an event says has happened, by the name that it has in
// EventBridge.
type EventKind string

// The events that are modelled. None is documented for a shift that expires.
// Source: https://docs.aws.amazon.com/r53recovery/latest/dg/eventbridge-zonal-autoshift.html (read 2026-11)
const (
	ManualShiftStarted  EventKind = "Manual Shift Started"
	ManualShiftUpdated  EventKind = "Manual Shift Updated"
	ManualShiftCanceled EventKind = "Manual Shift Canceled"
	AutoshiftInProgress EventKind = "Autoshift In Progress"
	AutoshiftCompleted  EventKind = "Autoshift Completed"
)

// Event is what zonal shift tells of by itself about a resource.
type Event struct {
	Kind EventKind
	ARN  string // of the resource
	Zone *awstest.Zone
}

// OnEvent makes fn hear of every event, at that very instant. It must not
// change anything: what it has to do it schedules. Other services ask for it
// while the cloud is being made.
func (m *Model) OnEvent(fn func(tx *awstest.Tx, region *awstest.Region, e Event)) {
	m.onEvent = append(m.onEvent, fn)
}

func (r *Region) tell(tx *awstest.Tx, kind EventKind, arn string, zone *awstest.Zone) {
	for _, fn := range r.model.onEvent {
		fn(tx, r.region, Event{kind, arn, zone})
	}
}

// tellOf tells of an autoshift for each of the resources that are included in
// it: whether AWS has one event for all of them is not documented.
func (r *Region) tellOf(tx *awstest.Tx, a *Autoshift, kind EventKind, resources []Resource) {
	for _, res := range resources {
		r.tell(tx, kind, res.ARN, a.AwayFrom)
	}
}

// included returns the resources that an autoshift is for.
func (r *Region) included(tx *awstest.Tx, a *Autoshift) (list []Resource) {
	for _, res := range r.Resources(tx) {
		if on, ok := r.AutoshiftOf(res, tx.Now()); ok && on == *a {
			list = append(list, res)
		}
	}
	return list
}
