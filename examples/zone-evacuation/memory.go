package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/snapshot"
)

// The durations of AWS in memory, on which the forecast is built. Those of EC2 are what accounts see; AWS promises none.
const (
	call      = 20 * time.Millisecond // to AWS and back
	pending   = 15 * time.Second      // from a launch until an instance runs
	creating  = 2 * time.Second       // of a volume
	attaching = 2 * time.Second       // of a volume
	joining   = 2 * time.Second       // of an instance that runs, until its Auto Scaling group has it in service

	saving = 20 * time.Second // of what has changed on a volume
)

const (
	backupEvery = 5 * time.Minute        // of the ledger
	steady      = 30 * time.Second       // before the fault, after the recovery, and after the end of the fault
	polling     = 250 * time.Millisecond // between reads of a step that is in progress
)

// memory is AWS in memory with the service in it, and all that runs there.
type memory struct {
	*built

	cloud    *awstest.Cloud
	programs *programs
	pool     *healthcheck.Pool
	engine   *failover.Engine
	watch    healthcheck.Options
	beside   sync.WaitGroup
	stop     context.CancelFunc
	fail     func(error) // ends the story
}

// inMemory builds the service on AWS in memory, starts what runs there, and waits until all is well. End it.
func inMemory(ctx context.Context, tell func(context.Context, failover.Event)) (m *memory, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	m = &memory{programs: &programs{ctx: ctx, tally: newTally()}, stop: func() { cancel(errTold) }}
	m.fail = func(err error) {
		if err != nil && ctx.Err() == nil {
			cancel(err)
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.end())
			m = nil
		}
	}()
	m.cloud, err = awstest.New([]awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) {
			o.Pending, o.VolumeCreating, o.VolumeAttaching, o.Snapshot = pending, creating, attaching, saving
		}),
		elbv2svc.New(), autoscalingsvc.New(func(o *autoscalingsvc.Options) { o.Transition = joining / 2 }), arczonalshiftsvc.New(), sqssvc.New(), dynamodbsvc.New(),
	}, func(o *awstest.Options) {
		o.Latency, o.OnBoot, o.CallLog = call, m.programs.boot, 1_000_000
	})
	if err != nil {
		return m, err
	}
	m.programs.cloud = m.cloud
	cfg := m.cloud.Config("us-east-1")
	if m.built, err = build(ctx, cfg, time.Second, true); err != nil {
		return m, err
	}
	m.ledger().probe = m.ask
	if err := m.backUp(ctx); err != nil {
		return m, err
	}
	if err := m.look(ctx); err != nil {
		return m, err
	}
	if m.engine, err = newEngine(cfg, table, tell); err != nil {
		return m, err
	}
	err = m.beforeBackup(ctx)
	return m, err
}

// errTold ends what runs beside the story.
var errTold = errors.New("the story is told")

// end ends all, and waits for it.
func (m *memory) end() error {
	m.stop()
	m.beside.Wait()
	err := m.programs.end()
	if cause := context.Cause(m.programs.ctx); !errors.Is(cause, errTold) {
		err = errors.Join(cause, err)
	}
	if m.cloud != nil {
		err = errors.Join(err, m.cloud.Close())
	}
	return err
}

// backUp takes snapshots of the ledger's volume from now on, and waits for the first.
func (m *memory) backUp(ctx context.Context) error {
	manager, err := snapshot.New(func(string) snapshot.Clients { return snapshot.Clients{EC2: ec2.NewFromConfig(m.cfg)} })
	if err != nil {
		return err
	}
	m.beside.Go(func() { m.fail(manager.Run(ctx, m.policy)) })
	return m.await(ctx, "the first backup", func() (bool, error) {
		points, err := manager.Points(ctx, m.policy)
		return len(points) > 0 && points[0].State == snapshot.Completed, err
	})
}

// beforeBackup waits until shortly before the next backup: there is one of what the drill writes then, and the drill sees all that is lost.
func (m *memory) beforeBackup(ctx context.Context) error {
	const before = 5 * time.Second
	now := time.Now()
	next := now.Add(before).Truncate(backupEvery).Add(backupEvery)
	return sleep(ctx, next.Add(-before).Sub(now))
}

// look starts the pool that checks every server. It stands in the third zone.
func (m *memory) look(ctx context.Context) error {
	region, err := m.cloud.Region(m.Region)
	if err != nil {
		return err
	}
	checker, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		o.Path, o.Dial = "/healthz", region.Zones()[2].Dial
	})
	if err != nil {
		return err
	}
	m.watch = healthcheck.Options{Interval: 5 * time.Second, Timeout: time.Second, HealthyThreshold: 2, UnhealthyThreshold: 2}
	if m.pool, err = healthcheck.New(checker, func(o *healthcheck.Options) { *o = m.watch }); err != nil {
		return err
	}
	out, err := ec2.NewFromConfig(m.cfg).DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	if err != nil {
		return err
	}
	servers := 0
	for _, r := range out.Reservations {
		for i := range r.Instances {
			one := &r.Instances[i]
			servers++
			if err := m.pool.Register(healthcheck.Target{
				ID: *one.InstanceId, Zone: *one.Placement.AvailabilityZoneId, Addr: *one.PrivateIpAddress + ":" + strconv.Itoa(port),
			}); err != nil {
				return err
			}
		}
	}
	m.beside.Go(func() { m.fail(m.pool.Run(ctx)) })
	return m.pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == servers })
}

// detect waits until no server of the zone answers any more.
func (m *memory) detect(ctx context.Context) error {
	return m.pool.Wait(ctx, func(v *healthcheck.View) bool {
		for _, z := range v.Zones() {
			if z.Zone == m.Zone {
				return !z.Up()
			}
		}
		return false
	})
}

// ask asks the new ledger, by its private address, from another zone than the one that is left.
func (m *memory) ask(ctx context.Context, outputs map[string]string) error {
	region, err := m.cloud.Region(m.Region)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: region.Zones()[2].Dial, DisableKeepAlives: true}
	_, err = get(ctx, transport, "http://"+outputs[ec2step.PrivateIPKey]+"/number")
	return err
}

// newEngine makes an engine whose lease and journal are in the table: they outlive the zone.
func newEngine(cfg aws.Config, table string, tell func(context.Context, failover.Event)) (*failover.Engine, error) {
	store, err := dynamostore.New(dynamodb.NewFromConfig(cfg), table)
	if err != nil {
		return nil, err
	}
	locker, err := failover.NewLocker(store)
	if err != nil {
		return nil, err
	}
	journal, err := failover.NewJournal(store)
	if err != nil {
		return nil, err
	}
	return failover.New(locker, journal, func(o *failover.Options) { o.OnEvent, o.PollInterval = tell, polling })
}

// forecast is how long the steps take, by what AWS in memory is set to.
func forecast() map[string]time.Duration {
	return map[string]time.Duration{
		"shift-1":               3 * call,
		"orders-web-suspend":    3 * call,
		"orders-web-launch":     3 * call,
		"orders-web-in-service": pending + joining,
		"orders-web-resume":     3 * call,
		"ledger-fence":          3 * call,
		"ledger-launch":         4*call + pending,
		"ledger-restore-1":      4*call + creating,
		"ledger-attach-1":       3*call + attaching,
		"ledger-probe":          replay,
		"ledger-address-1":      5 * call,
	}
}
