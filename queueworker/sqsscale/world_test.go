package sqsscale_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

const (
	region  = "us-east-1"
	service = autoscaling.ServiceID
)

// world is a cloud with the queue "work" and the Auto Scaling group "workers", in two zones.
type world struct {
	testing.TB
	*autoscaling.Client
	cloud   *awstest.Cloud
	queue   *sqs.Client
	metrics *cloudwatch.Client
	url     string
	wg      sync.WaitGroup
	ctx     context.Context // of all that runs
	stop    context.CancelFunc

	mu     sync.Mutex
	hint   queueworker.ScaleHint
	err    error
	events []sqsscale.DriverEvent
}

// inWorld runs a test in a bubble, on a group from least to most instances of which desired ones are in service.
func inWorld(t *testing.T, least, most, desired int32, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := must(awstest.New([]awstest.Service{ec2svc.New(), autoscalingsvc.New(), cloudwatchsvc.New(), sqssvc.New()}))(t)
		config := cloud.Config(region)
		w := &world{TB: t, cloud: cloud, Client: autoscaling.NewFromConfig(config), queue: sqs.NewFromConfig(config), metrics: cloudwatch.NewFromConfig(config)}
		w.ctx, w.stop = context.WithCancel(t.Context())
		defer func() {
			w.stop()
			w.wg.Wait()
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		w.url = *must(w.queue.CreateQueue(w.ctx, &sqs.CreateQueueInput{QueueName: aws.String("work")}))(t).QueueUrl
		template := must(ec2.NewFromConfig(config).CreateLaunchTemplate(w.ctx, &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("worker"),
			LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
		}))(t).LaunchTemplate.LaunchTemplateId
		must(w.CreateAutoScalingGroup(w.ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("workers"), MinSize: &least, MaxSize: &most, DesiredCapacity: &desired,
			AvailabilityZones: []string{"us-east-1a", "us-east-1b"}, LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: template},
			LifecycleHookSpecificationList: []types.LifecycleHookSpecification{{
				LifecycleHookName: aws.String("drain"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING"),
				HeartbeatTimeout: aws.Int32(900), DefaultResult: aws.String("CONTINUE"),
			}},
		}))(t)
		w.until("the group is there", func() bool { return w.inService() == int(desired) })
		test(w)
	})
}

func (w *world) Hint(context.Context) (queueworker.ScaleHint, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hint, w.err
}

// need makes the hint be for n instances.
func (w *world) need(n int, changes ...func(*queueworker.ScaleHint)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hint, w.err = queueworker.ScaleHint{Desired: n, Reason: fmt.Sprintf("%d are needed", n)}, nil
	for _, change := range changes {
		change(&w.hint)
	}
}

func (w *world) unknown(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

// drive runs a driver until the end of the test, or until stop is called.
func (w *world) drive(api sqsscale.DriverAPI, hints sqsscale.Hinter, optFns ...func(*sqsscale.DriverOptions)) (stop func()) {
	w.Helper()
	driver := must(sqsscale.NewDriver(api, "workers", hints, append(optFns, func(o *sqsscale.DriverOptions) {
		o.OnEvent = func(_ context.Context, e sqsscale.DriverEvent) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}
	})...))(w)
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan struct{})
	w.wg.Go(func() {
		defer close(done)
		if err := driver.Run(ctx); !errors.Is(err, context.Canceled) {
			w.Errorf("Run returned %v", err)
		}
	})
	return func() { cancel(); <-done }
}

// log returns the events so far.
func (w *world) log() []sqsscale.DriverEvent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]sqsscale.DriverEvent(nil), w.events...)
}

// changes tells what was done to the capacity, such as "2 to 5".
func (w *world) changes() (all []string) {
	for _, e := range w.log() {
		if e.Applied {
			all = append(all, fmt.Sprintf("%d to %d", e.Decision.From, e.Decision.To))
		}
	}
	return all
}

// last returns the latest event.
func (w *world) last() (e sqsscale.DriverEvent) {
	if all := w.log(); len(all) > 0 {
		e = all[len(all)-1]
	}
	return e
}

func (w *world) describe() types.AutoScalingGroup {
	w.Helper()
	out := must(w.DescribeAutoScalingGroups(context.Background(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"workers"}}))(w)
	return out.AutoScalingGroups[0]
}

func (w *world) desired() int {
	w.Helper()
	return int(*w.describe().DesiredCapacity)
}

func (w *world) inService() int {
	w.Helper()
	return must(sqsscale.InService(w.Client, "workers")(context.Background()))(w)
}

// settled tells whether n instances are wanted, and there.
func (w *world) settled(n int) bool {
	g := w.describe()
	return int(*g.DesiredCapacity) == n && len(g.Instances) == n && w.inService() == n
}

func (w *world) sets() int { return w.cloud.Count(service, "SetDesiredCapacity") }

// until waits, in steps of a second, for something that comes within three hours.
func (w *world) until(what string, cond func() bool) time.Duration {
	w.Helper()
	from := time.Now()
	for !cond() {
		if time.Since(from) > 3*time.Hour {
			w.Fatalf("never: %s", what)
		}
		time.Sleep(time.Second)
	}
	return time.Since(from)
}

// send puts n messages into the queue.
func (w *world) send(n int) {
	w.Helper()
	for i := 0; i < n; i += 10 {
		var entries []sqstypes.SendMessageBatchRequestEntry
		for k := i; k < min(i+10, n); k++ {
			entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(k)), MessageBody: aws.String(strconv.Itoa(k))})
		}
		must(w.queue.SendMessageBatch(w.ctx, &sqs.SendMessageBatchInput{QueueUrl: &w.url, Entries: entries}))(w)
	}
}

// fleet runs a worker on each instance of the group that comes into service, and drains it when the instance is to go.
type fleet struct {
	*world
	handler time.Duration
	slots   int

	handled, killed atomic.Int64

	mu      sync.Mutex
	workers map[string]*machine // by instance
}

type machine struct {
	worker  *queueworker.Worker
	running atomic.Int64 // handlers
	stop    context.CancelFunc
	drained chan struct{}
	leaving bool
}

// run keeps the fleet as the group is. Five seconds are how soon an instance sees what becomes of it.
func (f *fleet) run() {
	f.workers = map[string]*machine{}
	f.wg.Go(func() {
		for f.ctx.Err() == nil {
			f.look()
			time.Sleep(5 * time.Second)
		}
	})
}

func (f *fleet) look() {
	out, err := f.DescribeAutoScalingInstances(f.ctx, &autoscaling.DescribeAutoScalingInstancesInput{})
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	there := map[string]bool{}
	for _, i := range out.AutoScalingInstances {
		id := *i.InstanceId
		there[id] = true
		m := f.workers[id]
		switch *i.LifecycleState {
		case string(types.LifecycleStateInService):
			if m == nil {
				f.workers[id] = f.boot()
			}
		case string(types.LifecycleStateTerminatingWait):
			if m != nil && !m.leaving {
				m.leaving = true
				m.stop()
				f.wg.Go(func() {
					<-m.drained
					_, _ = f.CompleteLifecycleAction(f.ctx, &autoscaling.CompleteLifecycleActionInput{
						AutoScalingGroupName: aws.String("workers"), LifecycleHookName: aws.String("drain"),
						InstanceId: &id, LifecycleActionResult: aws.String("CONTINUE"),
					})
				})
			}
		}
	}
	for id, m := range f.workers {
		if !there[id] {
			f.killed.Add(m.running.Load()) // the instance is gone
			m.stop()
			delete(f.workers, id)
		}
	}
}

// boot starts a worker.
func (f *fleet) boot() *machine {
	m := &machine{drained: make(chan struct{})}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(f.ctx)
	m.worker = must(queueworker.New(f.queue, f.url, queueworker.HandlerFunc(func(ctx context.Context, _ *queueworker.Message) error {
		m.running.Add(1)
		defer m.running.Add(-1)
		select {
		case <-time.After(f.handler):
			f.handled.Add(1)
			return nil
		case <-ctx.Done():
			f.killed.Add(1)
			return context.Cause(ctx)
		}
	}), func(o *queueworker.Options) { o.Concurrency, o.DrainTimeout = f.slots, 10*time.Minute }))(f)
	f.wg.Go(func() {
		defer close(m.drained)
		if err := m.worker.Run(ctx); err != nil && f.ctx.Err() == nil {
			f.Errorf("a worker returned %v", err)
		}
	})
	return m
}

// hints are those of a Scaler, for which the workers that run stand together.
func (f *fleet) hints(target time.Duration) sqsscale.Hinter {
	return must(queueworker.NewScaler(f.queue, f.url, f.stats, func(o *queueworker.ScalerOptions) {
		o.TargetLatency, o.Max, o.Instances = target, 100, sqsscale.InService(f.Client, "workers")
	}))(f)
}

// stats are the averages of the workers that run.
func (f *fleet) stats() queueworker.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := queueworker.Stats{Slots: f.slots}
	known := 0
	for _, m := range f.workers {
		s := m.worker.Stats()
		all.Rate += s.Rate / float64(len(f.workers))
		if s.MeanHandler > 0 {
			all.MeanHandler += s.MeanHandler
			known++
		}
	}
	all.MeanHandler /= time.Duration(max(known, 1))
	return all
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
