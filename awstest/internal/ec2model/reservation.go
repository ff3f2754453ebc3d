package ec2model

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Reservation is an On-Demand Capacity Reservation.
type Reservation struct {
	ID       string
	Type     string
	Platform string
	Zone     *awstest.Zone
	Targeted bool // only launches that name it use it
	Total    int
	Created  time.Time
	End      time.Time // zero if it has none
	State    string    // active, cancelled or expired
	Tags     Tags
}

// Active is the state of a reservation that holds capacity.
const Active = "active"

// DefaultPlatform is that of all instances here.
const DefaultPlatform = "Linux/UNIX"

// Preference says whether an instance runs in a reservation.
type Preference string

// The preferences.
const (
	PreferOpen Preference = "open" // in one that is open and matches, if one has room
	PreferNone Preference = "none"
	PreferOnly Preference = "capacity-reservations-only" // not otherwise
)

// Reserve is how an instance wants its capacity: by preference, or of one reservation.
type Reserve struct {
	Preference Preference // empty is PreferOpen
	Target     string     // ID
}

// ReservedInstances are what holds capacity in a zone, or, without one, is a discount in the region.
type ReservedInstances struct {
	ID       string
	Zone     *awstest.Zone
	Type     string
	Platform string
	Count    int
	Start    time.Time
}

// ReservationSpec is what CreateCapacityReservation asks for.
type ReservationSpec struct {
	Type, Platform   string
	ZoneID, ZoneName string
	Targeted         bool
	Total            int
	End              time.Time
	Token            string
	Request          string
	Tags             Tags
}

// Reservation returns a reservation as of a moment.
func (r *Region) Reservation(at time.Time, id string) (Reservation, error) {
	if v, ok := r.reservations.Get(at, id); ok {
		return v, nil
	}
	return Reservation{}, awstest.Errorf("InvalidCapacityReservationId.NotFound", "The Capacity Reservation ID '%s' does not exist", id)
}

// Reservations yields the reservations as of a moment.
func (r *Region) Reservations(at time.Time) iter.Seq2[string, Reservation] {
	return r.reservations.All(at)
}

// CreateReservation reserves capacity, which has to be there.
func (r *Region) CreateReservation(tx *awstest.Tx, spec ReservationSpec) (Reservation, error) {
	zone, err := r.Zone(spec.ZoneID, spec.ZoneName)
	switch {
	case err != nil:
		return Reservation{}, err
	case zone == nil:
		return Reservation{}, awstest.Errorf("MissingParameter", "The request must contain the parameter AvailabilityZone or AvailabilityZoneId")
	case spec.Total < 1:
		return Reservation{}, awstest.Errorf("InvalidParameterValue", "Invalid value '%d' for InstanceCount", spec.Total)
	case !spec.End.IsZero() && !spec.End.After(tx.Now()):
		return Reservation{}, awstest.Errorf("InvalidParameterValue", "The end date must be in the future")
	}
	t := token{operation: "CreateCapacityReservation", text: spec.Token}
	if ids, known, err := r.recall(t, spec.Request); err != nil {
		return Reservation{}, err
	} else if known {
		return r.Reservation(tx.Now(), ids[0])
	}
	if !r.offered(zone, spec.Type) {
		return Reservation{}, notOffered(zone, spec.Type)
	}
	if r.spare(tx, spec.Type, spec.Total) < spec.Total {
		return Reservation{}, awstest.Errorf("InstanceLimitExceeded", "Your quota does not allow for %d more instance(s) of the type %s.", spec.Total, spec.Type)
	}
	if !tx.CanLaunch(zone, spec.Type) {
		return Reservation{}, noCapacity(zone, spec.Type)
	}
	v := Reservation{
		ID: tx.NewID("cr"), Type: spec.Type, Platform: spec.Platform, Zone: zone, Targeted: spec.Targeted, Total: spec.Total,
		Created: tx.Now(), End: spec.End, State: Active, Tags: spec.Tags,
	}
	r.reservations.Put(tx.Now(), v.ID, v)
	r.remember(t, spec.Request, v.ID)
	if !v.End.IsZero() {
		tx.Schedule(v.End, func(tx *awstest.Tx) { r.endReservation(tx, v.ID, "expired") })
	}
	return v, nil
}

// CancelReservation gives the capacity back. Instances in it run on.
func (r *Region) CancelReservation(tx *awstest.Tx, id string) error {
	v, err := r.Reservation(tx.Now(), id)
	if err == nil && v.State == Active {
		r.endReservation(tx, id, "cancelled")
	}
	return err
}

func (r *Region) endReservation(tx *awstest.Tx, id, state string) {
	if v, ok := r.reservations.Get(tx.Now(), id); !ok || v.State != Active {
		return
	}
	change(tx, r.reservations, id, func(v *Reservation) { v.State = state })
	for _, i := range r.instances.All(tx.Now()) {
		if i.CapacityReservation == id {
			change(tx, r.instances, i.ID, func(i *Instance) { i.CapacityReservation = "" })
		}
	}
}

// SetReservationTags replaces the tags of a reservation.
func (r *Region) SetReservationTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.reservations, id, func(v *Reservation) { v.Tags = tags })
}

// Free returns how many more instances a reservation has room for, as of a moment.
func (r *Region) Free(at time.Time, v Reservation) int {
	if v.State != Active {
		return 0
	}
	free := v.Total
	for _, i := range r.instances.All(at) {
		if i.CapacityReservation == v.ID {
			free--
		}
	}
	return max(free, 0)
}

// AddReservedInstances puts Reserved Instances in, as a purchase does.
func (r *Region) AddReservedInstances(tx *awstest.Tx, v ReservedInstances) ReservedInstances {
	v.ID, v.Start = tx.NewID("ri"), tx.Now()
	r.reserved = append(r.reserved, v)
	return v
}

// ReservedInstances returns all Reserved Instances.
func (r *Region) ReservedInstances() []ReservedInstances { return r.reserved }

// held returns for how many more instances of a type zonal Reserved Instances hold capacity. An instance in a Capacity Reservation takes none of it.
func (r *Region) held(tx *awstest.Tx, zone *awstest.Zone, instanceType string) int {
	n := 0
	for _, v := range r.reserved {
		if v.Zone == zone && v.Type == instanceType && v.Platform == DefaultPlatform {
			n += v.Count
		}
	}
	if n == 0 {
		return 0
	}
	for _, i := range r.instances.All(tx.Now()) {
		if i.Zone == zone && i.Type == instanceType && i.CapacityReservation == "" && i.State != Stopped && i.State != Terminated {
			n--
		}
	}
	return max(n, 0)
}

// capacity is where instances of a launch get theirs: of reservations first, by ID, and of what nobody has reserved.
type capacity struct {
	reserved []string // one for each instance
	more     int
	short    error // why there is not more
}

func (c capacity) count() int { return len(c.reserved) + c.more }

// of returns the reservation of an instance of the launch, by its index; empty if it has none.
func (c capacity) of(n int) string {
	if n < len(c.reserved) {
		return c.reserved[n]
	}
	return ""
}

// capacity finds capacity for up to so many instances of a type in a zone. The error says why there is none. Whether AWS looks at the quota before it looks
// for capacity it does not say; here it does.
func (r *Region) capacity(tx *awstest.Tx, zone *awstest.Zone, instanceType string, how Reserve, most int) (c capacity, err error) {
	if !r.offered(zone, instanceType) {
		return c, notOffered(zone, instanceType)
	}
	if tx.Down(zone) {
		return c, noCapacity(zone, instanceType)
	}
	if how.Target != "" {
		v, err := r.Reservation(tx.Now(), how.Target)
		switch {
		case err != nil:
			return c, err
		case v.Zone != zone || v.Type != instanceType || v.Platform != DefaultPlatform:
			return c, awstest.Errorf("InvalidParameterCombination", "The attributes of the Capacity Reservation '%s' do not match those of the launch", v.ID)
		}
		c.take(v, min(most, r.Free(tx.Now(), v)))
		if c.count() == 0 {
			return c, awstest.Errorf("ReservationCapacityExceeded", "The requested reservation does not have sufficient compatible and available capacity for this request.")
		}
		return c, nil
	}
	if how.Preference != PreferNone {
		for _, v := range r.reservations.All(tx.Now()) {
			if !v.Targeted && v.Zone == zone && v.Type == instanceType && v.Platform == DefaultPlatform {
				c.take(v, min(most-c.count(), r.Free(tx.Now(), v)))
			}
		}
	}
	c.short = noCapacity(zone, instanceType)
	if how.Preference != PreferOnly {
		wanted := most - c.count()
		spare := r.spare(tx, instanceType, wanted)
		if spare < wanted {
			c.short = r.overVCPUs()
		}
		c.more = spare
		if !tx.CanLaunch(zone, instanceType) {
			if held := r.held(tx, zone, instanceType); held < spare {
				c.more, c.short = held, noCapacity(zone, instanceType)
			}
		}
	}
	if c.count() == 0 {
		return c, c.short
	}
	return c, nil
}

func (c *capacity) take(v Reservation, n int) {
	for range n {
		c.reserved = append(c.reserved, v.ID)
	}
}
