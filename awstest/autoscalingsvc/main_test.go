package autoscalingsvc_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a cloud with Auto Scaling and a launch template, made without the
// EC2 client.
type world struct {
	testing.TB
	*autoscaling.Client
	cloud    *awstest.Cloud
	region   *awstest.Region
	zones    []*awstest.Zone
	template string // ID
	start    time.Time
}

const (
	serviceID    = autoscaling.ServiceID
	instanceType = "t3.micro"
)

func newWorld(t testing.TB, options func(*autoscalingsvc.Options), optFns ...func(*awstest.Options)) *world {
	t.Helper()
	return newWorldOf(t, []awstest.Service{autoscalingsvc.New(options)}, optFns...)
}

func newWorldOf(t testing.TB, services []awstest.Service, optFns ...func(*awstest.Options)) *world {
	t.Helper()
	w := &world{TB: t, start: time.Now()}
	w.cloud = svctest.Must(awstest.New(services, optFns...))(t)
	w.region = svctest.Must(w.cloud.Region("us-east-1"))(t)
	w.zones = w.region.Zones()
	w.Client = autoscaling.NewFromConfig(w.cloud.Config("us-east-1"))
	w.template = w.newTemplate("web").ID
	return w
}

// inBubble runs a test in a bubble, on a cloud that is closed without
// problems in the end.
func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(*autoscalingsvc.Options) {}, optFns...)
		defer w.close()
		test(w)
	})
}

func (w *world) close() {
	if err := w.cloud.Close(); err != nil {
		w.Error(err)
	}
}

// inEC2 changes EC2 by its model, as its client would.
func (w *world) inEC2(fn func(*awstest.Tx, *ec2model.Region)) {
	w.Helper()
	w.cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[ec2model.Model](tx)
		if !ok {
			w.Fatal("there is no EC2")
		}
		fn(tx, m.Region(tx, w.region))
	})
}

func (w *world) inELB(fn func(*awstest.Tx, *elbmodel.Region)) {
	w.Helper()
	w.cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[elbmodel.Model](tx)
		if !ok {
			w.Fatal("there is no load balancing")
		}
		fn(tx, m.Region(w.region))
	})
}

// shift moves a group out of a zone for an hour.
func (w *world) shift(group string, z *awstest.Zone) (cancel func()) {
	w.Helper()
	arn := *w.describe(group).AutoScalingGroupARN
	region := func(tx *awstest.Tx) *zonalshiftmodel.Region {
		m, ok := awstest.Lookup[zonalshiftmodel.Model](tx)
		if !ok {
			w.Fatal("there is no zonal shift")
		}
		return m.Region(w.region)
	}
	var id string
	w.cloud.Update(func(tx *awstest.Tx) {
		s, err := region(tx).Start(tx, arn, z.ID(), "1h", "a drill")
		if err != nil {
			w.Fatal(err)
		}
		id = s.ID
	})
	return func() {
		w.cloud.Update(func(tx *awstest.Tx) {
			if _, err := region(tx).Cancel(tx, id); err != nil {
				w.Fatal(err)
			}
		})
	}
}

func (w *world) newTemplate(name string) (t ec2model.LaunchTemplate) {
	w.Helper()
	w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		var err error
		t, err = r.CreateTemplate(tx, ec2model.TemplateSpec{Name: name, First: ec2model.VersionSpec{Data: ec2model.LaunchData{Image: "ami-1", Type: instanceType}}})
		if err != nil {
			w.Fatal(err)
		}
	})
	return t
}

// newVersion adds a version to the launch template.
func (w *world) newVersion() {
	w.Helper()
	w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		t, err := r.Template(tx.Now(), ec2model.TemplateRef{ID: w.template})
		if err != nil {
			w.Fatal(err)
		}
		if _, err := r.AddTemplateVersion(tx, t, ec2model.VersionSpec{Data: ec2model.LaunchData{Image: "ami-2", Type: instanceType}}); err != nil {
			w.Fatal(err)
		}
	})
}

// run launches an instance outside of all groups, and waits until it runs.
func (w *world) run(z *awstest.Zone) (id string) {
	w.Helper()
	w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		subnet, err := r.DefaultSubnet(z)
		if err != nil {
			w.Fatal(err)
		}
		i, err := r.Launch(tx, ec2model.LaunchData{Image: "ami-1", Type: instanceType}, subnet.ID, nil)
		if err != nil {
			w.Fatal(err)
		}
		id = i.ID
	})
	time.Sleep(time.Minute)
	return id
}

// instance returns an instance of EC2.
func (w *world) instance(id string) (i ec2model.Instance) {
	w.Helper()
	w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		var err error
		if i, err = r.Instance(tx.Now(), id); err != nil {
			w.Fatal(err)
		}
	})
	return i
}

// ec2Terminate terminates an instance behind Auto Scaling's back.
func (w *world) ec2Terminate(id string) {
	w.Helper()
	w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		i, err := r.Instance(tx.Now(), id)
		if err != nil {
			w.Fatal(err)
		}
		r.Terminate(tx, []ec2model.Instance{i}, false)
	})
}

func (w *world) ec2Stop(id string) {
	w.Helper()
	w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		i, err := r.Instance(tx.Now(), id)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := r.Stop(tx, []ec2model.Instance{i}, false); err != nil {
			w.Fatal(err)
		}
	})
}

// input describes a group in the first two zones.
func (w *world) input(name string, least, most, desired int32, changes ...func(*autoscaling.CreateAutoScalingGroupInput)) *autoscaling.CreateAutoScalingGroupInput {
	in := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: &least, MaxSize: &most, DesiredCapacity: &desired,
		LaunchTemplate:    &types.LaunchTemplateSpecification{LaunchTemplateId: &w.template},
		AvailabilityZones: w.names(2),
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

func (w *world) names(n int) (names []string) {
	for _, z := range w.zones[:n] {
		names = append(names, z.Name())
	}
	return names
}

// inZones makes a group one of the first n zones.
func (w *world) inZones(n int) func(*autoscaling.CreateAutoScalingGroupInput) {
	return func(in *autoscaling.CreateAutoScalingGroupInput) { in.AvailabilityZones = w.names(n) }
}

// balancedOnly makes a group stick to its zones.
func balancedOnly(in *autoscaling.CreateAutoScalingGroupInput) {
	in.AvailabilityZoneDistribution = &types.AvailabilityZoneDistribution{CapacityDistributionStrategy: types.CapacityDistributionStrategyBalancedOnly}
}

// group makes a group and waits until its instances are in service.
func (w *world) group(name string, least, most, desired int32, changes ...func(*autoscaling.CreateAutoScalingGroupInput)) []string {
	w.Helper()
	svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input(name, least, most, desired, changes...)))(w)
	time.Sleep(time.Minute)
	return w.inService(name)
}

func (w *world) describe(name string) types.AutoScalingGroup {
	w.Helper()
	out := svctest.Must(w.DescribeAutoScalingGroups(w.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}}))(w)
	if len(out.AutoScalingGroups) != 1 {
		w.Fatalf("%d groups are named %s", len(out.AutoScalingGroups), name)
	}
	return out.AutoScalingGroups[0]
}

// inService returns the IDs of the instances in service.
func (w *world) inService(name string) (ids []string) {
	w.Helper()
	for _, i := range w.describe(name).Instances {
		if i.LifecycleState == types.LifecycleStateInService {
			ids = append(ids, *i.InstanceId)
		}
	}
	return ids
}

// capacity counts the instances of a group but for those that are terminating.
func (w *world) capacity(name string) (n int) {
	w.Helper()
	for _, i := range w.describe(name).Instances {
		if !strings.HasPrefix(string(i.LifecycleState), "Terminating") {
			n++
		}
	}
	return n
}

// shape tells how many instances are in which state and zone, such as
// "InService a:1 b:2, Terminating a:1".
func (w *world) shape(name string) string {
	w.Helper()
	counts := map[string]map[string]int{}
	for _, i := range w.describe(name).Instances {
		state := string(i.LifecycleState)
		if counts[state] == nil {
			counts[state] = map[string]int{}
		}
		zone := *i.AvailabilityZone
		counts[state][zone[len(zone)-1:]]++
	}
	var parts []string
	for state, zones := range counts {
		var text []string
		for z, n := range zones {
			text = append(text, fmt.Sprintf("%s:%d", z, n))
		}
		slices.Sort(text)
		parts = append(parts, state+" "+strings.Join(text, " "))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (w *world) wantShape(name, want string) {
	w.Helper()
	if got := w.shape(name); got != want {
		w.Errorf("after %v: the group is %q, want %q", time.Since(w.start), got, want)
	}
}

// until waits, in steps of a second, until a group has a shape, and returns
// how long that took.
func (w *world) until(name, want string) time.Duration {
	w.Helper()
	from := time.Now()
	for w.shape(name) != want {
		if time.Since(from) > 3*time.Hour {
			w.Fatalf("the group is never %q; it is %q", want, w.shape(name))
		}
		time.Sleep(time.Second)
	}
	return time.Since(from)
}

// state returns the lifecycle state of an instance; "" if it is in no group.
func (w *world) state(id string) string {
	w.Helper()
	out := svctest.Must(w.DescribeAutoScalingInstances(w.Context(), &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}}))(w)
	if len(out.AutoScalingInstances) == 0 {
		return ""
	}
	return *out.AutoScalingInstances[0].LifecycleState
}

func (w *world) wantState(id, want string) {
	w.Helper()
	if got := w.state(id); got != want {
		w.Errorf("after %v: %s is %q, want %q", time.Since(w.start), id, got, want)
	}
}

// activities returns the activities of a group, the youngest first.
func (w *world) activities(name string) []types.Activity {
	w.Helper()
	return svctest.Must(w.DescribeScalingActivities(w.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: &name}))(w).Activities
}

// failures counts the launches of a group that have failed.
func (w *world) failures(name string) (n int) {
	w.Helper()
	for _, a := range w.activities(name) {
		if a.StatusCode == types.ScalingActivityStatusCodeFailed {
			n++
		}
	}
	return n
}

func (w *world) setDesired(name string, n int32) {
	w.Helper()
	svctest.Must(w.SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: &name, DesiredCapacity: &n}))(w)
}

func (w *world) suspend(name string, processes ...string) {
	w.Helper()
	svctest.Must(w.SuspendProcesses(w.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: &name, ScalingProcesses: processes}))(w)
}

func (w *world) resume(name string, processes ...string) {
	w.Helper()
	svctest.Must(w.ResumeProcesses(w.Context(), &autoscaling.ResumeProcessesInput{AutoScalingGroupName: &name, ScalingProcesses: processes}))(w)
}

// zoneOf returns the zone of an instance.
func (w *world) zoneOf(id string) *awstest.Zone { w.Helper(); return w.instance(id).Zone }

// in returns those of the instances that are in a zone.
func (w *world) in(z *awstest.Zone, ids []string) (there []string) {
	w.Helper()
	for _, id := range ids {
		if w.zoneOf(id) == z {
			there = append(there, id)
		}
	}
	return there
}

// serve makes instances answer on port 80.
func (w *world) serve(h http.Handler, ids ...string) {
	w.Helper()
	for _, id := range ids {
		i, ok := w.cloud.Instance(id)
		if !ok {
			w.Fatalf("there is no machine %s", id)
		}
		svctest.Must(i.Serve(80, h))(w)
	}
}

// front makes a target group behind a load balancer in the first two zones.
// Its targets are checked every ten seconds and drain for a minute.
func (w *world) front(name string) (group string) {
	w.Helper()
	return w.frontEvery(name, 10*time.Second)
}

func (w *world) frontEvery(name string, interval time.Duration) (group string) {
	w.Helper()
	w.inEC2(func(tx *awstest.Tx, ec2 *ec2model.Region) {
		m, _ := awstest.Lookup[elbmodel.Model](tx)
		m.Configure(func(o *elbmodel.Options) { o.Provisioning = 0 })
		r := m.Region(w.region)
		check := elbmodel.DefaultCheck("HTTP", "")
		check.Interval = interval
		tg, err := r.CreateGroup(tx, elbmodel.GroupSpec{Name: name, Protocol: "HTTP", Version: "HTTP1", Port: 80, TargetType: elbmodel.Instances, VPC: ec2.VPC().ID, Check: check})
		if err != nil {
			w.Fatal(err)
		}
		if tg, err = r.SetDeregistrationDelay(tx, tg, time.Minute); err != nil {
			w.Fatal(err)
		}
		group = tg.ARN
		b, err := r.CreateBalancer(tx, elbmodel.BalancerSpec{Name: name, Type: elbmodel.Application, Scheme: "internet-facing", SubnetIDs: []string{ec2.Subnets()[0].ID, ec2.Subnets()[1].ID}})
		if err != nil {
			w.Fatal(err)
		}
		if _, err = r.CreateListener(tx, b.ARN, elbmodel.ListenerSpec{Protocol: "HTTP", Port: 80, Group: group}); err != nil {
			w.Fatal(err)
		}
	})
	return group
}

// target returns the health of a target.
func (w *world) target(group, id string) (state string) {
	w.Helper()
	w.inELB(func(tx *awstest.Tx, r *elbmodel.Region) {
		g, err := r.Group(tx.Now(), group)
		if err != nil {
			w.Fatal(err)
		}
		state = r.Health(tx, g, tx.Now(), []elbmodel.TargetKey{{ID: id, Port: 80}})[0].State
	})
	return state
}

// watch follows the lifecycle states that an instance goes through, in steps
// of a tenth of a second, until it is in the last one or in no group any more.
func (w *world) watch(id, last string) (states []string) {
	w.Helper()
	for from := time.Now(); time.Since(from) < 3*time.Hour; time.Sleep(100 * time.Millisecond) {
		s := w.state(id)
		if len(states) == 0 || states[len(states)-1] != s {
			states = append(states, s)
		}
		if s == last {
			return states
		}
	}
	w.Fatalf("%s never gets to %q: %v", id, last, states)
	return nil
}

// managed counts the resources that can be shifted.
func (w *world) managed() (n int) {
	w.Helper()
	w.cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[zonalshiftmodel.Model](tx)
		if !ok {
			w.Fatal("there is no zonal shift")
		}
		n = len(m.Region(w.region).Resources(tx))
	})
	return n
}
