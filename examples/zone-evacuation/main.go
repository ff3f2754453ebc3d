package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/awsha/awsha/examples/internal/virtual"
)

func main() {
	virtual.Main(func(in virtual.Bubble) int {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends the process at once
		err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, in)
		stop()
		if err != nil && !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "zone-evacuation:", err)
		}
		return exitCode(err)
	})
}

type usageError struct{ What, Rule string }

func (e *usageError) Error() string { return e.What + " " + e.Rule }

func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(*usageError)):
		return 2
	}
	return 1
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, in virtual.Bubble) (err error) {
	var r *report
	in(func() {
		r, err = tell(context.Background(), newScreen(stdout))
	})
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, r)
	return json.NewEncoder(stdout).Encode(r)
}
