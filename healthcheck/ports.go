package healthcheck

import (
	"context"
	"iter"
)

//go:generate go tool -modfile=../internal/tools/go.mod moq -rm -out healthcheckmock/healthcheckmock.go -pkg healthcheckmock . Checker Probe Registrar Source

// Registrar is the side of a pool that discovery drives: what targets there are. A Pool is one.
type Registrar interface {
	// Register adds targets; see [Pool.Register].
	Register(targets ...Target) error
	// Deregister drains targets; see [Pool.Deregister].
	Deregister(ids ...string) error
}

// Source is the side of a pool that routing and failover read: how the targets are. A Pool is one. All methods are safe
// for concurrent use, and none but Wait blocks.
type Source interface {
	// Status returns the status of one target; see [Pool.Status].
	Status(id string) (Status, bool)
	// View returns all of it at one instant; see [Pool.View].
	View() *View
	// Wait blocks until a condition holds; see [Pool.Wait].
	Wait(ctx context.Context, cond func(*View) bool) error
	// Events yields what happens from now on; see [Pool.Events].
	Events(ctx context.Context) iter.Seq[Event]
}

var (
	_ Registrar = (*Pool)(nil)
	_ Source    = (*Pool)(nil)
)
