package rdsmodel

import (
	"net/netip"

	"github.com/awsha/awsha/awstest"
)

// nodes are the machines that a database runs on.
type nodes struct {
	primary, standby *awstest.Instance
	failing          *awstest.Event // the failover that is to come, or nil
}

// host adds a machine, switched off, for an instance.
func (r *Region) host(tx *awstest.Tx, zone *awstest.Zone, id string) *awstest.Instance {
	r.hosts++
	h := tx.NewInstance(awstest.InstanceSpec{
		ID: tx.NewID("dbhost"), Zone: zone,
		Reach: func(tx *awstest.Tx) { tx.Schedule(tx.Now(), func(tx *awstest.Tx) { r.watch(tx, id) }) },
	})
	// Out of the way of the addresses of EC2's subnets.
	tx.Route(r.region, netip.AddrFrom4([4]byte{10, 251, byte(r.hosts >> 8), byte(r.hosts)}), h)
	return h
}

func (r *Region) powerOn(tx *awstest.Tx, i Instance) {
	tx.PowerOn(i.nodes.primary)
	if i.nodes.standby != nil {
		tx.PowerOn(i.nodes.standby)
	}
}

func (n *nodes) remove(tx *awstest.Tx) {
	n.calm(tx)
	tx.Remove(n.primary)
	if n.standby != nil {
		tx.Remove(n.standby)
	}
}

// calm takes back the failover that is to come.
func (n *nodes) calm(tx *awstest.Tx) {
	if n.failing != nil {
		n.failing.Cancel(tx)
		n.failing = nil
	}
}

// resolve leads the name of an instance to its primary.
func (r *Region) resolve(id string) func(*awstest.Tx, uint16) awstest.Hop {
	return func(tx *awstest.Tx, port uint16) awstest.Hop {
		i, ok := r.instances.Get(tx.Now(), id)
		if !ok {
			return awstest.Hop{}
		}
		return awstest.Hop{Instance: i.nodes.primary, Port: port}
	}
}

// Machines returns the machines of an instance; the standby is nil if it has
// none.
func (i *Instance) Machines() (primary, standby *awstest.Instance) {
	return i.nodes.primary, i.nodes.standby
}

// setStandby gives an instance a standby in a zone, or takes it away.
func (r *Region) setStandby(tx *awstest.Tx, i Instance, zone *awstest.Zone, multi bool) {
	switch {
	case multi && !i.MultiAZ:
		i.nodes.standby = r.host(tx, zone, i.ID)
		tx.PowerOn(i.nodes.standby)
	case !multi && i.MultiAZ:
		i.nodes.calm(tx)
		tx.Remove(i.nodes.standby)
		i.nodes.standby, zone = nil, nil
	default:
		return
	}
	r.change(tx, i.ID, func(i *Instance) { i.MultiAZ, i.Secondary = multi, zone })
}

// watch looks after an instance with a standby when a machine of it has come
// or gone: a primary that stays away is failed over.
func (r *Region) watch(tx *awstest.Tx, id string) {
	i, ok := r.instances.Get(tx.Now(), id)
	if !ok || !i.running() || i.nodes.standby == nil {
		return
	}
	if tx.Reachable(i.nodes.primary).OK {
		i.nodes.calm(tx)
		return
	}
	if i.nodes.failing == nil && tx.Reachable(i.nodes.standby).OK {
		i.nodes.failing = tx.Schedule(tx.Now().Add(r.model.opts.Failover), func(tx *awstest.Tx) {
			i.nodes.failing = nil
			tx.WhenFree(nil, i.ARN, func(tx *awstest.Tx) {
				now, ok := r.instances.Get(tx.Now(), id)
				ok = ok && now.nodes == i.nodes // else it is another one of that name
				if i := now; ok && i.running() && i.nodes.standby != nil && !tx.Reachable(i.nodes.primary).OK && tx.Reachable(i.nodes.standby).OK {
					r.tell(tx, failoverStarted, i.ID, i.ARN)
					r.swap(tx, i)
				}
			})
		})
	}
}

// swap makes the standby the primary. Replication is synchronous: nothing is
// lost.
func (r *Region) swap(tx *awstest.Tx, i Instance) {
	i.nodes.primary, i.nodes.standby = i.nodes.standby, i.nodes.primary
	i = r.change(tx, i.ID, func(i *Instance) { i.Zone, i.Secondary = i.Secondary, i.Zone })
	if i.Endpoint != "" {
		tx.Name(i.Endpoint, r.resolve(i.ID)) // so that dials under way look again
	}
	r.tell(tx, instanceRestarted, i.ID, i.ARN)
	r.tell(tx, failoverCompleted, i.ID, i.ARN)
}

// RebootInstance reboots an instance, with a failover if it is asked for.
func (r *Region) RebootInstance(tx *awstest.Tx, ref string, failover bool) (Instance, error) {
	i, err := r.Instance(tx.Now(), ref)
	switch {
	case err != nil:
		return i, err
	case failover && !i.MultiAZ:
		return i, combination("ForceFailover cannot be specified since the instance is not configured for Multi-AZ.")
	case i.Status != Available:
		return Instance{}, i.wrongState("be rebooted")
	case !r.unlocks(tx, i.Key):
		_, err := r.key(tx, i.Key)
		return i, err
	}
	takes := r.model.opts.Rebooting
	if failover {
		takes = r.model.opts.Failover
	}
	i = r.turn(tx, i.ID, func(i *Instance) { i.Status = Rebooting })
	i.nodes.calm(tx)
	tx.PowerOff(i.nodes.primary)
	if failover {
		r.tell(tx, failoverStarted, i.ID, i.ARN)
	} else {
		r.tell(tx, instanceShutDown, i.ID, i.ARN)
	}
	r.later(tx, i, takes, func(tx *awstest.Tx, i Instance) {
		if failover {
			r.swap(tx, i)
		}
		r.powerOn(tx, i)
		r.settle(tx, i)
		if !failover { // of which swap has told
			r.tell(tx, instanceRestarted, i.ID, i.ARN)
		}
		r.watch(tx, i.ID)
	})
	return i, nil
}
