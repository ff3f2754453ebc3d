package drill_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/faultinjector"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The durations of the world: AWS-like ones.
const (
	call   = 200 * time.Millisecond // to AWS
	detect = 12 * time.Second       // until somebody notices
	warm   = 30 * time.Second       // the standby takes it to be promoted
)

// world is a service at an Elastic IP: two instances in two zones, which answer with their names and keep a number.
type world struct {
	*testing.T
	cloud    *awstest.Cloud
	injector *faultinjector.Injector
	ec2      *ec2.Client
	engine   *failover.Engine
	events   *drill.Events
	store    *failover.MemoryStore

	allocation, ip string
	primary        *node
	standby        *node
}

// node is an instance and its copy of the data.
type node struct {
	id, zone string

	mu     sync.Mutex
	number uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, events: new(drill.Events), store: new(failover.MemoryStore)}
	var err error
	w.cloud, err = awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.Pending = time.Second })}, func(o *awstest.Options) { o.Latency = call })
	w.must(err)
	t.Cleanup(func() { w.must(w.cloud.Close()) })
	w.injector, err = faultinjector.New(w.cloud)
	w.must(err)
	w.ec2 = ec2.NewFromConfig(w.cloud.Config("us-east-1"))
	locker, err := failover.NewLocker(w.store)
	w.must(err)
	journal, err := failover.NewJournal(w.store)
	w.must(err)
	w.engine, err = failover.New(locker, journal, func(o *failover.Options) { o.OnEvent = w.events.OnEvent })
	w.must(err)

	subnets, err := w.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{})
	w.must(err)
	w.primary, w.standby = w.launch(&subnets.Subnets[0], "primary"), w.launch(&subnets.Subnets[1], "standby")
	address, err := w.ec2.AllocateAddress(t.Context(), &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc})
	w.must(err)
	w.allocation, w.ip = *address.AllocationId, *address.PublicIp
	w.associate(t.Context(), w.primary)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) launch(subnet *types.Subnet, name string) *node {
	w.Helper()
	out, err := w.ec2.RunInstances(w.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Micro, SubnetId: subnet.SubnetId, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	w.must(err)
	time.Sleep(2 * time.Second)
	n := &node{id: *out.Instances[0].InstanceId, zone: *subnet.AvailabilityZoneId}
	instance, _ := w.cloud.Instance(n.id)
	_, err = instance.Serve(80, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, name) }))
	w.must(err)
	return n
}

func (w *world) associate(ctx context.Context, n *node) {
	w.Helper()
	_, err := w.ec2.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &w.allocation, InstanceId: &n.id, AllowReassociation: aws.Bool(true)})
	w.must(err)
}

// holder is the instance that has the address.
func (w *world) holder(ctx context.Context) (string, error) {
	out, err := w.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{w.allocation}})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Addresses[0].InstanceId), nil
}

// plan moves the address, after the target has been promoted for some time.
func (w *world) plan(to *node, warm time.Duration) failover.Plan {
	var since time.Time
	return failover.Plan{Service: "orders", Steps: []failover.Step{
		failover.NewStep(failover.StepFuncs{
			ID: "promote", Plane: failover.PlaneMutate, Estimate: warm,
			Check: func(context.Context, *failover.Env) (failover.State, error) {
				switch {
				case since.IsZero():
					return failover.NotDone, nil
				case time.Since(since) < warm:
					return failover.InProgress, nil
				}
				return failover.Done, nil
			},
			Do: func(context.Context, *failover.Env) error { since = time.Now(); return failover.ErrInProgress },
		}),
		failover.NewStep(failover.StepFuncs{
			ID: "remap", Needs: []string{"promote"}, Plane: failover.PlaneMutate, Estimate: 2 * call, Writes: []string{w.allocation},
			Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) {
				switch holder, err := w.holder(ctx); {
				case err != nil:
					return 0, err
				case holder == to.id:
					return failover.Done, nil
				}
				return failover.NotDone, nil
			},
			Do: func(ctx context.Context, env *failover.Env) error {
				if err := env.Valid(); err != nil {
					return err
				}
				_, err := w.ec2.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &w.allocation, InstanceId: &to.id, AllowReassociation: aws.Bool(true)})
				return err
			},
		}),
	}}
}

// after returns a Detect that takes a time.
func after(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// probe asks the service at its address.
func (w *world) probe() drill.Probe {
	return drill.Probe{
		Name: "client", Interval: 500 * time.Millisecond, Timeout: 500 * time.Millisecond,
		Client: drill.HTTP(drill.HTTPSpec{URL: "http://" + w.ip + "/", Transport: w.cloud.Transport()}),
	}
}

// data asks through the address for the number of whoever answers.
func (w *world) data() drill.Probe {
	reach := func(ctx context.Context) (*node, error) {
		conn, err := w.cloud.Dial(ctx, "tcp", w.ip+":80")
		if err != nil {
			return nil, err
		}
		_ = conn.Close()
		holder, err := w.holder(ctx)
		if holder == w.primary.id {
			return w.primary, err
		}
		return w.standby, err
	}
	return drill.Probe{Name: "data", Client: drill.WriteRead(drill.WriteReadSpec{
		Write: func(ctx context.Context, number uint64) error {
			n, err := reach(ctx)
			if err != nil {
				return err
			}
			n.mu.Lock()
			defer n.mu.Unlock()
			n.number = number
			return nil
		},
		Read: func(ctx context.Context) (uint64, error) {
			n, err := reach(ctx)
			if err != nil {
				return 0, err
			}
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.number, nil
		},
	})}
}

// replicate copies the number of the primary to the standby as it was a lag ago, until the zone of the primary fails or ctx ends.
func (w *world) replicate(ctx context.Context, lag time.Duration, up func() bool) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	type copied struct {
		at     time.Time
		number uint64
	}
	var queue []copied
	for ctx.Err() == nil {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		if !up() {
			return
		}
		w.primary.mu.Lock()
		queue = append(queue, copied{time.Now(), w.primary.number})
		w.primary.mu.Unlock()
		for len(queue) > 0 && time.Since(queue[0].at) >= lag {
			w.standby.mu.Lock()
			w.standby.number = max(w.standby.number, queue[0].number)
			w.standby.mu.Unlock()
			queue = queue[1:]
		}
	}
}

func (w *world) outage() drill.Fault {
	return drill.Fault{Kind: faultinjector.PowerLoss, Target: w.primary.zone}
}

func (w *world) byHand() drill.Response {
	return drill.Response{Plan: w.plan(w.standby, warm), Engine: w.engine, Detect: after(detect)}
}

// drill runs one.
func (w *world) drill(ctx context.Context, injector drill.Injector, r drill.Response, probes []drill.Probe, optFns ...func(*drill.Options)) (*drill.Report, error) {
	w.Helper()
	d, err := drill.New(injector, w.outage(), r, probes, optFns...)
	w.must(err)
	return d.Run(ctx)
}

// misses are what a report's verdict is for.
func misses(r *drill.Report) (list []string) {
	for _, m := range r.Misses {
		list = append(list, m.Target)
	}
	return list
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(newWorld(t)) })
}

var errOops = errors.New("oops")
