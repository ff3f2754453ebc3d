package rdsstep

import "errors"

var (
	// ErrNoStandby reports a DB instance that is not Multi-AZ: there is nothing that could take over. A read replica is no standby.
	ErrNoStandby = errors.New("there is no standby")

	// ErrNoReader reports a cluster without a reader that could become the writer, outside of the zone that is left.
	ErrNoReader = errors.New("no reader can take over")

	// ErrNotReplica reports a DB instance that is to be promoted and never was a read replica of the source that is named.
	ErrNotReplica = errors.New("is not a replica of that source")

	// ErrLag reports a replica that is further behind than may be lost, or of which nobody knows.
	ErrLag = errors.New("the replica's lag")
)
