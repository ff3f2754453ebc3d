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

// The Remapper ended the association itself; a stale read of it is no proof of anything.
func TestWhatWasEndedIsRemembered(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*testing.T, *world, *eip.Remapper){
		"a move that was refused half way": func(t *testing.T, w *world, r *eip.Remapper) {
			req := w.request(1)
			req.Target.NetworkInterfaceID = "eni-0123456789abcdef0"
			_, err := r.Remap(t.Context(), req)
			failure(t, err, eip.ErrTargetGone)
		},
		"Release": func(t *testing.T, w *world, r *eip.Remapper) {
			if _, err := r.Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: w.eni[0]}}); err != nil {
				t.Fatal(err)
			}
			if err := r.Release(t.Context(), w.first); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				r := newRemapper(t, w.client)
				end(t, w, r)
				if owner := w.owner(t); owner != "" {
					t.Fatalf("%s holds the address", owner)
				}
				w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(20*time.Second))
				req := w.request(0) // back to where it was
				req.Expect = eip.Expect{}
				res, err := r.Remap(t.Context(), req)
				if err != nil || !res.Changed || w.owner(t) != w.eni[0] {
					t.Errorf("result %+v, error %v; owner in truth %q", res, err, w.owner(t))
				}
			})
		})
	}
}

func TestNextResumesForAnInstance(t *testing.T) {
	t.Parallel()
	for _, guard := range []eip.Guard{eip.GuardStrict, eip.GuardFree, eip.GuardLease} {
		for _, free := range []bool{true, false} {
			for _, fresh := range []bool{true, false} {
				if guard == eip.GuardFree && !free {
					continue
				}
				t.Run(guard.String(), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						w := settled(t)
						id, eni := w.running(t)
						if free {
							w.allocation = w.allocate(t)
							time.Sleep(2 * time.Minute)
						}
						w.start = w.counts()
						w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(40*time.Second))
						ctx, cancel := context.WithTimeout(t.Context(), 38*time.Second)
						defer cancel()
						req := eip.Request{AllocationID: w.allocation, Target: eip.Target{InstanceID: id}, Guard: guard, Fence: &lease{}}
						r := newRemapper(t, w.client)
						res, err := r.Remap(ctx, req)
						failure(t, err, eip.ErrUnverified)
						req.Expect = res.Next
						if fresh {
							r = newRemapper(t, w.client)
						}
						again, err := r.Remap(t.Context(), req)
						if err != nil {
							t.Errorf("free %t fresh %t: resumed: %v", free, fresh, err)
						}
						if got := w.calls(); got.Associate != 1 || !free && guard == eip.GuardStrict && got.Disassociate > 1 || free && got.Disassociate > 0 {
							t.Errorf("free %t fresh %t: Next %+v; sent %+v in all; again %+v", free, fresh, res.Next, got, again)
						}
						if again.After.NetworkInterfaceID != eni {
							t.Errorf("after %+v", again.After)
						}
					})
				})
			}
		}
	}
}

// Crash after the associate, and the same request again, to an instance, from an instance.
func TestSameRequestToAnInstanceAgain(t *testing.T) {
	t.Parallel()
	for _, guard := range []eip.Guard{eip.GuardStrict, eip.GuardLease} {
		t.Run(guard.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				from, _ := w.running(t)
				to, eni := w.running(t)
				w.eni[1] = eni
				r := newRemapper(t, w.client)
				at, err := r.Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{InstanceID: from}})
				if err != nil {
					t.Fatal(err)
				}
				req := eip.Request{
					AllocationID: w.allocation, Target: eip.Target{InstanceID: to}, Expect: eip.Expect{Association: at.After},
					Guard: guard, Fence: &lease{},
				}
				died := errors.New("died")
				ctx, die := context.WithCancelCause(t.Context())
				w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.After(func(context.Context, awstest.Record) { die(died) }))
				_, err = r.Remap(ctx, req)
				failure(t, err, died)
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil || w.owner(t) != eni {
					t.Errorf("the next run: %+v, %v; owner %s", res, err, w.owner(t))
				}
			})
		})
	}
}

func TestFreeDisplacesNobodyForNothing(t *testing.T) {
	t.Parallel()
	for _, byInstance := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			id, eni := w.running(t)
			target := eip.Target{NetworkInterfaceID: eni}
			if byInstance {
				target = eip.Target{InstanceID: id}
			}
			innocent := w.allocate(t)
			w.associate(t, innocent, eni)
			time.Sleep(time.Minute)
			res, err := newRemapper(t, w.client).Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: target, Guard: eip.GuardFree, Displace: true})
			failure(t, err, eip.ErrConflict)
			out, _ := w.client.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{innocent}})
			if out.Addresses[0].AssociationId == nil {
				t.Errorf("by instance %t: the occupant was displaced for a move that a read had shown to be impossible: %+v, %v", byInstance, res, err)
			}
		})
	}
}

func TestStrictDisplacesNobodyForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		id, eni := w.running(t)
		innocent := w.allocate(t)
		w.associate(t, innocent, eni)
		w.associate(t, w.allocation, w.eni[2]) // the expectation is outdated
		time.Sleep(time.Minute)
		req := w.request(1)
		req.Target, req.Displace = eip.Target{InstanceID: id}, true
		req.Expect.Association.InstanceID = "i-0"
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		failure(t, err, eip.ErrConflict)
		out, _ := w.client.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{innocent}})
		if out.Addresses[0].AssociationId == nil {
			t.Errorf("the occupant was displaced, and then: %v; %+v", err, res)
		}
	})
}

func TestLeaseNamesWhomItDisplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		id, eni := w.running(t)
		other := w.allocate(t)
		w.associate(t, other, eni)
		time.Sleep(time.Minute)
		req := w.underLease(1, &lease{})
		req.Target = eip.Target{InstanceID: id}
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil || res.Displaced == (eip.Occupant{}) {
			t.Errorf("an address was displaced, a read had shown it, and nothing tells: %+v, %v", res, err)
		}
	})
}

func TestAWrongExpectationPoisonsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		other := w.allocate(t)
		theirs := w.associate(t, other, w.eni[2]) // not seen by this Remapper
		time.Sleep(time.Minute)
		req := w.underLease(1, &lease{})
		req.Expect.Association = theirs // mixed up; under a lease nothing is ended by it
		if _, err := r.Remap(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		res, err := r.Remap(t.Context(), eip.Request{AllocationID: other, Target: eip.Target{NetworkInterfaceID: w.eni[2]}})
		if err != nil {
			t.Errorf("the other address is on its target; after %v: %+v, %v", time.Since(start), res, err)
		}
		_, err = r.Remap(t.Context(), eip.Request{AllocationID: other, Target: eip.Target{NetworkInterfaceID: w.eni[0]}, Expect: eip.Expect{Association: theirs}})
		if err != nil {
			t.Errorf("moving it on: %v", err)
		}
	})
}

func TestEndedIsNotSaidOfAGapInThePast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		// EC2 throttles the associate for 20 s, so that there is a gap; reads are 70 s late.
		heal := w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Throttle())
		time.AfterFunc(20*time.Second, heal)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(70*time.Second))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if errors.Is(err, eip.ErrEnded) {
			t.Errorf("told %v; %+v; owner %s", err, res, w.owner(t))
		}
	})
}

func TestAssociationNotKnownYetIsNotTakenForEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound", Message: "The association ID '" + w.first.ID + "' does not exist"}))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if err != nil {
			t.Errorf("%v; %+v", err, res)
		}
	})
}

func TestTargetThatHasLostItsAddressIsNotOccupied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		other := w.allocate(t)
		at, err := r.Remap(t.Context(), eip.Request{AllocationID: other, Target: eip.Target{NetworkInterfaceID: w.eni[1]}, Guard: eip.GuardFree})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := r.Remap(t.Context(), eip.Request{AllocationID: other, Target: eip.Target{NetworkInterfaceID: w.eni[2]}, Expect: eip.Expect{Association: at.After}}); err != nil {
			t.Fatal(err)
		}
		w.inject(t, "", awstest.Match{}, awstest.Stale(30*time.Second))
		req := w.request(1)
		req.Expect = eip.Expect{}
		res, err := r.Remap(t.Context(), req)
		if err != nil {
			t.Errorf("%v; %+v", err, res)
		}
	})
}

func TestOwnerThatTheCallerNamedIsNotDoubtedForAStaleRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.associate(t, w.allocation, w.eni[2])
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Second)) // below ReadLag
		req := w.request(1)
		req.Expect = eip.Expect{Association: eip.Association{NetworkInterfaceID: w.eni[2]}} // the truth
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil {
			t.Errorf("%v; %+v", err, res)
		}
	})
}

func TestNextResumesAfterALostReply(t *testing.T) {
	t.Parallel()
	for _, applied := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			effect := awstest.Unavailable()
			if applied {
				effect = awstest.LoseReply()
			}
			w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, effect)
			w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(30*time.Second))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			r := newRemapper(t, w.client)
			res, err := r.Remap(ctx, w.request(1))
			failure(t, err, eip.ErrUnverified)
			req := w.request(1)
			req.Expect = res.Next
			again, err := r.Remap(t.Context(), req)
			if err != nil || w.owner(t) != w.eni[1] {
				t.Errorf("applied %t: Next %+v: %v; %+v", applied, res.Next, err, again)
			}
		})
	}
}

func TestAnOutageIsNotCountedAsMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, nil)
		time.Sleep(time.Minute)
		heal := w.inject(t, "AssociateAddress", awstest.Match{Resource: w.allocation}, awstest.Throttle())
		k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, nil) // the only move
		time.Sleep(20 * time.Minute)
		heal()
		k.choose(1, 2*time.Minute)
		time.Sleep(2 * time.Minute)
		took := k.choose(2, time.Hour)
		k.stop()
		if took > 2*time.Minute {
			t.Errorf("after one move the next, minutes later, took %v, with a Cooldown of 1 minute", took)
		}
	})
}

func TestInterfaceDetachedJustNowIsNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		id, _ := w.running(t)
		w.second(t, id, w.eni[1])
		time.Sleep(time.Minute)
		out, err := w.client.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{w.eni[1]}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.client.DetachNetworkInterface(t.Context(), &ec2.DetachNetworkInterfaceInput{AttachmentId: out.NetworkInterfaces[0].Attachment.AttachmentId}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.inject(t, "DescribeInstances", awstest.Match{}, awstest.Stale(3*time.Second))
		req := w.request(1)
		req.Target, req.Expect = eip.Target{InstanceID: id}, eip.Expect{}
		_, err = newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil {
			t.Error(err)
		}
	})
}

// The occupant moved elsewhere before it could be displaced.
func TestDisplacedNamesOnlyWhomItDisplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		other := w.allocate(t)
		w.associate(t, other, w.eni[1])
		time.Sleep(time.Minute)
		w.associate(t, other, w.eni[2]) // moved elsewhere by somebody else
		time.Sleep(500 * time.Millisecond)
		w.inject(t, "DescribeNetworkInterfaces", awstest.Match{}, awstest.Stale(time.Second))
		req := w.request(1)
		req.Expect, req.Displace = eip.Expect{}, true
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		out, _ := w.client.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{other}})
		if res.Displaced != (eip.Occupant{}) {
			t.Errorf("Displaced is %+v, which is on %s, untouched", res.Displaced, aws.ToString(out.Addresses[0].NetworkInterfaceId))
		}
	})
}

// One read that hangs while the address is free.
func TestDisplacingOutlivesAReadThatHangs(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"hangs": awstest.Hang(), "throttled": awstest.Throttle()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				w.associate(t, w.allocate(t), w.eni[1])
				time.Sleep(time.Minute)
				heal := w.inject(t, "DescribeNetworkInterfaces", awstest.Match{}, effect)
				time.AfterFunc(8*time.Second, heal)
				req := w.request(1)
				req.Displace = true
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil {
					t.Errorf("%v; %+v; owner %q", err, res, w.owner(t))
				}
			})
		})
	}
}

func TestVerifyOfAPrivateAddressAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := &eipmock.APIMock{DescribeAddressesFunc: func(context.Context, *ec2.DescribeAddressesInput, ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
			return &ec2.DescribeAddressesOutput{Addresses: []types.Address{{
				AllocationId: aws.String("eipalloc-1"), AssociationId: aws.String("eipassoc-2"), NetworkInterfaceId: aws.String("eni-2"), PrivateIpAddress: aws.String("10.0.0.4"),
			}}}, nil
		}}
		want := eip.Association{ID: "eipassoc-1", NetworkInterfaceID: "eni-1", InstanceID: "i-1"}
		got, err := newRemapper(t, api).Verify(t.Context(), "eipalloc-1", want)
		if got.Status != eip.StatusStolen || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
		want = eip.Association{ID: "eipassoc-1", PrivateIP: netip.MustParseAddr("10.0.0.4")} // a VPC elsewhere uses that one, too
		got, err = newRemapper(t, api).Verify(t.Context(), "eipalloc-1", want)
		if got.Status != eip.StatusStolen || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// The client has the SDK's own retryer, as every client has.
func TestTheSDKSendsNothingOnceTheFenceIsNotValid(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"throttled": awstest.Throttle(), "reply lost": awstest.LoseReply()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, l := settled(t), &lease{}
				req := w.request(1)
				req.Fence = l
				w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.Before(func(context.Context, awstest.Record) { l.lose(errLeaseLost) }))
				w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, effect)
				_, err := newRemapper(t, w.client).Remap(t.Context(), req)
				failure(t, err, eip.ErrFenced)
				if sent := w.calls().Disassociate; sent != 1 {
					t.Errorf("DisassociateAddress was sent %d times, all but one after the lease was lost; owner %q", sent, w.owner(t))
				}
			})
		})
	}
}

// One read that is late, one look at which Choose names another.
func TestHoldUnderALeaseIsDampedAgainstAStaleRead(t *testing.T) {
	t.Parallel()
	for _, guard := range []eip.Guard{eip.GuardStrict, eip.GuardLease} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			w.allocation = w.allocate(t)
			time.Sleep(2 * time.Minute)
			w.start = w.counts()
			k := w.hold(t, func(r *eip.HoldRequest) { r.Guard = guard })
			k.choose(1, 20*time.Second)
			time.Sleep(20 * time.Second)
			w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Stale(50*time.Second)) // shows that nobody has
			k.name(eip.Target{NetworkInterfaceID: w.eni[2]}, nil)
			time.Sleep(5500 * time.Millisecond)
			k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, nil)
			if owner := w.owner(t); owner != w.eni[1] {
				t.Errorf("%v: %s has it after a single look, within the cooldown", guard, owner)
			}
			k.stop()
		})
	}
}

func TestGoingOnAfterAStaleFirstReadOfNoExpectationRobsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		if _, err := r.Remap(t.Context(), w.request(1)); err != nil {
			t.Fatal(err)
		}
		heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Minute))
		req := w.request(0)
		req.Expect = eip.Expect{} // unlike TestGoingOnAfterAStaleFirstReadRobsNobody
		res, err := r.Remap(t.Context(), req)
		failure(t, err, eip.ErrUnverified)
		heal()
		w.associate(t, w.allocation, w.eni[2]) // comes in between
		time.Sleep(5 * time.Minute)
		req.Expect = res.Next
		again, err := r.Remap(t.Context(), req)
		if !errors.Is(err, eip.ErrConflict) {
			t.Errorf("Next %+v; resumed: %+v, %v; owner %s", res.Next, again, err, w.owner(t))
		}
	})
}
