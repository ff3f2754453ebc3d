// Snapshot-lifecycle runs a backup policy for two years, in seconds: eight
// volumes are snapshotted each night, copied to another region under its key,
// and pruned, while replies are lost, a volume is deleted, a region is down for
// a night and the program is down for a week.
//
// Without flags it runs on AWS in memory, in virtual time, and prints what the
// policy keeps in the end, and why.
//
//	go run ./examples/snapshot-lifecycle
//	go run ./examples/snapshot-lifecycle -html kept.html
//	go run ./examples/snapshot-lifecycle -json
//	go run ./examples/snapshot-lifecycle -volumes 1000 -json
//
// With -aws, or -endpoint for an emulator, it looks at the policy of -policy in
// a real account and prints what it would take and delete. Only with -apply does it
// run the newest slot of the policy's schedule there.
//
// Exit status: 0 done, 1 error, duplicates or a signal, 2 wrong flags.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones of policies, on machines that have none

	"github.com/awsha/awsha/examples/internal/virtual"
)

//go:embed policy.json
var policyOfStory []byte

func main() {
	virtual.Main(func(in virtual.Bubble) int {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends the process at once
		err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, in)
		stop()
		if err != nil && !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "snapshot-lifecycle:", err)
		}
		return exitCode(err)
	})
}

func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	return 1
}

// run does what the flags say.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, in virtual.Bubble) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if f.aws || f.endpoint != "" {
		in, err := account(ctx, f)
		if err != nil {
			return err
		}
		return elsewhere(ctx, f, in, stdout)
	}
	show := newScreen(stdout)
	if f.json {
		show = newScreen(io.Discard)
	}
	var report *report
	stopped := ctx.Err
	in(func() {
		ctx := context.Background() // a wait for what is outside of the bubble would hold up its clock
		if f.volumes > 0 {
			report, err = tellSlot(ctx, f, show)
			return
		}
		report, err = tellYears(ctx, f, show, stopped)
	})
	if report == nil {
		return err
	}
	if report.Duplicates > 0 {
		err = errors.Join(err, fmt.Errorf("%d duplicates", report.Duplicates))
	}
	if f.html != "" {
		err = errors.Join(err, os.WriteFile(f.html, report.page(), 0o644))
	}
	if f.json {
		return errors.Join(err, json.NewEncoder(stdout).Encode(report))
	}
	show.print(report.String())
	return err
}
