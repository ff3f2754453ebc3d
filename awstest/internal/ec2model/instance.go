package ec2model

import (
	"iter"
	"net/http"
	"net/netip"
	"time"

	"github.com/awsha/awsha/awstest"
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
	BootedAt    time.Time // by the API, the last time; zero if it has never run
	Tags        Tags
	Interfaces  []string // by device index
	State       State
	Since       time.Time // of the state
	Reason      string    // of the last change that a user asked for
	Machine     *awstest.Instance
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

// SetInstanceTags replaces the tags of an instance.
func (r *Region) SetInstanceTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.instances, id, func(i *Instance) { i.Tags = tags })
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
	NetworkInterfaces int // how many new ones; 0 is 1
}

// Run launches instances. A token that is known returns what it launched.
func (r *Region) Run(tx *awstest.Tx, spec LaunchSpec) ([]Instance, error) {
	if spec.Min < 1 || spec.Max < spec.Min {
		return nil, awstest.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxCount or ( %d ) for minCount is invalid.", spec.Max, spec.Min)
	}
	subnet, err := r.asked(tx, spec)
	if err != nil {
		return nil, err
	}
	t := token{operation: "RunInstances", text: spec.Token}
	if subnet != nil {
		t.zone = subnet.Zone.ID()
	}
	if ids, known, err := r.recall(t, spec); err != nil {
		return nil, err
	} else if known {
		return r.relaunched(tx, ids)
	}
	if subnet == nil {
		subnet = r.anywhere(tx, spec.Type)
	}
	count, err := r.room(tx, spec, subnet)
	if err != nil {
		return nil, err
	}
	reservation := tx.NewID("r")
	launched := make([]Instance, 0, count)
	ids := make([]string, 0, count)
	for n := range count {
		i, err := r.launch(tx, spec, subnet, reservation, int32(n))
		if err != nil {
			return nil, err // of the first one: the address that it asks for is taken
		}
		launched = append(launched, i)
		ids = append(ids, i.ID)
	}
	r.remember(t, spec, ids...)
	return launched, nil
}

// asked returns the subnet that a launch asks for, by one of its names: the
// subnet, an interface or the zone. It is nil if any will do.
func (r *Region) asked(tx *awstest.Tx, spec LaunchSpec) (*Subnet, error) {
	var subnet *Subnet
	switch {
	case spec.Interface != "":
		n, err := r.Interface(tx.Now(), spec.Interface)
		if err != nil {
			return nil, err
		}
		subnet = n.Subnet
	case spec.Subnet != "":
		s, err := r.Subnet(spec.Subnet)
		if err != nil {
			return nil, err
		}
		subnet = s
	}
	if spec.Zone == nil {
		return subnet, nil
	}
	if subnet == nil {
		return r.defaultSubnet(spec.Zone)
	}
	if subnet.Zone != spec.Zone {
		return nil, awstest.Errorf("InvalidParameterValue", "The availability zone '%s' does not match that of the subnet '%s'", spec.Zone.Name(), subnet.ID)
	}
	return subnet, nil
}

// anywhere returns the subnet of the first zone with room for an instance of
// that type, or, if there is none, of the first zone.
func (r *Region) anywhere(tx *awstest.Tx, instanceType string) *Subnet {
	for _, s := range r.subnets {
		if s.Default && tx.CanLaunch(s.Zone, instanceType) && s.Available() > 0 {
			return s
		}
	}
	return r.subnets[0]
}

// defaultSubnet returns the default subnet of a zone. Local Zones have none.
// AWS documents no error for that; accounts have been seen to answer this
// text, with this code or with InvalidInput.
func (r *Region) defaultSubnet(z *awstest.Zone) (*Subnet, error) {
	for _, s := range r.subnets {
		if s.Zone == z && s.Default {
			return s, nil
		}
	}
	return nil, awstest.Errorf("MissingInput", "No default subnet for availability zone: '%s'.", z.Name())
}

// room tells how many instances a launch can have in a subnet, or why none.
func (r *Region) room(tx *awstest.Tx, spec LaunchSpec, subnet *Subnet) (count int, err error) {
	if spec.Max > 1 && (spec.Private.IsValid() || spec.Interface != "") {
		return 0, awstest.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level private IP address may not be specified for more than one instance")
	}
	if spec.Interface != "" {
		if n, err := r.own(tx, spec.Interface); err != nil {
			return 0, err
		} else if n.Instance != "" {
			return 0, awstest.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", n.ID)
		}
	}
	if !tx.CanLaunch(subnet.Zone, spec.Type) {
		return 0, noCapacity(subnet.Zone, spec.Type)
	}
	if spec.Interface != "" {
		return 1, nil
	}
	count = min(spec.Max, subnet.Available()/max(1, spec.NetworkInterfaces))
	if count < spec.Min {
		return 0, subnet.full()
	}
	return count, nil
}

// noCapacity is a server error, which the SDK retries.
func noCapacity(z *awstest.Zone, instanceType string) error {
	return &awstest.APIError{
		Code:    "InsufficientInstanceCapacity",
		Message: "We currently do not have sufficient " + instanceType + " capacity in the Availability Zone you requested (" + z.Name() + ").",
		Status:  http.StatusInternalServerError,
	}
}

// relaunched returns the instances of a launch whose token was used again, as
// they are now.
func (r *Region) relaunched(tx *awstest.Tx, ids []string) ([]Instance, error) {
	var out []Instance
	for _, id := range ids {
		i, ok := r.instances.Get(tx.Now(), id)
		if !ok || i.State == ShuttingDown || i.State == Terminated {
			return nil, awstest.Errorf("IdempotentInstanceTerminated", "The request to launch an instance uses the same client token as a previous request for which the instance '%s' has been terminated.", id)
		}
		out = append(out, i)
	}
	return out, nil
}

func (r *Region) launch(tx *awstest.Tx, spec LaunchSpec, subnet *Subnet, reservation string, index int32) (Instance, error) {
	interfaces := []string{spec.Interface}
	owned := spec.Interface == ""
	if owned {
		interfaces = nil
		for d := range max(1, spec.NetworkInterfaces) {
			ask := InterfaceSpec{Subnet: subnet.ID, Tags: spec.InterfaceTags}
			if d == 0 {
				ask.Private = spec.Private
			}
			n, err := r.CreateInterface(tx, ask)
			if err != nil {
				return Instance{}, err
			}
			interfaces = append(interfaces, n.ID)
		}
	}
	i := Instance{
		ID: tx.NewID("i"), Reservation: reservation, LaunchIndex: index,
		Type: spec.Type, Image: spec.Image, KeyName: spec.KeyName, Token: spec.Token,
		Zone: subnet.Zone, Subnet: subnet, LaunchedAt: tx.Now(), Tags: spec.Tags,
		State: Pending, Since: tx.Now(),
	}
	i.Machine = tx.NewInstance(awstest.InstanceSpec{ID: i.ID, Zone: i.Zone})
	tx.SetMetadata(i.Machine, "ami-id", i.Image)
	tx.SetMetadata(i.Machine, "instance-type", i.Type)
	r.instances.Put(tx.Now(), i.ID, i)
	for d, id := range interfaces {
		i, _ = r.instances.Get(tx.Now(), i.ID)
		r.attach(tx, id, i, int32(d), owned)
	}
	i, _ = r.instances.Get(tx.Now(), i.ID)
	r.later(tx, i, r.model.opts.Pending, r.becomeRunning)
	return i, nil
}
