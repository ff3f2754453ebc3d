package zonalshiftmodel

import (
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Status is the state of a zonal shift.
type Status string

// The states of a zonal shift.
const (
	Active   Status = "ACTIVE"
	Expired  Status = "EXPIRED"
	Canceled Status = "CANCELED"
)

// Shift is a zonal shift that a customer has started. It is a value: a change
// makes a new one.
type Shift struct {
	ID, ARN, Comment string
	AwayFrom         *awstest.Zone
	Start, Expiry    time.Time
	Status           Status
}

// Start moves a resource away from a zone for a time such as "30m" or "2h".
func (r *Region) Start(tx *awstest.Tx, arn, zone, expiresIn, comment string) (Shift, error) {
	d, err := duration(expiresIn)
	if err != nil {
		return Shift{}, err
	}
	if err := checkComment(comment); err != nil {
		return Shift{}, err
	}
	res, err := r.Resource(tx, arn)
	if err != nil {
		return Shift{}, err
	}
	away, err := r.zone(res, zone)
	if err != nil {
		return Shift{}, err
	}
	if id, ok := r.active[arn]; ok {
		s, _ := r.shifts.Get(tx.Now(), id)
		if s.AwayFrom == away {
			return Shift{}, conflict("ZonalShiftAlreadyExists", "The zonal shift %s away from %s is active for the resource", id, zone)
		}
		return Shift{}, conflict("SimultaneousZonalShiftsConflict", "The zonal shift %s away from %s is active for the resource", id, s.AwayFrom.ID())
	}
	s := Shift{
		ID: newID(tx), ARN: arn, Comment: comment, AwayFrom: away,
		Start: tx.Now(), Expiry: tx.Now().Add(d), Status: Active,
	}
	r.shifts.Put(tx.Now(), s.ID, s)
	r.active[arn] = s.ID
	r.expireAt(tx, s)
	r.settle(tx, arn)
	r.tell(tx, ManualShiftStarted, arn, away)
	return s, nil
}

// newID has the form of the service's IDs.
func newID(tx *awstest.Tx) string {
	n := tx.NewID("zonalshift")
	return "00000000-0000-4000-8000-" + n[len(n)-12:]
}

// expireAt ends a shift at its expiry.
func (r *Region) expireAt(tx *awstest.Tx, s Shift) {
	if e, ok := r.expiry[s.ID]; ok {
		e.Cancel(tx)
	}
	r.expiry[s.ID] = tx.Schedule(s.Expiry, func(tx *awstest.Tx) { r.end(tx, s.ID, Expired) })
}

// Update sets a new expiry, counted from now, or a new comment of an active
// shift; nil leaves it as it is.
func (r *Region) Update(tx *awstest.Tx, id string, expiresIn, comment *string) (Shift, error) {
	s, err := r.activeShift(tx, id)
	if err != nil {
		return s, err
	}
	if expiresIn == nil && comment == nil {
		return s, invalid("MissingValue", "expiresIn or comment must be given")
	}
	if expiresIn != nil {
		d, err := duration(*expiresIn)
		if err != nil {
			return s, err
		}
		s.Expiry = tx.Now().Add(d)
	}
	if comment != nil {
		if err := checkComment(*comment); err != nil {
			return s, err
		}
		s.Comment = *comment
	}
	r.shifts.Put(tx.Now(), id, s)
	r.expireAt(tx, s)
	r.tell(tx, ManualShiftUpdated, s.ARN, s.AwayFrom)
	return s, nil
}

// Cancel ends an active shift.
func (r *Region) Cancel(tx *awstest.Tx, id string) (Shift, error) {
	if _, err := r.activeShift(tx, id); err != nil {
		return Shift{}, err
	}
	s := r.end(tx, id, Canceled)
	r.tell(tx, ManualShiftCanceled, s.ARN, s.AwayFrom)
	return s, nil
}

func (r *Region) end(tx *awstest.Tx, id string, status Status) Shift {
	s, _ := r.shifts.Get(tx.Now(), id)
	s.Status = status
	r.shifts.Put(tx.Now(), id, s)
	r.expiry[id].Cancel(tx)
	delete(r.expiry, id)
	delete(r.active, s.ARN)
	r.settle(tx, s.ARN)
	return s
}

func (r *Region) activeShift(tx *awstest.Tx, id string) (Shift, error) {
	s, ok := r.shifts.Get(tx.Now(), id)
	switch {
	case !ok:
		return s, notFound("There is no zonal shift %s in %s", id, r.region.Name())
	case s.Status != Active:
		return s, conflict("ZonalShiftStatusNotActive", "The zonal shift %s is %s", id, s.Status)
	}
	return s, nil
}

// Shifts yields the shifts as of a moment, in the order in which they were
// started.
func (r *Region) Shifts(at time.Time) iter.Seq[Shift] {
	return func(yield func(Shift) bool) {
		for _, s := range r.shifts.All(at) {
			if !yield(s) {
				return
			}
		}
	}
}

// zone returns the zone of an ID that a resource is to be moved away from.
// Names of zones are no IDs.
func (r *Region) zone(res Resource, id string) (*awstest.Zone, error) {
	named := func(z *awstest.Zone) bool { return z.ID() == id }
	if i := slices.IndexFunc(res.Zones, named); i >= 0 {
		return res.Zones[i], nil
	}
	if slices.ContainsFunc(r.region.Zones(), named) {
		return nil, invalid("UnsupportedAz", "The resource is not deployed in %s", id)
	}
	return nil, invalid("InvalidAz", "%s is not the ID of an Availability Zone of %s", id, r.region.Name())
}

// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html (read 2026-11)
var durationPattern = regexp.MustCompile(`^[1-9][0-9]{0,3}[mh]$`)

const (
	maxDuration = 72 * time.Hour
	maxComment  = 128
)

// duration reads a whole number of minutes or hours, up to three days.
func duration(text string) (time.Duration, error) {
	if !durationPattern.MatchString(text) {
		return 0, invalid("InvalidExpiresIn", "%q is not a whole number of minutes or hours, such as 30m or 2h", text)
	}
	unit := time.Minute
	if strings.HasSuffix(text, "h") {
		unit = time.Hour
	}
	n, _ := strconv.Atoi(text[:len(text)-1])
	d := time.Duration(n) * unit
	if d > maxDuration {
		return 0, invalid("InvalidExpiresIn", "%s is more than three days", text)
	}
	return d, nil
}

// checkComment refuses a comment that is too long. The service documents no
// reason for it.
func checkComment(comment string) error {
	if len([]rune(comment)) > maxComment {
		return awstest.Errorf("ValidationException", "comment must have at most %d characters", maxComment)
	}
	return nil
}
