// Eip-remap moves an Elastic IP address to a network interface or an instance, and takes it from nobody but the owner that it
// has seen. The function move is the answer to how; the rest is flags and a story.
//
// Without flags it tells the story on EC2 in memory, behind the SDK's real client: a missing permission, the checks before a
// move, the move, the same move again, a controller that comes too late, instances that boot and share a pool. With -endpoint
// it plays on an emulator. With -allocation and -target it moves that address, there or on AWS:
//
//	go run ./examples/eip-remap
//	go run ./examples/eip-remap -endpoint http://127.0.0.1:5000
//	go run ./examples/eip-remap -aws -region eu-west-1 -allocation eipalloc-... -target i-... -apply
//
// Exit status: 0 moved or there already, 1 error, 2 wrong flags, 3 somebody else has the address, or another one the target.
//
// With -json it prints one object; in the story it is about the move to the standby:
//
//	allocation_id, public_ip  of the address
//	changed                   whether this move made the association
//	before, after             {association_id, network_interface_id, instance_id, private_ip}, empty for nobody
//	associate_calls, disassociate_calls, describe_calls, inspect_calls, took_ms
//	                          of the move, without the checks
//	ready                     the checks before it: [{name, verdict, action, detail}], with the IAM action that is missing
//	would                     what the move does if nobody comes in between; empty if a check has failed
//	conflict                  {owner, error}: who has the address, as the loser is told, empty if it is not the address but
//	                          the target that is taken; null without a conflict
//	denied                    the IAM actions that were found missing, and claims,
//	claims                    [{instance_id, allocation_id, public_ip, error}]: both of the story only
//	error                     if there was one
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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/eip"
)

// move is how to move an address safely: look first, act on what was seen, and leave the rest to EC2's verdict. Without apply it
// only looks.
func move(ctx context.Context, remapper *eip.Remapper, req eip.Request, apply bool) (eip.Report, eip.Result, error) {
	ready, err := remapper.Ready(ctx, req) // reads and dry runs: nothing is changed
	if err == nil {
		err = ready.Err()
	}
	if err != nil || !apply {
		return ready, eip.Result{AllocationID: req.AllocationID, PublicIP: ready.PublicIP, Before: ready.Owner}, err
	}
	res, err := remapper.Remap(ctx, ready.Request) // which names the owner that was seen: whoever comes in between keeps it
	return ready, res, err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "eip-remap:", err)
	}
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case errors.Is(err, eip.ErrConflict):
		return 3
	}
	return 1
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("-timeout: not done within %v", f.timeout))
	defer cancel()
	show := newScreen(stdout)
	if f.json {
		show = newScreen(io.Discard)
	}
	var o outcome
	if f.endpoint == "" && !f.aws {
		o, err = storyInMemory(ctx, show)
	} else if cfg, configErr := configure(ctx, f); configErr != nil {
		err = configErr
	} else if f.req.AllocationID == "" {
		o, err = story(ctx, cfg, nil, show)
	} else {
		o, err = moveNamed(ctx, cfg, f, show)
	}
	if f.json {
		if err != nil {
			o.Error = err.Error()
		}
		err = errors.Join(err, json.NewEncoder(stdout).Encode(o))
	}
	return err
}

// moveNamed moves what the flags name.
func moveNamed(ctx context.Context, cfg aws.Config, f flags, show *screen) (outcome, error) {
	w := &world{Client: ec2.NewFromConfig(cfg)}
	remapper, err := eip.New(w)
	if err != nil {
		return outcome{}, err
	}
	apply := !f.dryRun && (!f.aws || f.apply)
	ready, res, err := move(ctx, remapper, f.req, apply)
	show.checks(&ready)
	if err == nil && apply {
		show.move("move", &res)
	} else if err == nil {
		show.block("dry run", []string{"would " + would(&ready), w.changed()})
	}
	return newOutcome(&ready, &res, err), err
}
