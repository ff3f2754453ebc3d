package awstest_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/awsha/awsha/awstest"
)

func (f *fixture) clientOf(i *awstest.Instance) *sts.Client { return sts.NewFromConfig(i.Config()) }

func TestInstanceMetadata(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("euw1-az3", privateA, "")
		f.cloud.Update(func(tx *awstest.Tx) { tx.SetMetadata(a, "ami-id", "ami-1") })
		client := imds.NewFromConfig(a.Config())
		for path, want := range map[string]string{
			"instance-id": a.ID(), "placement/availability-zone-id": "euw1-az3", "placement/availability-zone": "eu-west-1b",
			"placement/region": "eu-west-1", "local-ipv4": privateA, "ami-id": "ami-1",
		} {
			out, err := client.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: path})
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			if got, _ := io.ReadAll(out.Content); string(got) != want {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
		if _, err := client.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: "spot/instance-action"}); err == nil {
			t.Error("a path that is not there was answered")
		}
		doc, err := client.GetInstanceIdentityDocument(t.Context(), nil)
		if err != nil || doc.InstanceID != a.ID() || doc.Region != "eu-west-1" || doc.AccountID != "123456789012" {
			t.Errorf("identity document: %+v, %v", doc, err)
		}
		// The token is good for six hours and is then renewed.
		time.Sleep(24 * time.Hour)
		if region, err := client.GetRegion(t.Context(), nil); err != nil || region.Region != "eu-west-1" {
			t.Errorf("a day later: %v, %v", region, err)
		}
		if _, err := imds.NewFromConfig(f.cloud.Config("eu-west-1")).GetRegion(t.Context(), nil); err == nil {
			t.Error("there is a metadata service outside of instances")
		}
	})
}

// A zone dies and heals a hundred times while clients connect, from outside and
// from inside, and in the end nothing is left. The bubble fails if a goroutine
// stays behind; what could set off a timer is an event or a connection.
func TestHundredOutagesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New([]awstest.Service{new(counter).service})
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{TB: t, cloud: cloud, client: sts.NewFromConfig(cloud.Config("us-east-1"))}
		for n := range 4 {
			f.serve(f.instance("use1-az1", fmt.Sprintf("172.31.0.%d", 10+n), fmt.Sprintf("203.0.113.%d", 10+n)), 80, named("a"))
		}
		inside := f.instance("use1-az1", "172.31.0.99", "")
		transports := []*http.Transport{cloud.Transport(), {DialContext: inside.Dial}}
		var clients sync.WaitGroup
		stop := make(chan struct{})
		good := make([]int, 4)
		for n := range 4 {
			client := &http.Client{Transport: transports[n%2], Timeout: 300 * time.Millisecond}
			clients.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(200 * time.Millisecond):
					}
					resp, err := client.Get(fmt.Sprintf("http://203.0.113.%d/", 10+n))
					if err == nil {
						_, err = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
					if err == nil {
						good[n]++
					}
				}
			})
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for range 100 {
			time.Sleep(time.Second)
			heal := f.zone("use1-az1").Fail(awstest.Fault(rng.IntN(2)))
			time.Sleep(time.Second)
			heal()
		}
		time.Sleep(time.Second)
		close(stop)
		clients.Wait()
		for n, count := range good {
			if count < 300 {
				t.Errorf("client %d had %d good replies", n, count)
			}
		}
		for _, transport := range transports {
			transport.CloseIdleConnections()
		}
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := cloud.Flows(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
		if n := cloud.Scheduled(); n != 0 {
			t.Errorf("%d events are left", n)
		}
	})
}

func TestHundredClientsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := f.instance("use1-az1", privateA, publicA)
		f.serve(a, 80, named("a"))
		var clients sync.WaitGroup
		for n := range 100 {
			clients.Go(func() {
				client := f.client
				if n%2 == 0 {
					client = f.clientOf(a)
				}
				for range 10 {
					_, _ = client.AssumeRole(t.Context(), addInput())
					_, _ = client.GetCallerIdentity(t.Context(), nil)
					_, _ = f.get(publicA)
					f.cloud.Calls(mutation)
					if n%10 == 0 {
						heal := f.inject(awstest.Match{Service: "STS", Probability: 0.5}, awstest.Throttle())
						zone := f.zone("use1-az1").Fail(awstest.PowerLoss)
						zone()
						heal()
					}
				}
			})
		}
		clients.Wait()
	})
}

func TestCloudThatIsOnlyCalledHoldsNoGoroutine(t *testing.T) {
	t.Parallel()
	cloud, err := awstest.New([]awstest.Service{new(counter).service})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sts.NewFromConfig(cloud.Config("us-east-1")).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	// No Close: goleak would find what is left.
}
