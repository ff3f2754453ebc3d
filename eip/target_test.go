package eip_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

// launch starts an instance and returns it; it is pending still.
func (w *world) launch(tb testing.TB) types.Instance {
	tb.Helper()
	out, err := w.client.RunInstances(tb.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-1"), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out.Instances[0]
}

// running starts an instance and waits until it runs.
func (w *world) running(tb testing.TB) (id, eni string) {
	tb.Helper()
	i := w.launch(tb)
	time.Sleep(time.Minute)
	return *i.InstanceId, *i.NetworkInterfaces[0].NetworkInterfaceId
}

// second gives an instance another interface.
func (w *world) second(tb testing.TB, instance, eni string) {
	tb.Helper()
	own, err := w.client.DescribeInstances(tb.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{instance}})
	if err != nil {
		tb.Fatal(err)
	}
	made, err := w.client.CreateNetworkInterface(tb.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: own.Reservations[0].Instances[0].SubnetId})
	if err != nil {
		tb.Fatal(err)
	}
	if eni == "" {
		eni = *made.NetworkInterface.NetworkInterfaceId
	}
	if _, err := w.client.AttachNetworkInterface(tb.Context(), &ec2.AttachNetworkInterfaceInput{
		InstanceId: &instance, NetworkInterfaceId: &eni, DeviceIndex: aws.Int32(1),
	}); err != nil {
		tb.Fatal(err)
	}
}

func TestInstanceIsResolvedToItsInterface(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		instance, eni := w.running(t)
		w.start = w.counts()
		req := w.request(1)
		req.Target = eip.Target{InstanceID: instance}
		req.Expect.Association.InstanceID = "i-0" // some other one: the owner is known
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		want := eip.Calls{Describe: 1, Disassociate: 1, Associate: 1, Inspect: 1}
		if res.Calls != want || w.calls() != want {
			t.Errorf("calls %+v, counted %+v, want %+v", w.calls(), res.Calls, want)
		}
		if res.After.NetworkInterfaceID != eni || res.After.InstanceID != instance || !res.PublicIP.IsValid() {
			t.Errorf("result %+v", res)
		}
		sent := w.cloud.Calls(awstest.Match{Operation: "AssociateAddress"})
		if in := sent[len(sent)-1].Input.(*ec2.AssociateAddressInput); in.InstanceId != nil || aws.ToString(in.NetworkInterfaceId) != eni {
			t.Errorf("EC2 was left to resolve the instance: %+v", in)
		}
		if res, err = newRemapper(t, w.client).Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: req.Target}); err != nil || res.Changed || res.Calls != (eip.Calls{Describe: 1}) {
			t.Errorf("the second time: %+v, %v", res, err)
		}
	})
}

// A pending instance is waited for while the address is where it was.
func TestPendingInstanceIsWaitedForBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		instance := w.launch(t)
		var free time.Time
		w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.After(func(context.Context, awstest.Record) { free = time.Now() }))
		req := w.request(1)
		req.Target, req.Expect = eip.Target{InstanceID: *instance.InstanceId}, eip.Expect{}
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil || res.After.InstanceID != *instance.InstanceId {
			t.Fatalf("result %+v, error %v", res, err)
		}
		if gap := time.Since(free); gap > 10*time.Millisecond {
			t.Errorf("the address was free for %v", gap)
		}
		if res.Took < 10*time.Second {
			t.Errorf("took %v: the instance was not pending", res.Took)
		}
	})
}

type wrongTarget struct {
	name string
	make func(*testing.T, *world) eip.Target
	kind error  // a RemapError that matches it, or
	text string // a FieldError with this text
}

// foreignTargets belong to somebody else, or are somewhere else.
var foreignTargets = []wrongTarget{
	{"interface of a service", func(t *testing.T, w *world) eip.Target {
		if err := ec2svc.ManageInterface(w.cloud, "us-east-1", w.eni[1], "amazon-elb"); err != nil {
			t.Fatal(err)
		}
		return eip.Target{NetworkInterfaceID: w.eni[1]}
	}, nil, "must not be a network interface that a service of AWS manages"},
	{"interface of another account", func(t *testing.T, w *world) eip.Target {
		if err := ec2svc.ShareInterface(w.cloud, "us-east-1", w.eni[1], "111122223333"); err != nil {
			t.Fatal(err)
		}
		return eip.Target{NetworkInterfaceID: w.eni[1]}
	}, nil, "must be of the account that owns the interface with the address, which is"},
	{"interface in another border group", func(t *testing.T, w *world) eip.Target {
		return eip.Target{NetworkInterfaceID: w.inBoston(t)}
	}, nil, "must be in the network border group of the address, which is us-east-1; it is in us-east-1-bos-1"},
	{"address of a service", func(t *testing.T, w *world) eip.Target {
		if err := ec2svc.ManageAddress(w.cloud, "us-east-1", w.allocation, types.ServiceManagedAlb); err != nil {
			t.Fatal(err)
		}
		return eip.Target{NetworkInterfaceID: w.eni[1]}
	}, nil, "must not be an address that a service manages, which is alb"},
}

// inBoston makes an interface in a Local Zone.
func (w *world) inBoston(tb testing.TB) string {
	tb.Helper()
	subnets, err := w.client.DescribeSubnets(tb.Context(), &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("availability-zone"), Values: []string{"us-east-1-bos-1a"}}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	out, err := w.client.CreateNetworkInterface(tb.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: subnets.Subnets[0].SubnetId})
	if err != nil {
		tb.Fatal(err)
	}
	return *out.NetworkInterface.NetworkInterfaceId
}

// The border group of a zone is read only if its name does not tell, and then once.
func TestAddressOfALocalZoneMovesWithinIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		out, err := w.client.AllocateAddress(t.Context(), &ec2.AllocateAddressInput{NetworkBorderGroup: aws.String("us-east-1-bos-1")})
		if err != nil {
			t.Fatal(err)
		}
		w.allocation, w.eni[0], w.eni[1], w.decoy = *out.AllocationId, w.inBoston(t), w.inBoston(t), ""
		w.associate(t, w.allocation, w.eni[0])
		w.start = w.counts()
		r := newRemapper(t, w.client)
		for i := range 4 {
			res, err := r.Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[(i+1)%2]}})
			if err != nil || !res.Changed {
				t.Fatalf("result %+v, error %v", res, err)
			}
			want := eip.Calls{Describe: 2, Disassociate: 1, Associate: 1, Inspect: 1}
			if res.Calls != want {
				t.Errorf("calls %+v, want %+v", res.Calls, want)
			}
		}
		_, err = r.Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[2]}})
		if want := "must be in the network border group of the address, which is us-east-1-bos-1; it is in us-east-1"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if res, err := r.Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[2]}}); err == nil || res.Calls.Inspect != 1 {
			t.Errorf("the second time: %+v, %v", res.Calls, err)
		}
	})
}

// What reads tell of a target that EC2 would refuse is said before the address leaves its owner.
func TestWrongTargetIsRefusedBeforeAnyEffect(t *testing.T) {
	t.Parallel()
	tests := []wrongTarget{
		{"terminated instance", func(t *testing.T, w *world) eip.Target {
			id, _ := w.running(t)
			if _, err := w.client.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
				t.Fatal(err)
			}
			return eip.Target{InstanceID: id}
		}, eip.ErrTargetGone, ""},
		{"unknown instance", func(*testing.T, *world) eip.Target { return eip.Target{InstanceID: "i-0123456789abcdef0"} }, eip.ErrTargetGone, ""},
		{"unknown interface", func(*testing.T, *world) eip.Target {
			return eip.Target{NetworkInterfaceID: "eni-0123456789abcdef0"}
		}, eip.ErrTargetGone, ""},
		{"instance with two interfaces", func(t *testing.T, w *world) eip.Target {
			id, _ := w.running(t)
			w.second(t, id, "")
			return eip.Target{InstanceID: id}
		}, nil, `must have one network interface, or a PrivateIP beside it; it has eni-`},
		{"private address of another interface", func(_ *testing.T, w *world) eip.Target {
			return eip.Target{NetworkInterfaceID: w.eni[1], PrivateIP: netip.MustParseAddr("172.31.0.99")}
		}, nil, `Request.Target.PrivateIP: 172.31.0.99 must be a private address of eni-`},
		{"private address of no interface of the instance", func(t *testing.T, w *world) eip.Target {
			id, _ := w.running(t)
			return eip.Target{InstanceID: id, PrivateIP: netip.MustParseAddr("172.31.0.99")}
		}, nil, `Request.Target.PrivateIP: 172.31.0.99 must be a private address of eni-`},
		{"interface with another address", func(t *testing.T, w *world) eip.Target {
			w.associate(t, w.allocate(t), w.eni[1])
			return eip.Target{NetworkInterfaceID: w.eni[1]}
		}, eip.ErrOccupied, ""},
		{"instance with another address", func(t *testing.T, w *world) eip.Target {
			id, eni := w.running(t)
			w.associate(t, w.allocate(t), eni)
			return eip.Target{InstanceID: id}
		}, eip.ErrOccupied, ""},
	}
	tests = append(tests, foreignTargets...)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := eip.Request{AllocationID: w.allocation, Target: test.make(t, w)}
				w.start = w.counts()
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if test.kind != nil {
					if e := failure(t, err, test.kind); e.Op != eip.OpInspect || e.Target != req.Target {
						t.Errorf("error %+v", e)
					}
				} else if field := (*eip.FieldError)(nil); !errors.As(err, &field) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("error %v, want %q", err, test.text)
				}
				got := w.calls()
				if err := ec2svc.ManageAddress(w.cloud, "us-east-1", w.allocation, ""); err != nil { // owner needs it back
					t.Fatal(err)
				}
				if got.Associate+got.Disassociate != 0 || w.owner(t) != w.eni[0] || res.Changed {
					t.Errorf("something was changed: %+v", got)
				}
			})
		})
	}
}

// The private address says which of several interfaces is meant.
func TestPrivateIPChoosesTheInterface(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		id, first := w.running(t)
		w.second(t, id, "")
		own, err := w.client.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range own.Reservations[0].Instances[0].NetworkInterfaces {
			res, err := newRemapper(t, w.client).Remap(t.Context(), eip.Request{
				AllocationID: w.allocation, Target: eip.Target{InstanceID: id, PrivateIP: netip.MustParseAddr(*n.PrivateIpAddress)},
			})
			if err != nil || res.After.NetworkInterfaceID != *n.NetworkInterfaceId {
				t.Errorf("result %+v, error %v", res, err)
			}
		}
		_ = first
	})
}

// A target that was left by another address a moment ago is not occupied, whatever lagging reads show.
func TestTargetThatWasJustLeftIsNotOccupied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		other := w.associate(t, w.allocate(t), w.eni[1])
		time.Sleep(time.Minute)
		if _, err := w.client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: &other.ID}); err != nil {
			t.Fatal(err)
		}
		w.inject(t, "DescribeNetworkInterfaces", awstest.Match{}, awstest.Stale(3*time.Second))
		if _, err := newRemapper(t, w.client).Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[1]}}); err != nil {
			t.Error(err)
		}
	})
}

func TestDisplacing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		adjust func(*eip.Request, *lease)
		told   bool // Result.Displaced names the other address
	}{
		{"strict, owner named", func(*eip.Request, *lease) {}, true},
		{"strict, owner not named", func(r *eip.Request, _ *lease) { r.Expect = eip.Expect{} }, true},
		{"lease", func(r *eip.Request, l *lease) { r.Guard, r.Fence = eip.GuardLease, l }, false},
	}
	for _, test := range tests {
		for _, byInstance := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := settled(t)
					req := w.request(1)
					if byInstance {
						var id string
						id, w.eni[1] = w.running(t)
						req.Target = eip.Target{InstanceID: id}
					}
					secondary, err := w.client.AssignPrivateIpAddresses(t.Context(), &ec2.AssignPrivateIpAddressesInput{
						NetworkInterfaceId: &w.eni[1], SecondaryPrivateIpAddressCount: aws.Int32(1),
					})
					if err != nil {
						t.Fatal(err)
					}
					// One address is in the way, the other is beside it and not to be touched.
					beside := w.allocate(t)
					if _, err := w.client.AssociateAddress(t.Context(), &ec2.AssociateAddressInput{
						AllocationId: &beside, NetworkInterfaceId: &w.eni[1], PrivateIpAddress: secondary.AssignedPrivateIpAddresses[0].PrivateIpAddress,
					}); err != nil {
						t.Fatal(err)
					}
					other := w.allocate(t)
					inTheWay := w.associate(t, other, w.eni[1])
					w.start = w.counts()
					req.Displace = true
					test.adjust(&req, &lease{})
					res, err := newRemapper(t, w.client).Remap(t.Context(), req)
					if err != nil {
						t.Fatal(err)
					}
					if res.After.NetworkInterfaceID != w.eni[1] || w.owner(t) != w.eni[1] {
						t.Errorf("result %+v", res)
					}
					if test.told && (res.Displaced.AllocationID != other || res.Displaced.AssociationID != inTheWay.ID) {
						t.Errorf("displaced %+v, want %s", res.Displaced, other)
					}
					out, err := w.client.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{other, beside}})
					if err != nil {
						t.Fatal(err)
					}
					for _, a := range out.Addresses {
						if held := a.AssociationId != nil; held != (*a.AllocationId == beside) {
							t.Errorf("%s is associated: %t", *a.AllocationId, held)
						}
					}
				})
			})
		}
	}
}

// Without the owner being read, EC2's refusal of the second call is the first that is heard of a bad target.
func TestRefusalOfATargetThatNobodyRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(*testing.T, *world) string
		kind error
	}{
		{"interface with another address", func(t *testing.T, w *world) string {
			w.associate(t, w.allocate(t), w.eni[1])
			return w.eni[1]
		}, eip.ErrOccupied},
		{"unknown interface", func(*testing.T, *world) string { return "eni-0123456789abcdef0" }, eip.ErrTargetGone},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				req.Target.NetworkInterfaceID = test.make(t, w)
				_, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if e := failure(t, err, test.kind); e.Op != eip.OpAssociate {
					t.Errorf("error %v", err)
				}
				if owner := w.owner(t); owner != "" {
					t.Errorf("%s holds the address, which is free as the docs say", owner)
				}
			})
		})
	}
}
