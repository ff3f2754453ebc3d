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
	Private     []netip.Addr // the first is the primary one
	Tags        Tags

	// Of the attachment; Instance is empty while there is none.
	Instance            string
	Attachment          string
	DeviceIndex         int32
	AttachedAt          time.Time
	DeleteOnTermination bool
}

// Has tells whether the interface has a private address.
func (n Interface) Has(addr netip.Addr) bool { return slices.Contains(n.Private, addr) }

// Interface returns an interface as of a moment.
func (r *Region) Interface(at time.Time, id string) (Interface, error) {
	if n, ok := r.interfaces.Get(at, id); ok {
		return n, nil
	}
	return Interface{}, awstest.Errorf("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
}

// Interfaces yields the interfaces as of a moment.
func (r *Region) Interfaces(at time.Time) iter.Seq2[string, Interface] { return r.interfaces.All(at) }

// CreateInterface makes an interface in a subnet, with the address given or
// the next free one.
func (r *Region) CreateInterface(tx *awstest.Tx, s *Subnet, addr netip.Addr, description string, tags Tags) (Interface, error) {
	n := Interface{ID: tx.NewID("eni"), Subnet: s, Description: description, Tags: tags}
	addr, err := r.takePrivate(n.ID, s, addr)
	if err != nil {
		return Interface{}, err
	}
	n.Private = []netip.Addr{addr}
	r.interfaces.Put(tx.Now(), n.ID, n)
	return n, nil
}

// AssignPrivate adds secondary private addresses to an interface: those given,
// or as many as count.
func (r *Region) AssignPrivate(tx *awstest.Tx, id string, addrs []netip.Addr, count int) (Interface, error) {
	n, err := r.Interface(tx.Now(), id)
	if err != nil {
		return n, err
	}
	n.Private = slices.Clone(n.Private)
	for range count {
		addrs = append(addrs, netip.Addr{})
	}
	for _, addr := range addrs {
		taken, err := r.takePrivate(n.ID, n.Subnet, addr)
		if err != nil {
			return n, err
		}
		n.Private = append(n.Private, taken)
	}
	r.interfaces.Put(tx.Now(), n.ID, n)
	r.wire(tx, n)
	return n, nil
}

func (r *Region) takePrivate(id string, s *Subnet, addr netip.Addr) (netip.Addr, error) {
	if addr.IsValid() {
		if !s.Prefix.Contains(addr) || s.keeps(addr) {
			return addr, awstest.Errorf("InvalidParameterValue", "Address %s does not fall within the subnet's address range", addr)
		}
		if r.privateIPs[addr] != "" {
			return addr, awstest.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", addr)
		}
	} else {
		if s.Available() <= 0 {
			return addr, awstest.Errorf("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.", s.ID)
		}
		addr = s.Prefix.Addr()
		for s.keeps(addr) || r.privateIPs[addr] != "" {
			addr = addr.Next()
		}
	}
	r.privateIPs[addr] = id
	s.used++
	return addr, nil
}

// Attach attaches an interface to an instance.
func (r *Region) Attach(tx *awstest.Tx, id, instance string, device int32) (Interface, error) {
	n, err := r.Interface(tx.Now(), id)
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
	case i.State != Running && i.State != Stopped && i.State != Pending:
		return n, awstest.Errorf("IncorrectState", "The instance '%s' is not in a valid state for this operation.", instance)
	case n.Subnet.Zone != i.Zone:
		return n, awstest.Errorf("InvalidParameterCombination", "You may not attach a network interface to an instance if they are not in the same availability zone")
	}
	for _, other := range r.attached[instance] {
		if o, _ := r.interfaces.Get(tx.Now(), other); o.DeviceIndex == device {
			return n, awstest.Errorf("InvalidParameterValue", "Instance '%s' already has an interface attached at device index '%d'.", instance, device)
		}
	}
	return r.attach(tx, n, i, device, false), nil
}

func (r *Region) attach(tx *awstest.Tx, n Interface, i Instance, device int32, deleteOnTermination bool) Interface {
	n.Instance, n.DeviceIndex, n.AttachedAt = i.ID, device, tx.Now()
	n.Attachment, n.DeleteOnTermination = tx.NewID("eni-attach"), deleteOnTermination
	r.interfaces.Put(tx.Now(), n.ID, n)
	r.attached[i.ID] = append(r.attached[i.ID], n.ID)
	slices.SortFunc(r.attached[i.ID], func(a, b string) int {
		x, _ := r.interfaces.Get(tx.Now(), a)
		y, _ := r.interfaces.Get(tx.Now(), b)
		return int(x.DeviceIndex - y.DeviceIndex)
	})
	r.wire(tx, n)
	return n
}

// Detach detaches an interface by its attachment; the primary one stays.
func (r *Region) Detach(tx *awstest.Tx, attachment string) error {
	for _, n := range r.interfaces.All(tx.Now()) {
		if n.Attachment != attachment {
			continue
		}
		if n.DeviceIndex == 0 {
			return awstest.Errorf("OperationNotPermitted", "The network interface at device index 0 and networkCard index 0 cannot be detached.")
		}
		r.detach(tx, n)
		return nil
	}
	return awstest.Errorf("InvalidAttachmentID.NotFound", "The attachment '%s' does not exist", attachment)
}

func (r *Region) detach(tx *awstest.Tx, n Interface) Interface {
	r.attached[n.Instance] = slices.DeleteFunc(r.attached[n.Instance], func(id string) bool { return id == n.ID })
	n.Instance, n.Attachment, n.DeviceIndex, n.AttachedAt, n.DeleteOnTermination = "", "", 0, time.Time{}, false
	r.interfaces.Put(tx.Now(), n.ID, n)
	r.wire(tx, n)
	return n
}

// DeleteInterface deletes an interface that is not attached. An Elastic IP
// address on it becomes free.
func (r *Region) DeleteInterface(tx *awstest.Tx, id string) error {
	n, err := r.Interface(tx.Now(), id)
	if err != nil {
		return err
	}
	if n.Instance != "" {
		return awstest.Errorf("InvalidNetworkInterface.InUse", "The network interface '%s' is currently in use.", id)
	}
	for _, addr := range n.Private {
		if allocation := r.holders[binding{id, addr}]; allocation != "" {
			a, _ := r.addresses.Get(tx.Now(), allocation)
			r.disassociate(tx, a)
		}
		delete(r.privateIPs, addr)
		n.Subnet.used--
	}
	r.interfaces.Delete(tx.Now(), id)
	return nil
}

// SetInterfaceTags replaces the tags of an interface.
func (r *Region) SetInterfaceTags(tx *awstest.Tx, n Interface, tags Tags) {
	n.Tags = tags
	r.interfaces.Put(tx.Now(), n.ID, n)
}

// wire makes the addresses of an interface lead to the machine that it is
// attached to, or nowhere.
func (r *Region) wire(tx *awstest.Tx, n Interface) {
	var machine *awstest.Instance
	if i, ok := r.instances.Get(tx.Now(), n.Instance); ok && i.State != Terminated {
		machine = i.Machine
	}
	public := ""
	for _, addr := range n.Private {
		tx.Route(n.Subnet.Zone.Region(), addr, machine)
		if a, ok := r.addresses.Get(tx.Now(), r.holders[binding{n.ID, addr}]); ok {
			tx.Route(nil, a.IP, machine)
			if public == "" {
				public = a.IP.String()
			}
		}
	}
	if machine != nil && n.DeviceIndex == 0 {
		tx.SetMetadata(machine, "public-ipv4", public)
	}
}
