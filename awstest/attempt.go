package awstest

import (
	"context"
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

// serve is one attempt of one call: it connects, arrives, takes effect and is
// answered. No lock is held across a wait.
func (c *Cloud) serve(ctx context.Context, caller *Instance, rec *Record, in any, request *smithyhttp.Request) (out any, err error) {
	endpoint, op, err := c.route(ctx, rec)
	if err != nil {
		return nil, err
	}
	rec.Input = op.copyIn(in)
	c.mu.Lock()
	rec.Start = time.Now()
	c.nextID["request"]++
	rec.RequestID = requestID(c.nextID["request"])
	c.calls.add(rec)
	c.mu.Unlock()
	boot, err := c.reach(ctx, caller)
	if err != nil {
		return nil, c.finish(rec, err)
	}
	sent, err := c.receive(ctx, op, in, request)
	if err != nil {
		return nil, c.finish(rec, err)
	}

	// Arrive, and wait.
	c.mu.Lock()
	effect := c.strike(rec)
	c.mu.Unlock()
	if err := c.sleep(ctx, c.opts.Latency+effect.delay); err != nil {
		return nil, c.finish(rec, err)
	}
	for _, healed := range effect.hangs {
		if err := c.await(ctx, healed); err != nil {
			return nil, c.finish(rec, err)
		}
	}
	if effect.before != nil {
		effect.before(ctx, *rec)
	}

	// Take effect.
	tx := Tx{cloud: c}
	reply := &reply{endpoint: endpoint, op: op, rec: rec, caller: caller, boot: boot, final: !effect.afterwards()}
	func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		tx.begin()
		c.apply(&tx, effect, in, sent, reply)
		if !reply.sent {
			reply.ready = make(chan struct{})
		}
	}()
	tx.settle()
	if reply.ready != nil {
		if err := c.wait(ctx, reply); err != nil {
			return nil, err
		}
	}
	out, err = reply.out, reply.err
	if log := c.opts.Logger; log.Enabled(ctx, slog.LevelDebug) {
		log.DebugContext(ctx, "awstest call", "service", rec.Service, "operation", rec.Operation, "request_id", rec.RequestID, "err", err)
	}
	if reply.final && c.reaches(caller, boot) {
		return out, err
	}

	// Answer, if the answer gets through.
	if effect.after != nil {
		effect.after(ctx, *rec)
	}
	if err := c.sleep(ctx, effect.delayReply); err != nil {
		return nil, c.finish(rec, err)
	}
	if effect.loseReply || !c.reaches(caller, boot) {
		return nil, c.finish(rec, &smithyhttp.RequestSendError{
			Err: &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		})
	}
	if effect.applyReject != nil && err == nil {
		out, err = nil, endpoint.shape(op.name, effect.applyReject, rec.RequestID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	rec.answer(time.Now(), op, out, err)
	return out, err
}

// apply runs the handler, with the cloud locked.
func (c *Cloud) apply(tx *Tx, effect struck, in any, sent wire, r *reply) {
	call := &Call{
		Service: r.rec.Service, Operation: r.rec.Operation, RequestID: r.rec.RequestID,
		Region: c.regions[r.rec.Region],
		Caller: r.caller,
		At:     tx.now.Add(-max(c.opts.VisibilityLag, effect.stale)),
		Header: sent.header,

		specials: effect.specials,
	}
	field, unread := r.op.unmodelled(in)
	switch {
	case c.closed:
		r.send(tx, nil, &smithyhttp.RequestSendError{Err: ErrClosed})
	case effect.reject != nil:
		e := effect.reject(r.endpoint.spec)
		r.send(tx, nil, &e)
	case unread:
		r.send(tx, nil, call.NotModelled("parameter %s", field))
	default:
		r.op.handle(tx, call, in, sent.data, r)
	}
}

// wait waits for an answer that its handler has left for later.
func (c *Cloud) wait(ctx context.Context, r *reply) error {
	err := c.await(ctx, r.ready)
	late := false
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		late, err = true, &smithy.CanceledError{Err: context.DeadlineExceeded} // as in sleep
	}
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.sent && !late {
		return nil // at this very instant
	}
	r.gone = time.Now()
	r.rec.End, r.rec.Output, r.rec.Err = r.gone, nil, err
	return err
}

// route finds the operation; nothing it looks at changes after New. What is
// not there takes as long to say so as any call: who polls in virtual time
// would spin otherwise.
func (c *Cloud) route(ctx context.Context, rec *Record) (*Endpoint, *operation, error) {
	endpoint := c.services[rec.Service]
	if rec.Region == globalRegion || endpoint != nil && endpoint.spec.Global {
		rec.Region = globalHome
	}
	if endpoint != nil && c.regions[rec.Region] != nil && c.ctx.Err() == nil {
		if op := endpoint.ops[rec.Operation]; op != nil {
			return endpoint, op, nil
		}
	}
	if err := c.sleep(ctx, c.opts.Latency); err != nil {
		return nil, nil, err
	}
	if c.regions[rec.Region] == nil {
		return nil, nil, &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
			Err: "no such host: this cloud has no region " + rec.Region, Name: rec.Service + "." + rec.Region, IsNotFound: true,
		}}}
	}
	err := &NotModelledError{Service: rec.Service, Operation: rec.Operation}
	c.Update(func(tx *Tx) { tx.problem(err) })
	return nil, nil, err
}

// problem notes what is not modelled, for Close, once.
func (tx *Tx) problem(err error) {
	c := tx.cloud
	if text := err.Error(); !c.known[text] {
		c.known[text] = true
		c.problems = append(c.problems, err)
		tx.AfterUnlock(func() { c.opts.Logger.Warn(text) })
	}
}

// reach waits until the caller reaches AWS, as long as the SDK's HTTP client
// tries to connect, and returns the boot in which it does. A program of an
// earlier boot never does.
func (c *Cloud) reach(ctx context.Context, caller *Instance) (boot int, err error) {
	if caller == nil {
		return 0, nil
	}
	program, _ := ctx.Value(programKey{}).(programOf)
	connected := func() (ok bool, changed <-chan struct{}) {
		c.mu.Lock()
		defer c.mu.Unlock()
		boot = caller.boot
		return caller.reachable() && (program.instance != caller || program.boot == boot), c.net.changed
	}
	if ok, _ := connected(); ok {
		return boot, nil
	}
	timeout := time.NewTimer(dialTimeout)
	defer timeout.Stop()
	for {
		ok, changed := connected()
		if ok {
			return boot, nil
		}
		select {
		case <-changed:
		case <-timeout.C:
			return 0, &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}}
		case <-ctx.Done():
			return 0, &smithy.CanceledError{Err: ctx.Err()}
		case <-c.ctx.Done():
			return 0, &smithyhttp.RequestSendError{Err: ErrClosed}
		}
	}
}

// reaches tells whether packets pass between AWS and a caller that is still in
// the boot given: a machine that was without power has forgotten what it asked.
func (c *Cloud) reaches(caller *Instance, boot int) bool {
	if caller == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return caller.reachable() && caller.boot == boot
}

// finish completes the record of a call that ended early.
func (c *Cloud) finish(rec *Record, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	rec.End, rec.Output, rec.Err = time.Now(), nil, err
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
		// A deadline at this very instant comes first, always.
		if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
			return &smithy.CanceledError{Err: context.DeadlineExceeded}
		}
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
