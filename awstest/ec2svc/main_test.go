package ec2svc_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	region = "us-east-1"
	zoneA  = "use1-az1"
	zoneB  = "use1-az2"
)

// world is a cloud with a client, in a bubble.
type world struct {
	*testing.T
	*ec2.Client
	cloud *awstest.Cloud
}

// inBubble runs a test in a bubble, on a cloud that is closed without
// problems in the end.
func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	inBubbleWith(t, nil, test, optFns...)
}

func inBubbleWith(t *testing.T, options func(*ec2svc.Options), test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	if options == nil {
		options = func(*ec2svc.Options) {}
	}
	inBubbleOf(t, []awstest.Service{ec2svc.New(options)}, test, optFns...)
}

// inBubbleBeside has another service on the cloud.
func inBubbleBeside(t *testing.T, other awstest.Service, test func(*world)) {
	t.Helper()
	inBubbleOf(t, []awstest.Service{ec2svc.New(), other}, test)
}

func inBubbleOf(t *testing.T, services []awstest.Service, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	svctest.InBubble(t, services, func(t *testing.T, cloud *awstest.Cloud) {
		test(&world{t, ec2.NewFromConfig(cloud.Config(region)), cloud})
	}, optFns...)
}

func (w *world) zone(id string) *awstest.Zone {
	w.Helper()
	z, err := w.cloud.Zone(id)
	if err != nil {
		w.Fatal(err)
	}
	return z
}

// at places a launch in a zone.
func at(zoneID string) *types.Placement {
	return &types.Placement{AvailabilityZoneId: aws.String(zoneID)}
}

// run is the input of a launch of n instances.
func run(n int32, change ...func(*ec2.RunInstancesInput)) *ec2.RunInstancesInput {
	input := &ec2.RunInstancesInput{
		ImageId: aws.String("ami-00000001"), InstanceType: "t3.micro",
		MinCount: aws.Int32(n), MaxCount: aws.Int32(n), Placement: at(zoneA),
	}
	for _, fn := range change {
		fn(input)
	}
	return input
}

// launch launches an instance in a zone and returns its ID.
func (w *world) launch(zoneID string, change ...func(*ec2.RunInstancesInput)) string {
	w.Helper()
	input := run(1, change...)
	input.Placement = at(zoneID)
	out := must(w.RunInstances(w.Context(), input))(w)
	return *out.Instances[0].InstanceId
}

// running launches an instance and waits until it runs.
func (w *world) running(zoneID string, change ...func(*ec2.RunInstancesInput)) string {
	w.Helper()
	id := w.launch(zoneID, change...)
	time.Sleep(15 * time.Second)
	w.wantState(id, types.InstanceStateNameRunning)
	return id
}

// instance describes an instance.
func (w *world) instance(id string) types.Instance {
	w.Helper()
	out := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}))(w)
	return out.Reservations[0].Instances[0]
}

func (w *world) wantState(id string, want types.InstanceStateName) {
	w.Helper()
	if got := w.instance(id).State.Name; got != want {
		w.Fatalf("%s is %s, want %s", id, got, want)
	}
}

// eni returns the ID of the primary interface of an instance.
func (w *world) eni(id string) string {
	w.Helper()
	return *w.instance(id).NetworkInterfaces[0].NetworkInterfaceId
}

// allocate allocates an address and returns its allocation.
func (w *world) allocate() string {
	w.Helper()
	return *must(w.AllocateAddress(w.Context(), &ec2.AllocateAddressInput{}))(w).AllocationId
}

// associate associates an address with an instance and returns the association.
func (w *world) associate(allocation, instance string) string {
	w.Helper()
	out := must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &allocation, InstanceId: &instance}))(w)
	return *out.AssociationId
}

// address describes an address.
func (w *world) address(allocation string) types.Address {
	w.Helper()
	out := must(w.DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{allocation}}))(w)
	return out.Addresses[0]
}

// subnet returns the ID of the default subnet of a zone.
func (w *world) subnet(zoneID string) string {
	w.Helper()
	out := must(w.DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("availability-zone-id", zoneID)}}))(w)
	return *out.Subnets[0].SubnetId
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

func tags(kind types.ResourceType, pairs ...string) []types.TagSpecification {
	spec := types.TagSpecification{ResourceType: kind}
	for i := 0; i < len(pairs); i += 2 {
		spec.Tags = append(spec.Tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return []types.TagSpecification{spec}
}

// must ends the test unless a call succeeded.
func must[T any](out T, err error) func(testing.TB) T { return svctest.Must(out, err) }

// wantCode holds an error against the code that EC2 answers; "" is success.
func wantCode(t testing.TB, err error, want string) {
	t.Helper()
	var api smithy.APIError
	switch {
	case want == "" && err == nil:
	case want == "" || !errors.As(err, &api):
		t.Fatalf("got error %v, want code %q", err, want)
	case api.ErrorCode() != want:
		t.Fatalf("got code %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), want)
	}
}

// wantMessage holds an error against what EC2 answers, to the letter: callers
// read IDs out of some messages.
func wantMessage(t testing.TB, err error, code, message string) {
	t.Helper()
	wantCode(t, err, code)
	var api smithy.APIError
	if errors.As(err, &api); api.ErrorMessage() != message {
		t.Errorf("got %q, want %q", api.ErrorMessage(), message)
	}
}

func wantStatus(t testing.TB, err error, want int) {
	t.Helper()
	svctest.WantStatus(t, err, want)
}
