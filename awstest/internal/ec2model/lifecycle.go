package ec2model

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// State is the state of an instance, by EC2's name.
type State string

// The states of an instance.
const (
	Pending      State = "pending"
	Running      State = "running"
	ShuttingDown State = "shutting-down"
	Terminated   State = "terminated"
	Stopping     State = "stopping"
	Stopped      State = "stopped"
)

// holdsAddress tells whether an address can be associated with an instance in
// this state.
func (s State) holdsAddress() bool { return s == Running || s == Stopping || s == Stopped }

// Terminated instances stay visible for an hour.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html (read 2026-11)
const afterlife = time.Hour

// Start starts stopped instances: all of them, or none. It returns them as
// they are then, as Stop and Terminate do.
func (r *Region) Start(tx *awstest.Tx, list []Instance) ([]Instance, error) {
	more := 0 // vCPUs
	for _, i := range list {
		switch {
		case i.State == Pending || i.State == Running:
		case i.State != Stopped:
			return nil, awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started.", i.ID)
		case !r.hasRoot(tx, i):
			return nil, awstest.Errorf("InvalidParameterValue", "Invalid value '%s' for instanceId. Instance does not have a volume attached at root (%s)", i.ID, i.RootDevice)
		}
		if i.State == Stopped {
			room, err := r.capacity(tx, i.Zone, i.Type, i.Reserve, 1)
			if err != nil {
				return nil, err
			}
			more += room.more * r.model.VCPUs(i.Type)
		}
	}
	if quota := r.model.opts.VCPUQuota; quota > 0 && more > 0 && r.usedVCPUs(tx.Now())+more > quota {
		return nil, r.overVCPUs()
	}
	return r.each(tx, list, func(i Instance) Instance {
		if i.State != Stopped {
			return i
		}
		if room, err := r.capacity(tx, i.Zone, i.Type, i.Reserve, 1); err == nil { // of several, the last may find less than was there before
			change(tx, r.instances, i.ID, func(i *Instance) { i.CapacityReservation = room.of(0) })
		}
		i = r.enter(tx, i, Pending, nil)
		r.later(tx, i, r.model.opts.Pending, r.becomeRunning)
		return i
	}), nil
}

// Stop stops instances: all of them, or none. Abruptly is without a shutdown of their systems.
func (r *Region) Stop(tx *awstest.Tx, list []Instance, abruptly bool) ([]Instance, error) {
	for _, i := range list {
		switch i.State {
		case ShuttingDown, Terminated:
			return nil, awstest.Errorf("IncorrectInstanceState", "This instance '%s' is not in a state from which it can be stopped.", i.ID)
		case Pending:
			if i.BootedAt.IsZero() {
				return nil, awstest.Errorf("IncorrectInstanceState", "Instance '%s' cannot be stopped as it has never reached the 'running' state.", i.ID)
			}
		case Running, Stopping, Stopped:
		}
	}
	return r.each(tx, list, func(i Instance) Instance {
		if i.State != Running && i.State != Pending {
			return i
		}
		i = r.enter(tx, i, Stopping, byUser)
		powerDown(tx, i, abruptly)
		r.later(tx, i, r.model.opts.Stopping, func(tx *awstest.Tx, i Instance) { r.enter(tx, i, Stopped, nil) })
		return i
	}), nil
}

// Reboot reboots running instances: all of them, or none. Their state does
// not change. Those that are terminated are passed over.
func (r *Region) Reboot(tx *awstest.Tx, list []Instance) error {
	for _, i := range list {
		if i.State == Pending || i.State == Stopping || i.State == Stopped {
			return awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be rebooted.", i.ID)
		}
	}
	for _, i := range list {
		if i.State != Running {
			continue
		}
		tx.PowerOff(i.Machine)
		r.unmount(tx, i.ID)
		tx.PowerOn(i.Machine)
		change(tx, r.instances, i.ID, func(i *Instance) { i.BootedAt = tx.Now() })
		r.watchUnreachable(tx, i)
	}
	return nil
}

func powerDown(tx *awstest.Tx, i Instance, abruptly bool) {
	if abruptly {
		tx.PowerCut(i.Machine)
	} else {
		tx.PowerOff(i.Machine)
	}
}

// Terminate terminates instances. Abruptly is as of Stop.
func (r *Region) Terminate(tx *awstest.Tx, list []Instance, abruptly bool) []Instance {
	return r.each(tx, list, func(i Instance) Instance {
		if i.State == ShuttingDown || i.State == Terminated {
			return i
		}
		return r.shutDown(tx, i, byUser, abruptly)
	})
}

// each changes instances as they are now: a list may name one twice.
func (r *Region) each(tx *awstest.Tx, list []Instance, do func(Instance) Instance) []Instance {
	after := make([]Instance, 0, len(list))
	for _, i := range list {
		i, _ = r.instances.Get(tx.Now(), i.ID)
		after = append(after, do(i))
	}
	return after
}

// byUser is the cause of what was asked for.
// Source: types.StateReason of the SDK (read 2026-11)
var byUser = &Cause{"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown"}

// enter makes a state the instance's, with a cause; without one it keeps the
// one that it has, until it runs.
func (r *Region) enter(tx *awstest.Tx, i Instance, s State, cause *Cause) Instance {
	i = change(tx, r.instances, i.ID, func(i *Instance) {
		i.State, i.Since = s, tx.Now()
		switch {
		case cause == byUser:
			i.Cause, i.Reason = *cause, "User initiated ("+tx.Now().UTC().Format("2006-01-02 15:04:05")+" GMT)"
		case cause != nil:
			i.Cause, i.Reason = *cause, cause.Code
		case s == Pending || s == Running:
			i.Cause, i.Reason = Cause{}, ""
		}
		if s == Running {
			i.BootedAt = tx.Now()
		}
		if s == Stopped || s == Terminated {
			i.CapacityReservation = ""
		}
	})
	if s != Running {
		r.unmount(tx, i.ID)
	}
	r.started(tx, i.ID)
	i, _ = r.instances.Get(tx.Now(), i.ID)
	r.tell(tx, i)
	return i
}

// badKey is why an instance does not start whose volumes are encrypted with a
// key that cannot be used.
// Source: https://docs.openshift.com/rosa/rosa_cluster_admin/troubleshooting_rosa/rosa-troubleshooting-deployments.html (read 2026-11), as accounts answer
var badKey = &Cause{"Client.InvalidKMSKey.InvalidState", "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state"}

// becomeRunning starts an instance, or ends its start if a volume of it cannot
// be read: one that has never run is terminated, another is stopped.
func (r *Region) becomeRunning(tx *awstest.Tx, i Instance) {
	switch {
	case r.readable(tx, i):
		r.enter(tx, i, Running, nil)
		tx.PowerOn(i.Machine)
		r.watchUnreachable(tx, i)
	case i.BootedAt.IsZero():
		r.shutDown(tx, i, badKey, false)
	default:
		r.enter(tx, i, Stopped, badKey)
	}
}

func (r *Region) shutDown(tx *awstest.Tx, i Instance, cause *Cause, abruptly bool) Instance {
	i = r.enter(tx, i, ShuttingDown, cause)
	powerDown(tx, i, abruptly)
	r.later(tx, i, r.model.opts.ShuttingDown, r.becomeTerminated)
	return i
}

// becomeTerminated parts an instance from its interfaces and volumes. Those
// that were made with it go, and the Elastic IP addresses of its interfaces
// become free; the others live on, interfaces with their addresses.
func (r *Region) becomeTerminated(tx *awstest.Tx, i Instance) {
	for _, n := range r.Attached(tx.Now(), i) {
		r.detach(tx, n)
		if n.DeleteOnTermination {
			_ = r.DeleteInterface(tx, n.ID) // ours, and not attached any more: it cannot fail
		}
	}
	r.partAll(tx, i)
	r.enter(tx, i, Terminated, nil)
	tx.Remove(i.Machine)
	tx.Schedule(tx.Now().Add(afterlife), func(tx *awstest.Tx) { r.instances.Delete(tx.Now(), i.ID) })
}

// later ends a transition after d, unless something else has happened to the
// instance by then. A dead zone holds it up, and so does a resource that is
// stuck.
func (r *Region) later(tx *awstest.Tx, i Instance, d time.Duration, finish func(*awstest.Tx, Instance)) {
	tx.Schedule(tx.Now().Add(d), func(tx *awstest.Tx) {
		tx.WhenFree(i.Zone, i.ID, func(tx *awstest.Tx) {
			if now, ok := r.instances.Get(tx.Now(), i.ID); ok && now.State == i.State && now.Since.Equal(i.Since) {
				finish(tx, now)
			}
		})
	})
}
