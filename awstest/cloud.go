package awstest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Memory is how far back reads can reach, and so the largest visibility lag
// and the largest [Stale].
const Memory = 15 * time.Minute

// ErrClosed is what calls and dials meet after [Cloud.Close].
var ErrClosed = errors.New("awstest: the cloud is closed")

// Cloud is an AWS in memory: regions with zones, the services it was made
// of, and a network between what runs in it. It is safe for concurrent use.
//
// In a testing/synctest bubble a Cloud must be made, used and closed inside
// the bubble.
type Cloud struct {
	opts     Options
	regions  map[string]*Region
	zones    map[string]*Zone
	services map[string]*Endpoint

	ctx    context.Context // ended by Close; everything that runs stands under it
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	work   chan func(context.Context) // for idle goroutines of Tx.Go

	// One lock guards the world and every model in it, so that a handler sees
	// and changes a consistent whole. It is never held across a wait, a
	// callback of a user or network input and output.
	mu       sync.Mutex
	rng      *rand.Rand
	nextID   map[string]uint64
	shared   map[any]any
	faults   []*fault
	calls    ledger
	loop     loop
	idle     int // goroutines that wait for work, less what is in work
	net      network
	problems []error         // what was asked for and is not modelled
	known    map[string]bool // texts of the problems
	closed   bool
	stuck    map[string]int // faults of Stick in force, by resource
	held     []heldUp
}

// New returns a cloud that offers the services given, each an adapter such as
// ec2svc.New(). It starts nothing: a cloud that is only called holds no
// goroutine and no timer, and needs no Close.
//
// All mistakes in the options are reported at once, each a [*FieldError].
func New(services []Service, optFns ...func(*Options)) (*Cloud, error) {
	var opts Options
	for _, fn := range optFns {
		fn(&opts)
	}
	if err := opts.validate(); err != nil {
		return nil, err
	}
	opts.setDefaults()
	c := &Cloud{
		opts:     opts,
		regions:  map[string]*Region{},
		zones:    map[string]*Zone{},
		services: map[string]*Endpoint{},
		rng:      rand.New(rand.NewPCG(opts.Seed, opts.Seed)),
		nextID:   map[string]uint64{},
		shared:   map[any]any{},
		known:    map[string]bool{},
		stuck:    map[string]int{},
		work:     make(chan func(context.Context), maxIdle),
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.calls.init(opts.CallLog)
	c.loop.cloud = c
	c.net.init()
	for _, name := range opts.Regions {
		r := newRegion(c, name)
		c.regions[name] = r
		for _, z := range r.zones {
			c.zones[z.id] = z
		}
	}
	var errs []error
	for _, register := range services {
		errs = append(errs, register(&Registry{cloud: c}))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends what runs in the cloud, waits until it has ended, and breaks
// every connection. Calls and dials that are under way fail with [ErrClosed].
// A handler of [Instance.Serve] must end when its request's context does, or
// Close waits for it; it must not call Close itself.
//
// It returns what was asked of the cloud and is not modelled, joined: a test
// that checks it cannot pass by way of a call that did nothing. A second
// Close returns the same.
func (c *Cloud) Close() error {
	c.Update(func(tx *Tx) {
		if c.closed {
			return
		}
		c.closed = true
		c.cancel(ErrClosed)
		close(c.work)
		c.loop.stop()
		for _, inst := range c.net.instances {
			tx.powerOff(inst, true)
		}
		c.net.closeFlows(tx)
	})
	c.wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.problems...)
}

// AccountID returns the account that the cloud belongs to.
func (c *Cloud) AccountID() string { return c.opts.AccountID }

// Update runs fn with the cloud locked. It is how an adapter or a model
// changes the world outside of a call; fn must neither wait nor call methods
// of the cloud that lock it themselves.
func (c *Cloud) Update(fn func(*Tx)) {
	tx := Tx{cloud: c}
	func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		tx.begin()
		fn(&tx)
	}()
	tx.settle()
}
