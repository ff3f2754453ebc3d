package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/healthcheck"
)

// settings are the durations of the story.
type settings struct {
	call     time.Duration // of a call to AWS
	launch   time.Duration // of an instance
	interval time.Duration // between health checks of a target
	timeout  time.Duration // of a health check
	every    time.Duration // between requests of the client
	patience time.Duration // of the client with a request
	calm     time.Duration // before the outage, after it, and after the failback
}

// defaults keep the whole story under ten seconds.
var defaults = settings{
	call:     20 * time.Millisecond,
	launch:   500 * time.Millisecond,
	interval: 500 * time.Millisecond,
	timeout:  200 * time.Millisecond,
	every:    50 * time.Millisecond,
	patience: 400 * time.Millisecond,
	calm:     1500 * time.Millisecond,
}

// surviveOutage tells the story on AWS in memory.
func surviveOutage(ctx context.Context, set settings, show *screen) (_ *report, err error) {
	cloud, err := awstest.New([]awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) { o.Pending = set.launch }),
		elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }),
	}, func(o *awstest.Options) { o.Latency = set.call })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cloud.Close()) }()

	show.say("two instances start in two Availability Zones")
	svc, err := build(ctx, newClients(cloud.Config("us-east-1")), 100*time.Millisecond)
	if err != nil {
		return nil, err
	}
	for _, n := range []node{svc.primary, svc.standby} {
		if err := serve(cloud, n); err != nil {
			return nil, err
		}
		show.say("%s is %s in %s", n.Role, n.ID, n.Zone)
	}
	home, err := cloud.Zone(svc.primary.Zone)
	if err != nil {
		return nil, err
	}
	pool, err := watch(cloud, svc, set)
	if err != nil {
		return nil, err
	}
	engine, err := newEngine()
	if err != nil {
		return nil, err
	}
	transport := cloud.Transport()
	transport.DisableKeepAlives = true
	client := &traffic{url: "http://" + svc.publicIP + "/", every: set.every, client: &http.Client{Transport: transport, Timeout: set.patience}}

	// What runs beside the story ends with it, and the story with what fails
	// beside it.
	ctx, stop := context.WithCancelCause(ctx)
	beside, ctx := errgroup.WithContext(ctx)
	beside.Go(func() error { return pool.Run(ctx) })
	beside.Go(func() error { client.run(ctx); return nil })
	beside.Go(func() error { show.follow(ctx, client, pool); return nil })
	story := &story{settings: set, svc: svc, pool: pool, engine: engine, client: client, show: show}
	err = story.tell(ctx, home)
	stop(errTold)
	if besideErr := beside.Wait(); !errors.Is(besideErr, errTold) {
		err = errors.Join(err, besideErr)
	}
	if err != nil {
		return nil, err
	}
	return story.report(), nil
}

// errTold ends what runs beside the story.
var errTold = errors.New("the story is told")

// serve makes a node answer with its name.
func serve(cloud *awstest.Cloud, n node) error {
	inst, ok := cloud.Instance(n.ID)
	if !ok {
		return fmt.Errorf("there is no instance %s", n.ID)
	}
	_, err := inst.Serve(port, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, n.Role) }))
	return err
}

// watch makes the pool that checks both nodes. It stands in a third zone, so
// that it does not go down with the first one.
func watch(cloud *awstest.Cloud, svc *service, set settings) (*healthcheck.Pool, error) {
	region, err := cloud.Region("us-east-1")
	if err != nil {
		return nil, err
	}
	outpost := region.Zones()[2]
	checker, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		o.Path, o.Dial = "/healthz", outpost.Dial
	})
	if err != nil {
		return nil, err
	}
	pool, err := healthcheck.New(checker, func(o *healthcheck.Options) { set.pool(o) })
	if err != nil {
		return nil, err
	}
	for _, n := range []node{svc.primary, svc.standby} {
		if err := pool.Register(healthcheck.Target{ID: n.ID, Zone: n.Zone, Addr: n.PrivateIP + ":" + strconv.Itoa(port)}); err != nil {
			return nil, err
		}
	}
	return pool, nil
}

func (set settings) pool(o *healthcheck.Options) {
	o.Interval, o.Timeout = set.interval, set.timeout
	o.HealthyThreshold, o.UnhealthyThreshold = 2, 2
}

func newEngine(optFns ...func(*failover.Options)) (*failover.Engine, error) {
	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		return nil, err
	}
	return failover.New(locker, new(failover.MemoryJournal), optFns...)
}

func bothHealthy(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 2 }

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
