package eip_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// The address is on the target already, by somebody else's hand, while the read of the address stands behind.
func TestTargetIsNotOccupiedByTheAddressItself(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name              string
		byInstance, named bool
	}{
		{"interface", false, false},
		{"instance", true, false},
		{"instance, owner named", true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				id, eni := w.running(t)
				w.eni[1] = eni
				req := w.request(1)
				if test.byInstance {
					req.Target = eip.Target{InstanceID: id}
				}
				req.Expect.Association.InstanceID = "i-0"
				if !test.named {
					req.Expect = eip.Expect{}
				}
				theirs := w.associate(t, w.allocation, eni)
				w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Second))
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil || res.After.ID != theirs.ID {
					t.Errorf("result %+v, error %v", res, err)
				}
			})
		})
	}
}

// EC2 refuses without a reason because the address has got to the target meanwhile, which the target's read shows first.
func TestRefusalIsNotExplainedByTheAddressItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Second))
		var theirs eip.Association
		w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.After(func(context.Context, awstest.Record) {
			theirs = w.associate(t, w.allocation, w.eni[1])
			w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{Code: "Resource.AlreadyAssociated", Message: "the resource is already associated"}))
		}))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if err != nil || res.After.ID != theirs.ID {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}

// Another address has left the target by our own hand, and a third one has taken its place.
func TestRefusalIsNotExplainedByAnOccupantThatHasLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		moved, other := w.allocate(t), w.allocate(t)
		for _, i := range []int{1, 2} {
			if _, err := r.Remap(t.Context(), eip.Request{AllocationID: moved, Target: eip.Target{NetworkInterfaceID: w.eni[i]}}); err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				time.Sleep(time.Minute)
			}
		}
		w.associate(t, other, w.eni[1])
		w.inject(t, "DescribeNetworkInterfaces", awstest.Match{}, awstest.Stale(2*time.Second))
		_, err := r.Remap(t.Context(), w.request(1))
		if e := failure(t, err, eip.ErrOccupied); e.Occupant.AllocationID != other {
			t.Errorf("occupied by %+v, want %s", e.Occupant, other)
		}
	})
}

// oddTarget is an EC2 that shows targets in an odd way.
type oddTarget struct {
	*ec2.Client
	reads     int
	instance  func(*types.Instance, int)
	anyDevice func(*types.NetworkInterface)
}

func (o *oddTarget) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	out, err := o.Client.DescribeInstances(ctx, in, optFns...)
	if o.reads++; err == nil {
		o.instance(&out.Reservations[0].Instances[0], o.reads)
	}
	return out, err
}

func (o *oddTarget) DescribeNetworkInterfaces(ctx context.Context, in *ec2.DescribeNetworkInterfacesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
	out, err := o.Client.DescribeNetworkInterfaces(ctx, in, optFns...)
	if o.reads++; err == nil {
		o.anyDevice(&out.NetworkInterfaces[0])
	}
	return out, err
}

// A public address that EC2 has assigned by itself gives way to an Elastic IP address.
func TestPublicAddressThatWasNotAllocatedIsNoOccupant(t *testing.T) {
	t.Parallel()
	for _, byInstance := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			id, eni := w.running(t)
			api := &oddTarget{
				Client: w.client,
				instance: func(i *types.Instance, _ int) {
					i.NetworkInterfaces[0].PrivateIpAddresses[0].Association = &types.InstanceNetworkInterfaceAssociation{
						IpOwnerId: aws.String("amazon"), PublicIp: aws.String("198.51.100.9"),
					}
				},
				anyDevice: func(n *types.NetworkInterface) {
					n.PrivateIpAddresses[0].Association = &types.NetworkInterfaceAssociation{
						IpOwnerId: aws.String("amazon"), PublicIp: aws.String("198.51.100.9"),
					}
				},
			}
			req := eip.Request{AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: eni}}
			if byInstance {
				req.Target = eip.Target{InstanceID: id}
			}
			res, err := newRemapper(t, api).Remap(t.Context(), req)
			if err != nil || res.Displaced != (eip.Occupant{}) || api.reads != 1 || w.owners(t)[w.allocation].NetworkInterfaceID != eni {
				t.Errorf("by instance %t: result %+v after %d reads of the target, error %v", byInstance, res, api.reads, err)
			}
		})
	}
}

// A read may know an instance and not yet what is attached to it.
func TestInterfaceOfANewInstanceMayTakeAMomentToBeKnown(t *testing.T) {
	t.Parallel()
	for _, unknown := range []int{2, 100} { // reads
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			id, eni := w.running(t)
			api := &oddTarget{Client: w.client, instance: func(i *types.Instance, read int) {
				if read <= unknown {
					i.NetworkInterfaces = nil
				}
			}}
			res, err := newRemapper(t, api).Remap(t.Context(), eip.Request{AllocationID: w.allocation, Target: eip.Target{InstanceID: id}})
			var e *eip.RemapError
			switch {
			case unknown == 2 && (err != nil || res.After.NetworkInterfaceID != eni):
				t.Errorf("result %+v, error %v", res, err)
			case unknown == 100 && (!errors.As(err, &e) || e.Op != eip.OpInspect || res.Took < 5*time.Second || res.Took > 8*time.Second || w.owner(t) != w.eni[0]):
				t.Errorf("error %v after %v, want to hear of it after the read lag of 5 s", err, res.Took)
			}
		})
	}
}

// What a read has shown of the target is not read again.
func TestDisplacingCostsOneCallMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.associate(t, w.allocate(t), w.eni[1])
		w.start = w.counts()
		req := w.request(1)
		req.Expect, req.Displace = eip.Expect{}, true
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		must(t, err)
		want := eip.Calls{Describe: 2, Inspect: 1, Disassociate: 2, Associate: 2} // the first associate is refused
		if res.Calls != want || w.calls() != want {
			t.Errorf("calls %+v, counted %+v, want %+v", w.calls(), res.Calls, want)
		}
	})
}

func TestDisplacedIsNamedThoughTheReplyWasLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		other := w.allocate(t)
		inTheWay := w.associate(t, other, w.eni[1])
		w.inject(t, "DisassociateAddress", awstest.Match{Resource: inTheWay.ID, Times: 1}, awstest.LoseReply())
		notFound := awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound", Message: "no such association"})
		w.inject(t, "DisassociateAddress", awstest.Match{Resource: inTheWay.ID, Skip: 1}, notFound) // it has ended, by our own hand
		req := w.request(1)
		req.Displace = true
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil || res.Displaced.AllocationID != other || w.owner(t) != w.eni[1] {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}

// A read of the target was stale: who was seen there has left, and who is in the way is displaced in its place.
func TestDisplacingOutlivesAStaleReadOfTheTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		left, other := w.allocate(t), w.allocate(t)
		w.associate(t, left, w.eni[1])
		time.Sleep(time.Minute)
		w.associate(t, left, w.eni[2])
		w.associate(t, other, w.eni[1])
		w.inject(t, "DescribeNetworkInterfaces", awstest.Match{Times: 1}, awstest.Stale(10*time.Second))
		req := w.request(1)
		req.Expect, req.Displace = eip.Expect{}, true
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if err != nil || res.Displaced.AllocationID != other {
			t.Errorf("result %+v, error %v", res, err)
		}
		if owners := w.owners(t); owners[w.allocation].NetworkInterfaceID != w.eni[1] || owners[left].NetworkInterfaceID != w.eni[2] {
			t.Errorf("owners %v", owners)
		}
	})
}

// Whenever one has been displaced, somebody puts the next one there.
func TestDisplacingEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		var last string
		w.inject(t, "AssociateAddress", awstest.Match{Resource: w.allocation, Times: 10}, awstest.Before(func(context.Context, awstest.Record) {
			last = w.allocate(t)
			w.associate(t, last, w.eni[1])
		}))
		req := w.request(1)
		req.Displace = true
		res, err := newRemapper(t, w.client).Remap(t.Context(), req)
		if e := failure(t, err, eip.ErrOccupied); e.Occupant.AllocationID != last || res.Calls.Associate != 3 {
			t.Errorf("error %v after %+v", err, res.Calls)
		}
		if owners := w.owners(t); owners[last].NetworkInterfaceID != w.eni[1] {
			t.Errorf("the last one was displaced for nothing: %v", owners)
		}
	})
}
