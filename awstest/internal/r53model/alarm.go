package r53model

import (
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// alarmTurn is how often the data of an alarm is looked at. AWS does not say.
const alarmTurn = 10 * time.Second

// copyAlarm returns the alarm as it is configured now: what changes there later
// does not reach the health check until that is updated.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-updating-cloudwatch-alarm-settings.html (read 2026-11)
func (m *Model) copyAlarm(tx *awstest.Tx, call *awstest.Call, c *Config) (*cwmodel.AlarmSpec, error) {
	region, err := m.cloud.Region(c.AlarmRegion)
	if err != nil {
		return nil, invalid("%q is not a CloudWatch region", c.AlarmRegion)
	}
	a, ok := m.cw.Region(region).Alarm(tx.Now(), c.AlarmName)
	switch {
	case !ok:
		return nil, invalid("The alarm %s does not exist in %s", c.AlarmName, c.AlarmRegion)
	case a.Query.Statistic.Percentile():
		return nil, invalid("The alarm %s has an extended statistic, which is not supported", c.AlarmName)
	case a.Period < time.Minute:
		return nil, invalid("The alarm %s has a period of %v: high-resolution metrics are not supported", c.AlarmName, a.Period)
	case a.ToAlarm != 0 && a.ToAlarm != a.Periods:
		return nil, call.NotModelled("a health check of an alarm of M out of N data points")
	}
	return &a.AlarmSpec, nil
}

// follow judges by the data of the alarm, now and from then on. The alarm's own
// state, which may have been set by hand, does not matter.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html (read 2026-11)
func (w *watch) follow(tx *awstest.Tx, hc *HealthCheck, turn int) {
	if w.turn != turn {
		return
	}
	region, _ := w.model.cloud.Region(hc.Config.AlarmRegion) // copyAlarm has found it
	switch state, ok := w.model.cw.Region(region).JudgeAs(tx, hc.Alarm); {
	case ok && state == cwmodel.OK:
		w.known = true
		w.judge(tx, true)
	case ok && state == cwmodel.InAlarm:
		w.known = true
		w.judge(tx, false)
	case ok: // not enough data
		w.lacking(tx, hc.Config.Insufficient)
	case !w.known: // too little to tell, and nothing was told before
		w.lacking(tx, hc.Config.Insufficient)
	}
	tx.Schedule(tx.Now().Truncate(alarmTurn).Add(alarmTurn), func(tx *awstest.Tx) { w.follow(tx, hc, turn) })
}

// lacking is the verdict without enough data.
func (w *watch) lacking(tx *awstest.Tx, status string) {
	switch status {
	case Healthy:
		w.judge(tx, true)
	case Unhealthy:
		w.judge(tx, false)
	case LastKnownStatus: // which is healthy if there was none
	}
}
