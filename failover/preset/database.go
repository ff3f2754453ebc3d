package preset

import (
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/rdsstep"
)

// RDSAPI is what a [DatabaseFailover] calls of RDS; *rds.Client is one.
type RDSAPI interface {
	rdsstep.DatabaseAPI
	rdsstep.ClusterAPI
}

// Databases describes a [DatabaseFailover].
type Databases struct {
	Service string // of the plan. Required

	// Away is the zone that the databases leave, by name or ID. Default the fact [failover.FactZone].
	Away  failover.Ref
	Zones rdsstep.ZoneAPI // Required

	// Planned asks RDS to fail over at once, for a zone that is left while it works. By default RDS, which acts by itself when a zone fails, has three
	// minutes before it is asked.
	Planned bool

	Databases []Database // Required
}

// Database is a Multi-AZ DB instance or a cluster.
type Database struct {
	Instance string // identifier of a DB instance; empty: it is a cluster
	Cluster  string // identifier of a cluster; empty: it is an instance

	// Probe has to succeed, and go on to for Steady, before it counts as back: a write that does no harm. See [rdsstep.Probe].
	Probe  rdsstep.Probe
	Steady time.Duration
}

// selfFailover is how long RDS takes by itself at most, with some reserve: it names 60 to 120 seconds.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html (read 2026-11)
const selfFailover = 3 * time.Minute

// DatabaseFailover returns a plan that has the databases of a service leave a zone, all at once:
//
//	database-NAME      for each DB instance
//	cluster-NAME       for each cluster
//
// Add what has to follow, such as a step that has the service connect anew, with the step's ID in its needs.
func DatabaseFailover(api RDSAPI, d Databases) failover.Plan {
	zone := orFact(d.Away, failover.FactZone)
	var grace time.Duration
	if !d.Planned {
		grace = selfFailover
	}
	p := builder{plan: failover.Plan{Service: d.Service}}
	for _, one := range d.Databases {
		if one.Cluster != "" {
			p.add(rdsstep.FailoverCluster(api, rdsstep.ClusterSpec{
				ID: "cluster-" + one.Cluster, Cluster: one.Cluster, Away: zone, Zones: d.Zones, Grace: grace, Probe: one.Probe, Steady: one.Steady,
			}))
		}
		if one.Instance != "" || one.Cluster == "" {
			p.add(rdsstep.Failover(api, rdsstep.FailoverSpec{
				ID: "database-" + one.Instance, Database: one.Instance, Away: zone, Zones: d.Zones, Grace: grace, Probe: one.Probe, Steady: one.Steady,
			}))
		}
	}
	return p.plan
}
