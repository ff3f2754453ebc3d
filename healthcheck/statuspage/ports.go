package statuspage

import "github.com/awsha/awsha/healthcheck"

// Source is what the page shows. A *healthcheck.Pool is one, and so is every healthcheck.Source.
type Source interface {
	// View returns how the targets are now. It is called by requests, one at a time and at most once per Options.MaxAge, with
	// no lock held.
	View() *healthcheck.View
}

var (
	_ Source = (*healthcheck.Pool)(nil)
	_ Source = healthcheck.Source(nil)
)
