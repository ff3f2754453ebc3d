//go:build unix && !solaris && !illumos && !aix

package failover_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/awsha/awsha/failover"
)

// Another process has the file locked, and is stopped.
func TestAFileJournalEndsItsWaitForTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, err := failover.NewFileJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	log := open(t, j, "i", 1)
	var path string
	if err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".jsonl") {
			path = p
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 4)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	go func() { ended <- log.Append(ctx, record(failover.PhaseIntent, 1, "")) }()
	go func() { _, err := log.Replay(ctx); ended <- err }()
	go func() { _, err := j.Open(ctx, "orders", "i", 2); ended <- err }()
	go func() { _, err := j.Incidents(ctx); ended <- err }()
	for range 4 {
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), record(failover.PhaseIntent, 1, "")); err != nil {
		t.Error(err)
	}
}
