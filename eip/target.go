package eip

import "net/netip"

// Target is where an address should be: an interface, or an instance. Exactly one of the two IDs is set.
type Target struct {
	// NetworkInterfaceID is the interface, "eni-...". Prefer it: it names one thing, whatever is attached to the instance.
	NetworkInterfaceID string

	// InstanceID is the instance, "i-...". EC2 refuses one with several interfaces.
	InstanceID string

	// PrivateIP is the private IPv4 address of the interface that the address maps to. Zero means the primary one for a
	// new association, and is content with any for one that exists.
	PrivateIP netip.Addr
}

// String returns the ID, and the private address if there is one.
func (t Target) String() string {
	id := t.NetworkInterfaceID + t.InstanceID
	if t.PrivateIP.IsValid() {
		return id + " at " + t.PrivateIP.String()
	}
	return id
}

// holds tells whether an association is one with the target.
func (t Target) holds(a Association) bool {
	return a.ID != "" &&
		(t.NetworkInterfaceID == "" || t.NetworkInterfaceID == a.NetworkInterfaceID) &&
		(t.InstanceID == "" || t.InstanceID == a.InstanceID) &&
		(!t.PrivateIP.IsValid() || t.PrivateIP == a.PrivateIP)
}

// excludes tells whether an association is certainly not one with the target: both name an ID of the same kind, and
// these differ. An association that is only half described may turn out to be the target's own.
func (t Target) excludes(a Association) bool {
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	return a.ID != "" && (differ(t.NetworkInterfaceID, a.NetworkInterfaceID) || differ(t.InstanceID, a.InstanceID) ||
		t.PrivateIP.IsValid() && a.PrivateIP.IsValid() && t.PrivateIP != a.PrivateIP)
}
