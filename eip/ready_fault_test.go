package eip_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

var readyOperations = []string{
	"DescribeAddresses", "DescribeNetworkInterfaces", "DescribeInstances", "DescribeInternetGateways", "AssociateAddress", "DisassociateAddress",
}

// Trouble that passes costs calls and nothing else.
func TestReadyRetriesWhatPasses(t *testing.T) {
	t.Parallel()
	effects := map[string]awstest.Effect{
		"throttle": awstest.Throttle(), "unavailable": awstest.Unavailable(), "lost reply": awstest.LoseReply(), "slow": awstest.DelayReply(11 * time.Second),
	}
	for name, effect := range effects {
		for _, operation := range readyOperations {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := settled(t)
					req := w.request(1)
					_, req.Target.NetworkInterfaceID = w.running(t)
					w.inject(t, operation, awstest.Match{Times: 4}, effect) // more often than the SDK tries
					report, _, err := w.ready(t.Context(), t, newRemapper(t, w.client), req)
					if err != nil || len(notPassed(t, &report)) != 0 || len(report.Checks) != 8 {
						t.Errorf("report %+v, error %v", report, err)
					}
				})
			})
		}
	}
}

// Trouble that stays costs the checks that it concerns, and they say so.
func TestReadyGivesUpOnWhatStays(t *testing.T) {
	t.Parallel()
	affected := map[string][]eip.CheckName{
		"DescribeAddresses":         {eip.CheckAddress, eip.CheckOwner, eip.CheckBorderGroup},
		"DescribeNetworkInterfaces": {eip.CheckTarget, eip.CheckOccupant, eip.CheckBorderGroup, eip.CheckGateway},
		"DescribeInstances":         {eip.CheckTarget},
		"DescribeInternetGateways":  {eip.CheckGateway},
		"AssociateAddress":          {eip.CheckAssociate},
		"DisassociateAddress":       {eip.CheckDisassociate},
	}
	for _, effect := range []awstest.Effect{awstest.Throttle(), awstest.Unavailable(), awstest.Hang()} {
		for _, operation := range readyOperations {
			t.Run(operation, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := settled(t)
					req := w.request(1)
					_, req.Target.NetworkInterfaceID = w.running(t)
					w.inject(t, operation, awstest.Match{}, effect)
					start := time.Now()
					report, _, err := w.ready(t.Context(), t, newRemapper(t, w.client), req)
					must(t, err)
					if took := time.Since(start); took > 75*time.Second {
						t.Errorf("took %v", took)
					}
					var got []eip.CheckName
					for _, c := range report.Checks {
						if c.Verdict != eip.Pass {
							got = append(got, c.Name)
						}
					}
					if !slices.Equal(got, affected[operation]) || len(report.Checks) != 8 {
						t.Errorf("report %+v", report)
					}
					// What Remap needs fails; here it would not look at the target.
					if vital := operation == "DescribeAddresses" || !strings.HasPrefix(operation, "Describe"); (report.Err() != nil) != vital {
						t.Errorf("error %v", report.Err())
					}
				})
			})
		}
	}
}

// Reads that lag are repeated before they are held against a move.
func TestReadyWaitsForLaggingReads(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, operation string
		adjust          func(*testing.T, *world, *eip.Request)
	}{
		{"owner", "DescribeAddresses", func(t *testing.T, w *world, r *eip.Request) {
			r.Expect.Association = w.associate(t, w.allocation, w.eni[2])
		}},
		{"instance and interface that are new", "DescribeNetworkInterfaces", func(t *testing.T, w *world, r *eip.Request) {
			r.Target.NetworkInterfaceID = w.createInterface(t)
		}},
		{"occupant that has left", "DescribeNetworkInterfaces", func(t *testing.T, w *world, r *eip.Request) {
			other := w.associate(t, w.allocate(t), r.Target.NetworkInterfaceID)
			time.Sleep(time.Minute)
			w.disassociate(t, other.ID)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				_, req.Target.NetworkInterfaceID = w.running(t)
				test.adjust(t, w, &req)
				w.inject(t, test.operation, awstest.Match{}, awstest.Stale(3*time.Second))
				report, _, err := w.ready(t.Context(), t, newRemapper(t, w.client), req)
				if err != nil || report.Err() != nil || report.Calls.Describe+report.Calls.Inspect < 5 {
					t.Errorf("report %+v, error %v", report, err)
				}
			})
		})
	}
}

// When the context ends, so does Ready, with its cause and what was found until then.
func TestReadyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	checks := map[string]int{
		"DescribeAddresses": 0, "DescribeNetworkInterfaces": 2, "DescribeInstances": 2, "DescribeInternetGateways": 5, "AssociateAddress": 6, "DisassociateAddress": 7,
	}
	errEnough := errors.New("enough")
	for _, operation := range readyOperations {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				_, req.Target.NetworkInterfaceID = w.running(t)
				w.inject(t, operation, awstest.Match{}, awstest.Hang())
				ctx, cancel := context.WithTimeoutCause(t.Context(), 15*time.Second, errEnough)
				defer cancel()
				start := time.Now()
				report, _, err := w.ready(ctx, t, newRemapper(t, w.client), req)
				failure(t, err, errEnough)
				if took := time.Since(start); took != 15*time.Second {
					t.Errorf("took %v", took)
				}
				if len(report.Checks) != checks[operation] || report.Err() != nil || report.AllocationID != w.allocation {
					t.Errorf("report %+v", report)
				}
			})
		})
	}
}

// odd is an EC2 with odd replies.
type odd struct {
	*ec2.Client
	noDryRuns bool
	addresses func(*types.Address)
	instances func(*types.Instance)
	gateways  func(*types.InternetGateway)
}

func (o *odd) AssociateAddress(ctx context.Context, in *ec2.AssociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error) {
	out, err := o.Client.AssociateAddress(ctx, in, optFns...)
	if o.noDryRuns {
		return &ec2.AssociateAddressOutput{AssociationId: aws.String("eipassoc-1")}, nil
	}
	return out, err
}

func (o *odd) DescribeAddresses(ctx context.Context, in *ec2.DescribeAddressesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
	out, err := o.Client.DescribeAddresses(ctx, in, optFns...)
	if err == nil && o.addresses != nil {
		for i := range out.Addresses {
			o.addresses(&out.Addresses[i])
		}
	}
	return out, err
}

func (o *odd) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
	out, err := o.Client.DescribeInstances(ctx, in, optFns...)
	if err == nil && o.instances != nil {
		o.instances(&out.Reservations[0].Instances[0])
	}
	return out, err
}

func (o *odd) DescribeInternetGateways(ctx context.Context, in *ec2.DescribeInternetGatewaysInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInternetGatewaysOutput, error) {
	out, err := o.Client.DescribeInternetGateways(ctx, in, optFns...)
	if err == nil && o.gateways != nil {
		for i := range out.InternetGateways {
			o.gateways(&out.InternetGateways[i])
		}
	}
	return out, err
}

func TestReadyAndOddReplies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		code   string // of the reply to AssociateAddress
		api    odd
		want   verdicts
		text   string // of the check
		action string
	}{
		{"dry run that is none", "", odd{noDryRuns: true}, verdicts{eip.CheckAssociate: eip.Fail}, "does not know dry runs", ""},
		{"dry run that looks at the state", "Resource.AlreadyAssociated", odd{}, verdicts{eip.CheckAssociate: eip.Unknown}, "for another reason", ""},
		{"dry run that finds the gateway missing", "Gateway.NotAttached", odd{}, verdicts{eip.CheckAssociate: eip.Fail}, "no internet gateway", ""},
		{"dry run with a code of its own", "SomethingNew", odd{}, verdicts{eip.CheckAssociate: eip.Fail}, "SomethingNew", ""},
		{"denial of another form", "AccessDenied", odd{}, verdicts{eip.CheckAssociate: eip.Fail}, "not permitted", "ec2:AssociateAddress"},
		{"address of EC2-Classic", "", odd{addresses: func(a *types.Address) { a.Domain = types.DomainTypeStandard }}, verdicts{eip.CheckAddress: eip.Fail}, "its domain is standard", ""},
		{"address of a carrier", "", odd{addresses: func(a *types.Address) { a.PublicIp, a.CarrierIp = nil, aws.String("155.146.0.1") }}, verdicts{eip.CheckGateway: eip.Unknown}, "not looked at", ""},
		{"address without an address", "", odd{addresses: func(a *types.Address) { a.PublicIp = nil }}, verdicts{}, "", ""},
		{"instance in no state", "", odd{instances: func(i *types.Instance) { i.State = nil }}, verdicts{eip.CheckTarget: eip.Warn}, "in no known state", ""},
		{"gateway that is attaching", "", odd{gateways: func(g *types.InternetGateway) { g.Attachments[0].State = types.AttachmentStatusAttaching }}, verdicts{eip.CheckGateway: eip.Fail}, "has no internet gateway", ""},
		{"gateway of another VPC", "", odd{gateways: func(g *types.InternetGateway) { g.Attachments[0].VpcId = aws.String("vpc-1") }}, verdicts{eip.CheckGateway: eip.Fail}, "has no internet gateway", ""},
		{"gateway in the other words", "", odd{gateways: func(g *types.InternetGateway) { g.Attachments[0].State = types.AttachmentStatusAttached }}, verdicts{}, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				_, req.Target.NetworkInterfaceID = w.running(t)
				test.api.Client = w.client
				if test.code != "" {
					w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: test.code}))
				}
				report, _, err := w.ready(t.Context(), t, newRemapper(t, &test.api), req)
				must(t, err)
				if diff := cmp.Diff(test.want, notPassed(t, &report)); diff != "" {
					t.Errorf("verdicts (-want +got):\n%s", diff)
				}
				for name := range test.want {
					if c := find(&report, name); !strings.Contains(c.Detail, test.text) || c.Action != test.action {
						t.Errorf("check %+v, want %q", c, test.text)
					}
				}
			})
		})
	}
}

// An instance has no interface for a moment when it is new, and none any more when it is going.
func TestReadyAndAnInstanceWithoutAnInterface(t *testing.T) {
	t.Parallel()
	for state, verdict := range map[types.InstanceStateName]eip.Verdict{types.InstanceStateNamePending: eip.Warn, types.InstanceStateNameRunning: eip.Fail} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				req := w.request(1)
				id, _ := w.running(t)
				req.Target = eip.Target{InstanceID: id}
				api := &odd{Client: w.client, instances: func(i *types.Instance) { i.State.Name, i.NetworkInterfaces = state, nil }}
				report, _, err := w.ready(t.Context(), t, newRemapper(t, api), req)
				must(t, err)
				want := verdicts{eip.CheckTarget: verdict, eip.CheckOccupant: eip.Unknown, eip.CheckBorderGroup: eip.Unknown, eip.CheckGateway: eip.Unknown}
				if diff := cmp.Diff(want, notPassed(t, &report)); diff != "" {
					t.Errorf("verdicts (-want +got):\n%s", diff)
				}
				// The dry run names the instance, since nothing better is known.
				sent := w.cloud.Calls(awstest.Match{Service: "EC2", Operation: "AssociateAddress"})
				if in := sent[len(sent)-1].Input.(*ec2.AssociateAddressInput); aws.ToString(in.InstanceId) != id || in.NetworkInterfaceId != nil {
					t.Errorf("dry run %+v", in)
				}
			})
		})
	}
}

// An association that ended between the read and the dry run needs no permission any more.
func TestReadyAndAnAssociationThatHasJustEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DisassociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound"}))
		report, _, err := w.ready(t.Context(), t, newRemapper(t, w.client), w.request(1))
		if c := find(&report, eip.CheckDisassociate); err != nil || c.Verdict != eip.Pass {
			t.Errorf("check %+v, error %v", c, err)
		}
	})
}
