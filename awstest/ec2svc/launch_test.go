package ec2svc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

func ids(list []types.Instance) (out []string) {
	for _, i := range list {
		out = append(out, *i.InstanceId)
	}
	return out
}

func TestRunInstancesShowsWhatItLaunched(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		out := must(w.RunInstances(w.Context(), run(2, func(in *ec2.RunInstancesInput) {
			in.KeyName = aws.String("key")
			in.TagSpecifications = append(tags(types.ResourceTypeInstance, "Name", "web"), tags(types.ResourceTypeNetworkInterface, "Name", "nic")...)
		})))(w)
		if len(out.Instances) != 2 || *out.OwnerId != "123456789012" {
			w.Fatalf("got %d instances of %s", len(out.Instances), *out.OwnerId)
		}
		i := out.Instances[1]
		got := []any{i.State.Name, *i.State.Code, *i.AmiLaunchIndex, *i.KeyName, *i.Placement.AvailabilityZoneId, *i.Placement.AvailabilityZone, *i.Tags[0].Value, *i.PrivateIpAddress, len(i.NetworkInterfaces), *i.NetworkInterfaces[0].Attachment.DeleteOnTermination}
		want := []any{types.InstanceStateNamePending, int32(0), int32(1), "key", zoneA, "us-east-1f", "web", "172.31.80.5", 1, true}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
		described := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{}))(w)
		if diff := cmp.Diff(ids(out.Instances), ids(described.Reservations[0].Instances)); diff != "" || len(described.Reservations) != 1 {
			w.Errorf("%d reservations, %s", len(described.Reservations), diff)
		}
		nic := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{filter("attachment.instance-id", *i.InstanceId)}}))(w)
		if *nic.NetworkInterfaces[0].TagSet[0].Value != "nic" {
			w.Errorf("interface has tags %v", nic.NetworkInterfaces[0].TagSet)
		}
	})
}

func TestClientToken(t *testing.T) {
	t.Parallel()
	token := func(text string) func(*ec2.RunInstancesInput) {
		return func(in *ec2.RunInstancesInput) { in.ClientToken = &text }
	}
	t.Run("the same request launches once", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			first := must(w.RunInstances(w.Context(), run(2, token("a"))))(w)
			time.Sleep(time.Minute)
			again := must(w.RunInstances(w.Context(), run(2, token("a"))))(w)
			if diff := cmp.Diff(ids(first.Instances), ids(again.Instances)); diff != "" {
				w.Error(diff)
			}
			if *first.ReservationId != *again.ReservationId || again.Instances[0].State.Name != types.InstanceStateNameRunning {
				w.Errorf("got %s in %s", *again.ReservationId, again.Instances[0].State.Name)
			}
		})
	})
	t.Run("a lost reply does not launch twice", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			must(w.cloud.LoseReply("EC2", "RunInstances", 1))(w)
			out := must(w.RunInstances(w.Context(), run(1)))(w) // the SDK makes a token, and a second attempt
			all := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{}))(w)
			if len(all.Reservations) != 1 || ids(all.Reservations[0].Instances)[0] != ids(out.Instances)[0] {
				w.Errorf("there are %d reservations", len(all.Reservations))
			}
			if n := w.cloud.Count("EC2", "RunInstances"); n != 2 {
				w.Errorf("%d attempts, want 2", n)
			}
		})
	})
	t.Run("a second zone launches a second instance", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			if first, second := w.launch(zoneA, token("a")), w.launch(zoneB, token("a")); first == second {
				w.Errorf("both zones have %s", first)
			}
		})
	})
	t.Run("a subnet names the zone as well", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			in := func(zone string) func(*ec2.RunInstancesInput) {
				subnet := w.subnet(zone)
				return func(in *ec2.RunInstancesInput) { in.SubnetId, in.Placement = &subnet, nil }
			}
			first := must(w.RunInstances(w.Context(), run(1, token("a"), in(zoneA))))(w)
			second := must(w.RunInstances(w.Context(), run(1, token("a"), in(zoneB))))(w)
			again := must(w.RunInstances(w.Context(), run(1, token("a"), in(zoneA))))(w)
			if a, b, c := ids(first.Instances)[0], ids(second.Instances)[0], ids(again.Instances)[0]; a == b || a != c {
				w.Errorf("got %s, %s and again %s", a, b, c)
			}
		})
	})
	t.Run("without a zone it holds in the region", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			anywhere := func(in *ec2.RunInstancesInput) { in.Placement = nil }
			first := must(w.RunInstances(w.Context(), run(1, token("a"), anywhere)))(w)
			defer w.zone(*first.Instances[0].Placement.AvailabilityZoneId).Fail(awstest.PowerLoss)()
			again := must(w.RunInstances(w.Context(), run(1, token("a"), anywhere)))(w)
			if diff := cmp.Diff(ids(first.Instances), ids(again.Instances)); diff != "" {
				w.Error(diff)
			}
			elsewhere := ec2.NewFromConfig(w.cloud.Config("eu-west-1"))
			other := must(elsewhere.RunInstances(w.Context(), run(1, token("a"), anywhere)))(w)
			if ids(other.Instances)[0] == ids(first.Instances)[0] {
				w.Error("two regions share an instance")
			}
		})
	})
	t.Run("an interface that exists is no obstacle to the repeat", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			nic := must(w.CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneA))}))(w)
			on := func(in *ec2.RunInstancesInput) {
				in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), NetworkInterfaceId: nic.NetworkInterface.NetworkInterfaceId}}
			}
			first := must(w.RunInstances(w.Context(), run(1, token("a"), on)))(w)
			again := must(w.RunInstances(w.Context(), run(1, token("a"), on)))(w)
			if diff := cmp.Diff(ids(first.Instances), ids(again.Instances)); diff != "" {
				w.Error(diff)
			}
			_, err := w.RunInstances(w.Context(), run(1, token("b"), on))
			wantCode(w, err, "InvalidNetworkInterface.InUse")
		})
	})
	t.Run("another request is a mismatch", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.launch(zoneA, token("a"))
			_, err := w.RunInstances(w.Context(), run(1, token("a"), func(in *ec2.RunInstancesInput) { in.InstanceType = "t3.large" }))
			wantCode(w, err, "IdempotentParameterMismatch")
			_, err = w.RunInstances(w.Context(), run(1, token("a"), func(in *ec2.RunInstancesInput) {
				in.TagSpecifications = tags(types.ResourceTypeInstance, "Name", "x")
			}))
			wantCode(w, err, "IdempotentParameterMismatch")
		})
	})
	t.Run("a terminated instance does not come back", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.launch(zoneA, token("a"))
			must(w.TerminateInstances(w.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))(w)
			for range 2 { // while it is shown, and once it is not
				_, err := w.RunInstances(w.Context(), run(1, token("a")))
				wantCode(w, err, "IdempotentInstanceTerminated")
				time.Sleep(2 * time.Hour)
			}
		})
	})
	t.Run("a refused launch uses up no token", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			heal := w.zone(zoneA).RefuseLaunches("")
			_, err := w.RunInstances(w.Context(), run(1, token("a")))
			wantCode(w, err, "InsufficientInstanceCapacity")
			heal()
			w.launch(zoneA, token("a"))
		})
	})
	t.Run("it is at most 64 ASCII characters", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.launch(zoneA, token(strings.Repeat("a", 64)))
			for _, text := range []string{strings.Repeat("a", 65), "é"} {
				_, err := w.RunInstances(w.Context(), run(1, token(text)))
				wantCode(w, err, "InvalidClientToken")
			}
		})
	})
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	t.Run("refused for a type", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			heal := w.zone(zoneA).RefuseLaunches("t3.micro")
			_, err := w.RunInstances(w.Context(), run(1))
			wantCode(w, err, "InsufficientInstanceCapacity")
			wantStatus(w, err, 500)
			if n := w.cloud.Count("EC2", "RunInstances"); n != 3 {
				w.Errorf("%d attempts, want the SDK's 3", n)
			}
			w.launch(zoneA, func(in *ec2.RunInstancesInput) { in.InstanceType = "t3.small" })
			w.launch(zoneB)
			heal()
			w.launch(zoneA)
		})
	})
	t.Run("refused by a failed zone", func(t *testing.T) {
		t.Parallel()
		for _, fault := range []awstest.Fault{awstest.PowerLoss, awstest.NetworkLoss} {
			t.Run(fault.String(), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					heal := w.zone(zoneA).Fail(fault)
					_, err := w.RunInstances(w.Context(), run(1))
					wantCode(w, err, "InsufficientInstanceCapacity")
					all := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{}))(w)
					if len(all.NetworkInterfaces) != 0 {
						w.Errorf("a refused launch left %d interfaces", len(all.NetworkInterfaces))
					}
					heal()
					w.launch(zoneA)
				})
			})
		}
	})
	t.Run("without a zone another one is found", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			z, err := w.cloud.Region(region)
			if err != nil {
				w.Fatal(err)
			}
			defer z.Zones()[0].RefuseLaunches("")()
			out := must(w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.Placement = nil })))(w)
			if *out.Instances[0].Placement.AvailabilityZone != "us-east-1b" {
				w.Errorf("launched in %s", *out.Instances[0].Placement.AvailabilityZone)
			}
		})
	})
	t.Run("a subnet has 4,091 addresses", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			must(w.RunInstances(w.Context(), run(4090)))(w)
			_, err := w.RunInstances(w.Context(), run(2))
			wantCode(w, err, "InsufficientFreeAddressesInSubnet")
			out := must(w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.MaxCount = aws.Int32(3) })))(w)
			if len(out.Instances) != 1 {
				w.Errorf("launched %d instances with one address left", len(out.Instances))
			}
		})
	})
}

func TestRunInstancesRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*ec2.RunInstancesInput)
		code   string
	}{
		"no image":                  {func(in *ec2.RunInstancesInput) { in.ImageId = nil }, "MissingParameter"},
		"less than one":             {func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(0) }, "InvalidParameterValue"},
		"a maximum below":           {func(in *ec2.RunInstancesInput) { in.MinCount, in.MaxCount = aws.Int32(2), aws.Int32(1) }, "InvalidParameterValue"},
		"an unknown zone":           {func(in *ec2.RunInstancesInput) { in.Placement.AvailabilityZoneId = aws.String("use1-az9") }, "InvalidParameterValue"},
		"a zone by name and by ID":  {func(in *ec2.RunInstancesInput) { in.Placement.AvailabilityZone = aws.String("us-east-1a") }, "InvalidParameterCombination"},
		"a malformed subnet":        {func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("net") }, "InvalidSubnetID.Malformed"},
		"an unknown subnet":         {func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-00000000") }, "InvalidSubnetID.NotFound"},
		"a subnet of another zone":  {func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-00000000000000001") }, "InvalidParameterValue"},
		"an address that is none":   {func(in *ec2.RunInstancesInput) { in.PrivateIpAddress = aws.String("ten") }, "InvalidParameterValue"},
		"an address of elsewhere":   {func(in *ec2.RunInstancesInput) { in.PrivateIpAddress = aws.String("10.0.0.1") }, "InvalidParameterValue"},
		"an address that AWS keeps": {func(in *ec2.RunInstancesInput) { in.PrivateIpAddress = aws.String("172.31.80.3") }, "InvalidParameterValue"},
		"an address that is taken":  {func(in *ec2.RunInstancesInput) { in.PrivateIpAddress = aws.String("172.31.80.4") }, "InvalidIPAddress.InUse"},
		"one address for two": {func(in *ec2.RunInstancesInput) {
			in.MaxCount, in.PrivateIpAddress = aws.Int32(2), aws.String("172.31.80.9")
		}, "InvalidParameterCombination"},
		"tags of what it never makes": {func(in *ec2.RunInstancesInput) { in.TagSpecifications = tags(types.ResourceTypeVpc, "a", "b") }, "InvalidParameterValue"},
		"an unknown interface": {func(in *ec2.RunInstancesInput) {
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), NetworkInterfaceId: aws.String("eni-00000000")}}
		}, "InvalidNetworkInterfaceID.NotFound"},
		"a subnet twice": {func(in *ec2.RunInstancesInput) {
			in.SubnetId = aws.String("subnet-00000000000000006")
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), SubnetId: in.SubnetId}}
		}, "InvalidParameterCombination"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.launch(zoneA) // has 172.31.80.4
				_, err := w.RunInstances(w.Context(), run(1, c.change))
				wantCode(w, err, c.code)
				all := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{}))(w)
				if len(all.NetworkInterfaces) != 1 {
					w.Errorf("a refused launch left %d interfaces", len(all.NetworkInterfaces)-1)
				}
			})
		})
	}
}

func TestLaunchWithSeveralInterfaces(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.launch(zoneA, func(in *ec2.RunInstancesInput) {
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0)}, {DeviceIndex: aws.Int32(1)}}
		})
		i := w.instance(id)
		var got []string
		for _, n := range i.NetworkInterfaces {
			got = append(got, *n.PrivateIpAddress)
		}
		if diff := cmp.Diff([]string{"172.31.80.4", "172.31.80.5"}, got); diff != "" {
			w.Error(diff)
		}
	})
}
