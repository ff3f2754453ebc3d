package r53hc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Options configure a [Publisher]. The zero value of each field means its default.
type Options struct {
	Series // what the metrics are of; its Dimensions are required

	// Metrics are what is published, at most 50, with names of their own. Default [HealthyPercent] and [HealthyCount].
	Metrics []Metric

	// Interval is the time between data points, and so between calls: a third of a minute lets two calls fail before a
	// minute is without data. Default 20 s, at least 1 s, at most 30 s.
	Interval time.Duration

	// HighResolution keeps data points by the second and not by the minute, for alarms of your own. Route 53 does not
	// support alarms of them.
	HighResolution bool

	// MaxDoubt is for how long the last known health is published while the latest results of more than half of the
	// targets tell nothing, because the machine that checks is in trouble itself, or while there are none, as it is behind
	// its schedule; after that nothing is. Default 5 minutes.
	MaxDoubt time.Duration

	// Backlog is how many data points of each metric are kept while calls fail, and put with the first one that
	// succeeds, so that a minute of throttling is no minute without data. Default 6, at most 15.
	Backlog int

	// CallTimeout bounds each call, with the SDK's retries inside it. Default 10 s, and at most Interval.
	CallTimeout time.Duration

	// OnEvent is called with each event, one at a time, by Run, which waits for it. A panic in it is recovered and logged.
	OnEvent func(context.Context, Event)

	// Logger gets what fails at Warn, what is not said at Info, and what is published at Debug. Nil is silent.
	Logger *slog.Logger
}

const (
	defaultInterval    = 20 * time.Second
	maxInterval        = 30 * time.Second
	defaultMaxDoubt    = 5 * time.Minute
	defaultBacklog     = 6
	defaultCallTimeout = 10 * time.Second

	// A call has room for 1,000 data points.
	// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html (read 2026-11)
	maxData    = 1000
	maxMetrics = 50
	maxBacklog = 15
)

// Together they fit into one call.
var _ [maxData - maxMetrics*(maxBacklog+1)]struct{}

// complete fills in the defaults and reports every mistake.
func (o *Options) complete() error {
	if len(o.Metrics) == 0 {
		o.Metrics = []Metric{HealthyPercent(), HealthyCount()}
	}
	orDefault(&o.Interval, defaultInterval)
	orDefault(&o.MaxDoubt, defaultMaxDoubt)
	orDefault(&o.Backlog, defaultBacklog)
	if o.CallTimeout == 0 {
		o.CallTimeout = min(defaultCallTimeout, o.Interval)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Metrics, o.Dimensions = slices.Clone(o.Metrics), slices.Clone(o.Dimensions)

	c := &checks{of: "Options"}
	o.Series.complete(c)
	c.require(len(o.Metrics) <= maxMetrics, "Metrics", len(o.Metrics), "must be at most 50")
	seen := map[string]bool{}
	for i, m := range o.Metrics {
		field := fmt.Sprintf("Metrics[%d]", i)
		c.require(printable(m.Name) && len(m.Name) <= maxText, field+".Name", m.Name, "must have from 1 to 255 characters of ASCII")
		c.require(!seen[m.Name], field+".Name", m.Name, "must not be there twice")
		c.require(m.Unit == "" || slices.Contains(m.Unit.Values(), m.Unit), field+".Unit", string(m.Unit), "must be a unit of CloudWatch")
		c.require(m.Value != nil, field+".Value", nil, "must be there")
		seen[m.Name] = true
	}
	c.require(o.Interval >= time.Second && o.Interval <= maxInterval, "Interval", o.Interval, "must be from 1s to 30s")
	c.require(o.MaxDoubt > 0, "MaxDoubt", o.MaxDoubt, "must not be negative")
	c.require(o.Backlog > 0 && o.Backlog <= maxBacklog, "Backlog", o.Backlog, "must be from 1 to 15")
	c.require(o.CallTimeout > 0 && o.CallTimeout <= o.Interval, "CallTimeout", o.CallTimeout, "must be positive and at most Interval")
	return errors.Join(c.errs...)
}
