package eip

import "net/netip"

// Target is where an address should be: an interface, or an instance. Exactly one of the two IDs is set.
type Target struct {
	// NetworkInterfaceID is the interface, "eni-...". Prefer it: it names one thing, whatever is attached to the instance.
	NetworkInterfaceID string

	// InstanceID is the instance, "i-...". It is resolved to its interface by reading it, and refused if it has several,
	// unless PrivateIP tells which.
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

// differs tells whether an association is certainly not one with the target: both name something of the same kind, and it is
// not the same. An association that is only half described may turn out to be the target's own.
func (t Target) differs(a Association) bool {
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	return differ(t.NetworkInterfaceID, a.NetworkInterfaceID) || differ(t.InstanceID, a.InstanceID) ||
		t.PrivateIP.IsValid() && a.PrivateIP.IsValid() && t.PrivateIP != a.PrivateIP
}

// validate returns every mistake in the target of the request called name.
func (t Target) validate(name string) (errs []error) {
	bad := func(field string, value any, rule string) {
		errs = append(errs, &FieldError{name + "." + field, value, rule})
	}
	switch {
	case t.NetworkInterfaceID == "" && t.InstanceID == "":
		bad("Target", t.String(), "must have a NetworkInterfaceID or an InstanceID")
	case t.NetworkInterfaceID != "" && t.InstanceID != "":
		bad("Target", t.NetworkInterfaceID+" and "+t.InstanceID, "must not have both a NetworkInterfaceID and an InstanceID")
	}
	if t.NetworkInterfaceID != "" && !isID(t.NetworkInterfaceID, "eni") {
		bad("Target.NetworkInterfaceID", t.NetworkInterfaceID, "must be eni- and hexadecimal digits")
	}
	if t.InstanceID != "" && !isID(t.InstanceID, "i") {
		bad("Target.InstanceID", t.InstanceID, "must be i- and hexadecimal digits")
	}
	if t.PrivateIP.IsValid() && !t.PrivateIP.Is4() {
		bad("Target.PrivateIP", t.PrivateIP, "must be an IPv4 address")
	}
	return errs
}
