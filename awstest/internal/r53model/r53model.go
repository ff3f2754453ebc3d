// Package r53model is Amazon Route 53 of awstest without its SDK client: health
// checks, the health checkers that look at the data plane, and what follows for
// the health of each. Its errors are Route 53's own.
//
// There is one Route 53 for all regions. Every function that changes something
// takes the cloud's lock in the form of a *awstest.Tx. Reads of what has been
// configured name the moment as of which they are served; health is that of the
// present.
package r53model

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/history"
)

// homeName is the region of the control plane, and of the metrics.
const homeName = "us-east-1"

// Model is Route 53.
type Model struct {
	cloud *awstest.Cloud
	cw    *cwmodel.Model

	checks     *history.Table[string, *HealthCheck] // by ID
	references map[string]reference                 // by caller reference
	watches    map[string]*watch                    // by ID of the health check
	reports    *history.Table[reporter, Report]
	failures   *history.Table[reporter, Report]
	published  *awstest.Event // when metrics are put next; nil without health checks
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		return &Model{
			cloud: c, cw: cwmodel.Of(r),
			checks:     history.NewTable[string, *HealthCheck](awstest.Memory),
			references: map[string]reference{},
			watches:    map[string]*watch{},
			reports:    history.NewTable[reporter, Report](awstest.Memory),
			failures:   history.NewTable[reporter, Report](awstest.Memory),
		}
	})
}

// newID has the form of the IDs of health checks.
func newID(tx *awstest.Tx) string {
	id := tx.NewID("healthcheck")
	return "00000000-0000-4000-8000-" + id[len(id)-12:]
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("InvalidInput", format, args...)
}

func noSuch(id string) error {
	e := awstest.Errorf("NoSuchHealthCheck", "No health check exists with the ID %s", id)
	e.Status = 404
	return e
}
