package awstest

import (
	"fmt"
	"maps"
	"slices"
)

// Fault is what can befall a [Zone] or an [Instance].
type Fault uint8

const (
	// PowerLoss stops machines dead: connections fall silent, memory is lost,
	// volumes stop. When it is healed the machines boot again, what was given
	// to [Instance.Serve] is served again, and old connections are reset. To
	// the EC2 API the instance stays running, with impaired status checks.
	PowerLoss Fault = iota
	// NetworkLoss cuts machines off while they go on running. In a zone it
	// cuts off everything that crosses the zone's border, calls to AWS
	// included. When it is healed, connections go on where they were.
	NetworkLoss
	zoneFaults // how many there are
)

// String returns "power loss" or "network loss".
func (f Fault) String() string {
	switch f {
	case PowerLoss:
		return "power loss"
	case NetworkLoss:
		return "network loss"
	}
	return fmt.Sprintf("Fault(%d)", uint8(f))
}

// Fail inflicts a fault on this instance alone until heal is called. Status
// checks show it, as they would show a crashed kernel.
func (i *Instance) Fail(f Fault) (heal func()) {
	return i.cloud.inflict(&i.faults, f, func(tx *Tx) { tx.refresh(i) })
}

// Fail inflicts a fault on the zone and on everything in it until heal is
// called. Launches into the zone are refused meanwhile.
func (z *Zone) Fail(f Fault) (heal func()) {
	c := z.region.cloud
	return c.inflict(&z.faults, f, func(tx *Tx) {
		z.note(tx)
		for _, id := range slices.Sorted(maps.Keys(c.net.instances)) { // so that runs repeat
			if i := c.net.instances[id]; i.zone == z {
				tx.refresh(i)
			}
		}
		tx.release()
	})
}

// Fail inflicts a fault on every zone of the region, and has every call to a
// service there fail with the service's own error for being down, until heal is
// called. In us-east-1 that takes the control planes of global services along,
// whose data planes go on.
func (r *Region) Fail(f Fault) (heal func()) {
	var heals []func()
	for _, id := range slices.Sorted(maps.Keys(r.cloud.zones)) { // Local Zones too
		if z := r.cloud.zones[id]; z.region == r {
			heals = append(heals, z.Fail(f))
		}
	}
	if down, err := r.cloud.Inject(Match{Region: r.name}, Unavailable()); err == nil { // it is a region of this cloud
		heals = append(heals, down)
	}
	return func() {
		for _, heal := range slices.Backward(heals) {
			heal()
		}
	}
}

// inflict counts a fault and returns the function that takes it back, once. A
// fault that is none of the constants does nothing.
func (c *Cloud) inflict(counts *[zoneFaults]int, f Fault, changed func(*Tx)) (heal func()) {
	if f >= zoneFaults {
		return func() {}
	}
	c.Update(func(tx *Tx) {
		counts[f]++
		changed(tx)
		tx.rewire()
	})
	healed := false
	return func() {
		c.Update(func(tx *Tx) {
			if healed {
				return
			}
			healed = true
			counts[f]--
			changed(tx)
			tx.rewire()
		})
	}
}

// RefuseLaunches makes launches of an instance type into the zone fail for
// want of capacity, until heal is called. The empty type is every type.
func (z *Zone) RefuseLaunches(instanceType string) (heal func()) {
	c := z.region.cloud
	c.Update(func(*Tx) { z.refusals[instanceType]++ })
	healed := false
	return func() {
		c.Update(func(*Tx) {
			if !healed {
				healed = true
				z.refusals[instanceType]--
			}
		})
	}
}
