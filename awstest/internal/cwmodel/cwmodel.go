// Package cwmodel is the part of Amazon CloudWatch that other services of
// awstest look at: metrics, their statistics, and alarms that are evaluated by
// themselves. It knows no SDK client; its errors are those of CloudWatch.
//
// Statistics name the moment as of which they are served; changes and alarms
// look at the present.
package cwmodel

import (
	"fmt"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// serviceID is the SDK's service ID.
const serviceID = "CloudWatch"

// Options are the durations of CloudWatch.
type Options struct {
	// Visible is from a data point's arrival until statistics and alarms see
	// it; Listed from a metric's first until it is listed.
	Visible, Listed time.Duration
}

// Model is CloudWatch in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	opts    Options
	regions map[*awstest.Region]*Region
	actions []action
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		return &Model{cloud: c, regions: map[*awstest.Region]*Region{}}
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Region is CloudWatch in a region.
type Region struct {
	model   *Model
	region  *awstest.Region
	metrics map[string]*series // by key
	order   []*series          // in the order of their first data point
	alarms  *history.Table[string, *Alarm]
	watches map[string]*watch // what evaluates the alarms, by name
	events  []HistoryItem
}

// Region returns CloudWatch in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		metrics: map[string]*series{},
		alarms:  history.NewTable[string, *Alarm](awstest.Memory),
		watches: map[string]*watch{},
	}
	m.regions[r] = region
	return region
}

func (r *Region) alarmARN(name string) string {
	return fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", r.region.Name(), r.model.cloud.AccountID(), name)
}
