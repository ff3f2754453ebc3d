package r53model

import (
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// publish puts the metrics of the health checks every minute, as long as there
// are any.
func (m *Model) publish(tx *awstest.Tx) {
	if m.published == nil {
		m.published = tx.Schedule(tx.Now().Truncate(time.Minute).Add(time.Minute), m.put)
	}
}

// Metrics of health checks, which are in us-east-1 whatever is checked.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html (read 2026-11)
func (m *Model) put(tx *awstest.Tx) {
	m.published = nil
	if len(m.watches) == 0 {
		return
	}
	m.publish(tx)
	home, err := m.cloud.Region(homeName)
	if err != nil || tx.ServiceDown("CloudWatch", home) {
		return
	}
	for _, hc := range m.HealthChecks(tx.Now()) {
		datum := func(name, unit string, v float64) {
			m.cw.Region(home).Put(tx, cwmodel.Datum{
				Metric: cwmodel.Metric{Namespace: "AWS/Route53", Name: name, Dimensions: []cwmodel.Dimension{{Name: "HealthCheckId", Value: hc.ID}}},
				Unit:   unit, Values: []float64{v},
			})
		}
		status := 0.0
		if healthy, _ := m.Healthy(tx, hc.ID); healthy {
			status = 1
		}
		datum("HealthCheckStatus", cwmodel.None, status)
		switch {
		case hc.Config.Disabled:
		case hc.Config.Type == Calculated:
			datum("ChildHealthCheckHealthyCount", cwmodel.None, float64(m.healthyChildren(tx, hc)))
		case hc.Config.Type.Endpoint():
			datum("HealthCheckPercentageHealthy", "Percent", m.watches[hc.ID].percentage())
		}
	}
}
