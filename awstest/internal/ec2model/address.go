package ec2model

import (
	"iter"
	"net/netip"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Address is an Elastic IP address.
type Address struct {
	Allocation string
	IP         netip.Addr
	Tags       Tags

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

// AddressOf returns the address that is associated with a private address of
// an interface as of a moment.
func (r *Region) AddressOf(at time.Time, networkInterface string, private netip.Addr) (Address, bool) {
	// The index tells who holds it now; as of an earlier moment it may have
	// been somebody else, which only a scan can tell.
	if a, ok := r.addresses.Get(at, r.holders[binding{networkInterface, private}]); ok && a.Interface == networkInterface && a.Private == private {
		return a, true
	}
	for _, a := range r.addresses.All(at) {
		if a.Interface == networkInterface && a.Private == private {
			return a, true
		}
	}
	return Address{}, false
}

// Allocate allocates an address.
func (r *Region) Allocate(tx *awstest.Tx, tags Tags) (Address, error) {
	if len(r.publicIPs) >= r.model.opts.AddressQuota {
		return Address{}, awstest.Errorf("AddressLimitExceeded", "The maximum number of addresses has been reached.")
	}
	a := Address{Allocation: tx.NewID("eipalloc"), Tags: tags}
	a.IP = r.model.nextPublic()
	r.publicIPs[a.IP] = a.Allocation
	r.addresses.Put(tx.Now(), a.Allocation, a)
	return a, nil
}

// nextPublic returns a public address that no region has: first those of
// TEST-NET-3 (RFC 5737), then those for benchmarks (RFC 2544).
func (m *Model) nextPublic() netip.Addr {
	taken := func(a netip.Addr) bool {
		for _, r := range m.regions {
			if r.publicIPs[a] != "" {
				return true
			}
		}
		return false
	}
	addr := netip.AddrFrom4([4]byte{203, 0, 113, 10})
	last := netip.AddrFrom4([4]byte{203, 0, 113, 254})
	for taken(addr) {
		if addr == last {
			addr = netip.AddrFrom4([4]byte{198, 18, 0, 0})
		}
		addr = addr.Next()
	}
	return addr
}

// Release gives an address back.
func (r *Region) Release(tx *awstest.Tx, allocation string) error {
	a, err := r.Address(tx.Now(), allocation)
	if err != nil {
		return err
	}
	if a.Association != "" {
		return awstest.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", a.IP)
	}
	delete(r.publicIPs, a.IP)
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

// Associate associates an address. Without reassociation it fails if the
// address, or the private address aimed at, is in another association.
func (r *Region) Associate(tx *awstest.Tx, allocation string, target AssociateTarget, reassociate bool) (Address, error) {
	a, err := r.Address(tx.Now(), allocation)
	if err != nil {
		return a, err
	}
	n, err := r.resolve(tx, target)
	if err != nil {
		return a, err
	}
	private := target.Private
	if !private.IsValid() {
		private = n.Private[0]
	}
	if !n.Has(private) {
		return a, awstest.Errorf("InvalidParameterValue", "Address %s is not assigned to the interface '%s'", private, n.ID)
	}
	if a.Association != "" && a.Interface == n.ID && a.Private == private {
		return a, nil // idempotent
	}
	if a.Association != "" {
		if !reassociate {
			return a, awstest.Errorf("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", allocation, a.Association)
		}
		a = r.disassociate(tx, a)
	}
	if other := r.holders[binding{n.ID, private}]; other != "" {
		b, _ := r.addresses.Get(tx.Now(), other)
		if !reassociate {
			return a, awstest.Errorf("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", n.ID, b.Association)
		}
		r.disassociate(tx, b)
	}
	a.Association, a.Interface, a.Private = tx.NewID("eipassoc"), n.ID, private
	r.addresses.Put(tx.Now(), a.Allocation, a)
	r.associations[a.Association] = a.Allocation
	r.holders[binding{n.ID, private}] = a.Allocation
	r.wire(tx, n)
	return a, nil
}

func (r *Region) resolve(tx *awstest.Tx, target AssociateTarget) (Interface, error) {
	switch {
	case target.Interface != "" && target.Instance != "":
		return Interface{}, awstest.Errorf("InvalidParameterCombination", "You may specify either an instance ID or a network interface ID, but not both")
	case target.Interface != "":
		return r.Interface(tx.Now(), target.Interface)
	case target.Instance == "":
		return Interface{}, awstest.Errorf("MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be specified")
	}
	i, err := r.Instance(tx.Now(), target.Instance)
	if err != nil {
		return Interface{}, err
	}
	switch i.State {
	case Pending:
		return Interface{}, awstest.Errorf("InvalidInstanceID", "The pending instance '%s' is not in a valid state for this operation.", i.ID)
	case ShuttingDown, Terminated:
		return Interface{}, awstest.Errorf("InvalidInstanceID", "The instance '%s' is not in a valid state for this operation.", i.ID)
	}
	if n := len(r.attached[i.ID]); n != 1 {
		return Interface{}, awstest.Errorf("InvalidInstanceID", "There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", i.ID)
	}
	return r.Interface(tx.Now(), r.attached[i.ID][0])
}

// Disassociate ends an association. One that has ended already is no error:
// the operation is idempotent.
func (r *Region) Disassociate(tx *awstest.Tx, association string) error {
	allocation, known := r.associations[association]
	if !known {
		return awstest.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", association)
	}
	if a, ok := r.addresses.Get(tx.Now(), allocation); ok && a.Association == association {
		r.disassociate(tx, a)
	}
	return nil
}

func (r *Region) disassociate(tx *awstest.Tx, a Address) Address {
	delete(r.holders, binding{a.Interface, a.Private})
	r.associations[a.Association] = ""
	n, attached := r.interfaces.Get(tx.Now(), a.Interface)
	a.Association, a.Interface, a.Private = "", "", netip.Addr{}
	r.addresses.Put(tx.Now(), a.Allocation, a)
	tx.Route(nil, a.IP, nil)
	if attached {
		r.wire(tx, n)
	}
	return a
}

// SetAddressTags replaces the tags of an address.
func (r *Region) SetAddressTags(tx *awstest.Tx, a Address, tags Tags) {
	a.Tags = tags
	r.addresses.Put(tx.Now(), a.Allocation, a)
}
