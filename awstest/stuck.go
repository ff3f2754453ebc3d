package awstest

import "fmt"

// heldUp is a transition that waits.
type heldUp struct {
	zone     *Zone // nil if no zone matters
	resource string
	fn       func(*Tx)
}

// Stick keeps a resource in the transient state that it is in, or that it
// enters next, until heal is called: an instance that stays pending or
// stopping, a target that stays initial. The resource is named by its ID, which
// need not exist yet; an empty one is refused with a [*FieldError].
func (c *Cloud) Stick(resource string) (heal func(), err error) {
	if resource == "" {
		return nil, &FieldError{Field: "resource", Value: fmt.Sprintf("%q", resource), Rule: "must not be empty"}
	}
	c.Update(func(*Tx) { c.stuck[resource]++ })
	healed := false
	return func() {
		c.Update(func(tx *Tx) {
			if healed {
				return
			}
			healed = true
			if c.stuck[resource]--; c.stuck[resource] == 0 {
				delete(c.stuck, resource)
			}
			tx.release()
		})
	}, nil
}

// WhenFree runs fn at once, or when nothing holds the resource up any more:
// neither a fault of the zone that it is in, if it is in one, nor
// [Cloud.Stick]. Models end the transitions of their resources with it.
func (tx *Tx) WhenFree(z *Zone, resource string, fn func(*Tx)) {
	h := heldUp{z, resource, fn}
	if tx.holds(h) {
		tx.cloud.held = append(tx.cloud.held, h)
		return
	}
	fn(tx)
}

func (tx *Tx) holds(h heldUp) bool {
	return tx.cloud.stuck[h.resource] > 0 || h.zone != nil && h.zone.down()
}

// release lets go on what is not held up any more, in the order in which it
// came.
func (tx *Tx) release() {
	waiting := tx.cloud.held
	tx.cloud.held = nil
	for _, h := range waiting {
		tx.WhenFree(h.zone, h.resource, h.fn)
	}
}
