package ec2model

import (
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Interface is an elastic network interface.
type Interface struct {
	ID          string
	Subnet      *Subnet
	Description string
	Private     []PrivateIP // the first is the primary one
	Tags        Tags
	Owner       string // account
	Requester   string // service that made it for the account; empty for the account's own
	Groups      []string

	// Of the attachment; Instance is empty while there is none.
	Instance            string
	Attachment          string
	DeviceIndex         int32
	AttachedAt          time.Time
	DeleteOnTermination bool
}

// PrivateIP is a private address of an interface, with the allocation of the
// Elastic IP address that is associated with it, if any.
type PrivateIP struct {
	Addr       netip.Addr
	Allocation string
}

// find returns the place of a private address in the interface, or -1.
func (n *Interface) find(addr netip.Addr) int {
	return slices.IndexFunc(n.Private, func(p PrivateIP) bool { return p.Addr == addr })
}

// Interface returns an interface as of a moment.
func (r *Region) Interface(at time.Time, id string) (Interface, error) {
	if n, ok := r.interfaces.Get(at, id); ok {
		return n, nil
	}
	return Interface{}, awstest.Errorf("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
}

// Interfaces yields the interfaces as of a moment.
func (r *Region) Interfaces(at time.Time) iter.Seq2[string, Interface] { return r.interfaces.All(at) }

// Attached returns the interfaces of an instance as of a moment, by device
// index.
func (r *Region) Attached(at time.Time, i Instance) []Interface {
	list := make([]Interface, 0, len(i.Interfaces))
	for _, id := range i.Interfaces {
		if n, ok := r.interfaces.Get(at, id); ok {
			list = append(list, n)
		}
	}
	return list
}

// InterfaceSpec is what CreateNetworkInterface asks for.
type InterfaceSpec struct {
	Subnet      string
	Private     netip.Addr // default: the lowest that is free
	Description string
	Groups      []string // as the request has them
	Tags        Tags
	Token       string
}

// CreateInterface makes an interface in a subnet.
func (r *Region) CreateInterface(tx *awstest.Tx, spec InterfaceSpec) (Interface, error) {
	s, err := r.Subnet(spec.Subnet)
	if err != nil {
		return Interface{}, err
	}
	t := token{operation: "CreateNetworkInterface", text: spec.Token}
	if ids, known, err := r.recall(t, spec); err != nil {
		return Interface{}, err
	} else if known {
		return r.Interface(tx.Now(), ids[0])
	}
	groups, err := r.launchGroups(tx, spec.Groups)
	if err != nil {
		return Interface{}, err
	}
	id := tx.NewID("eni")
	addr, err := s.take(id, spec.Private)
	if err != nil {
		return Interface{}, err
	}
	r.remember(t, spec, id)
	n := Interface{
		ID: id, Subnet: s, Description: spec.Description, Private: []PrivateIP{{Addr: addr}}, Tags: spec.Tags,
		Owner: tx.Cloud().AccountID(), Groups: groups,
	}
	r.interfaces.Put(tx.Now(), id, n)
	return n, nil
}

// AssignPrivate adds secondary private addresses to an interface: those
// given, and as many more as count. It returns what was added.
func (r *Region) AssignPrivate(tx *awstest.Tx, id string, addrs []netip.Addr, count int) ([]netip.Addr, error) {
	n, err := r.own(tx, id)
	if err != nil {
		return nil, err
	}
	s := n.Subnet
	for i, addr := range addrs {
		if s.taken[addr] != "" || slices.Contains(addrs[:i], addr) {
			return nil, awstest.Errorf("Resource.AlreadyAssigned", "The specified private IP address %s is already assigned to a resource", addr)
		}
		if !s.offers(addr) {
			return nil, awstest.Errorf("InvalidParameterValue", "Address %s does not fall within the subnet's address range", addr)
		}
	}
	if s.Available() < count {
		return nil, s.full()
	}
	// From here on nothing fails: all of the addresses, or none.
	added := make([]netip.Addr, 0, len(addrs)+count)
	for _, addr := range append(slices.Clone(addrs), make([]netip.Addr, count)...) {
		addr, err := s.take(id, addr)
		if err != nil {
			return nil, err
		}
		added = append(added, addr)
	}
	r.wire(tx, change(tx, r.interfaces, id, func(n *Interface) {
		n.Private = slices.Clone(n.Private)
		for _, addr := range added {
			n.Private = append(n.Private, PrivateIP{Addr: addr})
		}
	}))
	return added, nil
}

// Attach attaches an interface to an instance that runs or is stopped.
func (r *Region) Attach(tx *awstest.Tx, id, instance string, device int32) (Interface, error) {
	n, err := r.own(tx, id)
	if err != nil {
		return n, err
	}
	i, err := r.Instance(tx.Now(), instance)
	if err != nil {
		return n, err
	}
	switch {
	case n.Instance != "":
		return n, awstest.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", id)
	case i.State != Running && i.State != Stopped:
		return n, awstest.Errorf("IncorrectState", "The instance '%s' is not in a valid state for this operation.", instance)
	case n.Subnet.Zone != i.Zone:
		return n, awstest.Errorf("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
	}
	for _, other := range r.Attached(tx.Now(), i) {
		if other.DeviceIndex == device {
			return n, awstest.Errorf("InvalidParameterValue", "Instance '%s' already has an interface attached at device index '%d'.", instance, device)
		}
	}
	return r.attach(tx, id, i, device, false), nil
}

func (r *Region) attach(tx *awstest.Tx, id string, i Instance, device int32, deleteOnTermination bool) Interface {
	n := change(tx, r.interfaces, id, func(n *Interface) {
		n.Instance, n.DeviceIndex, n.AttachedAt = i.ID, device, tx.Now()
		n.Attachment, n.DeleteOnTermination = tx.NewID("eni-attach"), deleteOnTermination
	})
	r.attachments[n.Attachment] = id
	list := append(r.Attached(tx.Now(), i), n)
	slices.SortFunc(list, func(a, b Interface) int { return int(a.DeviceIndex) - int(b.DeviceIndex) })
	change(tx, r.instances, i.ID, func(i *Instance) {
		i.Interfaces = nil
		for _, n := range list {
			i.Interfaces = append(i.Interfaces, n.ID)
		}
	})
	r.wire(tx, n)
	return n
}

// Detach detaches an interface by its attachment; the primary one stays.
func (r *Region) Detach(tx *awstest.Tx, attachment string) error {
	id, ok := r.attachments[attachment]
	if !ok {
		return awstest.Errorf("InvalidAttachmentID.NotFound", "The attachment '%s' does not exist", attachment)
	}
	n, err := r.Interface(tx.Now(), id)
	if err != nil {
		return err
	}
	if n.DeviceIndex == 0 {
		return awstest.Errorf("OperationNotPermitted", "The network interface at device index 0 and networkCard index 0 cannot be detached.")
	}
	r.detach(tx, n)
	return nil
}

func (r *Region) detach(tx *awstest.Tx, n Interface) {
	delete(r.attachments, n.Attachment)
	change(tx, r.instances, n.Instance, func(i *Instance) {
		i.Interfaces = slices.DeleteFunc(slices.Clone(i.Interfaces), func(id string) bool { return id == n.ID })
	})
	r.wire(tx, change(tx, r.interfaces, n.ID, func(n *Interface) {
		n.Instance, n.Attachment, n.DeviceIndex, n.AttachedAt, n.DeleteOnTermination = "", "", 0, time.Time{}, false
	}))
}

// DeleteInterface deletes an interface that is not attached. An Elastic IP
// address on it becomes free.
func (r *Region) DeleteInterface(tx *awstest.Tx, id string) error {
	n, err := r.own(tx, id)
	if err != nil {
		return err
	}
	if n.Instance != "" {
		return awstest.Errorf("InvalidNetworkInterface.InUse", "The network interface '%s' is currently in use.", id)
	}
	for _, p := range n.Private {
		r.disassociate(tx, p.Allocation)
		n.Subnet.release(p.Addr)
		tx.Route(n.Subnet.Zone.Region(), p.Addr, nil)
	}
	r.interfaces.Delete(tx.Now(), id)
	return nil
}

// SetInterfaceTags replaces the tags of an interface.
func (r *Region) SetInterfaceTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.interfaces, id, func(n *Interface) { n.Tags = tags })
}

// wire makes the addresses of an interface, public ones included, lead to the
// machine that it is attached to, or nowhere.
func (r *Region) wire(tx *awstest.Tx, n Interface) {
	var machine *awstest.Instance
	if i, ok := r.instances.Get(tx.Now(), n.Instance); ok {
		machine = i.Machine
	}
	in, out := r.allows(tx, n)
	if machine != nil && n.DeviceIndex == 0 {
		tx.Confine(machine, !out)
	}
	for place, p := range n.Private {
		tx.Route(n.Subnet.Zone.Region(), p.Addr, machine)
		tx.Shut(n.Subnet.Zone.Region(), p.Addr, !in)
		public := ""
		if a, ok := r.addresses.Get(tx.Now(), p.Allocation); ok {
			tx.Route(nil, a.IP, machine)
			tx.Shut(nil, a.IP, !in)
			public = a.IP.String()
		}
		if machine != nil && n.DeviceIndex == 0 && place == 0 {
			tx.SetMetadata(machine, "public-ipv4", public)
		}
	}
}
