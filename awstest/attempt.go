package awstest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// dialTimeout is how long the SDK's own HTTP client tries to connect.
// Source: aws-sdk-go-v2 aws/transport/http DefaultDialConnectTimeout (read 2026-11)
const dialTimeout = 30 * time.Second

// serve is one attempt of one call: it arrives, waits, takes effect and is
// answered. The lock is taken twice, never across a wait.
func (c *Cloud) serve(ctx context.Context, caller *Instance, rec *Record, in any) (out any, err error) {
	endpoint, op, err := c.route(rec)
	if err != nil {
		return nil, err
	}
	rec.Input = op.capture(in)

	// Arrive.
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, &smithyhttp.RequestSendError{Err: ErrClosed}
	}
	rec.Start = time.Now()
	c.nextID["request"]++
	rec.RequestID = requestID(c.nextID["request"])
	c.calls.add(rec)
	reaches := caller == nil || caller.reachable()
	effect, healed := c.strike(rec)
	c.mu.Unlock()

	// Wait.
	if !reaches {
		if err := c.sleep(ctx, dialTimeout); err != nil {
			return nil, c.finish(rec, err)
		}
		return nil, c.finish(rec, &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}})
	}
	if err := c.sleep(ctx, c.opts.Latency+effect.delay); err != nil {
		return nil, c.finish(rec, err)
	}
	if effect.hang {
		if err := c.await(ctx, healed); err != nil {
			return nil, c.finish(rec, err)
		}
	}
	if effect.before != nil {
		effect.before(ctx, *rec)
	}

	// Take effect.
	plain := effect.after == nil && effect.delayReply == 0 && effect.applyReject == nil && !effect.loseReply
	tx := Tx{cloud: c}
	func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		tx.now = time.Now()
		if effect.reject != nil {
			e := effect.reject(endpoint.spec)
			err = &e
		} else {
			out, err = c.apply(&tx, caller, op, rec, effect, in)
		}
		rec.Applied = err == nil
		if plain {
			rec.End, rec.Output, rec.Err = tx.now, out, err
		}
	}()
	tx.settle()
	if log := c.logger(); log.Enabled(ctx, slog.LevelDebug) {
		log.DebugContext(ctx, "awstest call", "service", rec.Service, "operation", rec.Operation, "request_id", rec.RequestID, "err", err)
	}
	if plain {
		return out, endpoint.shape(err, rec.RequestID)
	}

	// Answer, under a fault.
	if effect.after != nil {
		effect.after(ctx, *rec)
	}
	if waitErr := c.sleep(ctx, effect.delayReply); waitErr != nil {
		return nil, c.finish(rec, waitErr)
	}
	switch {
	case effect.loseReply:
		return nil, c.finish(rec, &smithyhttp.RequestSendError{
			Err: &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		})
	case effect.applyReject != nil && err == nil:
		err = effect.applyReject
		out = nil
	}
	c.mu.Lock()
	rec.End, rec.Output, rec.Err = time.Now(), out, err
	c.mu.Unlock()
	return out, endpoint.shape(err, rec.RequestID)
}

// apply runs the handler, with the cloud locked.
func (c *Cloud) apply(tx *Tx, caller *Instance, op *operation, rec *Record, effect Effect, in any) (any, error) {
	call := &Call{
		Service: rec.Service, Operation: rec.Operation, RequestID: rec.RequestID,
		Region: c.regions[rec.Region],
		Caller: caller,
		At:     tx.now.Add(-max(c.opts.VisibilityLag, effect.stale)),
	}
	if field, found := op.unmodelled(in); found {
		return nil, c.problem(call.NotModelled("parameter %s", field))
	}
	out, err := op.handle(tx, call, in)
	if errors.Is(err, ErrNotModelled) {
		return nil, c.problem(err)
	}
	return out, err
}

// route finds the operation; nothing it looks at changes after New.
func (c *Cloud) route(rec *Record) (*Endpoint, *operation, error) {
	if c.regions[rec.Region] == nil {
		return nil, nil, &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
			Err: "no such host: awstest has no region " + rec.Region, Name: rec.Service + "." + rec.Region, IsNotFound: true,
		}}}
	}
	if e, ok := c.services[rec.Service]; ok {
		if op, ok := e.ops[rec.Operation]; ok {
			return e, op, nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return nil, nil, c.problem(&NotModelledError{Service: rec.Service, Operation: rec.Operation})
}

// problem notes what is not modelled, for Close, and returns it.
func (c *Cloud) problem(err error) error {
	for _, known := range c.problems {
		if known.Error() == err.Error() {
			return err
		}
	}
	c.problems = append(c.problems, err)
	c.logger().Warn(err.Error())
	return err
}

// finish completes the record of a call that ended early.
func (c *Cloud) finish(rec *Record, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	rec.End, rec.Err = time.Now(), err
	return err
}

// sleep waits for d, or fails as the SDK's transport does when ctx ends.
func (c *Cloud) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		if ctx.Err() != nil {
			return &smithy.CanceledError{Err: ctx.Err()}
		}
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &smithy.CanceledError{Err: ctx.Err()}
	case <-c.ctx.Done():
		return &smithyhttp.RequestSendError{Err: ErrClosed}
	}
}

// await waits for ready, or fails as sleep does.
func (c *Cloud) await(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return &smithy.CanceledError{Err: ctx.Err()}
	case <-c.ctx.Done():
		return &smithyhttp.RequestSendError{Err: ErrClosed}
	}
}
