package sqsscale_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// site is a group "g" of instances on which programs run that are protected.
type site struct {
	testing.TB
	*autoscaling.Client
	cloud *awstest.Cloud
}

const drainHook = "drain"

// hook is a lifecycle hook of the group for terminations.
func hook(timeout time.Duration) types.LifecycleHookSpecification {
	return types.LifecycleHookSpecification{
		LifecycleHookName: aws.String(drainHook), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING"),
		HeartbeatTimeout: aws.Int32(int32(timeout / time.Second)), DefaultResult: aws.String("CONTINUE"),
	}
}

func withHook(timeout time.Duration) func(*autoscaling.CreateAutoScalingGroupInput) {
	return func(in *autoscaling.CreateAutoScalingGroupInput) {
		in.LifecycleHookSpecificationList = append(in.LifecycleHookSpecificationList, hook(timeout))
	}
}

// onSite runs a test on a group of n instances, which are in service.
func onSite(t *testing.T, n int, test func(*site), changes ...func(*autoscaling.CreateAutoScalingGroupInput)) {
	t.Helper()
	onTimedSite(t, n, func(*autoscalingsvc.Options) {}, test, changes...)
}

// slowly keeps an instance that nothing waits for any more for another while: long enough for its programs to notice.
func slowly(o *autoscalingsvc.Options) { o.Transition = 30 * time.Second }

func onTimedSite(t *testing.T, n int, timed func(*autoscalingsvc.Options), test func(*site), changes ...func(*autoscaling.CreateAutoScalingGroupInput)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New([]awstest.Service{ec2svc.New(), autoscalingsvc.New(timed), sqssvc.New()})
		if err != nil {
			t.Fatal(err)
		}
		s := &site{TB: t, cloud: cloud, Client: autoscaling.NewFromConfig(cloud.Config("us-east-1"))}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		template, err := ec2.NewFromConfig(cloud.Config("us-east-1")).CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("worker"),
			LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
		})
		if err != nil {
			t.Fatal(err)
		}
		in := &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("g"), MinSize: aws.Int32(0), MaxSize: aws.Int32(20), DesiredCapacity: aws.Int32(int32(n)),
			AvailabilityZones: []string{"us-east-1a"}, LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId},
		}
		for _, change := range changes {
			change(in)
		}
		if _, err := s.CreateAutoScalingGroup(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		test(s)
	})
}

// members returns the instances of the group, with their states.
func (s *site) members() (list []types.Instance) {
	s.Helper()
	out, err := s.DescribeAutoScalingGroups(context.Background(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"g"}})
	if err != nil {
		s.Fatal(err)
	}
	return out.AutoScalingGroups[0].Instances
}

func (s *site) state(id string) string {
	s.Helper()
	for _, i := range s.members() {
		if *i.InstanceId == id {
			return string(i.LifecycleState)
		}
	}
	return ""
}

func (s *site) protected(id string) bool {
	s.Helper()
	return slices.ContainsFunc(s.members(), func(i types.Instance) bool { return *i.InstanceId == id && *i.ProtectedFromScaleIn })
}

func (s *site) desire(n int32) {
	s.Helper()
	if _, err := s.SetDesiredCapacity(context.Background(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("g"), DesiredCapacity: &n}); err != nil {
		s.Fatal(err)
	}
}

func (s *site) fault(operation string, times int, e awstest.Effect) (heal func()) {
	s.Helper()
	return inject(s, s.cloud, awstest.Match{Service: autoscaling.ServiceID, Operation: operation, Times: times}, e)
}

func (s *site) calls(operation string) int {
	return s.cloud.Count(autoscaling.ServiceID, operation)
}

// until waits for a condition, and returns how long it took.
func (s *site) until(what string, cond func() bool) time.Duration {
	s.Helper()
	start := time.Now()
	for !cond() {
		if time.Since(start) > 6*time.Hour {
			s.Fatalf("not in six hours: %s", what)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(start)
}

// program is a process on an instance, with handlers, under a Protector.
type program struct {
	*site
	id      string
	ctx     context.Context // ends when the machine does
	stop    context.CancelFunc
	running atomic.Int64
	killed  atomic.Int64 // handlers that the end of the machine has cut off
	err     error        // of its work
	done    chan struct{}

	result error // when it is done

	mu     sync.Mutex
	worked bool
	cause  error // of the end of its work's context
	events []sqsscale.ProtectEvent
}

// start starts a program on an instance, with a hook and the metadata service unless the options say otherwise.
func (s *site) start(id string, optFns ...func(*sqsscale.ProtectOptions)) *program {
	s.Helper()
	machine, ok := s.cloud.Instance(id)
	if !ok {
		s.Fatalf("there is no %s", id)
	}
	p := &program{site: s, id: id, done: make(chan struct{})}
	alive, end := machine.Program(s.Context())
	var stopped context.CancelFunc
	p.ctx, stopped = context.WithCancel(alive)
	p.stop = func() { stopped(); <-p.done; end() }
	protector, err := sqsscale.NewProtector(autoscaling.NewFromConfig(machine.Config()), sqsscale.Instance{ID: id, Group: "g"},
		func() int { return int(p.running.Load()) }, append([]func(*sqsscale.ProtectOptions){func(o *sqsscale.ProtectOptions) {
			o.Hook, o.Metadata = drainHook, imds.NewFromConfig(machine.Config())
			o.OnEvent = func(_ context.Context, e sqsscale.ProtectEvent) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.events = append(p.events, e)
			}
		}}, optFns...)...)
	if err != nil {
		s.Fatal(err)
	}
	go func() {
		defer close(p.done)
		p.result = protector.Run(p.ctx, p.work)
	}()
	return p
}

// work waits for the end of its context, and then for its handlers, as a drain does.
func (p *program) work(ctx context.Context) error {
	p.mu.Lock()
	p.worked = true
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.cause = context.Cause(ctx)
	p.mu.Unlock()
	for p.running.Load() > 0 {
		time.Sleep(100 * time.Millisecond)
	}
	return p.err
}

// began returns whether its work did.
func (p *program) began() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.worked
}

// ended returns why its work was to end.
func (p *program) ended() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cause
}

// handle runs a handler for a while.
func (p *program) handle(d time.Duration) {
	p.running.Add(1)
	go func() {
		defer p.running.Add(-1)
		halted := make(chan struct{})
		stop := context.AfterFunc(p.ctx, func() {
			if errors.Is(context.Cause(p.ctx), awstest.ErrHalted) {
				close(halted)
			}
		})
		defer stop()
		select {
		case <-time.After(d):
		case <-halted:
			p.killed.Add(1)
		}
	}()
}

// crash ends the program as a signal that it cannot catch does: nothing of it does anything any more.
func (p *program) crash() {
	machine, _ := p.cloud.Instance(p.id)
	heal := inject(p, p.cloud, awstest.Match{Caller: machine.ID()}, awstest.Hang())
	defer heal()
	p.stop()
}

// told returns the kinds of the events, in their order, without some of them.
func (p *program) told(without ...sqsscale.ProtectEventKind) (kinds []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if !slices.Contains(without, e.Kind) {
			kinds = append(kinds, e.Kind.String())
		}
	}
	return kinds
}

func (p *program) count(k sqsscale.ProtectEventKind) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func (p *program) wantTold(want string, without ...sqsscale.ProtectEventKind) {
	p.Helper()
	if got := strings.Join(p.told(without...), ", "); got != want {
		p.Errorf("it told %q, want %q", got, want)
	}
}

// failure returns the last error that was told.
func (p *program) failure() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.Err != nil {
			err = e.Err
		}
	}
	return err
}
