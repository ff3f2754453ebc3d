package ec2step_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/steptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type awsConfig = aws.Config

func services() []awstest.Service {
	return []awstest.Service{ec2svc.New(func(o *ec2svc.Options) {
		o.Pending, o.Stopping, o.ShuttingDown = 5*time.Second, 5*time.Second, 5*time.Second
	})}
}

const (
	image = "ami-12345678"
	zoneA = "us-east-1a"
	zoneB = "us-east-1b"
)

func admin(w *steptest.World) *ec2.Client { return ec2.NewFromConfig(w.Admin) }

// launch launches an instance and waits until it runs.
func launch(w *steptest.World, zone string, edit ...func(*ec2.RunInstancesInput)) string {
	w.Helper()
	in := &ec2.RunInstancesInput{
		ImageId: aws.String(image), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement: &types.Placement{AvailabilityZone: aws.String(zone)},
	}
	for _, fn := range edit {
		fn(in)
	}
	out, err := admin(w).RunInstances(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	time.Sleep(6 * time.Second)
	return *out.Instances[0].InstanceId
}

func instance(w *steptest.World, id string) *types.Instance {
	w.Helper()
	out, err := admin(w).DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		w.Fatal(err)
	}
	return &out.Reservations[0].Instances[0]
}

func wantState(w *steptest.World, id string, want types.InstanceStateName) {
	w.Helper()
	if got := instance(w, id).State.Name; got != want {
		w.Errorf("%s is %s, want %s", id, got, want)
	}
}

// volume makes a volume, attached to an instance if one is given.
func volume(w *steptest.World, zone, instance string) string {
	w.Helper()
	out, err := admin(w).CreateVolume(w.Context(), &ec2.CreateVolumeInput{AvailabilityZone: aws.String(zone), Size: aws.Int32(10)})
	if err != nil {
		w.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	if instance != "" {
		attachVolume(w, *out.VolumeId, instance, "/dev/sdf")
	}
	return *out.VolumeId
}

func attachVolume(w *steptest.World, id, instance, device string) {
	w.Helper()
	_, err := admin(w).AttachVolume(w.Context(), &ec2.AttachVolumeInput{VolumeId: &id, InstanceId: &instance, Device: &device})
	if err != nil {
		w.Fatal(err)
	}
	time.Sleep(10 * time.Second)
}

// attachedTo returns the instance that has a volume, and the state of the attachment.
func attachedTo(w *steptest.World, id string) (instance string, state types.VolumeAttachmentState, device string) {
	w.Helper()
	out, err := admin(w).DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
	if err != nil {
		w.Fatal(err)
	}
	for _, a := range out.Volumes[0].Attachments {
		return aws.ToString(a.InstanceId), a.State, aws.ToString(a.Device)
	}
	return "", "", ""
}

// only is a plan of one step, made with a client of the controller.
func only(step func(api *ec2.Client) failover.Step) steptest.Plan {
	return func(_ *steptest.World, cfg aws.Config) failover.Plan {
		return failover.Plan{Service: "orders", Steps: []failover.Step{step(ec2.NewFromConfig(cfg))}}
	}
}

func wantCalls(w *steptest.World, operation string, want int) {
	w.Helper()
	if made, _ := w.Calls(operation); made != want {
		w.Errorf("%d %s, want %d", made, operation, want)
	}
}
