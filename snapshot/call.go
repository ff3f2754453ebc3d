package snapshot

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// region is what a manager keeps of one region.
type region struct {
	name    string
	manager *Manager
	clients Clients
	paces   [paceRDSRead + 1]*pacer
	gaps    gaps
	waits   poller

	volumes   volumes
	images    images
	databases rdsStore
	clusters  rdsStore
	rdsSlots  slots // of databases and clusters together
}

func newRegion(m *Manager, name string, clients Clients) *region {
	r := &region{name: name, manager: m, clients: clients}
	rates := &m.opts.Rates
	for p, rate := range [...]float64{
		paceCreate: rates.Create, paceCopy: rates.Copy, paceCopyImage: rates.CopyImage, paceDelete: rates.Delete, paceRead: rates.Read,
		paceRDS: rates.RDS, paceRDSRead: rates.RDS,
	} {
		r.paces[p] = newPacer(rate)
	}
	r.gaps.least = m.opts.VolumeGap
	r.waits.init(r)
	r.volumes = volumes{region: r, slots: newSlots(m.opts.CopySlots)}
	r.images = images{region: r, slots: newSlots(maxImageCopies)}
	r.databases = rdsStore{region: r, kind: KindDatabase, api: databases{clients.RDS}, ops: &databaseOps}
	r.clusters = rdsStore{region: r, kind: KindCluster, api: clusters{clients.RDS}, ops: &clusterOps}
	r.rdsSlots = newSlots(m.opts.RDSCopySlots)
	return r
}

// pace is which of the rates counts for an operation.
type pace uint8

const (
	paceCreate pace = iota
	paceCopy
	paceCopyImage
	paceDelete
	paceRead
	paceRDS
	paceRDSRead
)

func (p pace) reads() bool { return p == paceRead || p == paceRDSRead }

// operation is one of AWS's.
type operation struct {
	name   string
	pace   pace
	repeat bool // harmless: it reads, or has its effect once
}

// The SDK repeats what fails, whatever it is. A CreateSnapshot or CopySnapshot whose reply is lost would so be made twice, unseen: neither
// has a token. So repetitions are made here.
func once(o *ec2.Options) { o.Retryer = aws.NopRetryer{} }

// do makes a call at its pace, and repeats it as long as that does no harm and may be of use. The error is an *OpError.
func (r *region) do(ctx context.Context, op operation, resource string, call func(context.Context) error) error {
	err := retry.Do(ctx, r.manager.opts.RetryTimeout, func(ctx context.Context) error {
		if err := r.admit(ctx, op); err != nil {
			return err
		}
		return r.try(ctx, op, call)
	}, func(err error, _ time.Duration) (retry.Policy, bool) { return again(op, err) }, nil)
	return r.outcome(ctx, op, resource, err)
}

// again says whether an error of an operation is worth another call, and after which pauses.
func again(op operation, err error) (retry.Policy, bool) {
	if final(err) {
		return retry.Policy{}, false
	}
	switch awserr.Of(err) {
	case awserr.Throttle:
		return retry.Throttle(), true
	case awserr.Unsent:
		return retry.Transient(), true
	case awserr.Transient:
		return retry.Transient(), op.repeat
	}
	return retry.Policy{}, false
}

// admit waits for the turn of a call.
func (r *region) admit(ctx context.Context, op operation) error {
	if err := r.paces[op.pace].wait(ctx); err != nil {
		return &unsentError{err}
	}
	return nil
}

// unsentError is why a call was not made.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

// try makes a call that has been admitted.
func (r *region) try(ctx context.Context, op operation, call func(context.Context) error) error {
	if !op.pace.reads() {
		if err := r.manager.fenced(ctx); err != nil {
			return &OpError{Op: op.name, Region: r.name, Kind: ErrFenced, Err: err}
		}
	}
	r.manager.count(op.name)
	ctx, cancel := context.WithTimeout(ctx, r.manager.opts.CallTimeout)
	defer cancel()
	err := call(ctx)
	throttled := awserr.Of(err) == awserr.Throttle
	r.paces[op.pace].answered(throttled, time.Now())
	if throttled {
		r.manager.emit(ctx, Event{Kind: Throttled, Region: r.name, Op: op.name, Err: err})
	}
	return err
}

func (m *Manager) count(op string) {
	m.mu.Lock()
	m.calls[op]++
	m.mu.Unlock()
}

// outcome makes an *OpError of what a call returned; nil if that is nil.
func (r *region) outcome(ctx context.Context, op operation, resource string, err error) error {
	if err == nil {
		return nil
	}
	if e := (*OpError)(nil); errors.As(err, &e) {
		e.Resource = resource
		return e
	}
	e := opError(op.name, r.name, resource, causeOf(ctx, err))
	if !op.repeat && awserr.Of(err) == awserr.Transient && !errors.As(err, new(*unsentError)) {
		e.Kind = ErrAmbiguous
	}
	return e
}
