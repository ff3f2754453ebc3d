package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
)

// fleet is the controllers, and what they have said.
type fleet struct {
	site *site
	show *screen

	running sync.WaitGroup
	once    sync.Once

	mu      sync.Mutex
	leaders []string
	dead    map[string]bool
	started int
	at      map[failover.Kind]time.Time // of the last event of a kind
	errs    []error
}

// The clock of the story: short, so that it is told in 20 seconds.
const (
	ttl      = 5 * time.Second
	margin   = 1500 * time.Millisecond
	renew    = 800 * time.Millisecond
	interval = time.Second
)

// start runs a controller on a machine.
func (f *fleet) start(ctx context.Context, m *machine) error {
	cfg := m.cfg
	cfg.Retryer = func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) } // the engine repeats, and knows when not to
	store, err := dynamostore.New(dynamodb.NewFromConfig(cfg), table, func(o *dynamostore.Options) { o.Timeout = renew / 3 })
	if err != nil {
		return err
	}
	locker, err := failover.NewLocker(store, func(o *failover.LockerOptions) {
		o.TTL, o.Margin, o.RenewInterval, o.RetryInterval = ttl, margin, renew, renew/2
	})
	if err != nil {
		return err
	}
	journal, err := failover.NewJournal(store)
	if err != nil {
		return err
	}
	board, err := failover.NewBoard(store)
	if err != nil {
		return err
	}
	engine, err := failover.New(locker, journal, func(o *failover.Options) {
		o.PollInterval, o.OnEvent = 200*time.Millisecond, func(_ context.Context, ev failover.Event) { f.hear(m, ev) }
	})
	if err != nil {
		return err
	}
	api := ec2.NewFromConfig(cfg)
	service := failover.Service{
		Name:   "checkout",
		Quorum: failover.Quorum{Of: 3, TTL: 10 * time.Second},
		Observers: []failover.Observer{failover.NewObserver("probe@"+m.zone, m.zone, func(ctx context.Context) failover.Observation {
			return f.site.answers(ctx, m)
		})},
		Plan: func(failover.Incident) (failover.Plan, error) {
			return f.site.svc.plan(api, f.site.verify)
		},
	}
	controller, err := failover.NewController(engine, board, []failover.Service{service}, func(o *failover.ControllerOptions) {
		o.Name, o.Zone = m.name, m.zone
		o.Interval, o.RetryInterval, o.ObserveTimeout, o.WarmUp = interval, interval/4, interval/2, 2*interval
		o.OnEvent = func(_ context.Context, ev failover.Event) { f.hear(m, ev) }
	})
	if err != nil {
		return err
	}
	program, end := m.program(ctx)
	f.running.Go(func() {
		defer end()
		if err := controller.Run(program); err != nil && program.Err() == nil {
			f.mu.Lock()
			f.errs = append(f.errs, fmt.Errorf("%s: %w", m.name, err))
			f.mu.Unlock()
		}
	})
	return nil
}

// hear takes in what a controller says.
func (f *fleet) hear(m *machine, ev failover.Event) {
	f.mu.Lock()
	if f.dead[m.name] { // what its program says to the end nobody hears
		f.mu.Unlock()
		return
	}
	f.at[ev.Kind] = ev.Time
	switch ev.Kind {
	case failover.KindLeading:
		f.leaders = append(f.leaders, m.name)
	case failover.KindStarted:
		f.started++
	}
	f.mu.Unlock()
	switch ev.Kind {
	case failover.KindLeading, failover.KindNotLeading, failover.KindVerdict, failover.KindDetected, failover.KindStarted, failover.KindLeased,
		failover.KindStepDo, failover.KindStepDone, failover.KindStepSkipped, failover.KindStepFailed, failover.KindEnded:
		text := fmt.Sprintf("%-13s %s", m.name, ev.Kind)
		if ev.Step != "" {
			text += " " + ev.Step
		}
		if ev.Detail != "" {
			text += ": " + ev.Detail
		}
		if ev.Err != nil {
			text += ": " + ev.Err.Error()
		}
		f.show.say("%s", text)
	}
	if ev.Kind == failover.KindStepDo && f.site.pause == 0 {
		f.killLeader() // before the step's first call
	}
}

// kill ends a machine, and all that stands in its zone.
func (f *fleet) kill(m *machine) {
	f.mu.Lock()
	f.dead[m.name] = true
	f.mu.Unlock()
	m.kill()
}

func (f *fleet) when(kind failover.Kind) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at[kind]
}

// await waits for a condition, and for a minute at most.
func await(ctx context.Context, what string, cond func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it takes too long: "+what))
	defer cancel()
	for !cond() {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
