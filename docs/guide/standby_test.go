package guide

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// A site is an address with a primary behind it, and a standby that watches.
type site struct {
	cloud             *awstest.Cloud
	client            *ec2.Client
	browser           *http.Client
	primary, standby  *awstest.Instance
	publicIP, address string
}

// newSite launches a primary in one zone and a standby in another, and gives the primary the address.
func newSite(t *testing.T) *site {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{cloud: cloud, client: ec2.NewFromConfig(cloud.Config("us-east-1"))}
	s.browser = &http.Client{Transport: cloud.Transport(), Timeout: time.Second}
	s.primary, s.standby = s.launch(t, "use1-az1"), s.launch(t, "use1-az2")

	address, err := s.client.AllocateAddress(t.Context(), &ec2.AllocateAddressInput{})
	if err != nil {
		t.Fatal(err)
	}
	s.address, s.publicIP = *address.AllocationId, *address.PublicIp
	_, err = s.client.AssociateAddress(t.Context(), &ec2.AssociateAddressInput{AllocationId: &s.address, InstanceId: aws.String(s.primary.ID())})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// launch starts an instance that tells its ID to whoever asks.
func (s *site) launch(t *testing.T, zoneID string) *awstest.Instance {
	out, err := s.client.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Micro,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement: &types.Placement{AvailabilityZoneId: &zoneID},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.Instances[0].InstanceId
	running := ec2.NewInstanceRunningWaiter(s.client)
	if err := running.Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, time.Hour); err != nil {
		t.Fatal(err)
	}
	machine, _ := s.cloud.Instance(id)
	_, err = machine.Serve(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, id) }))
	if err != nil {
		t.Fatal(err)
	}
	return machine
}

// watch runs the program under test on the standby, which is a machine of the cloud: when it is cut off, so is the program,
// and when it dies, so does it.
func (s *site) watch(ctx context.Context) error {
	program := &Standby{
		EC2:     ec2.NewFromConfig(s.standby.Config()),
		HTTP:    &http.Client{Transport: &http.Transport{DialContext: s.standby.Dial}},
		Primary: "http://" + s.primary.PrivateIP().String() + "/",
		Address: s.address, Self: s.standby.ID(),
	}
	ctx, end := s.standby.Program(ctx)
	defer end()
	return program.Run(ctx)
}

// who returns the ID of the instance that answers at the address, or "".
func (s *site) who() string {
	resp, err := s.browser.Get("http://" + s.publicIP + "/")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	id, _ := io.ReadAll(resp.Body)
	return string(id)
}

// recovers waits until an instance answers at the address, and returns how long that took.
func (s *site) recovers(t *testing.T, id string, within time.Duration) time.Duration {
	start := time.Now()
	for s.who() != id {
		if time.Since(start) > within {
			t.Fatalf("%q answers after %v, and not %s", s.who(), within, id)
		}
		time.Sleep(time.Second)
	}
	return time.Since(start)
}

func TestStandbyTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		go s.watch(t.Context())
		time.Sleep(time.Hour)
		if who := s.who(); who != s.primary.ID() {
			t.Fatalf("%q answers, and not the primary", who)
		}

		zone, err := s.cloud.Zone("use1-az1")
		if err != nil {
			t.Fatal(err)
		}
		heal := zone.Fail(awstest.PowerLoss)
		defer heal()
		t.Logf("down for %v", s.recovers(t, s.standby.ID(), 30*time.Second))
	})
}

func TestStandbyWhoIsCutOffTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		go s.watch(t.Context())
		heal := s.standby.Fail(awstest.NetworkLoss)
		time.Sleep(time.Minute)
		heal()
		time.Sleep(time.Hour)
		if who := s.who(); who != s.primary.ID() {
			t.Errorf("%q answers, and not the primary", who)
		}
	})
}

func TestStandbyTakesOverUnderFaults(t *testing.T) {
	for name, fault := range map[string]struct {
		match  awstest.Match
		effect awstest.Effect
	}{
		"EC2 throttles":             {awstest.Match{Service: "EC2", Times: 5}, awstest.Throttle()},
		"EC2 is down for a while":   {awstest.Match{Service: "EC2", Times: 10}, awstest.Unavailable()},
		"every other call fails":    {awstest.Match{Service: "EC2", Probability: 0.5}, awstest.Unavailable()},
		"the reply is lost":         {awstest.Match{Service: "EC2", Operation: "AssociateAddress", Times: 1}, awstest.LoseReply()},
		"rejected after the effect": {awstest.Match{Service: "EC2", Operation: "AssociateAddress", Times: 1}, awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500})},
		"the call hangs":            {awstest.Match{Service: "EC2", Operation: "AssociateAddress", Times: 1}, awstest.Delay(20 * time.Second)},
		"reads are old":             {awstest.Match{Service: "EC2"}, awstest.Stale(10 * time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				if _, err := s.cloud.Inject(fault.match, fault.effect); err != nil {
					t.Fatal(err)
				}
				go s.watch(t.Context())
				s.primary.Fail(awstest.PowerLoss)
				t.Logf("down for %v", s.recovers(t, s.standby.ID(), 2*time.Minute))
			})
		})
	}
}
