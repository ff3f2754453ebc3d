package eip_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/internal/awserr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an EC2 with one address on the first of three interfaces.
type world struct {
	cloud      *awstest.Cloud
	client     *ec2.Client
	allocation string
	eni        [3]string
	decoy      string          // an interface that another address is on
	first      eip.Association // with eni[0]

	start eip.Calls // what it took to get here
}

// settled returns a world whose past is older than any lag that a test asks for. It needs a bubble.
func settled(t *testing.T, optFns ...func(*awstest.Options)) *world {
	t.Helper()
	w := newWorld(t, optFns...)
	time.Sleep(2 * time.Minute)
	return w
}

func newWorld(tb testing.TB, optFns ...func(*awstest.Options)) *world {
	tb.Helper()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.AddressQuota, o.LocalZones = 1000, []string{"us-east-1-bos-1a"} })}, optFns...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			tb.Error(err)
		}
	})
	w := &world{cloud: cloud, client: ec2.NewFromConfig(cloud.Config("us-east-1"))}
	for i := range w.eni {
		w.eni[i] = w.createInterface(tb)
	}
	w.decoy = w.createInterface(tb)
	w.associate(tb, w.allocate(tb), w.decoy)
	w.allocation = w.allocate(tb)
	w.first = w.associate(tb, w.allocation, w.eni[0])
	w.start = w.counts()
	return w
}

func (w *world) createInterface(tb testing.TB) string {
	tb.Helper()
	subnets, err := w.client.DescribeSubnets(tb.Context(), &ec2.DescribeSubnetsInput{})
	if err != nil {
		tb.Fatal(err)
	}
	out, err := w.client.CreateNetworkInterface(tb.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: subnets.Subnets[0].SubnetId})
	if err != nil {
		tb.Fatal(err)
	}
	return *out.NetworkInterface.NetworkInterfaceId
}

func (w *world) allocate(tb testing.TB) string {
	tb.Helper()
	out, err := w.client.AllocateAddress(tb.Context(), &ec2.AllocateAddressInput{})
	if err != nil {
		tb.Fatal(err)
	}
	return *out.AllocationId
}

// associate takes an address from whoever has it, as a rival without manners does.
func (w *world) associate(tb testing.TB, allocation, eni string) eip.Association {
	tb.Helper()
	out, err := w.client.AssociateAddress(context.WithoutCancel(tb.Context()), &ec2.AssociateAddressInput{
		AllocationId: &allocation, NetworkInterfaceId: &eni, AllowReassociation: aws.Bool(true),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return eip.Association{ID: *out.AssociationId, NetworkInterfaceID: eni}
}

// owner returns who holds the address in truth, empty if nobody does. It changes nothing: EC2 refuses to associate the
// address with the decoy, which is occupied, and the text says whether the address or the decoy was in the way. Its present
// holder alone gets the association that it has.
func (w *world) owner(tb testing.TB) string {
	tb.Helper()
	if _, err := w.keep(tb, w.decoy); err == nil || awserr.Of(err) != awserr.Conflict {
		tb.Fatalf("the decoy was not refused: %v", err)
	} else if awserr.ID(err, "eipassoc") == "" {
		return ""
	}
	for _, eni := range w.eni {
		if _, err := w.keep(tb, eni); err == nil {
			return eni
		}
	}
	return "somebody else"
}

// keep associates the address with an interface that has it already, and is refused otherwise.
func (w *world) keep(tb testing.TB, eni string) (*ec2.AssociateAddressOutput, error) {
	return w.client.AssociateAddress(context.WithoutCancel(tb.Context()), &ec2.AssociateAddressInput{
		AllocationId: &w.allocation, NetworkInterfaceId: &eni, AllowReassociation: aws.Bool(false),
	})
}

func (w *world) counts() eip.Calls {
	calls := eip.Calls{
		Describe:     w.cloud.Count("EC2", "DescribeAddresses"),
		Disassociate: w.cloud.Count("EC2", "DisassociateAddress"),
		Associate:    w.cloud.Count("EC2", "AssociateAddress"),
	}
	for _, operation := range []string{"DescribeInstances", "DescribeNetworkInterfaces", "DescribeAvailabilityZones"} {
		calls.Inspect += w.cloud.Count("EC2", operation)
	}
	return calls
}

// calls returns what reached EC2 since the world was made; the SDK's retries count.
func (w *world) calls() eip.Calls {
	now := w.counts()
	return eip.Calls{
		Describe:     now.Describe - w.start.Describe,
		Disassociate: now.Disassociate - w.start.Disassociate,
		Associate:    now.Associate - w.start.Associate,
		Inspect:      now.Inspect - w.start.Inspect,
	}
}

// request moves the address from the first interface to interface i.
func (w *world) request(i int) eip.Request {
	return eip.Request{
		AllocationID: w.allocation,
		Target:       eip.Target{NetworkInterfaceID: w.eni[i]},
		Expect:       eip.Expect{Association: w.first},
	}
}

func (w *world) inject(tb testing.TB, operation string, m awstest.Match, e awstest.Effect) (heal func()) {
	tb.Helper()
	m.Service, m.Operation = "EC2", operation
	heal, err := w.cloud.Inject(m, e)
	if err != nil {
		tb.Fatal(err)
	}
	return heal
}

func newRemapper(tb testing.TB, api eip.API, optFns ...func(*eip.Options)) *eip.Remapper {
	tb.Helper()
	r, err := eip.New(api, optFns...)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// failure returns the RemapError in err, which must match want.
func failure(tb testing.TB, err, want error) *eip.RemapError {
	tb.Helper()
	var e *eip.RemapError
	if !errors.Is(err, want) || !errors.As(err, &e) {
		tb.Fatalf("error %v, want a RemapError that matches %v", err, want)
	}
	return e
}
