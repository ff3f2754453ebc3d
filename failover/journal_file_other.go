//go:build !unix || solaris || illumos || aix

package failover

import "os"

// lockFile does nothing where there is no flock: see [FileJournal].
func lockFile(*os.File) error { return nil }
