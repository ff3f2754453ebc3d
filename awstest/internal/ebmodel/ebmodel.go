// Package ebmodel is Amazon EventBridge of awstest without its SDK client: the
// rules of the default event bus, what they match, and the delivery of events
// to queues. It hears of what EC2, Auto Scaling, RDS and zonal shift do by
// itself. Its errors are those of the service.
//
// Reads name the moment as of which they are served; changes look at the
// present.
package ebmodel

import (
	"fmt"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/history"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// The SDK's service IDs.
const (
	serviceID    = "EventBridge"
	sqsServiceID = "SQS"
)

// Options are the durations of EventBridge.
type Options struct {
	// Delay is from an event to its delivery. Spread is what comes on top of it
	// at most, drawn for each delivery.
	Delay, Spread time.Duration

	// Effect is from a change of a rule or its targets until events feel it.
	Effect time.Duration
}

// Model is EventBridge in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	queues  *sqsmodel.Model
	opts    Options
	regions map[*awstest.Region]*Region

	deliveries   uint64 // so far
	disturbances []*disturbance
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		m := &Model{cloud: c, queues: sqsmodel.Of(r), regions: map[*awstest.Region]*Region{}}
		ec2model.Of(r).OnState(m.instanceChanged)
		asgmodel.Of(r).OnEvent(m.groupTells)
		rdsmodel.Of(r).OnEvent(m.databaseTells)
		zonalshiftmodel.Of(r).OnEvent(m.shiftTells)
		return m
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Region is the default event bus of a region.
type Region struct {
	model  *Model
	region *awstest.Region
	rules  *history.Table[string, Rule] // by name
}

// Region returns the default event bus of a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{model: m, region: r, rules: history.NewTable[string, Rule](awstest.Memory)}
	m.regions[r] = region
	return region
}

// DefaultBus is the name of the one event bus that there is.
const DefaultBus = "default"

// BusARN returns the ARN of the event bus.
func (r *Region) BusARN() string { return r.arn("event-bus/" + DefaultBus) }

func (r *Region) arn(resource string) string {
	return fmt.Sprintf("arn:aws:events:%s:%s:%s", r.region.Name(), r.model.cloud.AccountID(), resource)
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationException", format, args...)
}
