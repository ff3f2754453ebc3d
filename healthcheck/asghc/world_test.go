package asghc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/asghc"
)

const service = autoscaling.ServiceID

// world is a cloud with a group in two zones, whose instances are targets of a pool as soon as they are in service. A target
// is healthy unless the test says otherwise, and unhealthy 20 s after.
type world struct {
	testing.TB
	*autoscaling.Client
	cloud *awstest.Cloud
	pool  *healthcheck.Pool
	stop  context.CancelFunc // of all that runs
	wg    sync.WaitGroup
	start time.Time

	mu     sync.Mutex
	sick   map[string]bool
	broken bool // what all instances depend on
	events []asghc.Event
}

// inBubble runs a test on a world with a group of n instances that have been in service for a while.
func inBubble(t *testing.T, n int, test func(*world), changes ...func(*autoscaling.CreateAutoScalingGroupInput)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, n, changes...)
		defer w.close()
		w.until("the fleet is there", func() bool { return w.pool.View().Count(healthcheck.Healthy) == n })
		w.start = time.Now()
		test(w)
	})
}

func newWorld(t testing.TB, n int, changes ...func(*autoscaling.CreateAutoScalingGroupInput)) *world {
	t.Helper()
	w := &world{TB: t, sick: map[string]bool{}}
	w.cloud = must(awstest.New([]awstest.Service{ec2svc.New(), autoscalingsvc.New()}))(t)
	w.Client = autoscaling.NewFromConfig(w.cloud.Config("us-east-1"))
	template := must(ec2.NewFromConfig(w.cloud.Config("us-east-1")).CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
	}))(t).LaunchTemplate.LaunchTemplateId
	in := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("g"), MinSize: aws.Int32(0), MaxSize: aws.Int32(100), DesiredCapacity: aws.Int32(int32(n)),
		AvailabilityZones: []string{"us-east-1a", "us-east-1b"}, LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: template},
	}
	for _, change := range changes {
		change(in)
	}
	must(w.CreateAutoScalingGroup(t.Context(), in))(t)

	checker := healthcheck.Func(func(ctx context.Context, target healthcheck.Target) error { return w.check(target.ID) })
	w.pool = must(healthcheck.New(checker, func(o *healthcheck.Options) {
		o.Interval, o.Timeout, o.HealthyThreshold, o.DeregistrationDelay = 10*time.Second, 2*time.Second, 2, healthcheck.None
	}))(t)
	var ctx context.Context
	ctx, w.stop = context.WithCancel(t.Context())
	w.wg.Go(func() { _ = w.pool.Run(ctx) })
	w.wg.Go(func() {
		for ctx.Err() == nil {
			w.register()
			time.Sleep(5 * time.Second)
		}
	})
	return w
}

func (w *world) close() {
	w.stop()
	w.wg.Wait()
	if err := w.cloud.Close(); err != nil {
		w.Error(err)
	}
}

func (w *world) check(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sick[id] || w.broken {
		return errors.New("does not answer")
	}
	return nil
}

// register makes the targets of the pool those instances that are in service.
func (w *world) register() {
	group, err := w.describe()
	if err != nil {
		return // Auto Scaling is down
	}
	serving := map[string]bool{}
	for _, i := range group.Instances {
		if i.LifecycleState == types.LifecycleStateInService {
			serving[*i.InstanceId] = true
			must(0, w.pool.Register(healthcheck.Target{ID: *i.InstanceId, Zone: *i.AvailabilityZoneId}))(w)
		}
	}
	for id := range w.pool.All() {
		if !serving[id] {
			must(0, w.pool.Deregister(id))(w)
		}
	}
}

func (w *world) describe() (types.AutoScalingGroup, error) {
	out, err := w.DescribeAutoScalingGroups(context.Background(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"g"}})
	switch {
	case err != nil:
		return types.AutoScalingGroup{}, err
	case len(out.AutoScalingGroups) == 0: // a read from before it was made
		return types.AutoScalingGroup{}, errors.New("there is no group")
	}
	return out.AutoScalingGroups[0], nil
}

// instances returns the IDs of the instances that are in service, in order.
func (w *world) instances() (ids []string) {
	w.Helper()
	for _, i := range must(w.describe())(w).Instances {
		if i.LifecycleState == types.LifecycleStateInService {
			ids = append(ids, *i.InstanceId)
		}
	}
	slices.Sort(ids)
	return ids
}

// replace runs a Replacer until the end of the test, or until stop is called.
func (w *world) replace(optFns ...func(*asghc.Options)) (stop func()) {
	w.Helper()
	r := must(asghc.New(w.Client, w.pool, append(optFns, func(o *asghc.Options) { o.OnEvent = w.note })...))(w)
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	w.wg.Go(func() {
		defer close(done)
		if err := r.Run(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, healthcheck.ErrStopped) {
			w.Errorf("Run returned %v", err)
		}
	})
	stop = func() { cancel(); <-done }
	old := w.stop
	w.stop = func() { stop(); old() }
	return stop
}

func (w *world) note(_ context.Context, e asghc.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// fail makes instances fail their checks from now on.
func (w *world) fail(ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.sick[id] = true
	}
}

func (w *world) depend(broken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = broken
}

// log tells the events so far, once each, with the instances by their place in ids.
func (w *world) log(ids []string) (told []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		text := string(e.Kind)
		if e.Decision.Verdict != "" {
			text = fmt.Sprintf("%d %s", slices.Index(ids, e.Decision.Instance), e.Decision.Verdict)
			if e.Kind != asghc.KindDecided {
				text += ", " + string(e.Kind)
			}
		}
		if e.DryRun {
			text += ", dry run"
		}
		if e.Err != nil {
			text += ", " + strings.TrimSuffix(strings.Fields(e.Err.Error())[1], ":")
		}
		told = append(told, text)
	}
	return told
}

// marks returns how many SetInstanceHealth have had an effect.
func (w *world) marks() (n int) {
	for _, r := range w.cloud.Calls(awstest.Match{Service: service, Operation: "SetInstanceHealth"}) {
		if r.Applied {
			n++
		}
	}
	return n
}

// until waits, in steps of a second, for something that comes within an hour.
func (w *world) until(what string, cond func() bool) time.Duration {
	w.Helper()
	from := time.Now()
	for !cond() {
		if time.Since(from) > time.Hour {
			w.Fatalf("never: %s", what)
		}
		time.Sleep(time.Second)
	}
	return time.Since(from)
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
