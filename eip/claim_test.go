package eip_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

var poolTags = map[string]string{"pool": "web"}

// pool is a world with addresses that may be claimed, among others that may not.
type pool struct {
	*fleet
	free []string // the addresses of the pool
}

func newPool(tb testing.TB, n int, optFns ...func(*awstest.Options)) *pool {
	tb.Helper()
	p := &pool{fleet: &fleet{world: newWorld(tb, optFns...)}}
	p.allocateIn(tb, "", map[string]string{"pool": "db"})
	p.allocateIn(tb, "", map[string]string{"Pool": "web"})
	for range n {
		p.free = append(p.free, p.allocateIn(tb, "", poolTags))
	}
	p.start = p.counts()
	return p
}

// settledPool returns a pool whose past is older than any lag that a test asks for. It needs a bubble.
func settledPool(tb testing.TB, n int, optFns ...func(*awstest.Options)) *pool {
	tb.Helper()
	p := newPool(tb, n, optFns...)
	time.Sleep(2 * time.Minute)
	return p
}

func (p *pool) interfaces(tb testing.TB, n int) (targets []eip.Target) {
	tb.Helper()
	for range n {
		targets = append(targets, eip.Target{NetworkInterfaceID: p.createInterface(tb)})
	}
	return targets
}

// held returns the addresses of each interface, in truth.
func (p *pool) held(tb testing.TB) map[string][]string {
	tb.Helper()
	held := map[string][]string{}
	for allocation, owner := range p.owners(tb) {
		if owner.ID != "" {
			held[owner.NetworkInterfaceID] = append(held[owner.NetworkInterfaceID], allocation)
		}
	}
	return held
}

func claimOf(target eip.Target) eip.ClaimRequest {
	return eip.ClaimRequest{Tags: poolTags, Target: target}
}

// claimed checks that a claim has succeeded, and that what it says is the truth.
func (p *pool) claimed(tb testing.TB, target eip.Target, res eip.Result, err error) {
	tb.Helper()
	if err != nil {
		tb.Errorf("%v: %v", target, err)
		return
	}
	owner := p.owners(tb)[res.AllocationID]
	if owner.ID == "" || owner.ID != res.After.ID || owner.NetworkInterfaceID != target.NetworkInterfaceID || !slices.Contains(p.free, res.AllocationID) || !res.PublicIP.IsValid() {
		tb.Errorf("%v was told %+v; the owner is %v", target, res, owner)
	}
	if held := p.held(tb)[target.NetworkInterfaceID]; len(held) != 1 {
		tb.Errorf("%v holds %v", target, held)
	}
}

func TestClaimAgainKeepsTheAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 5)
		target := p.interfaces(t, 1)[0]
		first, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
		p.claimed(t, target, first, err)
		if want := (eip.Calls{Describe: 2, Associate: 1}); first.Calls != want || !first.Changed {
			t.Errorf("changed %t, calls %+v, want %+v", first.Changed, first.Calls, want)
		}
		again, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
		p.claimed(t, target, again, err)
		if want := (eip.Calls{Describe: 1}); again.Changed || again.After.ID != first.After.ID || again.PublicIP != first.PublicIP || again.Calls != want {
			t.Errorf("again: %+v, want the same at the cost of %+v", again, want)
		}
	})
}

// An instance claims for itself, with the interface that it has.
func TestInstanceClaims(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 5)
		i := p.launch(t)
		target := eip.Target{NetworkInterfaceID: *i.NetworkInterfaces[0].NetworkInterfaceId}
		for claim, changed := range []bool{true, false} {
			res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(eip.Target{InstanceID: *i.InstanceId}))
			p.claimed(t, target, res, err)
			if res.Changed != changed || claim == 0 && res.Took < 10*time.Second {
				t.Errorf("claim %d: changed %t, took %v, want it to wait for the pending instance", claim, res.Changed, res.Took)
			}
			if want := (eip.Calls{Describe: 1, Inspect: 1}); claim == 1 && res.Calls != want {
				t.Errorf("calls %+v, want %+v", res.Calls, want)
			}
		}
	})
}

func TestClaimByAnOccupiedTargetIsRefused(t *testing.T) {
	t.Parallel()
	messages := map[string]string{"as EC2 says it": "", "as an emulator does": "the resource is already associated"}
	for name, message := range messages {
		for _, instance := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, instance: %t", name, instance), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { occupied(t, message, instance) })
			})
		}
	}
}

func occupied(t *testing.T, message string, instance bool) {
	t.Helper()
	p := settledPool(t, 3)
	target := p.interfaces(t, 1)[0]
	claimant := target
	if instance {
		id, eni := p.running(t)
		target, claimant = eip.Target{NetworkInterfaceID: eni}, eip.Target{InstanceID: id}
	}
	other := p.allocate(t)
	p.associate(t, other, target.NetworkInterfaceID)
	if message != "" {
		p.inject(t, "AssociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "Resource.AlreadyAssociated", Message: message}))
	}
	p.start = p.counts()
	res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(claimant))
	if e := failure(t, err, eip.ErrOccupied); e.Occupant.AllocationID != other || e.Op != eip.OpAssociate {
		t.Errorf("%v, want it to name %s", err, other)
	}
	if res.AllocationID != "" || res.Changed || res.PublicIP.IsValid() || res.Took > 100*time.Millisecond || res.Calls != p.calls() {
		t.Errorf("result %+v, calls %+v", res, p.calls())
	}
	if held := p.held(t)[target.NetworkInterfaceID]; !slices.Equal(held, []string{other}) {
		t.Errorf("the target holds %v", held)
	}
}

func TestClaimPassesOverAddressesOfServices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 8)
		for _, id := range p.free[1:] {
			if err := ec2svc.ManageAddress(p.cloud, "us-east-1", id, types.ServiceManagedAlb); err != nil {
				t.Fatal(err)
			}
		}
		targets := p.interfaces(t, 2)
		res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(targets[0]))
		p.claimed(t, targets[0], res, err)
		if res.AllocationID != p.free[0] || res.Calls.Associate != 1 {
			t.Errorf("got %s with %+v", res.AllocationID, res.Calls)
		}
		res, err = newRemapper(t, p.client).Claim(t.Context(), claimOf(targets[1]))
		const facts = "of 8 addresses 1 are taken and 7 managed by services"
		if failure(t, err, eip.ErrPoolEmpty); !strings.Contains(err.Error(), facts) || res.Calls.Associate != 0 {
			t.Errorf("%v with %+v, want %s", err, res.Calls, facts)
		}
	})
}

func TestEmptyPoolIsExplained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 3)
		targets := p.interfaces(t, 4)
		r := newRemapper(t, p.client)
		req := claimOf(targets[0])
		req.Tags = map[string]string{"pool": "none"}
		_, err := r.Claim(t.Context(), req)
		if want := "eip: claim for " + targets[0].String() + ": no free address: no address has these tags"; failure(t, err, eip.ErrPoolEmpty).Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		for i, id := range p.free {
			p.associate(t, id, targets[i].NetworkInterfaceID)
		}
		heal := p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Minute))
		_, err = r.Claim(t.Context(), claimOf(targets[3]))
		e := failure(t, err, eip.ErrPoolEmpty)
		const facts = ": no free address: of 3 addresses 0 are taken, 0 managed by services and 3 refused, the last one so: operation error EC2: AssociateAddress"
		if !strings.Contains(err.Error(), facts) || e.RequestID == "" || e.AllocationID != "" || errors.Is(err, eip.ErrConflict) {
			t.Errorf("%v (request %q), want %s", err, e.RequestID, facts)
		}
		heal()
		if _, err = r.Claim(t.Context(), claimOf(targets[3])); !strings.Contains(err.Error(), "of 3 addresses 3 are taken") {
			t.Error(err)
		}
	})
}

func TestClaimWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 2)
		targets := p.interfaces(t, 3)
		var held [2]eip.Association
		for i, id := range p.free {
			held[i] = p.associate(t, id, targets[i].NetworkInterfaceID)
		}
		r := newRemapper(t, p.client)
		req := claimOf(targets[2])
		req.Wait = 20 * time.Second
		res, err := r.Claim(t.Context(), req)
		if failure(t, err, eip.ErrPoolEmpty); res.Took < req.Wait || res.Took > req.Wait+time.Second || res.Calls.Associate != 0 || res.Calls.Describe > 20 {
			t.Errorf("took %v, %+v", res.Took, res.Calls)
		}
		time.AfterFunc(10*time.Second, func() {
			if err := r.Release(t.Context(), held[1]); err != nil {
				t.Error(err)
			}
		})
		res, err = r.Claim(t.Context(), req)
		p.claimed(t, targets[2], res, err)
		if res.Took < 10*time.Second || res.Took > 13*time.Second || res.Calls.Associate != 1 {
			t.Errorf("took %v, %+v", res.Took, res.Calls)
		}
	})
}

func TestClaimReportsEveryMistake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRemapper(t, w.client)
	tests := map[string]struct {
		req  eip.ClaimRequest
		want []string
	}{
		"nothing": {eip.ClaimRequest{}, []string{"ClaimRequest.Tags", "ClaimRequest.Target"}},
		"much": {
			eip.ClaimRequest{Tags: map[string]string{"": "x"}, Wait: -1, Target: eip.Target{NetworkInterfaceID: "i-1", InstanceID: "eni-1"}},
			[]string{"ClaimRequest.Tags", "ClaimRequest.Wait", "ClaimRequest.Target", "ClaimRequest.Target.NetworkInterfaceID", "ClaimRequest.Target.InstanceID"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := r.Claim(t.Context(), test.req)
			var fields []string
			for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
				var e *eip.FieldError
				if !errors.As(err, &e) {
					t.Fatal(err)
				}
				fields = append(fields, e.Field)
			}
			if !slices.Equal(fields, test.want) || res != (eip.Result{}) || w.calls() != (eip.Calls{}) {
				t.Errorf("%v, want %v; %+v", fields, test.want, res)
			}
		})
	}
}

func TestClaimForAnInstanceWithSeveralInterfaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 2)
		id, eni := p.running(t)
		p.second(t, id, "")
		_, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(eip.Target{InstanceID: id}))
		if field := new(eip.FieldError); !errors.As(err, &field) || field.Field != "ClaimRequest.Target.InstanceID" {
			t.Error(err)
		}
		res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(eip.Target{NetworkInterfaceID: eni}))
		p.claimed(t, eip.Target{NetworkInterfaceID: eni}, res, err)
	})
}

// In a filter of EC2, * and ? are patterns, and a backslash takes that from them. In a tag they are what they are.
func TestTagsOfAPoolAreLiteral(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"*", "web-*", "we?", `\*`, `\`, `a\b`, `a\\b`, `\?*\`, "", "web"} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := settledPool(t, 0)
				for _, other := range []string{"web-1", "wex", "we", "x*", `\x`, "ab", "x", `\\`, `\\\*`, "*x", "web*", `\`, `a\b`} {
					if other != value {
						p.allocateIn(t, "", map[string]string{"key*": other})
					}
				}
				p.allocateIn(t, "", map[string]string{"keyX": value, "key": value})
				p.free = []string{p.allocateIn(t, "", map[string]string{"key*": value})}
				targets := p.interfaces(t, 2)
				for i, target := range targets {
					res, err := newRemapper(t, p.client).Claim(t.Context(), eip.ClaimRequest{Tags: map[string]string{"key*": value}, Target: target})
					if i == 0 {
						p.claimed(t, target, res, err)
					} else {
						failure(t, err, eip.ErrPoolEmpty)
					}
				}
			})
		})
	}
}

// A pool is what has all of the tags.
func TestPoolHasAllTags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 3)
		p.free = []string{p.allocateIn(t, "", map[string]string{"pool": "web", "stage": "prod", "owner": "x"})}
		req := claimOf(p.interfaces(t, 1)[0])
		req.Tags = map[string]string{"pool": "web", "stage": "prod"}
		res, err := newRemapper(t, p.client).Claim(t.Context(), req)
		p.claimed(t, req.Target, res, err)
	})
}

func TestClaimInANetworkBorderGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const boston = "us-east-1-bos-1"
		w, subnet := inLocalZone(t, boston)
		p := &pool{fleet: &fleet{world: w}}
		for range 5 {
			w.allocateIn(t, "", poolTags)
		}
		p.free = []string{w.allocateIn(t, boston, poolTags)}
		req := claimOf(eip.Target{NetworkInterfaceID: w.createIn(t, subnet)})
		req.NetworkBorderGroup = boston
		res, err := newRemapper(t, p.client).Claim(t.Context(), req)
		p.claimed(t, req.Target, res, err)
		if req.NetworkBorderGroup = "us-east-*"; err == nil {
			_, err = newRemapper(t, p.client).Claim(t.Context(), req)
			failure(t, err, eip.ErrPoolEmpty)
		}
	})
}

func claimChaos(t *testing.T, seed uint64) {
	t.Helper()
	p := settledPool(t, 6, func(o *awstest.Options) { o.Seed = seed })
	targets := p.interfaces(t, 8)
	before := p.owners(t)
	time.Sleep(time.Minute)
	for _, effect := range []awstest.Effect{
		awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply(), awstest.Hang(), awstest.DelayReply(15 * time.Second), awstest.Delay(50 * time.Millisecond),
	} {
		p.inject(t, "", awstest.Match{Probability: 0.08}, effect)
	}
	p.inject(t, "DescribeAddresses", awstest.Match{Probability: 0.5}, awstest.Stale(20*time.Second))
	results, errs := make([]eip.Result, 2*len(targets)), make([]error, 2*len(targets))
	var wg sync.WaitGroup
	for i := range results { // two processes of each
		wg.Go(func() { results[i], errs[i] = newRemapper(t, p.client).Claim(t.Context(), claimOf(targets[i/2])) })
	}
	wg.Wait()
	p.healAll()
	time.Sleep(time.Minute)
	for i, err := range errs {
		if err == nil {
			p.claimed(t, targets[i/2], results[i], nil)
		}
	}
	for eni, held := range p.held(t) {
		if len(held) > 1 {
			t.Errorf("seed %d: %s holds %v", seed, eni, held)
		}
	}
	winners := 0
	for _, target := range targets {
		res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
		if err == nil {
			winners++
			p.claimed(t, target, res, err)
		} else {
			failure(t, err, eip.ErrPoolEmpty)
		}
	}
	if winners != len(p.free) {
		t.Errorf("seed %d: %d winners", seed, winners)
	}
	for id, owner := range before {
		if !slices.Contains(p.free, id) && p.owners(t)[id] != owner {
			t.Errorf("seed %d: %s is no address of the pool, and has moved", seed, id)
		}
	}
}
