package preset_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
	"github.com/awsha/awsha/failover/preset"
	"github.com/awsha/awsha/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func services() []awstest.Service {
	return []awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) {
			o.Pending, o.Stopping, o.ShuttingDown = 5*time.Second, 5*time.Second, 5*time.Second
		}),
		elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }), autoscalingsvc.New(), arczonalshiftsvc.New(),
	}
}

const (
	lost  = "use1-az2" // us-east-1a
	other = "use1-az3" // us-east-1b
)

// site is a service in two zones.
type site struct {
	vpc      string
	subnets  []string
	balancer string
	group    string // of targets
	db       string // the single instance
	spare    string // runs in the other zone
	volume   string // of db
	address  string // of db
	policy   *snapshot.Policy
}

func admin(w *steptest.World) *ec2.Client { return ec2.NewFromConfig(w.Admin) }

func must[T any](v T, err error) func(*steptest.World) T {
	return func(w *steptest.World) T {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return v
	}
}

func (s *site) prepare(w *steptest.World) {
	w.Helper()
	ctx, api, elb := w.Context(), admin(w), elbv2.NewFromConfig(w.Admin)
	nets := must(api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{}))(w).Subnets[:2]
	s.vpc, s.subnets = *nets[0].VpcId, []string{*nets[0].SubnetId, *nets[1].SubnetId}
	s.db, s.spare = s.launch(w, "us-east-1a"), s.launch(w, "us-east-1b")
	s.volume = *must(api.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZoneId: aws.String(lost), Size: aws.Int32(10)}))(w).VolumeId
	s.address = *must(api.AllocateAddress(ctx, &ec2.AllocateAddressInput{}))(w).AllocationId
	time.Sleep(10 * time.Second)
	must(api.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: &s.volume, InstanceId: &s.db, Device: aws.String("/dev/sdf")}))(w)
	must(api.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &s.address, InstanceId: &s.db}))(w)
	s.balancer = *must(elb.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: s.subnets}))(w).LoadBalancers[0].LoadBalancerArn
	must(elb.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &s.balancer, Attributes: []elbtypes.LoadBalancerAttribute{
		{Key: aws.String("zonal_shift.config.enabled"), Value: aws.String("true")},
	}}))(w)
	s.group = *must(elb.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("db"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &s.vpc, HealthCheckIntervalSeconds: aws.Int32(5),
		HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	}))(w).TargetGroups[0].TargetGroupArn
	must(elb.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: &s.balancer, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &s.group}},
	}))(w)
	must(elb.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &s.group, Targets: []elbtypes.TargetDescription{{Id: &s.db}}}))(w)
	template := must(api.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: "t3.micro"},
	}))(w).LaunchTemplate.LaunchTemplateId
	must(autoscaling.NewFromConfig(w.Admin).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(1), MaxSize: aws.Int32(9), DesiredCapacity: aws.Int32(4),
		AvailabilityZones: []string{"us-east-1a", "us-east-1b"}, LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: template},
	}))(w)
	s.policy = &snapshot.Policy{Name: "db", Region: steptest.Region, Targets: snapshot.Targets{Volumes: snapshot.Selector{IDs: []string{s.volume}}}}
	time.Sleep(10 * time.Second)
	if err := ec2svc.WriteVolume(w.Cloud, steptest.Region, s.volume, "orders"); err != nil {
		w.Fatal(err)
	}
	manager := must(snapshot.New(snapshots(w.Admin)))(w)
	must(manager.RunSlot(ctx, s.policy, time.Now()))(w)
	time.Sleep(6 * time.Minute)
}

func snapshots(cfg aws.Config) func(string) snapshot.Clients {
	return func(string) snapshot.Clients { return snapshot.Clients{EC2: ec2.NewFromConfig(cfg)} }
}

// launch launches an instance that answers on port 80, as every instance does here: see serve.
func (s *site) launch(w *steptest.World, zone string) string {
	w.Helper()
	out := must(admin(w).RunInstances(w.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: "t3.micro", Placement: &types.Placement{AvailabilityZone: &zone},
	}))(w)
	serve(w, *out.Instances[0].InstanceId)
	return *out.Instances[0].InstanceId
}

func serve(w *steptest.World, id string) {
	w.Helper()
	machine, ok := w.Cloud.Instance(id)
	if !ok {
		w.Fatalf("no machine %s", id)
	}
	_, _ = machine.Serve(80, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})) // it may serve already
}

// spec launches what answers.
func (s *site) spec(w *steptest.World) ec2step.LaunchSpec {
	return ec2step.LaunchSpec{
		Image: failover.Literal("ami-12345678"), Types: []string{"t3.micro"}, Subnets: s.subnets, Tags: map[string]string{"role": "replacement"},
	}
}

// boot is a probe that starts the program of the new instance, as its system would.
func boot(w *steptest.World) preset.Probe {
	return func(_ context.Context, outputs map[string]string) error {
		if outputs[ec2step.InstanceKey] == "" || outputs[ec2step.PrivateIPKey] == "" {
			return errors.New("no instance")
		}
		serve(w, outputs[ec2step.InstanceKey])
		return nil
	}
}

// replacement is the instance that steps have launched, and there must be one.
func replacement(w *steptest.World) *types.Instance {
	w.Helper()
	out := must(admin(w).DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("tag:role"), Values: []string{"replacement"}}}}))(w)
	var all []types.Instance
	for _, r := range out.Reservations {
		all = append(all, r.Instances...)
	}
	if len(all) != 1 {
		w.Fatalf("%d replacements", len(all))
	}
	return &all[0]
}

func (s *site) addressOn(w *steptest.World, want string) {
	w.Helper()
	out := must(admin(w).DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{s.address}}))(w)
	if got := aws.ToString(out.Addresses[0].InstanceId); got != want {
		w.Errorf("the address is on %q, want %q", got, want)
	}
}

func (s *site) targets(w *steptest.World) []string {
	w.Helper()
	var ids []string
	for _, h := range must(elbv2.NewFromConfig(w.Admin).DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &s.group}))(w).TargetHealthDescriptions {
		if h.TargetHealth.State != elbtypes.TargetHealthStateEnumDraining {
			ids = append(ids, *h.Target.Id)
		}
	}
	return ids
}

func TestAnAddressMovesToAStandby(t *testing.T) {
	t.Parallel()
	for _, fence := range []bool{false, true} {
		var s site
		steptest.Run(t, services, func(w *steptest.World) {
			s.prepare(w)
			plan := func(_ *steptest.World, cfg aws.Config) failover.Plan {
				return preset.EIPStandby(ec2.NewFromConfig(cfg), preset.Standby{
					Service: "orders", AllocationID: s.address, From: failover.Literal(s.db), To: failover.Literal(s.spare), Fence: fence,
				})
			}
			if _, err := w.Execute(plan); err != nil {
				w.Fatal(err)
			}
			s.addressOn(w, s.spare)
			if stops, _ := w.Calls("StopInstances"); (stops == 1) != fence {
				w.Errorf("%d stops", stops)
			}
			if err := w.RollBack(plan); err != nil {
				w.Fatal(err)
			}
			s.addressOn(w, s.db)
		})
	}
}

func (s *site) replacing(w *steptest.World, cfg aws.Config) failover.Plan {
	return preset.ReplaceInstance(ec2.NewFromConfig(cfg), elbv2.NewFromConfig(cfg), preset.Replacement{
		Service: "orders", Failed: failover.Literal(s.db), Launch: s.spec(w), Zone: failover.Literal(lost), Volumes: []string{s.volume},
		Addresses: []string{s.address}, Targets: []preset.TargetGroup{{ARN: s.group}}, Probe: boot(w),
	})
}

// replaced wants all of the old instance on the new one.
func (s *site) replaced(w *steptest.World) {
	w.Helper()
	fresh := replacement(w)
	id := *fresh.InstanceId
	s.addressOn(w, id)
	if got := s.targets(w); !slices.Equal(got, []string{id}) {
		w.Errorf("targets %v, want %s", got, id)
	}
	out := must(admin(w).DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{s.volume}}))(w)
	if a := out.Volumes[0].Attachments; len(a) != 1 || *a[0].InstanceId != id || a[0].State != types.VolumeAttachmentStateAttached {
		w.Errorf("%+v", a)
	}
	if got := *fresh.Placement.AvailabilityZoneId; got != lost {
		w.Errorf("in %s", got)
	}
	for _, operation := range []string{"StopInstances", "RunInstances", "DetachVolume", "AttachVolume", "AssociateAddress", "RegisterTargets", "DeregisterTargets"} {
		if _, applied := w.Calls(operation); applied != 1 {
			w.Errorf("%d %s", applied, operation)
		}
	}
}

func TestAnInstanceIsReplaced(t *testing.T) {
	t.Parallel()
	var s site
	steptest.Run(t, services, func(w *steptest.World) {
		s.prepare(w)
		if r := w.Ready(s.replacing, nil); r.Level == failover.LevelFail {
			w.Error(r)
		}
		timeline, err := w.Execute(s.replacing)
		if err != nil {
			w.Fatal(err)
		}
		s.replaced(w)
		if took := timeline.Events()[len(timeline.Events())-1].Took; took > 40*time.Second {
			w.Errorf("it took %s", took)
		}
	})
}

func TestAnInstanceIsReplacedWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		s := new(site)
		return steptest.Scenario{Services: services, Prepare: s.prepare, Plan: s.replacing, Verify: s.replaced}
	}).KilledAtEachCall(t, 30)
}

func (s *site) evacuation(w *steptest.World, cfg aws.Config) failover.Plan {
	return preset.ZoneEvacuation(preset.APIs{
		EC2: ec2.NewFromConfig(cfg), ELB: elbv2.NewFromConfig(cfg), AutoScaling: autoscaling.NewFromConfig(cfg), ZonalShift: arczonalshift.NewFromConfig(cfg),
		Snapshots: snapshots(cfg),
	}, preset.Evacuation{
		Service: "orders", Zone: failover.Literal(lost), Shifts: []string{s.balancer},
		Groups: []preset.Group{{Name: "web", Count: 2, Zones: []failover.Ref{failover.Literal(other)}}},
		Instances: []preset.Single{{
			Name: "db", Instance: failover.Literal(s.db), Launch: s.spec(w), Addresses: []string{s.address}, Targets: []preset.TargetGroup{{ARN: s.group}},
			Volumes: []preset.Backup{{ID: s.volume, Policy: s.policy, MaxAge: time.Hour}}, Probe: boot(w),
		}},
	})
}

// evacuated wants the service in the other zone.
func (s *site) evacuated(w *steptest.World) {
	w.Helper()
	fresh := replacement(w)
	id := *fresh.InstanceId
	if got := *fresh.Placement.AvailabilityZoneId; got != other {
		w.Errorf("in %s", got)
	}
	s.addressOn(w, id)
	if got := s.targets(w); !slices.Equal(got, []string{id}) {
		w.Errorf("targets %v, want %s", got, id)
	}
	var restored []string
	for _, v := range must(admin(w).DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{id}}}}))(w).Volumes {
		if v.SnapshotId != nil && *v.SnapshotId != "" {
			content, err := ec2svc.ReadVolume(w.Cloud, steptest.Region, *v.VolumeId)
			if err != nil {
				w.Error(err)
			}
			restored = append(restored, content)
		}
	}
	if !slices.Equal(restored, []string{"orders"}) {
		w.Errorf("restored %q", restored)
	}
	shift := must(arczonalshift.NewFromConfig(w.Admin).GetManagedResource(w.Context(), &arczonalshift.GetManagedResourceInput{ResourceIdentifier: &s.balancer}))(w)
	if len(shift.ZonalShifts) != 1 || *shift.ZonalShifts[0].AwayFrom != lost {
		w.Errorf("%+v", shift.ZonalShifts)
	}
	group := must(autoscaling.NewFromConfig(w.Admin).DescribeAutoScalingGroups(w.Context(), &autoscaling.DescribeAutoScalingGroupsInput{}))(w).AutoScalingGroups[0]
	here := 0
	for _, i := range group.Instances {
		if i.LifecycleState == asgtypes.LifecycleStateInService && *i.AvailabilityZone == "us-east-1b" {
			here++
		}
	}
	if here < 4 || len(group.SuspendedProcesses) != 0 {
		w.Errorf("%d instances, %d suspended", here, len(group.SuspendedProcesses))
	}
}

func dead(s *site) func(w *steptest.World) {
	return func(w *steptest.World) {
		s.prepare(w)
		zone := must(w.Cloud.Zone(lost))(w)
		zone.Fail(awstest.PowerLoss)
		time.Sleep(30 * time.Second)
	}
}

func TestAZoneIsEvacuated(t *testing.T) {
	t.Parallel()
	var s site
	steptest.Run(t, services, func(w *steptest.World) {
		dead(&s)(w)
		began := time.Now()
		timeline, err := w.Execute(s.evacuation)
		if err != nil {
			w.Fatal(err)
		}
		if took := time.Since(began); took > 60*time.Second {
			w.Errorf("it took %s:\n%s", took, timeline)
		}
		time.Sleep(time.Minute)
		s.evacuated(w)
	})
}

func TestAZoneIsEvacuatedWhileControllersDie(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a world of its own for each of a hundred calls")
	}
	steptest.Scenarios(func() steptest.Scenario {
		s := new(site)
		return steptest.Scenario{Services: services, Prepare: dead(s), Plan: s.evacuation, Verify: s.evacuated}
	}).KilledAtEachCall(t, 40)
}

func TestMistakesOfPresets(t *testing.T) {
	t.Parallel()
	plans := []failover.Plan{
		preset.EIPStandby(nil, preset.Standby{}),
		preset.ReplaceInstance(nil, nil, preset.Replacement{Service: "orders", Volumes: []string{""}, Targets: []preset.TargetGroup{{}}}),
		preset.ZoneEvacuation(preset.APIs{}, preset.Evacuation{
			Service: "orders", Shifts: []string{""}, Groups: []preset.Group{{}}, Instances: []preset.Single{{Name: "db", Volumes: []preset.Backup{{}}}},
		}),
		preset.ZoneEvacuation(preset.APIs{}, preset.Evacuation{Service: "orders"}),
	}
	for i, texts := range [][]string{
		{"Plan.Service", "AllocationID"},
		{"Types", "Subnets", "Template", "Volume", "TargetGroup"},
		{"Resource", "Group", "Count", "Zones", "Instance", "Types", "Policy", "MaxAge", "clients"},
		{"a plan needs at least one"},
	} {
		err := plans[i].Validate()
		for _, text := range texts {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%d: %q is not in %v", i, text, err)
			}
		}
	}
}
