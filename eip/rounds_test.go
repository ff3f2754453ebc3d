package eip_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

func TestRemapAllCosts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		n     int
		named bool
		want  eip.Calls
	}{
		"none":                        {0, true, eip.Calls{}},
		"one, owner named":            {1, true, eip.Calls{Describe: 1, Disassociate: 1, Associate: 1}},
		"one, owner not named":        {1, false, eip.Calls{Describe: 2, Disassociate: 1, Associate: 1, Inspect: 1}},
		"fifty, owners named":         {50, true, eip.Calls{Describe: 1, Disassociate: 50, Associate: 50}},
		"fifty, owners not named":     {50, false, eip.Calls{Describe: 2, Disassociate: 50, Associate: 50, Inspect: 1}},
		"two chunks, owners named":    {201, true, eip.Calls{Describe: 2, Disassociate: 201, Associate: 201}},
		"three chunks, owners unread": {401, false, eip.Calls{Describe: 6, Disassociate: 401, Associate: 401, Inspect: 3}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := settledFleet(t, test.n)
				reqs := f.reqs
				if !test.named {
					reqs = f.unnamed()
				}
				outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), reqs)
				if err != nil {
					t.Fatal(err)
				}
				f.costs(t, outcomes, test.want)
				for _, call := range f.cloud.Calls(awstest.Match{Service: "EC2", Operation: "DescribeAddresses"}) {
					if in := call.Input.(*ec2.DescribeAddressesInput); len(in.Filters) > 0 && len(in.Filters[0].Values) > 200 {
						t.Errorf("a filter has %d values", len(in.Filters[0].Values))
					}
				}
				f.moved(t, reqs, outcomes)
			})
		})
	}
}

func TestRemapAllToInstancesReadsThemInOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 50)
		for i, id := range f.launchMany(t, 50) {
			f.reqs[i].Target = eip.Target{InstanceID: id}
			f.reqs[i].Expect.Association.InstanceID = "i-0" // any other
		}
		time.Sleep(2 * time.Minute)
		f.start = f.counts()
		outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
		if err != nil {
			t.Fatal(err)
		}
		f.costs(t, outcomes, eip.Calls{Describe: 1, Disassociate: 50, Associate: 50, Inspect: 1})
		f.moved(t, f.reqs, outcomes)
		if n := f.cloud.Count("EC2", "DescribeInstances"); n != 1 {
			t.Errorf("%d DescribeInstances", n)
		}
	})
}

// The network border group of a Local Zone has to be read where its name does not tell, once for all.
func TestRemapAllReadsAZoneOnce(t *testing.T) {
	t.Parallel()
	const boston = "us-east-1-bos-1"
	for name, group := range map[string]string{"same group": boston, "another group": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, subnet := inLocalZone(t, boston)
				f := &fleet{world: w}
				for range 20 {
					f.reqs = append(f.reqs, eip.Request{
						AllocationID: w.allocateIn(t, group, nil), Target: eip.Target{NetworkInterfaceID: w.createIn(t, subnet)},
					})
					f.reqs[len(f.reqs)-1].Guard = eip.GuardLease
					f.reqs[len(f.reqs)-1].Fence = openFence{}
				}
				time.Sleep(2 * time.Minute)
				f.start = f.counts()
				outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
				if group == boston {
					f.costs(t, outcomes, eip.Calls{Describe: 2, Associate: 20, Inspect: 1})
					f.moved(t, f.reqs, outcomes)
					return
				}
				f.costs(t, outcomes, eip.Calls{Describe: 1, Inspect: 2})
				if field := new(eip.FieldError); !errors.As(err, &field) || field.Field != "Requests[0].Target" {
					t.Error(err)
				}
			})
		})
	}
}

// Two private addresses of one interface are two targets, and one thing to read.
func TestRemapAllToOneInterface(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := settledFleet(t, 2)
		eni := f.reqs[0].Target.NetworkInterfaceID
		more, err := f.client.AssignPrivateIpAddresses(t.Context(), &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: &eni, SecondaryPrivateIpAddressCount: aws.Int32(1)})
		if err != nil {
			t.Fatal(err)
		}
		ip := netip.MustParseAddr(*more.AssignedPrivateIpAddresses[0].PrivateIpAddress)
		reqs := f.unnamed()
		reqs[1].Target = eip.Target{NetworkInterfaceID: eni, PrivateIP: ip}
		outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), reqs)
		if err != nil || outcomes[1].After.PrivateIP != ip {
			t.Fatalf("%+v, %v", outcomes, err)
		}
		f.costs(t, outcomes, eip.Calls{Describe: 2, Disassociate: 2, Associate: 2, Inspect: 1})
		f.moved(t, reqs, outcomes)
		read := f.cloud.Calls(awstest.Match{Service: "EC2", Operation: "DescribeNetworkInterfaces"})[0].Input.(*ec2.DescribeNetworkInterfacesInput)
		if want := []string{eni}; !slices.Equal(read.NetworkInterfaceIds, want) {
			t.Errorf("read %v, want %v", read.NetworkInterfaceIds, want)
		}
	})
}

// One that does not exist is found out by the reads of all, at no cost to the others.
func TestOneUnknownAddressAmongMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := settledFleet(t, 50)
		reqs := f.unnamed()
		reqs[17].AllocationID = "eipalloc-0dead"
		outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), reqs)
		if failure(t, outcomes[17].Err, eip.ErrNotFound); !errors.Is(err, eip.ErrNotFound) {
			t.Error(err)
		}
		f.costs(t, outcomes, eip.Calls{Describe: 2, Disassociate: 49, Associate: 49, Inspect: 1})
		f.moved(t, reqs, outcomes, 17)
	})
}

// Lagging reads cost time and a few rounds, whatever the number of addresses; nothing is associated twice.
func TestRemapAllWaitsForLaggingReadsInRounds(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"fifty": 50, "two chunks": 201} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const lag = 30 * time.Second
				f := settledFleet(t, n, func(o *awstest.Options) { o.VisibilityLag = lag })
				start := time.Now()
				outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
				if err != nil {
					t.Fatal(err)
				}
				took := time.Since(start)
				got := f.calls()
				if got.Associate != n || got.Disassociate != n || sum(outcomes) != got {
					t.Errorf("calls %+v, the outcomes count %+v", got, sum(outcomes))
				}
				if chunks := (n + 199) / 200; got.Describe > 22*chunks || took > lag+6*time.Second {
					t.Errorf("%d reads in %v", got.Describe, took)
				}
				time.Sleep(lag)
				f.moved(t, f.reqs, outcomes)
			})
		})
	}
}

// One address that is throttled does not keep the others from being verified.
func TestOneSlowMoveDelaysTheOthersByPatience(t *testing.T) {
	t.Parallel()
	slow := map[string]awstest.Effect{"throttled": awstest.Throttle(), "hanging": awstest.Hang(), "delayed": awstest.Delay(9 * time.Second)}
	for name, effect := range slow {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := settledFleet(t, 50)
				heal := f.inject(t, "DisassociateAddress", awstest.Match{Resource: f.reqs[20].Expect.Association.ID}, effect)
				time.AfterFunc(50*time.Second, heal)
				outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
				if err != nil {
					t.Fatal(err)
				}
				f.moved(t, f.reqs, outcomes)
				for i, o := range outcomes {
					if i != 20 && o.Took > 2*time.Second+200*time.Millisecond {
						t.Errorf("move %d took %v", i, o.Took)
					}
				}
				if took := outcomes[20].Took; took < 9*time.Second {
					t.Errorf("the slow one took %v", took)
				}
			})
		})
	}
}

// A round waits for who may join it. Who gets in line for a slot may not, while the round has those who hold the slots.
func TestRoundDoesNotWaitForTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		f.reqs[0].Displace = true
		f.associate(t, f.allocate(t), f.reqs[0].Target.NetworkInterfaceID)
		f.reqs[1].Target = eip.Target{InstanceID: f.launchMany(t, 1)[0]}
		f.reqs[1].Expect.Association.InstanceID = "i-0"
		time.Sleep(2 * time.Minute)
		f.inject(t, "DescribeInstances", awstest.Match{}, awstest.Delay(time.Second))
		f.inject(t, "DescribeNetworkInterfaces", awstest.Match{Times: 1}, awstest.Stale(5*time.Minute)) // so that it is asked again
		r := newRemapper(t, f.client, func(o *eip.Options) { o.MaxInFlight = 1; o.MaxPollInterval = 30 * time.Second })
		outcomes, err := r.RemapAll(t.Context(), f.reqs)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range outcomes {
			if o.Took > 1100*time.Millisecond {
				t.Errorf("move %d took %v, want the delay of the other's read", i, o.Took)
			}
		}
		f.moved(t, f.reqs, outcomes)
	})
}

// A read that hangs holds up its own chunk.
func TestHangingReadHoldsUpItsChunkOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := settledFleet(t, 201)
		f.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Hang())
		outcomes, err := newRemapper(t, f.client, func(o *eip.Options) { o.MaxInFlight = 201 }).RemapAll(t.Context(), f.reqs)
		if err != nil {
			t.Fatal(err)
		}
		var quick int
		for _, o := range outcomes {
			if o.Took < time.Second {
				quick++
			}
		}
		if quick != 1 && quick != 200 {
			t.Errorf("%d moves were quick, want those of one chunk", quick)
		}
	})
}

func TestProbeThatBlocksHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := settledFleet(t, 30)
		for i := range 15 {
			f.reqs[i].Probe = func(ctx context.Context, _ netip.Addr) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}
		}
		const late = 5 * time.Second // when the probes have long begun to block
		f.inject(t, "DisassociateAddress", awstest.Match{Resource: f.reqs[29].Expect.Association.ID}, awstest.Delay(late))
		outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
		if !errors.Is(err, eip.ErrUnreachable) {
			t.Error(err)
		}
		for i, o := range outcomes {
			if i < 15 && (!errors.Is(o.Err, eip.ErrUnreachable) || o.After.ID == "") {
				t.Errorf("move %d: %v", i, o.Err)
			}
			if limit := 2100 * time.Millisecond; i >= 15 && (o.Err != nil || i < 29 && o.Took > limit || o.Took > late+100*time.Millisecond) {
				t.Errorf("move %d: %v after %v", i, o.Err, o.Took)
			}
		}
	})
}

// All that the outcomes count is what was sent, whatever went wrong.
func TestOutcomesCountWhatWasSent(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			f := settledFleet(t, 20, func(o *awstest.Options) { o.Seed = seed + 1 })
			f.client = f.withoutRetries()
			for _, effect := range []awstest.Effect{awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply(), awstest.Hang(), awstest.Delay(3 * time.Second)} {
				f.inject(t, "", awstest.Match{Probability: 0.05}, effect)
			}
			f.inject(t, "DescribeAddresses", awstest.Match{Probability: 0.3}, awstest.Stale(10*time.Second))
			g := f.watchGap(t)
			reqs := f.reqs
			if seed%2 == 0 {
				reqs = f.unnamed()
			}
			outcomes, err := newRemapper(t, f.client, func(o *eip.Options) { o.MaxInFlight = 5 }).RemapAll(t.Context(), reqs)
			if got, want := sum(outcomes), f.calls(); got != want {
				t.Errorf("seed %d: the outcomes count %+v, the ledger %+v", seed, got, want)
			}
			if g.max > 5 {
				t.Errorf("seed %d: %d addresses free", seed, g.max)
			}
			f.healAll()
			time.Sleep(time.Minute)
			if err != nil {
				t.Logf("seed %d: %v", seed, err)
			} else {
				f.moved(t, reqs, outcomes)
			}
		})
	}
}
