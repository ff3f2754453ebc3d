package awstest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Config returns an SDK configuration whose clients talk to this cloud. All
// of a client runs but HTTP: validation, endpoints, credentials, signing,
// retries, paginators, waiters.
//
// Clients of a region that the cloud does not have fail as they would if its
// endpoint did not resolve.
func (c *Cloud) Config(region string) aws.Config { return c.config(region, nil) }

func (c *Cloud) config(region string, caller *Instance) aws.Config {
	seam := &seam{cloud: c, caller: caller}
	return aws.Config{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(staticCredentials),
		HTTPClient:  metadataOnly{caller},
		APIOptions:  []func(*middleware.Stack) error{seam.attach},
	}
}

// staticCredentials sign requests that nobody verifies. The key is the one
// that AWS's documentation uses in examples.
func staticCredentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{
		AccessKeyID:     "AKIAIOSFODNN7EXAMPLE",
		SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		Source:          "awstest",
	}, nil
}

// seam is the place where a client leaves the SDK and enters the cloud: two
// middlewares. The first keeps the typed input, once it is validated; the
// second, outermost of the Deserialize step and so inside the retry loop,
// answers in place of the network.
type seam struct {
	cloud  *Cloud
	caller *Instance
}

type inputKey struct{}

func (s *seam) attach(stack *middleware.Stack) error {
	if _, retries := stack.Finalize.Get("Retry"); !retries {
		return nil // a presigned request is made, not sent
	}
	if err := stack.Initialize.Add(keepInput{}, middleware.After); err != nil {
		return err
	}
	return stack.Deserialize.Add(s, middleware.Before)
}

type keepInput struct{}

func (keepInput) ID() string { return "awstest:KeepInput" }

func (keepInput) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
}

// ID implements middleware.DeserializeMiddleware.
func (*seam) ID() string { return "awstest:Seam" }

// HandleDeserialize implements middleware.DeserializeMiddleware.
func (s *seam) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, md middleware.Metadata, err error) {
	service := awsmiddleware.GetServiceID(ctx)
	if service == "" { // the client of the instance metadata service: plain HTTP
		return next.HandleDeserialize(ctx, in)
	}
	rec := &Record{
		Service:   service,
		Operation: awsmiddleware.GetOperationName(ctx),
		Region:    awsmiddleware.GetRegion(ctx),
	}
	if s.caller != nil {
		rec.Caller = s.caller.id
	}
	result, err := s.cloud.serve(ctx, s.caller, rec, middleware.GetStackValue(ctx, inputKey{}))
	if rec.RequestID != "" {
		awsmiddleware.SetRequestIDMetadata(&md, rec.RequestID)
	}
	if err == nil {
		out.Result = result
	}
	return out, md, err
}

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

// shape gives an error of a handler the form in which the SDK delivers it.
func (e *Endpoint) shape(err error, requestID string) error {
	var api *APIError
	if err == nil || !errors.As(err, &api) {
		return err
	}
	status := api.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	var shaped error
	if e.spec.Modelled != nil {
		shaped = e.spec.Modelled(api.Code, api.Message)
	}
	if shaped == nil {
		fault := smithy.FaultClient
		if status >= 500 {
			fault = smithy.FaultServer
		}
		shaped = &smithy.GenericAPIError{Code: api.Code, Message: api.Message, Fault: fault}
	}
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{
				StatusCode: status,
				Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
				Header:     http.Header{},
				Body:       http.NoBody,
			}},
			Err: shaped,
		},
		RequestID: requestID,
	}
}

// requestID has the form of AWS's request IDs.
func requestID(n uint64) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", n>>48, n&(1<<48-1))
}
