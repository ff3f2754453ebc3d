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
	for _, i := range list {
		switch {
		case i.State == Pending || i.State == Running:
		case i.State != Stopped:
			return nil, awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started.", i.ID)
		case !tx.CanLaunch(i.Zone, i.Type):
			return nil, noCapacity(i.Zone, i.Type)
		}
	}
	return r.each(tx, list, func(i Instance) Instance {
		if i.State != Stopped {
			return i
		}
		i = r.enter(tx, i, Pending, "")
		r.later(tx, i, r.model.opts.Pending, r.becomeRunning)
		return i
	}), nil
}

// Stop stops instances: all of them, or none.
func (r *Region) Stop(tx *awstest.Tx, list []Instance) ([]Instance, error) {
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
		i = r.enter(tx, i, Stopping, userInitiated(tx))
		tx.PowerOff(i.Machine)
		r.later(tx, i, r.model.opts.Stopping, func(tx *awstest.Tx, i Instance) { r.enter(tx, i, Stopped, i.Reason) })
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
		if i.State == Running {
			tx.PowerOff(i.Machine)
			tx.PowerOn(i.Machine)
			change(tx, r.instances, i.ID, func(i *Instance) { i.BootedAt = tx.Now() })
		}
	}
	return nil
}

// Terminate terminates instances.
func (r *Region) Terminate(tx *awstest.Tx, list []Instance) []Instance {
	return r.each(tx, list, func(i Instance) Instance {
		if i.State == ShuttingDown || i.State == Terminated {
			return i
		}
		i = r.enter(tx, i, ShuttingDown, userInitiated(tx))
		tx.PowerOff(i.Machine)
		r.later(tx, i, r.model.opts.ShuttingDown, r.becomeTerminated)
		return i
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

func (r *Region) enter(tx *awstest.Tx, i Instance, s State, reason string) Instance {
	i = change(tx, r.instances, i.ID, func(i *Instance) {
		i.State, i.Since, i.Reason = s, tx.Now(), reason
		if s == Running {
			i.BootedAt = tx.Now()
		}
	})
	r.tell(tx, i)
	return i
}

func userInitiated(tx *awstest.Tx) string {
	return "User initiated (" + tx.Now().UTC().Format("2006-01-02 15:04:05") + " GMT)"
}

func (r *Region) becomeRunning(tx *awstest.Tx, i Instance) {
	r.enter(tx, i, Running, "")
	tx.PowerOn(i.Machine)
}

// becomeTerminated parts an instance from its interfaces. Those that were
// made with it go, and their Elastic IP addresses become free; the others
// live on, with their addresses.
func (r *Region) becomeTerminated(tx *awstest.Tx, i Instance) {
	for _, n := range r.Attached(tx.Now(), i) {
		r.detach(tx, n)
		if n.DeleteOnTermination {
			_ = r.DeleteInterface(tx, n.ID) // ours, and not attached any more: it cannot fail
		}
	}
	r.enter(tx, i, Terminated, i.Reason)
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
