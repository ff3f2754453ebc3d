package ec2model

import (
	"iter"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// State is the state of an instance, by EC2's name.
type State string

// The states of an instance.
const (
	Pending      State = "pending"
	Running      State = "running"
	ShuttingDown State = "shutting-down"
	Terminated   State = "terminated"
	Stopping     State = "stopping"
	Stopped      State = "stopped"
)

// Instance is an EC2 instance.
type Instance struct {
	ID          string
	Reservation string
	LaunchIndex int32
	Type        string
	Image       string
	KeyName     string
	Token       string
	Zone        *awstest.Zone
	Subnet      *Subnet
	LaunchedAt  time.Time
	Tags        Tags
	State       State
	Since       time.Time // of the state
	Reason      string    // of the last change that a user asked for
	Machine     *awstest.Instance
}

// LaunchSpec is what RunInstances asks for.
type LaunchSpec struct {
	Min, Max          int
	Type, Image       string
	KeyName           string
	Zone              *awstest.Zone // nil: the subnet's, or any
	Subnet            string
	Private           netip.Addr
	Interface         string // an interface that exists, as the primary one
	Token             string
	Tags              Tags
	InterfaceTags     Tags
	NetworkInterfaces int // how many; 0 is 1
}

// tokenKey is where a client token is known: EC2's idempotency is zonal if
// the request names the zone, and regional otherwise.
type tokenKey struct{ token, zone string }

type launch struct {
	spec      LaunchSpec
	instances []string
}

// Instance returns an instance as of a moment.
func (r *Region) Instance(at time.Time, id string) (Instance, error) {
	if i, ok := r.instances.Get(at, id); ok {
		return i, nil
	}
	return Instance{}, awstest.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
}

// Instances yields the instances as of a moment.
func (r *Region) Instances(at time.Time) iter.Seq2[string, Instance] { return r.instances.All(at) }

// Attached returns the interfaces of an instance as of a moment, by device
// index.
func (r *Region) Attached(at time.Time, instance string) []Interface {
	var list []Interface
	for _, id := range r.attached[instance] {
		if n, ok := r.interfaces.Get(at, id); ok && n.Instance == instance {
			list = append(list, n)
		}
	}
	return list
}

// Run launches instances.
func (r *Region) Run(tx *awstest.Tx, spec LaunchSpec) ([]Instance, error) {
	subnet, err := r.place(tx, &spec)
	if err != nil {
		return nil, err
	}
	key := tokenKey{token: spec.Token}
	if spec.Zone != nil {
		key.zone = spec.Zone.ID()
	}
	if known, ok := r.tokens[key]; ok && spec.Token != "" {
		return r.repeat(tx, known, spec)
	}
	switch {
	case spec.Min < 1 || spec.Max < spec.Min:
		return nil, awstest.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxCount or ( %d ) for minCount is invalid.", spec.Max, spec.Min)
	case !tx.CanLaunch(subnet.Zone, spec.Type):
		return nil, noCapacity(subnet.Zone, spec.Type)
	case spec.Max > 1 && (spec.Private.IsValid() || spec.Interface != ""):
		return nil, awstest.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level private IP address may not be specified for more than one instance")
	case subnet.Available() < spec.Min*max(1, spec.NetworkInterfaces) && spec.Interface == "":
		return nil, awstest.Errorf("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s' to satisfy the requested number of instances.", subnet.ID)
	}
	var launched []Instance
	var ids []string
	reservation := tx.NewID("r")
	for n := range spec.Max {
		if n >= spec.Min && subnet.Available() < 1 {
			break
		}
		i, err := r.launch(tx, spec, subnet, reservation, int32(n))
		if err != nil {
			return nil, err
		}
		launched = append(launched, i)
		ids = append(ids, i.ID)
	}
	if spec.Token != "" {
		r.tokens[key] = launch{spec, ids}
	}
	return launched, nil
}

// noCapacity is a server error, which the SDK retries.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
func noCapacity(z *awstest.Zone, instanceType string) error {
	return &awstest.APIError{
		Code:    "InsufficientInstanceCapacity",
		Message: "We currently do not have sufficient " + instanceType + " capacity in the Availability Zone you requested (" + z.Name() + ").",
		Status:  http.StatusInternalServerError,
	}
}

// place finds the subnet of a launch.
func (r *Region) place(tx *awstest.Tx, spec *LaunchSpec) (*Subnet, error) {
	if spec.Interface != "" {
		n, err := r.Interface(tx.Now(), spec.Interface)
		if err != nil {
			return nil, err
		}
		if n.Instance != "" {
			return nil, awstest.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", n.ID)
		}
		return n.Subnet, nil
	}
	if spec.Subnet != "" {
		s, err := r.Subnet(spec.Subnet)
		if err != nil {
			return nil, err
		}
		if spec.Zone != nil && spec.Zone != s.Zone {
			return nil, awstest.Errorf("InvalidParameterValue", "The availability zone %s does not match the subnet's, %s", spec.Zone.Name(), s.Zone.Name())
		}
		return s, nil
	}
	for _, s := range r.subnets {
		if s.Zone == spec.Zone || (spec.Zone == nil && tx.CanLaunch(s.Zone, spec.Type)) {
			return s, nil
		}
	}
	return r.subnets[0], nil
}

// repeat answers a launch whose token has been seen.
func (r *Region) repeat(tx *awstest.Tx, known launch, spec LaunchSpec) ([]Instance, error) {
	if !known.spec.same(spec) {
		return nil, awstest.Errorf("IdempotentParameterMismatch", "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical")
	}
	var out []Instance
	for _, id := range known.instances {
		i, ok := r.instances.Get(tx.Now(), id)
		if !ok || i.State == ShuttingDown || i.State == Terminated {
			return nil, awstest.Errorf("IdempotentInstanceTerminated", "The instance '%s' that was launched with this client token has been terminated.", id)
		}
		out = append(out, i)
	}
	return out, nil
}

// same tells whether two requests under one token are identical.
func (s LaunchSpec) same(o LaunchSpec) bool {
	tags, interfaceTags := slices.Equal(s.Tags, o.Tags), slices.Equal(s.InterfaceTags, o.InterfaceTags)
	return tags && interfaceTags && s.Min == o.Min && s.Max == o.Max && s.Type == o.Type && s.Image == o.Image &&
		s.KeyName == o.KeyName && s.Zone == o.Zone && s.Subnet == o.Subnet && s.Private == o.Private &&
		s.Interface == o.Interface && s.NetworkInterfaces == o.NetworkInterfaces
}

func (r *Region) launch(tx *awstest.Tx, spec LaunchSpec, subnet *Subnet, reservation string, index int32) (Instance, error) {
	i := Instance{
		ID: tx.NewID("i"), Reservation: reservation, LaunchIndex: index,
		Type: spec.Type, Image: spec.Image, KeyName: spec.KeyName, Token: spec.Token,
		Zone: subnet.Zone, Subnet: subnet, LaunchedAt: tx.Now(), Tags: spec.Tags,
	}
	primary, owned := Interface{}, spec.Interface == ""
	var err error
	if owned {
		primary, err = r.CreateInterface(tx, subnet, spec.Private, "", spec.InterfaceTags)
	} else {
		primary, err = r.Interface(tx.Now(), spec.Interface)
	}
	if err != nil {
		return i, err
	}
	i.Machine = tx.NewInstance(awstest.InstanceSpec{ID: i.ID, Zone: i.Zone})
	tx.SetMetadata(i.Machine, "ami-id", i.Image)
	tx.SetMetadata(i.Machine, "instance-type", i.Type)
	i = r.set(tx, i, Pending, "")
	r.attach(tx, primary, i, 0, owned)
	for d := 1; d < spec.NetworkInterfaces; d++ {
		n, err := r.CreateInterface(tx, subnet, netip.Addr{}, "", spec.InterfaceTags)
		if err != nil {
			return i, err
		}
		r.attach(tx, n, i, int32(d), true)
	}
	r.later(tx, i, r.model.opts.Pending, r.becomeRunning)
	return i, nil
}

func (r *Region) set(tx *awstest.Tx, i Instance, s State, reason string) Instance {
	i.State, i.Since, i.Reason = s, tx.Now(), reason
	r.instances.Put(tx.Now(), i.ID, i)
	return i
}

// later ends a transition after d, unless something else has happened to the
// instance by then. What a dead zone holds up ends when the zone is healed.
func (r *Region) later(tx *awstest.Tx, i Instance, d time.Duration, finish func(*awstest.Tx, Instance)) {
	tx.Schedule(tx.Now().Add(d), func(tx *awstest.Tx) {
		now, ok := r.instances.Get(tx.Now(), i.ID)
		if !ok || now.State != i.State || !now.Since.Equal(i.Since) {
			return
		}
		if tx.Down(i.Zone) {
			r.model.blocked[i.ID] = func(tx *awstest.Tx) { r.later(tx, i, 0, finish) }
			return
		}
		finish(tx, now)
	})
}

// unblock lets the transitions go on that waited for a zone.
func (m *Model) unblock(tx *awstest.Tx, z *awstest.Zone) {
	if tx.Down(z) {
		return
	}
	waiting := m.blocked
	m.blocked = map[string]func(*awstest.Tx){}
	for _, resume := range waiting {
		resume(tx)
	}
}

func (r *Region) becomeRunning(tx *awstest.Tx, i Instance) {
	r.set(tx, i, Running, "")
	tx.PowerOn(i.Machine)
}

// Start starts a stopped instance.
func (r *Region) Start(tx *awstest.Tx, i Instance) (Instance, error) {
	switch i.State {
	case Running, Pending:
		return i, nil
	case Stopped:
	default:
		return i, awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started.", i.ID)
	}
	if !tx.CanLaunch(i.Zone, i.Type) {
		return i, noCapacity(i.Zone, i.Type)
	}
	i = r.set(tx, i, Pending, "")
	r.later(tx, i, r.model.opts.Pending, r.becomeRunning)
	return i, nil
}

// Stop stops an instance.
func (r *Region) Stop(tx *awstest.Tx, i Instance) (Instance, error) {
	switch i.State {
	case Stopped, Stopping:
		return i, nil
	case Running, Pending:
	default:
		return i, awstest.Errorf("IncorrectInstanceState", "This instance '%s' is not in a state from which it can be stopped.", i.ID)
	}
	i = r.set(tx, i, Stopping, userInitiated(tx))
	tx.PowerOff(i.Machine)
	r.later(tx, i, r.model.opts.Stopping, func(tx *awstest.Tx, i Instance) { r.set(tx, i, Stopped, i.Reason) })
	return i, nil
}

// Reboot reboots a running instance; its state does not change.
func (r *Region) Reboot(tx *awstest.Tx, i Instance) error {
	if i.State != Running {
		return awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be rebooted.", i.ID)
	}
	tx.PowerOff(i.Machine)
	tx.PowerOn(i.Machine)
	return nil
}

// Terminate terminates an instance.
func (r *Region) Terminate(tx *awstest.Tx, i Instance) Instance {
	if i.State == ShuttingDown || i.State == Terminated {
		return i
	}
	i = r.set(tx, i, ShuttingDown, userInitiated(tx))
	tx.PowerOff(i.Machine)
	r.later(tx, i, r.model.opts.ShuttingDown, func(tx *awstest.Tx, i Instance) {
		for _, id := range slices.Clone(r.attached[i.ID]) {
			n, _ := r.interfaces.Get(tx.Now(), id)
			owned := n.DeleteOnTermination
			// An address of a terminated instance becomes free, even if its
			// interface lives on.
			for _, private := range n.Private {
				if a, ok := r.addresses.Get(tx.Now(), r.holders[binding{id, private}]); ok {
					r.disassociate(tx, a)
				}
			}
			r.detach(tx, n)
			if owned {
				_ = r.DeleteInterface(tx, id) // not attached any more: it cannot fail
			}
		}
		r.set(tx, i, Terminated, i.Reason)
		tx.Remove(i.Machine)
		tx.Schedule(tx.Now().Add(afterlife), func(tx *awstest.Tx) { r.instances.Delete(tx.Now(), i.ID) })
	})
	return i
}

func userInitiated(tx *awstest.Tx) string {
	return "User initiated (" + tx.Now().UTC().Format("2006-01-02 15:04:05") + " GMT)"
}

// SetInstanceTags replaces the tags of an instance.
func (r *Region) SetInstanceTags(tx *awstest.Tx, i Instance, tags Tags) {
	i.Tags = tags
	r.instances.Put(tx.Now(), i.ID, i)
}

// Status is what a status check says.
type Status string

// The results of status checks.
const (
	StatusOK            Status = "ok"
	StatusImpaired      Status = "impaired"
	StatusInitializing  Status = "initializing"
	StatusNotApplicable Status = "not-applicable"
)

// Status returns the results of the system check and of the instance check.
func (r *Region) Status(tx *awstest.Tx, i Instance) (system, instance Status) {
	if i.State != Running {
		return StatusNotApplicable, StatusNotApplicable
	}
	reachable, since := tx.Reachable(i.Machine)
	settled := tx.Now().Sub(since) >= r.model.opts.StatusCheck
	switch {
	case reachable && settled:
		return StatusOK, StatusOK
	case reachable && tx.Now().Sub(i.Since) < r.model.opts.StatusCheck:
		return StatusInitializing, StatusInitializing
	case reachable:
		return StatusImpaired, StatusImpaired // not yet seen to have come back
	case !settled:
		return StatusOK, StatusOK // not yet seen to have failed
	case tx.Down(i.Zone):
		return StatusImpaired, StatusImpaired
	}
	return StatusOK, StatusImpaired
}
