// Package zonalshiftmodel is the zonal shift of Application Recovery
// Controller in awstest: which zones which resources are to stay out of. It
// knows no SDK client; its errors are those of the service. The message of a
// ConflictException or a ValidationException begins with its reason.
//
// The services that have resources to shift register their kinds with
// [Model.RegisterKind] and ask [Model.Shifted]. Nothing else connects the two:
// without a kind no resource is managed.
package zonalshiftmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Resource is a resource that can be shifted: what it is now.
type Resource struct {
	ARN, Name string
	Zones     []*awstest.Zone // that it is deployed in

	// NoAutoshift says that it is not enabled for zonal autoshift, so that a
	// shift that AWS starts passes it by.
	NoAutoshift bool
}

// Kind is a kind of resources that can be shifted. Its functions run with the
// cloud locked.
type Kind struct {
	// Prefix is what the ARNs of the kind begin with, up to the region, such
	// as "arn:aws:autoscaling:".
	Prefix string

	// Resolve returns the resource of an ARN, and whether it is managed: it
	// exists and is enabled for zonal shift.
	Resolve func(tx *awstest.Tx, region *awstest.Region, arn string) (Resource, bool)

	// List returns the resources that are managed, in an order that repeats.
	List func(tx *awstest.Tx, region *awstest.Region) []Resource

	// Changed, if it is not nil, is told that what [Model.Shifted] answers for
	// a resource is another now. The resource may be gone.
	Changed func(tx *awstest.Tx, region *awstest.Region, arn string)
}

// Options are the durations of zonal shift.
type Options struct {
	// Effect is from the start or the end of a shift until it is in effect.
	Effect time.Duration
}

// Model is zonal shift in every region of a cloud.
type Model struct {
	opts    Options
	kinds   []Kind
	regions map[*awstest.Region]*Region
	onEvent []func(*awstest.Tx, *awstest.Region, Event)
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(*awstest.Cloud) *Model {
		return &Model{regions: map[*awstest.Region]*Region{}}
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// RegisterKind adds a kind of resources that can be shifted. It is called
// while the cloud is made.
func (m *Model) RegisterKind(k Kind) { m.kinds = append(m.kinds, k) }

// Region is zonal shift in a region.
type Region struct {
	model      *Model
	region     *awstest.Region
	shifts     *history.Table[string, Shift] // by ID
	expiry     map[string]*awstest.Event     // of active shifts, by ID
	active     map[string]string             // shift of a customer by ARN
	autoshifts []*Autoshift
	due        map[string][]*awstest.Zone              // what is to be effective, but for what is stuck, by ARN
	effective  *history.Table[string, []*awstest.Zone] // by ARN
}

// Region returns zonal shift in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		shifts:    history.NewTable[string, Shift](awstest.Memory),
		effective: history.NewTable[string, []*awstest.Zone](awstest.Memory),
		expiry:    map[string]*awstest.Event{},
		active:    map[string]string{},
		due:       map[string][]*awstest.Zone{},
	}
	m.regions[r] = region
	return region
}

// Shifted returns the zones that the traffic and the launches of a resource
// are to stay out of now.
func (m *Model) Shifted(tx *awstest.Tx, region *awstest.Region, arn string) []*awstest.Zone {
	return m.Region(region).Effective(tx.Now(), arn)
}

// Effective returns the zones that a resource is shifted away from as of a
// moment.
func (r *Region) Effective(at time.Time, arn string) []*awstest.Zone {
	zones, _ := r.effective.Get(at, arn)
	return zones
}

// Resources returns the managed resources, kind by kind.
func (r *Region) Resources(tx *awstest.Tx) (all []Resource) {
	for _, k := range r.model.kinds {
		all = append(all, k.List(tx, r.region)...)
	}
	return all
}

// Resource returns a managed resource.
func (r *Region) Resource(tx *awstest.Tx, arn string) (Resource, error) {
	if len(arn) < minARN || len(arn) > maxARN || arn[:4] != "arn:" {
		return Resource{}, invalid("InvalidResourceIdentifier", "%s is not an ARN", arn)
	}
	if k, ok := r.model.kind(arn); ok {
		if res, ok := k.Resolve(tx, r.region, arn); ok {
			return res, nil
		}
	}
	return Resource{}, notFound("There is no managed resource %s in %s", arn, r.region.Name())
}

// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html (read 2026-11)
const (
	minARN = 8
	maxARN = 1024
)

func (m *Model) kind(arn string) (Kind, bool) {
	i := slices.IndexFunc(m.kinds, func(k Kind) bool {
		return len(arn) > len(k.Prefix) && arn[:len(k.Prefix)] == k.Prefix
	})
	if i < 0 {
		return Kind{}, false
	}
	return m.kinds[i], true
}
