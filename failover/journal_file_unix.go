//go:build unix && !solaris && !illumos && !aix

package failover

import (
	"context"
	"os"
	"syscall"
	"time"
)

// lockFile waits until nobody else has the file locked, in whatever process, or until ctx ends. The lock ends when the file is closed.
func lockFile(ctx context.Context, f *os.File) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case syscall.EWOULDBLOCK:
			if cause := sleep(ctx, pause); cause != nil {
				return cause
			}
		case syscall.EINTR:
		default:
			return err
		}
	}
}
