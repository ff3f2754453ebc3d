package ec2model

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Instance is an EC2 instance.
type Instance struct {
	ID          string
	Reservation string
	LaunchIndex int32
	Type        string
	Image       string
	KeyName     string
	Token       string
	Zone        *awstest.Zone
	Subnet      *Subnet
	LaunchedAt  time.Time
	BootedAt    time.Time // by the API, the last time; zero if it has never run
	Tags        Tags
	Interfaces  []string // by device index
	Volumes     []string // in the order in which they were attached
	RootDevice  string   // name
	State       State
	Since       time.Time // of the state
	Reason      string    // of the last change of state that had one
	Cause       Cause     // of the same
	Machine     *awstest.Instance

	Reserve             Reserve
	CapacityReservation string // that it runs in; empty if it runs in none
}

// Cause is why an instance has changed its state: a code, and a message.
type Cause struct{ Code, Message string }

// Instance returns an instance as of a moment.
func (r *Region) Instance(at time.Time, id string) (Instance, error) {
	if i, ok := r.instances.Get(at, id); ok {
		return i, nil
	}
	return Instance{}, awstest.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
}

// Instances yields the instances as of a moment.
func (r *Region) Instances(at time.Time) iter.Seq2[string, Instance] { return r.instances.All(at) }

// SetInstanceTags replaces the tags of an instance.
func (r *Region) SetInstanceTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.instances, id, func(i *Instance) { i.Tags = tags })
}
