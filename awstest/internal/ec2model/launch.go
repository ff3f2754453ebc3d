package ec2model

import (
	"net/http"
	"net/netip"

	"github.com/awsha/awsha/awstest"
)

// LaunchData is what an instance is to be like, as a launch or a launch
// template says it. What it names need not exist before the launch.
type LaunchData struct {
	Type, Image       string // an empty type is AWS's default
	KeyName           string
	ZoneID, ZoneName  string // at most one; neither: the subnet's, or any
	Subnet            string
	Private           netip.Addr
	Interface         string     // an interface that exists, as the primary one
	NetworkInterfaces int        // how many new ones; 0 is 1
	Groups            [][]string // of each new interface, by ID or by name; those that nobody has made are passed over
	Tags              Tags
	InterfaceTags     Tags
	Devices           []Device // beside the root volume, or in its place
	VolumeTags        Tags
	Reserve           Reserve
}

// LaunchSpec is what RunInstances asks for.
type LaunchSpec struct {
	LaunchData
	Min, Max int
	Token    string
	Placed   bool   // the request names the place, and not its template: the token is zonal
	Request  string // to tell whether a token comes with the same request again
}

// defaultType is the type of an instance for which none is named.
// Source: RunInstancesInput.InstanceType of the SDK (read 2026-11)
const defaultType = "m1.small"

// Launch launches one instance into a subnet, whatever place the data names,
// with some more tags: a launch as services make it.
func (r *Region) Launch(tx *awstest.Tx, data LaunchData, subnet string, tags Tags) (Instance, error) {
	if data.Interface != "" { // which has a place already
		return Instance{}, awstest.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID may not be specified on the same request")
	}
	data.ZoneID, data.ZoneName, data.Subnet = "", "", subnet
	for _, t := range tags {
		data.Tags = data.Tags.With(t)
	}
	launched, err := r.Run(tx, LaunchSpec{LaunchData: data, Min: 1, Max: 1})
	if err != nil {
		return Instance{}, err
	}
	return launched[0], nil
}

// Run launches instances. A token that is known returns what it launched.
func (r *Region) Run(tx *awstest.Tx, spec LaunchSpec) ([]Instance, error) {
	switch {
	case spec.Image == "":
		return nil, awstest.Errorf("MissingParameter", "The request must contain the parameter ImageId")
	case spec.Min < 1 || spec.Max < spec.Min:
		return nil, awstest.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxCount or ( %d ) for minCount is invalid.", spec.Max, spec.Min)
	case spec.Type == "":
		spec.Type = defaultType
	}
	subnet, err := r.asked(tx, spec.LaunchData)
	if err != nil {
		return nil, err
	}
	t := token{operation: "RunInstances", text: spec.Token}
	if subnet != nil && spec.Placed {
		t.zone = subnet.Zone.ID()
	}
	if ids, known, err := r.recall(t, spec.Request); err != nil {
		return nil, err
	} else if known {
		return r.relaunched(tx, ids)
	}
	image, err := r.launchable(tx, spec.Image)
	if err != nil {
		return nil, err
	}
	if spec.Devices, err = r.devices(tx, spec.Devices, image); err != nil {
		return nil, err
	}
	for _, groups := range spec.Groups {
		if _, err := r.launchGroups(tx, groups); err != nil {
			return nil, err
		}
	}
	if subnet == nil {
		subnet = r.anywhere(tx, spec.Type)
	}
	room, err := r.room(tx, spec, subnet)
	if err != nil {
		return nil, err
	}
	reservation := tx.NewID("r")
	launched := make([]Instance, 0, room.count())
	ids := make([]string, 0, room.count())
	for n := range room.count() {
		i, err := r.launch(tx, spec, subnet, reservation, int32(n), room.of(n))
		if err != nil {
			return nil, err // of the first one: the address that it asks for is taken
		}
		launched = append(launched, i)
		ids = append(ids, i.ID)
	}
	r.remember(t, spec.Request, ids...)
	return launched, nil
}

// asked returns the subnet that a launch asks for, by one of its names: the
// subnet, an interface or the zone. It is nil if any will do.
func (r *Region) asked(tx *awstest.Tx, data LaunchData) (*Subnet, error) {
	var subnet *Subnet
	switch {
	case data.Interface != "":
		n, err := r.Interface(tx.Now(), data.Interface)
		if err != nil {
			return nil, err
		}
		subnet = n.Subnet
	case data.Subnet != "":
		s, err := r.Subnet(data.Subnet)
		if err != nil {
			return nil, err
		}
		subnet = s
	}
	zone, err := r.Zone(data.ZoneID, data.ZoneName)
	switch {
	case err != nil:
		return nil, err
	case zone == nil:
		return subnet, nil
	case subnet == nil:
		return r.DefaultSubnet(zone)
	case subnet.Zone != zone:
		return nil, awstest.Errorf("InvalidParameterValue", "The availability zone '%s' does not match that of the subnet '%s'", zone.Name(), subnet.ID)
	}
	return subnet, nil
}

// anywhere returns the subnet of the first zone with room for an instance of
// that type, or, if there is none, of the first zone.
func (r *Region) anywhere(tx *awstest.Tx, instanceType string) *Subnet {
	for _, s := range r.subnets {
		if s.Default && tx.CanLaunch(s.Zone, instanceType) && r.offered(s.Zone, instanceType) && s.Available() > 0 {
			return s
		}
	}
	return r.subnets[0]
}

// DefaultSubnet returns the default subnet of a zone. Local Zones have none.
// AWS documents no error for that; accounts have been seen to answer this
// text, with this code or with InvalidInput.
func (r *Region) DefaultSubnet(z *awstest.Zone) (*Subnet, error) {
	for _, s := range r.subnets {
		if s.Zone == z && s.Default {
			return s, nil
		}
	}
	return nil, awstest.Errorf("MissingInput", "No default subnet for availability zone: '%s'.", z.Name())
}

// room tells what a launch can have in a subnet, or why nothing.
func (r *Region) room(tx *awstest.Tx, spec LaunchSpec, subnet *Subnet) (room capacity, err error) {
	if spec.Max > 1 && (spec.Private.IsValid() || spec.Interface != "") {
		return room, awstest.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level private IP address may not be specified for more than one instance")
	}
	if spec.Interface != "" {
		if n, err := r.own(tx, spec.Interface); err != nil {
			return room, err
		} else if n.Instance != "" {
			return room, awstest.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", n.ID)
		}
	}
	if room, err = r.capacity(tx, subnet.Zone, spec.Type, spec.Reserve, spec.Max); err != nil {
		return room, err
	}
	if spec.Interface != "" {
		return room, nil
	}
	if room.count() < spec.Min {
		return room, room.short
	}
	addresses := subnet.Available() / max(1, spec.NetworkInterfaces)
	if addresses < spec.Min {
		return room, subnet.full()
	}
	room.reserved = room.reserved[:min(len(room.reserved), addresses)]
	room.more = min(room.more, addresses-len(room.reserved))
	return room, nil
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

func (r *Region) launch(tx *awstest.Tx, spec LaunchSpec, subnet *Subnet, reservation string, index int32, capacityReservation string) (Instance, error) {
	interfaces := []string{spec.Interface}
	owned := spec.Interface == ""
	if owned {
		interfaces = nil
		for d := range max(1, spec.NetworkInterfaces) {
			ask := InterfaceSpec{Subnet: subnet.ID, Tags: spec.InterfaceTags}
			if d < len(spec.Groups) {
				ask.Groups = spec.Groups[d]
			}
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
		Zone: subnet.Zone, Subnet: subnet, LaunchedAt: tx.Now(), Tags: spec.Tags, RootDevice: spec.Devices[0].Name,
		State: Pending, Since: tx.Now(), Reserve: spec.Reserve, CapacityReservation: capacityReservation,
	}
	id := i.ID
	i.Machine = tx.NewInstance(awstest.InstanceSpec{ID: id, Zone: i.Zone, Reach: func(tx *awstest.Tx) { r.reached(tx, id) }})
	tx.SetMetadata(i.Machine, "ami-id", i.Image)
	tx.SetMetadata(i.Machine, "instance-type", i.Type)
	r.instances.Put(tx.Now(), i.ID, i)
	for d, id := range interfaces {
		i, _ = r.instances.Get(tx.Now(), i.ID)
		r.attach(tx, id, i, int32(d), owned)
	}
	for _, d := range spec.Devices {
		d.Tags = spec.VolumeTags
		v := r.newVolume(tx, i.Zone, d.VolumeSpec, VolumeInUse)
		r.attachVolume(tx, v.ID, i.ID, d.Name, !d.Keep)
	}
	i, _ = r.instances.Get(tx.Now(), i.ID)
	r.tell(tx, i)
	r.later(tx, i, r.model.opts.Pending, r.becomeRunning)
	return i, nil
}
