//go:build !unix || solaris || illumos || aix

package failover

import (
	"context"
	"os"
)

// lockFile does nothing where there is no flock: see [FileJournal].
func lockFile(context.Context, *os.File) error { return nil }
