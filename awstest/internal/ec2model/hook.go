package ec2model

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// OnState makes fn hear of every instance that has entered a state: that it
// is pending included. It hears of it at that very instant, in an event of its
// own, so that it may change whatever it likes; i is what the instance was
// then. Other services ask for it while the cloud is being made.
func (m *Model) OnState(fn func(tx *awstest.Tx, r *Region, i Instance)) {
	m.onState = append(m.onState, fn)
}

// OnStatus makes fn hear when the status checks of a running instance begin
// to say impaired, and when they cease to: the system check, the instance
// check or both. Otherwise it is like OnState. That an instance does not run
// any more ends what its checks say without another word.
func (m *Model) OnStatus(fn func(tx *awstest.Tx, r *Region, i Instance, impaired bool)) {
	m.onStatus = append(m.onStatus, fn)
}

// tell tells who wants to know that an instance has entered its state.
func (r *Region) tell(tx *awstest.Tx, i Instance) {
	if i.State != Running {
		delete(r.impaired, i.ID)
	}
	if len(r.model.onState) > 0 {
		tx.Schedule(tx.Now(), func(tx *awstest.Tx) {
			for _, fn := range r.model.onState {
				fn(tx, r, i)
			}
		})
	}
}

// reached sees to what depends on whether an instance can be reached, which
// has just changed: volumes that wait for it to let go, and status checks, now
// and when they will have seen it.
func (r *Region) reached(tx *awstest.Tx, id string) {
	i, _ := r.instances.Get(tx.Now(), id)
	if slices.ContainsFunc(r.AttachedVolumes(tx.Now(), i), func(v Volume) bool { return v.Attachment.due || len(v.Attachment.mounts) > 0 }) {
		tx.Schedule(tx.Now(), func(tx *awstest.Tx) { r.rebooted(tx, id) })
	}
	r.watch(tx, id)
}

// rebooted ends what the programs of an earlier boot of a machine have held,
// and lets go of what only waits for it.
func (r *Region) rebooted(tx *awstest.Tx, id string) {
	i, _ := r.instances.Get(tx.Now(), id)
	for _, v := range r.AttachedVolumes(tx.Now(), i) {
		r.drop(tx, v, func(m mount) bool { return m.boot != tx.Boots(i.Machine) })
	}
	r.release(tx, id)
}

// watchUnreachable looks at the status checks of an instance that starts anew
// under a fault: its machine is as it was, and says nothing.
func (r *Region) watchUnreachable(tx *awstest.Tx, i Instance) {
	if !tx.Reachable(i.Machine).OK {
		r.watch(tx, i.ID)
	}
}

// watch looks at the status checks of an instance now, and when they will have
// seen what is now.
func (r *Region) watch(tx *awstest.Tx, id string) {
	if len(r.model.onStatus) > 0 {
		look := func(tx *awstest.Tx) { r.look(tx, id) }
		tx.Schedule(tx.Now(), look)
		tx.Schedule(tx.Now().Add(r.model.opts.StatusCheck), look)
	}
}

// Impaired tells what was said last of the status checks of an instance, for
// those who did not listen to it then.
func (r *Region) Impaired(id string) bool { return r.impaired[id] }

func (r *Region) look(tx *awstest.Tx, id string) {
	i, ok := r.instances.Get(tx.Now(), id)
	if !ok || i.State != Running {
		return
	}
	system, instance := r.Status(tx, i)
	impaired := system == StatusImpaired || instance == StatusImpaired
	if impaired == r.impaired[id] {
		return
	}
	r.impaired[id] = impaired
	for _, fn := range r.model.onStatus {
		fn(tx, r, i, impaired)
	}
}
