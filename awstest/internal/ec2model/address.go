package ec2model

import (
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Address is an Elastic IP address.
type Address struct {
	Allocation  string
	IP          netip.Addr
	BorderGroup string // network border group, from which it is advertised
	Tags        Tags
	Service     string // that manages it; empty if it is the account's to manage

	// Of the association; empty while there is none.
	Association string
	Interface   string
	Private     netip.Addr
}

// Address returns an address as of a moment, by its allocation.
func (r *Region) Address(at time.Time, allocation string) (Address, error) {
	if a, ok := r.addresses.Get(at, allocation); ok {
		return a, nil
	}
	return Address{}, awstest.Errorf("InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist", allocation)
}

// Addresses yields the addresses as of a moment.
func (r *Region) Addresses(at time.Time) iter.Seq2[string, Address] { return r.addresses.All(at) }

// Public addresses come from TEST-NET-3 (RFC 5737) first, then from what is
// set aside for benchmarks (RFC 2544). None is given out twice.
var (
	firstPublic = netip.AddrFrom4([4]byte{203, 0, 113, 9}) // the one before the first
	testNetEnd  = netip.AddrFrom4([4]byte{203, 0, 113, 254})
	benchStart  = netip.AddrFrom4([4]byte{198, 18, 0, 0})
	benchEnd    = netip.AddrFrom4([4]byte{198, 19, 255, 254})
)

// Allocate allocates an address of a network border group. AWS documents no
// error for an unknown group.
func (r *Region) Allocate(tx *awstest.Tx, borderGroup string, tags Tags) (Address, error) {
	m := r.model
	switch {
	case !r.hasBorderGroup(borderGroup):
		return Address{}, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter networkBorderGroup is invalid.", borderGroup)
	case r.allocated >= m.opts.AddressQuota:
		return Address{}, awstest.Errorf("AddressLimitExceeded", "The maximum number of addresses has been reached.")
	case m.publicIP == benchEnd:
		return Address{}, &awstest.APIError{Code: "InsufficientAddressCapacity", Message: "Not enough available addresses to satisfy your minimum request.", Status: http.StatusInternalServerError}
	case m.publicIP == testNetEnd:
		m.publicIP = benchStart
	}
	m.publicIP = m.publicIP.Next()
	r.allocated++
	a := Address{Allocation: tx.NewID("eipalloc"), IP: m.publicIP, BorderGroup: borderGroup, Tags: tags}
	r.addresses.Put(tx.Now(), a.Allocation, a)
	return a, nil
}

// Release gives an address back. It must not be associated, as AWS asks for
// it outside of a default VPC, and be of the network border group.
// Source: ReleaseAddressInput.NetworkBorderGroup of the SDK (read 2026-11)
func (r *Region) Release(tx *awstest.Tx, allocation, borderGroup string) error {
	a, err := r.Address(tx.Now(), allocation)
	if err != nil {
		return err
	}
	if a.BorderGroup != borderGroup {
		return awstest.Errorf("InvalidAddress.NotFound", "The address with allocation id '%s' does not belong to the network border group '%s'", allocation, borderGroup)
	}
	if err := r.free(tx, a); err != nil {
		return err
	}
	if a.Association != "" {
		return awstest.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", a.IP)
	}
	r.allocated--
	r.addresses.Delete(tx.Now(), allocation)
	return nil
}

// AssociateTarget names what an address is to be associated with: an
// interface, or an instance that has just one.
type AssociateTarget struct {
	Interface string
	Instance  string
	Private   netip.Addr // default: the primary one
}

// Associate associates an address. Its VPC must have an internet gateway.
// Without reassociation it fails if the address, or the private address aimed
// at, is in another association.
func (r *Region) Associate(tx *awstest.Tx, allocation string, target AssociateTarget, reassociate bool) (Address, error) {
	a, err := r.Address(tx.Now(), allocation)
	if err != nil {
		return a, err
	}
	if a.Service != "" {
		return a, denied()
	}
	n, err := r.resolve(tx, target)
	if err != nil {
		return a, err
	}
	if !r.attachedGateway(tx, n.Subnet.VPC) {
		return a, awstest.Errorf("Gateway.NotAttached", "Network %s is not attached to any internet gateway", n.Subnet.VPC)
	}
	if BorderGroup(n.Subnet.Zone) != a.BorderGroup {
		// AWS documents the rule and no error. This is the code of CreateNatGateway in the same case.
		// Source: https://github.com/awslabs/crossplane-on-eks/issues/210 (read 2026-11)
		return a, awstest.Errorf("OperationNotPermitted", "Elastic IP and network interface belong in different network border groups.")
	}
	place := 0
	if target.Private.IsValid() {
		if place = n.find(target.Private); place < 0 {
			return a, awstest.Errorf("InvalidParameterValue", "Address %s is not assigned to the interface '%s'", target.Private, n.ID)
		}
	}
	private := n.Private[place]
	if private.Allocation == allocation {
		return a, nil // idempotent
	}
	if err := r.makeRoom(tx, a, n, private, reassociate); err != nil {
		return a, err
	}
	a = change(tx, r.addresses, allocation, func(a *Address) {
		a.Association, a.Interface, a.Private = tx.NewID("eipassoc"), n.ID, private.Addr
	})
	r.associations[a.Association] = allocation
	r.wire(tx, r.hold(tx, n.ID, private.Addr, allocation))
	return a, nil
}

// makeRoom ends the associations that are in the way of a new one: that of
// the address, and that of the private address aimed at.
func (r *Region) makeRoom(tx *awstest.Tx, a Address, n Interface, private PrivateIP, reassociate bool) error {
	other, taken := r.addresses.Get(tx.Now(), private.Allocation)
	switch {
	case !reassociate && a.Association != "":
		return awstest.Errorf("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", a.Allocation, a.Association)
	case !reassociate && taken:
		// Source: https://github.com/aws-quickstart/quickstart-linux-bastion/issues/21 (read 2026-11), as an account answered
		return awstest.Errorf("Resource.AlreadyAssociated", "resource %s and %s is already associated with public address %s", n.ID, private.Addr, other.IP)
	}
	for _, displaced := range []Address{a, other} {
		if err := r.free(tx, displaced); err != nil {
			return err
		}
	}
	r.disassociate(tx, a.Allocation)
	r.disassociate(tx, other.Allocation)
	return nil
}

// resolve finds the interface that an address is to be associated with.
func (r *Region) resolve(tx *awstest.Tx, target AssociateTarget) (Interface, error) {
	switch {
	case target.Interface != "" && target.Instance != "":
		return Interface{}, awstest.Errorf("InvalidParameterCombination", "You may specify either an instance ID or a network interface ID, but not both")
	case target.Interface == "" && target.Instance == "":
		return Interface{}, awstest.Errorf("MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be specified")
	case target.Interface != "":
		n, err := r.own(tx, target.Interface)
		if err != nil {
			return n, err
		}
		if i, ok := r.instances.Get(tx.Now(), n.Instance); ok && !i.State.holdsAddress() {
			return n, awstest.Errorf("IncorrectInstanceState", "The %s instance to which '%s' is attached is not in a valid state for this operation", i.State, n.ID)
		}
		return n, nil
	}
	i, err := r.Instance(tx.Now(), target.Instance)
	if err != nil {
		return Interface{}, err
	}
	if !i.State.holdsAddress() {
		return Interface{}, awstest.Errorf("InvalidInstanceID", "The %s instance '%s' is not in a valid state for this operation.", i.State, i.ID)
	}
	if len(i.Interfaces) != 1 {
		return Interface{}, awstest.Errorf("InvalidInstanceID", "There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", i.ID)
	}
	return r.Interface(tx.Now(), i.Interfaces[0])
}

// Disassociate ends an association. One that has ended already is no error:
// the operation is idempotent.
func (r *Region) Disassociate(tx *awstest.Tx, association string) error {
	allocation, known := r.associations[association]
	if !known {
		return awstest.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", association)
	}
	if a, ok := r.addresses.Get(tx.Now(), allocation); ok && a.Association == association {
		if err := r.free(tx, a); err != nil {
			return err
		}
		r.disassociate(tx, allocation)
	}
	return nil
}

// disassociate ends the association of an address, if it has one.
func (r *Region) disassociate(tx *awstest.Tx, allocation string) {
	a, ok := r.addresses.Get(tx.Now(), allocation)
	if !ok || a.Association == "" {
		return
	}
	change(tx, r.addresses, allocation, func(a *Address) {
		a.Association, a.Interface, a.Private = "", "", netip.Addr{}
	})
	tx.Route(nil, a.IP, nil)
	r.wire(tx, r.hold(tx, a.Interface, a.Private, ""))
}

// hold notes on an interface which address is associated with a private one.
func (r *Region) hold(tx *awstest.Tx, networkInterface string, private netip.Addr, allocation string) Interface {
	return change(tx, r.interfaces, networkInterface, func(n *Interface) {
		n.Private = slices.Clone(n.Private)
		n.Private[n.find(private)].Allocation = allocation
	})
}

// SetAddressTags replaces the tags of an address.
func (r *Region) SetAddressTags(tx *awstest.Tx, allocation string, tags Tags) {
	change(tx, r.addresses, allocation, func(a *Address) { a.Tags = tags })
}
