package ec2svc_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

func TestVisibilityLag(t *testing.T) {
	const lag = 10 * time.Second
	t.Parallel()
	inBubble(t, func(w *world) {
		launched := must(w.RunInstances(w.Context(), run(1)))(w).Instances[0]
		id := *launched.InstanceId
		if launched.PrivateIpAddress == nil {
			w.Error("the reply of a launch lags behind it")
		}
		_, err := w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		wantCode(w, err, "InvalidInstanceID.NotFound")
		all := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{}))(w)
		if len(all.Reservations) != 0 {
			w.Error("a list shows the instance before its time")
		}
		time.Sleep(lag)
		w.wantState(id, pending)
		time.Sleep(6 * time.Second) // it runs, but that is not seen yet
		w.wantState(id, pending)
		a := w.allocate()
		w.associate(a, id) // changes look at the present
		_, err = w.DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{a}})
		wantCode(w, err, "InvalidAllocationID.NotFound")
		time.Sleep(lag)
		w.wantState(id, isRunning)
		if w.instance(id).PublicIpAddress == nil || w.address(a).AssociationId == nil {
			w.Error("after the lag the association is not seen")
		}
	}, func(o *awstest.Options) { o.VisibilityLag = lag })
}

func TestStaleReadIsOfOneMoment(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		one, two, a := w.running(zoneA), w.running(zoneB), w.allocate()
		nic := w.nic(zoneA)
		attachment := must(w.attach(nic, one, 1))(w)
		primary := w.eni(one)
		must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &primary}))(w)
		must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{one, nic, a}, Tags: tagList("a=b")}))(w)
		snapshot := func() []any {
			return []any{
				w.instance(one), w.instance(two), w.describeNIC(nic), w.describeNIC(primary), w.address(a),
				w.tags(),
				must(w.DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{Filters: []types.Filter{filter("instance-id", one)}}))(w).Addresses,
			}
		}
		before := snapshot()
		time.Sleep(time.Minute)
		began := time.Now()

		// Change all of it.
		wantCode(w, w.detach(attachment), "")
		must(w.DeleteTags(w.Context(), &ec2.DeleteTagsInput{Resources: []string{one, nic, a}}))(w)
		w.associate(a, two)
		wantCode(w, w.terminate(one), "")
		time.Sleep(time.Minute)
		w.wantState(one, terminated)

		heal := must(w.cloud.Inject(awstest.Match{Service: "EC2"}, awstest.Stale(time.Since(began)+time.Second)))(w)
		if diff := cmp.Diff(before, snapshot(), unexported); diff != "" {
			w.Errorf("a stale read differs from what was: %s", diff)
		}
		heal()
		w.holds(a, two, w.eni(two), "172.31.0.4")
	})
}

// TestRaceForAnAddress has many clients take one address without
// reassociation: one of them wins, whatever the order.
func TestRaceForAnAddress(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		launched := ids(must(w.RunInstances(w.Context(), run(20)))(w).Instances)
		time.Sleep(time.Minute)
		a := w.allocate()
		won := make([]bool, len(launched))
		var wg sync.WaitGroup
		for n, id := range launched {
			wg.Go(func() {
				client := ec2.NewFromConfig(w.cloud.Config(region))
				_, err := client.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id, AllowReassociation: aws.Bool(false)})
				if won[n] = err == nil; !won[n] {
					wantCode(w, err, "Resource.AlreadyAssociated")
				}
			})
		}
		wg.Wait()
		winners := 0
		for n, id := range launched {
			if won[n] {
				winners++
				w.holds(a, id, w.eni(id), *w.instance(id).PrivateIpAddress)
			}
		}
		if winners != 1 {
			w.Errorf("%d winners", winners)
		}
	})
}

// TestHundredClients runs in real time: what it looks for are races.
func TestHundredClients(t *testing.T) {
	t.Parallel()
	const clients = 100
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) {
		o.Pending, o.Stopping, o.ShuttingDown = time.Millisecond, time.Millisecond, time.Millisecond
		o.AddressQuota = clients
	})})
	if err != nil {
		t.Fatal(err)
	}
	zones := []string{zoneA, zoneB, "use1-az3"}
	work := func(n int) error {
		ctx, client := t.Context(), ec2.NewFromConfig(cloud.Config(region))
		out, err := client.RunInstances(ctx, run(2, func(in *ec2.RunInstancesInput) { in.Placement = at(zones[n%len(zones)]) }))
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		launched := ids(out.Instances)
		address, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{TagSpecifications: tags(types.ResourceTypeElasticIp, "client", fmt.Sprint(n))})
		if err != nil {
			return fmt.Errorf("allocate: %w", err)
		}
		for {
			all, err := client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: launched, Filters: []types.Filter{filter("instance-state-name", "running")}})
			if err != nil {
				return fmt.Errorf("describe: %w", err)
			}
			if len(all.Reservations) == 1 && len(all.Reservations[0].Instances) == 2 {
				break
			}
		}
		for range 3 {
			for _, id := range launched {
				if _, err := client.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: address.AllocationId, InstanceId: &id}); err != nil {
					return fmt.Errorf("associate: %w", err)
				}
				if _, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{}); err != nil {
					return fmt.Errorf("describe addresses: %w", err)
				}
			}
		}
		if _, err := client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: launched[:1]}); err != nil {
			return fmt.Errorf("terminate: %w", err)
		}
		own, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{Filters: []types.Filter{filter("tag:client", fmt.Sprint(n))}})
		if err != nil {
			return fmt.Errorf("describe own address: %w", err)
		}
		if len(own.Addresses) != 1 || aws.ToString(own.Addresses[0].InstanceId) != launched[1] {
			return fmt.Errorf("client %d lost its address: %v", n, own.Addresses)
		}
		return nil
	}
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			if err := work(n); err != nil {
				t.Error(err)
			}
		})
	}
	zone, err := cloud.Zone("use1-az4") // where nobody is
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		zone.Fail(awstest.PowerLoss)()
	}
	wg.Wait()
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
}

// TestDyingZoneLeavesNothing kills a zone a hundred times while instances
// start and stop in it.
func TestDyingZoneLeavesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for range 100 {
			id := w.launch(zoneA)
			heal := w.zone(zoneA).Fail(awstest.PowerLoss)
			time.Sleep(time.Minute)
			wantCode(w, w.terminate(id), "")
			heal()
			time.Sleep(time.Minute)
			w.wantState(id, terminated)
		}
		time.Sleep(2 * time.Hour)
		for _, list := range w.everything()[:3] {
			if fmt.Sprint(list) != "[]" {
				w.Errorf("left over: %v", list)
			}
		}
	})
}
