package rdsmodel

import "github.com/awsha/awsha/awstest"

// Event is what RDS tells of by itself about a DB instance or a DB cluster.
type Event struct {
	ID, ARN   string // of what it is about
	OfCluster bool
	EventID   string // such as "RDS-EVENT-0049"
	Category  string
	Message   string
}

// The events that are modelled. A failover tells that it has started, that the
// instance has restarted, and that it has completed, in this order, as AWS's own
// workshop shows: https://www.wellarchitectedlabs.com/Reliability/300_Testing_for_Resiliency_of_EC2_RDS_and_S3/
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html,
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html (read 2026-11)
var (
	instanceDeleted   = Event{EventID: "RDS-EVENT-0003", Category: "deletion", Message: "DB instance deleted."}
	instanceShutDown  = Event{EventID: "RDS-EVENT-0004", Category: "availability", Message: "DB instance shutdown."}
	instanceCreated   = Event{EventID: "RDS-EVENT-0005", Category: "creation", Message: "DB instance created."}
	instanceRestarted = Event{EventID: "RDS-EVENT-0006", Category: "availability", Message: "DB instance restarted."}
	failoverStarted   = Event{EventID: "RDS-EVENT-0013", Category: "failover", Message: "Multi-AZ instance failover started."}
	failoverCompleted = Event{EventID: "RDS-EVENT-0049", Category: "failover", Message: "Multi-AZ instance failover completed."}

	clusterCreated = Event{OfCluster: true, EventID: "RDS-EVENT-0170", Category: "creation", Message: "DB cluster created."}
	clusterDeleted = Event{OfCluster: true, EventID: "RDS-EVENT-0171", Category: "deletion", Message: "DB cluster deleted."}
)

// OnEvent makes fn hear of every event, at that very instant. It must not
// change anything: what it has to do it schedules. Other services ask for it
// while the cloud is being made.
func (m *Model) OnEvent(fn func(tx *awstest.Tx, region *awstest.Region, e Event)) {
	m.onEvent = append(m.onEvent, fn)
}

func (r *Region) tell(tx *awstest.Tx, e Event, id, arn string) {
	e.ID, e.ARN = id, arn
	for _, fn := range r.model.onEvent {
		fn(tx, r.region, e)
	}
}
