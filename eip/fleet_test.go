package eip_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

// fleet is a world with many addresses, each on an interface of its own, and with somewhere to go.
type fleet struct {
	*world
	reqs  []eip.Request // that name the owners
	heals []func()
}

func (f *fleet) inject(tb testing.TB, operation string, m awstest.Match, e awstest.Effect) (heal func()) {
	tb.Helper()
	heal = f.world.inject(tb, operation, m, e)
	f.heals = append(f.heals, heal)
	return heal
}

func (f *fleet) healAll() {
	for _, heal := range f.heals {
		heal()
	}
}

func newFleet(tb testing.TB, n int, optFns ...func(*awstest.Options)) *fleet {
	tb.Helper()
	f := &fleet{world: newWorld(tb, optFns...)}
	for range n {
		allocation := f.allocate(tb)
		f.reqs = append(f.reqs, eip.Request{
			AllocationID: allocation,
			Target:       eip.Target{NetworkInterfaceID: f.createInterface(tb)},
			Expect:       eip.Expect{Association: f.associate(tb, allocation, f.createInterface(tb))},
		})
	}
	f.start = f.counts()
	return f
}

// settledFleet returns a fleet whose past is older than any lag that a test asks for. It needs a bubble.
func settledFleet(tb testing.TB, n int, optFns ...func(*awstest.Options)) *fleet {
	tb.Helper()
	f := newFleet(tb, n, optFns...)
	time.Sleep(2 * time.Minute)
	f.start = f.counts()
	return f
}

// unnamed returns the requests without the owners.
func (f *fleet) unnamed() []eip.Request {
	reqs := slices.Clone(f.reqs)
	for i := range reqs {
		reqs[i].Expect = eip.Expect{}
	}
	return reqs
}

// owners returns who holds each address in truth, empty for nobody. No fault on reads may be left.
func (w *world) owners(tb testing.TB) map[string]eip.Association {
	tb.Helper()
	out, err := w.client.DescribeAddresses(context.WithoutCancel(tb.Context()), &ec2.DescribeAddressesInput{})
	if err != nil {
		tb.Fatal(err)
	}
	owners := make(map[string]eip.Association)
	for _, a := range out.Addresses {
		owners[*a.AllocationId] = eip.Association{ID: aws.ToString(a.AssociationId), NetworkInterfaceID: aws.ToString(a.NetworkInterfaceId)}
	}
	return owners
}

// moved checks that all requests have succeeded but those that a test knows about, and that what they say is the truth.
func (f *fleet) moved(tb testing.TB, reqs []eip.Request, outcomes []eip.Outcome, but ...int) {
	tb.Helper()
	if len(outcomes) != len(reqs) {
		tb.Fatalf("%d outcomes for %d requests", len(outcomes), len(reqs))
	}
	owners := f.owners(tb)
	for i, o := range outcomes {
		if o.AllocationID != reqs[i].AllocationID {
			tb.Errorf("outcome %d is of %q, want %q", i, o.AllocationID, reqs[i].AllocationID)
		}
		if slices.Contains(but, i) {
			continue
		}
		owner := owners[o.AllocationID]
		if o.Err != nil || !o.Changed || o.After.NetworkInterfaceID != owner.NetworkInterfaceID || o.After.ID != owner.ID {
			tb.Errorf("outcome %d: changed %t, after %v, error %v; the owner is %v", i, o.Changed, o.After, o.Err, owner)
		}
		if target := reqs[i].Target.NetworkInterfaceID; target != "" && owner.NetworkInterfaceID != target {
			tb.Errorf("outcome %d: %v holds the address, not %s", i, owner, target)
		}
	}
}

// sum returns what all outcomes count together.
func sum(outcomes []eip.Outcome) (c eip.Calls) {
	for _, o := range outcomes {
		c.Describe += o.Calls.Describe
		c.Disassociate += o.Calls.Disassociate
		c.Associate += o.Calls.Associate
		c.Inspect += o.Calls.Inspect
	}
	return c
}

// costs checks what the calls were, by the ledger, and that the outcomes count the same.
func (f *fleet) costs(tb testing.TB, outcomes []eip.Outcome, want eip.Calls) {
	tb.Helper()
	if got := f.calls(); got != want {
		tb.Errorf("calls %+v, want %+v", got, want)
	}
	if got := sum(outcomes); got != want {
		tb.Errorf("the outcomes count %+v, want %+v", got, want)
	}
}

// without skips the SDK's own retries, so that every attempt in the ledger is a call of the API.
func (f *fleet) withoutRetries() *ec2.Client {
	return ec2.NewFromConfig(f.cloud.Config("us-east-1"), func(o *ec2.Options) { o.RetryMaxAttempts = 1 })
}

// launchMany starts instances, and waits until they run.
func (w *world) launchMany(tb testing.TB, n int32) []string {
	tb.Helper()
	out, err := w.client.RunInstances(tb.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-1"), InstanceType: types.InstanceTypeT3Micro, MinCount: &n, MaxCount: &n,
	})
	if err != nil {
		tb.Fatal(err)
	}
	var ids []string
	for _, i := range out.Instances {
		ids = append(ids, *i.InstanceId)
	}
	return ids
}

// inLocalZone returns a world in a Local Zone, where the interfaces are, and its subnet.
func inLocalZone(tb testing.TB, group string) (w *world, subnet string) {
	tb.Helper()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) {
		o.AddressQuota = 1000
		o.LocalZones = []string{group + "a"}
	})})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			tb.Error(err)
		}
	})
	w = &world{cloud: cloud, client: ec2.NewFromConfig(cloud.Config("us-east-1"))}
	subnets, err := w.client.DescribeSubnets(tb.Context(), &ec2.DescribeSubnetsInput{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range subnets.Subnets {
		if *s.AvailabilityZone == group+"a" {
			return w, *s.SubnetId
		}
	}
	tb.Fatal("no subnet")
	return nil, ""
}

// createIn creates an interface in a subnet.
func (w *world) createIn(tb testing.TB, subnet string) string {
	tb.Helper()
	out, err := w.client.CreateNetworkInterface(tb.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: &subnet})
	if err != nil {
		tb.Fatal(err)
	}
	return *out.NetworkInterface.NetworkInterfaceId
}

// allocateIn allocates an address of a network border group, with tags.
func (w *world) allocateIn(tb testing.TB, group string, tags map[string]string) string {
	tb.Helper()
	in := &ec2.AllocateAddressInput{}
	if group != "" {
		in.NetworkBorderGroup = &group
	}
	if len(tags) > 0 {
		spec := types.TagSpecification{ResourceType: types.ResourceTypeElasticIp}
		for k, v := range tags {
			spec.Tags = append(spec.Tags, types.Tag{Key: &k, Value: &v})
		}
		in.TagSpecifications = []types.TagSpecification{spec}
	}
	out, err := w.client.AllocateAddress(tb.Context(), in)
	if err != nil {
		tb.Fatal(err)
	}
	return *out.AllocationId
}

type openFence struct{}

func (openFence) Token() uint64 { return 1 }

func (openFence) Valid() error { return nil }
