package r53model

import "github.com/awsha/awsha/awstest"

// watch is what Route 53 knows of a health check: its verdict, before it is
// inverted. Calculated ones need none, they are added up when they are asked.
type watch struct {
	model *Model
	id    string
	turn  int // counts configurations: what an earlier one began is over

	seats   []*seat // of endpoints: the checkers that look at it
	known   bool    // of alarms: the data has told a state once
	healthy bool    // what was judged
	shown   bool    // what follows for traffic: lags behind while the check is stuck
	held    bool    // shown waits until nothing holds the health check up
}

// watch begins to watch a health check, or goes on with another configuration.
// It is healthy until there is enough data to say otherwise. A health check that
// is changed keeps its verdict; one that is enabled again begins anew.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html (read 2026-11)
func (m *Model) watch(tx *awstest.Tx, hc, old *HealthCheck) {
	w, ok := m.watches[hc.ID]
	if !ok {
		w = &watch{model: m, id: hc.ID, healthy: true, shown: true}
		m.watches[hc.ID] = w
	}
	w.turn++
	if old != nil && old.Config.Disabled && !hc.Config.Disabled {
		w.known, w.seats = false, nil
		w.judge(tx, true)
	}
	m.publish(tx)
	switch {
	case hc.Config.Disabled:
	case hc.Config.Type == Metric:
		w.follow(tx, hc, w.turn)
	case hc.Config.Type.Endpoint():
		w.seat(tx, hc)
	}
}

func (m *Model) unwatch(tx *awstest.Tx, id string) {
	w := m.watches[id]
	w.turn++
	delete(m.watches, id)
	for i := range fleet {
		m.reports.Delete(tx.Now(), reporter{id, i})
		m.failures.Delete(tx.Now(), reporter{id, i})
	}
}

// judge comes to a verdict, which shows as soon as nothing holds the health
// check up.
func (w *watch) judge(tx *awstest.Tx, healthy bool) {
	w.healthy = healthy
	if w.shown == healthy || w.held {
		return
	}
	w.held = true
	tx.WhenFree(nil, w.id, func(*awstest.Tx) {
		w.held = false
		w.shown = w.healthy
	})
}

// Healthy tells whether traffic is sent to what a health check is of, and
// whether there is such a health check.
func (m *Model) Healthy(tx *awstest.Tx, id string) (healthy, ok bool) {
	hc, ok := m.checks.Get(tx.Now(), id)
	if !ok {
		return false, false
	}
	healthy = true // also what is disabled
	switch {
	case hc.Config.Disabled:
	case hc.Config.Type == Calculated:
		healthy = m.healthyChildren(tx, hc) >= int(hc.Config.Needed)
	default:
		healthy = m.watches[id].shown
	}
	return healthy != hc.Config.Inverted, true
}

// healthyChildren counts the children that are healthy. One that was deleted is
// not; AWS does not say what it is.
func (m *Model) healthyChildren(tx *awstest.Tx, hc *HealthCheck) (n int) {
	for _, id := range hc.Config.Children {
		if healthy, _ := m.Healthy(tx, id); healthy {
			n++
		}
	}
	return n
}
