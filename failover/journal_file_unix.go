//go:build unix && !solaris && !illumos && !aix

package failover

import (
	"os"
	"syscall"
)

// lockFile waits until nobody else has the file locked, in whatever process. The lock ends when the file is closed.
func lockFile(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			return err
		}
	}
}
