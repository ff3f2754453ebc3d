package eip_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/eip/eipmock"
)

func TestMoveWithKnownOwnerTakesThreeCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := w.calls(), (eip.Calls{Describe: 1, Disassociate: 1, Associate: 1}); got != want || res.Calls != want {
			t.Errorf("calls %+v, counted %+v, want %+v", got, res.Calls, want)
		}
		if !res.Changed || res.Before != w.first || res.After.NetworkInterfaceID != w.eni[1] || res.After.ID == w.first.ID {
			t.Errorf("result %+v", res)
		}
		if res.Took != 3*time.Millisecond {
			t.Errorf("took %v, want the latency of three calls", res.Took)
		}
		for _, call := range w.cloud.Calls(awstest.Match{Operation: "AssociateAddress"})[w.start.Associate:] {
			if allow := call.Input.(*ec2.AssociateAddressInput).AllowReassociation; allow == nil || *allow {
				t.Error("the association was allowed to take the address from somebody")
			}
		}
		if owner := w.owner(t); owner != w.eni[1] {
			t.Errorf("%s holds the address", owner)
		}
	})
}

func TestExpectationDecidesWhatIsRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		expect func(w *world) eip.Expect
		want   eip.Calls
	}{
		{"nothing expected reads first", func(*world) eip.Expect { return eip.Expect{} }, eip.Calls{Describe: 2, Disassociate: 1, Associate: 1, Inspect: 1}},
		{"association without owner reads first", func(w *world) eip.Expect {
			return eip.Expect{Association: eip.Association{ID: w.first.ID}}
		}, eip.Calls{Describe: 2, Disassociate: 1, Associate: 1, Inspect: 1}},
		{"owner without association reads first", func(w *world) eip.Expect {
			return eip.Expect{Association: eip.Association{NetworkInterfaceID: w.eni[0]}}
		}, eip.Calls{Describe: 2, Disassociate: 1, Associate: 1, Inspect: 1}},
		{"association of another owner is taken as it is", func(w *world) eip.Expect {
			return eip.Expect{Association: w.first}
		}, eip.Calls{Describe: 1, Disassociate: 1, Associate: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				req.Expect = test.expect(w)
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if res.Calls != test.want || res.Before.ID != w.first.ID || w.owner(t) != w.eni[1] {
					t.Errorf("result %+v, want calls %+v", res, test.want)
				}
			})
		})
	}
}

func TestAlreadyThereChangesNothing(t *testing.T) {
	t.Parallel()
	expectations := map[string]func(w *world) eip.Expect{
		"nothing expected":         func(*world) eip.Expect { return eip.Expect{} },
		"own association expected": func(w *world) eip.Expect { return eip.Expect{Association: w.first} },
		"own ID expected":          func(w *world) eip.Expect { return eip.Expect{Association: eip.Association{ID: w.first.ID}} },
		"other owner expected": func(w *world) eip.Expect {
			return eip.Expect{Association: eip.Association{NetworkInterfaceID: w.eni[2]}}
		},
	}
	for name, expect := range expectations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				r := newRemapper(t, w.client)
				req := w.request(0)
				req.Expect = expect(w)
				for range 100 {
					res, err := r.Remap(t.Context(), req)
					if err != nil {
						t.Fatal(err)
					}
					if res.Changed || res.After.ID != w.first.ID || res.Calls != (eip.Calls{Describe: 1}) {
						t.Fatalf("result %+v", res)
					}
				}
				if got, want := w.calls(), (eip.Calls{Describe: 100}); got != want {
					t.Errorf("calls %+v, want %+v", got, want)
				}
			})
		})
	}
}

func TestFreeAddressIsTaken(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, 30 * time.Second} {
		for _, guard := range []eip.Guard{eip.GuardStrict, eip.GuardFree} {
			synctest.Test(t, func(t *testing.T) {
				w := settled(t, func(o *awstest.Options) { o.VisibilityLag = lag })
				w.allocation = w.allocate(t)
				time.Sleep(time.Minute)
				req := w.request(1)
				req.Expect, req.Guard = eip.Expect{}, guard
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := w.calls(), (eip.Calls{Describe: 2, Associate: 1}); lag == 0 && res.Calls != want || got.Associate != 1 || got.Disassociate != 0 {
					t.Errorf("calls %+v, counted %+v, want %+v and lagging reads", got, res.Calls, want)
				}
				if !res.Changed || res.Before != (eip.Association{}) || res.After.NetworkInterfaceID != w.eni[1] {
					t.Errorf("result %+v", res)
				}
			})
		}
	}
}

// The same request again, by the same Remapper and in another process that knows nothing of the first.
func TestFulfilledExpectationIsNoConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		first, err := r.Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		for name, again := range map[string]*eip.Remapper{"same": r, "another": newRemapper(t, w.client)} {
			second, err := again.Remap(t.Context(), w.request(1))
			if err != nil {
				t.Fatal(err)
			}
			if second.After != first.After || name == "same" && second.Changed {
				t.Errorf("%s: changed %t to %v, want %v", name, second.Changed, second.After, first.After)
			}
		}
	})
}

func TestAddressThatBecomesFreeAgainIsTakenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		w.allocation = w.allocate(t)
		for range 3 {
			req := w.request(1)
			req.Expect = eip.Expect{}
			res, err := r.Remap(t.Context(), req)
			if err != nil || !res.Changed || res.Took > time.Second {
				t.Fatalf("result %+v, error %v", res, err)
			}
			if _, err := w.client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: &res.After.ID}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The read is stale, the caller is not: what it named is tried.
func TestNamedAssociationIsTriedAgainstARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		req := w.request(1)
		req.Expect = eip.Expect{Association: eip.Association{ID: w.associate(t, w.allocation, w.eni[2]).ID}}
		w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Stale(time.Minute))
		if _, err := newRemapper(t, w.client).Remap(t.Context(), req); err != nil {
			t.Error(err)
		}
		if owner := w.owner(t); owner != w.eni[1] {
			t.Errorf("%s holds the address", owner)
		}
	})
}

func TestAddressesOfOneRemapperAreKeptApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		other := eip.Request{AllocationID: w.allocate(t), Target: eip.Target{NetworkInterfaceID: w.eni[2]}}
		for i := range 3 {
			res, err := r.Remap(t.Context(), other)
			if err != nil || res.Changed != (i == 0) || res.Took > time.Second {
				t.Errorf("other address: %+v, error %v", res, err)
			}
			req := w.request(i % 2)
			req.Expect = eip.Expect{}
			if res, err := r.Remap(t.Context(), req); err != nil || res.Took > time.Second {
				t.Errorf("first address: %+v, error %v", res, err)
			}
		}
	})
}

// EC2 answers a repeated association with the existing one, or refuses it.
func TestRefusedThoughAlreadyOursIsSuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		ours := w.associate(t, w.allocation, w.eni[1])
		for name, message := range map[string]string{
			"names it": "resource " + w.allocation + " is already associated with associate-id " + ours.ID,
			"names us": "the resource is already associated",
		} {
			w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{Code: "Resource.AlreadyAssociated", Message: message}))
			res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if res.Changed || res.After.ID != ours.ID {
				t.Errorf("%s: result %+v, want the association %v, unchanged", name, res, ours)
			}
		}
	})
}

func TestTargetsAreInstancesAndPrivateAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		instance := w.runInstance(t)
		time.Sleep(time.Minute)
		toInstance := eip.Request{AllocationID: w.allocation, Target: eip.Target{InstanceID: instance}}
		res, err := r.Remap(t.Context(), toInstance)
		if err != nil {
			t.Fatal(err)
		}
		if res.After.InstanceID != instance || res.After.NetworkInterfaceID == "" || !res.After.PrivateIP.IsValid() {
			t.Errorf("read back as %+v", res.After)
		}
		if res, err = r.Remap(t.Context(), toInstance); err != nil || res.Changed {
			t.Errorf("the same again: changed %t, error %v", res.Changed, err)
		}

		assigned, err := w.client.AssignPrivateIpAddresses(t.Context(), &ec2.AssignPrivateIpAddressesInput{
			NetworkInterfaceId: &w.eni[1], SecondaryPrivateIpAddressCount: aws.Int32(1),
		})
		if err != nil {
			t.Fatal(err)
		}
		secondary := netip.MustParseAddr(*assigned.AssignedPrivateIpAddresses[0].PrivateIpAddress)
		primary := eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[1]}}
		second := primary
		second.Target.PrivateIP = secondary
		if res, err = r.Remap(t.Context(), primary); err != nil || res.After.PrivateIP == secondary {
			t.Fatalf("to the primary address: %v, error %v", res.After, err)
		}
		if res, err = r.Remap(t.Context(), second); err != nil || !res.Changed || res.After.PrivateIP != secondary {
			t.Fatalf("to the secondary address of the same interface: %+v, error %v", res, err)
		}
		if res, err = r.Remap(t.Context(), primary); err != nil || res.Changed {
			t.Errorf("any address of the interface will do: changed %t, error %v", res.Changed, err)
		}
	})
}

func (w *world) runInstance(tb testing.TB) string {
	tb.Helper()
	run, err := w.client.RunInstances(tb.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-1"), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return *run.Instances[0].InstanceId
}

func TestPendingInstanceIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		req := w.request(1)
		req.Target = eip.Target{InstanceID: w.runInstance(t)}
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if res.After.InstanceID != req.Target.InstanceID || res.Took < 10*time.Second || res.Took > 20*time.Second {
			t.Errorf("held by %v after %v; the instance is pending for 15 s", res.After, res.Took)
		}
	})
}

func TestTerminatedInstanceIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		instance := w.runInstance(t)
		time.Sleep(time.Minute)
		if _, err := w.client.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{instance}}); err != nil {
			t.Fatal(err)
		}
		req := w.request(1)
		req.Target = eip.Target{InstanceID: instance}
		for _, wait := range []time.Duration{0, time.Minute} { // shutting down, terminated
			time.Sleep(wait)
			start := time.Now()
			_, err := newRemapper(t, w.client).Remap(t.Context(), req)
			failure(t, err, eip.ErrTargetGone)
			if took := time.Since(start); took > time.Second {
				t.Errorf("took %v", took)
			}
		}
	})
}

func TestServiceManagedAddressIsRefused(t *testing.T) {
	t.Parallel()
	api := &eipmock.APIMock{
		DescribeAddressesFunc: func(context.Context, *ec2.DescribeAddressesInput, ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
			return &ec2.DescribeAddressesOutput{Addresses: []types.Address{{
				AllocationId: aws.String("eipalloc-1"), AssociationId: aws.String("eipassoc-1"), NetworkInterfaceId: aws.String("eni-1"),
				ServiceManaged: types.ServiceManagedAlb,
			}}}, nil
		},
	}
	_, err := newRemapper(t, api).Remap(t.Context(), eip.Request{AllocationID: "eipalloc-1", Target: eip.Target{NetworkInterfaceID: "eni-2"}})
	var field *eip.FieldError
	if !errors.As(err, &field) || field.Field != "Request.AllocationID" {
		t.Errorf("error %v, want a FieldError for Request.AllocationID", err)
	}
}

func TestCallTimeoutEndsHangingCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Hang())
		r := newRemapper(t, w.client, func(o *eip.Options) { o.CallTimeout, o.RetryTimeout = time.Second, 3*time.Second })
		req := w.request(1)
		req.Expect = eip.Expect{}
		start := time.Now()
		_, err := r.Remap(t.Context(), req)
		if e := failure(t, err, context.DeadlineExceeded); e.Op != eip.OpRead || e.Cause != nil {
			t.Errorf("step %s, cause %v", e.Op, e.Cause)
		}
		if took := time.Since(start); took < 3*time.Second || took > 4100*time.Millisecond {
			t.Errorf("took %v, want RetryTimeout and at most one CallTimeout", took)
		}
	})
}
