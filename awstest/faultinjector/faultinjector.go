package faultinjector

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
)

// Kinds of faults.
const (
	PowerLoss   = "power loss"   // of a Region, a zone or an instance: see [awstest.PowerLoss] and [awstest.Region.Fail]
	NetworkLoss = "network loss" // the same: see [awstest.NetworkLoss]
	ServiceDown = "service down" // see [awstest.Cloud.FailService]
	NoCapacity  = "no capacity"  // of a zone: see [awstest.Zone.RefuseLaunches]
)

// Parameters of faults.
const (
	ParamRegion = "region" // of ServiceDown; without it, every region
	ParamType   = "type"   // of NoCapacity: an instance type; without it, every type
)

// Options configure an [Injector].
type Options struct {
	// Kinds are more kinds of faults. A function inflicts one, and returns how to take it back; it is called for each Inject of a new ID,
	// one at a time. Both return at once. One with the name of a kind above replaces that.
	Kinds map[string]func(f drill.Fault) (heal func(), err error)
}

// Injector inflicts faults on a cloud. Make one with [New].
type Injector struct {
	cloud *awstest.Cloud
	kinds map[string]func(drill.Fault) (func(), error)

	mu     sync.Mutex
	faults map[string]*injection
}

var (
	_ drill.Injector  = (*Injector)(nil)
	_ drill.Simulator = (*Injector)(nil)
)

// New returns an injector for a cloud. It starts nothing. The error is a [*failover.FieldError].
func New(cloud *awstest.Cloud, optFns ...func(*Options)) (*Injector, error) {
	var o Options
	for _, fn := range optFns {
		fn(&o)
	}
	if cloud == nil {
		return nil, &failover.FieldError{Field: "cloud", Value: nil, Rule: "must not be nil"}
	}
	i := &Injector{cloud: cloud, faults: make(map[string]*injection)}
	i.kinds = map[string]func(drill.Fault) (func(), error){
		PowerLoss:   func(f drill.Fault) (func(), error) { return i.fail(f, awstest.PowerLoss) },
		NetworkLoss: func(f drill.Fault) (func(), error) { return i.fail(f, awstest.NetworkLoss) },
		ServiceDown: func(f drill.Fault) (func(), error) {
			if f.Target == "" {
				return nil, &failover.FieldError{Field: "fault.Target", Value: f.Target, Rule: "must be a service"}
			}
			return cloud.FailService(f.Target, f.Params[ParamRegion])
		},
		NoCapacity: i.noCapacity,
	}
	for kind, inflict := range o.Kinds {
		if inflict == nil {
			return nil, &failover.FieldError{Field: "Options.Kinds[" + kind + "]", Value: nil, Rule: "must not be nil"}
		}
		i.kinds[kind] = inflict
	}
	return i, nil
}

// Simulated implements [drill.Simulator]: nothing real breaks.
func (i *Injector) Simulated() bool { return true }

// Inject implements [drill.Injector]. The fault is in force when it returns. An error says that nothing is broken.
func (i *Injector) Inject(ctx context.Context, id string, f drill.Fault) (drill.Injection, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if known := i.faults[id]; known != nil {
		return known, nil
	}
	inflict := i.kinds[f.Kind]
	if inflict == nil {
		return nil, &failover.FieldError{Field: "fault.Kind", Value: f.Kind, Rule: "is none of this injector"}
	}
	heal, err := inflict(f)
	if err != nil {
		return nil, err
	}
	one := &injection{heal: heal}
	i.faults[id] = one
	return one, nil
}

func (i *Injector) fail(f drill.Fault, what awstest.Fault) (heal func(), err error) {
	if zone, err := i.cloud.Zone(f.Target); err == nil {
		return zone.Fail(what), nil
	}
	if region, err := i.cloud.Region(f.Target); err == nil {
		return region.Fail(what), nil
	}
	if instance, ok := i.cloud.Instance(f.Target); ok {
		return instance.Fail(what), nil
	}
	return nil, &failover.FieldError{Field: "fault.Target", Value: f.Target, Rule: "is no Region, no zone ID and no instance of this cloud"}
}

func (i *Injector) noCapacity(f drill.Fault) (heal func(), err error) {
	zone, err := i.cloud.Zone(f.Target)
	if err != nil {
		return nil, &failover.FieldError{Field: "fault.Target", Value: f.Target, Rule: "is no zone ID of this cloud"}
	}
	return zone.RefuseLaunches(f.Params[ParamType]), nil
}

// injection is a fault in force, until it is ended.
type injection struct {
	heal func()

	once  sync.Once
	ended atomic.Bool
}

// State implements [drill.Injection].
func (i *injection) State(context.Context) (drill.FaultState, error) {
	if i.ended.Load() {
		return drill.FaultEnded, nil
	}
	return drill.FaultActive, nil
}

// End implements [drill.Injection]. The fault is over when it returns; what it broke may take its time, as a machine that boots.
func (i *injection) End(context.Context) error {
	i.once.Do(i.heal)
	i.ended.Store(true)
	return nil
}
