package elbv2hc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

func (w *world) syncer(optFns ...func(*elbv2hc.SyncOptions)) *elbv2hc.Syncer {
	w.Helper()
	return must(elbv2hc.NewSyncer(w, w.group, optFns...))(w)
}

// holds holds what is registered, draining targets apart, against what is wanted.
func (w *world) holds(want ...elbv2hc.Target) {
	w.Helper()
	got, _ := w.registered()
	names := texts(want)
	slices.Sort(names)
	slices.Sort(got)
	if diff := cmp.Diff(names, got, cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("the group holds (-want +got):\n%s", diff)
	}
}

func texts(targets []elbv2hc.Target) (out []string) {
	for _, t := range targets {
		out = append(out, t.String())
	}
	return out
}

// addresses are targets outside of the VPC, which AWS wants the zone of.
func addresses(from, n int) (targets []elbv2hc.Target) {
	for i := range n {
		targets = append(targets, elbv2hc.Target{ID: fmt.Sprintf("10.1.%d.%d", (from+i)/200, (from+i)%200+1), Port: 80, Zone: "all"})
	}
	slices.SortFunc(targets, func(a, b elbv2hc.Target) int { return strings.Compare(a.ID, b.ID) })
	return targets
}

func byAddress(in *elbv2.CreateTargetGroupInput) { in.TargetType = "ip" }

func always(o *elbv2hc.SyncOptions) { o.MaxRemovePercent, o.AllowEmpty = 100, true }

func TestSyncMakesWhatDiffersEqual(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		s := w.syncer(func(o *elbv2hc.SyncOptions) { o.Port = 80 })
		a, b, c := w.server(0, 0), w.server(1, 1), w.server(0, 2)
		w.register(a.target(), b.target())
		got, err := s.Sync(w.Context(), []elbv2hc.Target{{ID: c.ID()}, a.target()})
		if err != nil {
			w.Fatal(err)
		}
		want := elbv2hc.SyncResult{Registered: []elbv2hc.Target{c.target()}, Deregistered: []elbv2hc.Target{b.target()}, Unchanged: 1}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
		w.holds(a.target(), c.target())

		// What drains is not registered: b comes back, and leaves no second trace.
		got = must(s.Sync(w.Context(), []elbv2hc.Target{a.target(), b.target(), c.target()}))(w)
		if diff := cmp.Diff([]elbv2hc.Target{b.target()}, got.Registered); diff != "" || got.Unchanged != 2 {
			w.Errorf("%d unchanged: %s", got.Unchanged, diff)
		}
		w.holds(a.target(), b.target(), c.target())

		before := len(w.cloud.Calls(awstest.Match{Service: name}))
		if got := must(s.Sync(w.Context(), []elbv2hc.Target{a.target(), b.target(), c.target()}))(w); got.Changed() || got.Unchanged != 3 {
			w.Errorf("nothing to do, and done: %+v", got)
		}
		if calls := len(w.cloud.Calls(awstest.Match{Service: name})) - before; calls != 1 {
			w.Errorf("%d calls for nothing, want the read", calls)
		}
	})
}

func TestSyncSendsChunks(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.syncer(always)
		want := addresses(0, 250)
		if got := must(s.Sync(w.Context(), want))(w); len(got.Registered) != 250 {
			w.Errorf("%d registered", len(got.Registered))
		}
		if calls := w.cloud.Count(name, "RegisterTargets"); calls != 3 {
			w.Errorf("%d calls to register 250 targets, want chunks of 100", calls)
		}
		w.holds(want...)
		must(s.Sync(w.Context(), nil))(w)
		if calls := w.cloud.Count(name, "DeregisterTargets"); calls != 3 {
			w.Errorf("%d calls to deregister 250 targets, want chunks of 100", calls)
		}
		w.holds()
	}, byAddress)
}

func TestSyncRefusesToDeregisterTooMuch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		from, kept, to int // targets before, kept, and new
		option         func(*elbv2hc.SyncOptions)
		refused        bool
	}{
		{name: "half of them", from: 10, kept: 5},
		{name: "more than half", from: 10, kept: 4, refused: true},
		{name: "more than half, replaced", from: 10, kept: 4, to: 6, refused: true},
		{name: "a quarter, where a fifth is allowed", from: 8, kept: 6, option: func(o *elbv2hc.SyncOptions) { o.MaxRemovePercent = 20 }, refused: true},
		{name: "one, where less than one is allowed", from: 8, kept: 7, option: func(o *elbv2hc.SyncOptions) { o.MaxRemovePercent = 1 }},
		{name: "the only one", from: 1, refused: true},
		{name: "the only one, replaced", from: 1, to: 1},
		{name: "all of them", from: 10, option: func(o *elbv2hc.SyncOptions) { o.MaxRemovePercent = 100 }, refused: true},
		{name: "all of them, as told", from: 10, option: always},
		{name: "all of them, replaced as told", from: 10, to: 1, option: func(o *elbv2hc.SyncOptions) { o.MaxRemovePercent = 100 }},
		{name: "none of an empty group", from: 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				before := addresses(0, test.from)
				if len(before) > 0 {
					w.register(before...)
				}
				option := test.option
				if option == nil {
					option = func(*elbv2hc.SyncOptions) {}
				}
				want := append(slices.Clone(before[:test.kept]), addresses(100, test.to)...)
				got, err := w.syncer(option).Sync(w.Context(), want)
				if test.refused {
					e := (*elbv2hc.GroupError)(nil)
					if !errors.Is(err, elbv2hc.ErrTooMany) || !errors.As(err, &e) || len(e.Targets) != test.from-test.kept {
						w.Errorf("error %v, want ErrTooMany with the targets", err)
					}
					if got.Changed() {
						w.Errorf("refused, and done: %+v", got)
					}
					w.holds(before...)
					return
				}
				if err != nil {
					w.Fatal(err)
				}
				w.holds(want...)
			}, byAddress)
		})
	}
}

func TestTargetsThatAreDeadDoNotCount(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		kept, dead := w.server(0, 0), []*server{w.server(1, 1), w.server(1, 2), w.server(1, 3)}
		w.register(kept.target())
		for _, s := range dead {
			w.register(s.target())
		}
		for _, s := range dead {
			w.powerOff(s)
		}
		got, err := w.syncer().Sync(w.Context(), []elbv2hc.Target{kept.target()})
		if err != nil || len(got.Deregistered) != 3 {
			w.Errorf("%d of 3 deregistered, error %v", len(got.Deregistered), err)
		}
		w.powerOff(kept)
		if _, err := w.syncer().Sync(w.Context(), nil); err != nil {
			w.Errorf("the last one, which is dead: %v", err)
		}
		w.holds()
	})
}

func TestAddressesAreTheSameInAnyForm(t *testing.T) {
	t.Parallel()
	api := describing(types.TargetHealthDescription{
		Target:       &types.TargetDescription{Id: aws.String("2600:1f18:0:0:0:0:0:1"), Port: aws.Int32(80)},
		TargetHealth: &types.TargetHealth{State: types.TargetHealthStateEnumHealthy},
	})
	for _, id := range []string{"2600:1f18::1", "2600:1F18:0:0::1"} {
		err := elbv2hc.WaitInService(t.Context(), api, arn, []elbv2hc.Target{{ID: id, Port: 80}}, func(o *elbv2hc.WaitOptions) { o.RegistrationLag = elbv2hc.None })
		if err != nil {
			t.Error(err)
		}
		sync := &healthcheckmock.SyncAPIMock{DescribeTargetHealthFunc: api.DescribeTargetHealth} // anything else panics
		got, err := must(elbv2hc.NewSyncer(sync, arn))(t).Sync(t.Context(), []elbv2hc.Target{{ID: id, Port: 80}})
		if err != nil || got.Changed() {
			t.Errorf("%+v, error %v", got, err)
		}
	}
}

func TestErrorsOfThisSideAreNotSearched(t *testing.T) {
	t.Parallel()
	noCredentials := errors.New("no credentials")
	sync := &healthcheckmock.SyncAPIMock{
		DescribeTargetHealthFunc: describing().DescribeTargetHealth,
		RegisterTargetsFunc: func(context.Context, *elbv2.RegisterTargetsInput, ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error) {
			return nil, noCredentials
		},
	}
	_, err := must(elbv2hc.NewSyncer(sync, arn))(t).Sync(t.Context(), addresses(0, 10))
	if e := wantGroupError(t, err, noCredentials); len(e.Refused) > 0 || len(sync.RegisterTargetsCalls()) != 1 {
		t.Errorf("%d refused after %d calls", len(e.Refused), len(sync.RegisterTargetsCalls()))
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		before := addresses(0, 4)
		w.register(before...)
		want := addresses(2, 4)
		got := must(w.syncer(func(o *elbv2hc.SyncOptions) { o.DryRun = true }).Sync(w.Context(), want))(w)
		if diff := cmp.Diff(elbv2hc.SyncResult{Registered: want[2:], Deregistered: texted(before[:2]), Unchanged: 2, DryRun: true}, got); diff != "" {
			w.Error(diff)
		}
		w.holds(before...)
	}, byAddress)
}

// texted are targets as reads show them here: without their zones.
func texted(targets []elbv2hc.Target) (out []elbv2hc.Target) {
	for _, t := range targets {
		out = append(out, elbv2hc.Target{ID: t.ID, Port: t.Port})
	}
	return out
}

func TestSyncLeavesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		mine, foreign := addresses(0, 2), addresses(100, 2)
		w.register(append(mine, foreign...)...)
		s := w.syncer(always, func(o *elbv2hc.SyncOptions) {
			o.Owns = func(t elbv2hc.Target) bool { return !strings.HasPrefix(t.ID, "10.1.0.10") }
		})
		must(s.Sync(w.Context(), nil))(w)
		w.holds(foreign...)
	}, byAddress)
}

func TestRefusedTargetsAreNamedAndDoNotStopTheOthers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		a, off, old := w.server(0, 0), w.server(1, 1), w.server(0, 2)
		w.register(old.target())
		w.powerOff(off)
		unknown := elbv2hc.Target{ID: "i-0123456789abcdef0", Port: 80}
		got, err := w.syncer().Sync(w.Context(), []elbv2hc.Target{a.target(), off.target(), unknown})
		e := (*elbv2hc.GroupError)(nil)
		if !errors.As(err, &e) || len(e.Refused) != 2 {
			w.Fatalf("error %v, want two refused targets", err)
		}
		for _, target := range []elbv2hc.Target{off.target(), unknown} {
			if !slices.ContainsFunc(e.Refused, func(r *elbv2hc.TargetError) bool { return r.Target == target && r.Op == "register" }) {
				w.Errorf("%v is not named in %v", target, err)
			}
		}
		api := smithy.APIError(nil)
		if !errors.As(err, &api) || api.ErrorCode() != "InvalidTarget" {
			w.Errorf("error %v does not unwrap to that of the service", err)
		}
		if diff := cmp.Diff([]elbv2hc.Target{a.target()}, got.Registered); diff != "" {
			w.Error(diff)
		}
		// The message names the unknown one, and then the one that is off: nothing is left to search for.
		if calls := w.cloud.Count(name, "RegisterTargets"); calls != 1+3 {
			w.Errorf("%d calls", calls)
		}
		w.holds(a.target()) // one replaces one
	})
}

func TestNothingGoesWhereAllThatComesIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		old := w.server(0, 0)
		w.register(old.target())
		got, err := w.syncer().Sync(w.Context(), []elbv2hc.Target{{ID: "i-0123456789abcdef0", Port: 80}})
		e := (*elbv2hc.GroupError)(nil)
		if !errors.As(err, &e) || !errors.Is(err, elbv2hc.ErrTooMany) || len(e.Refused) != 1 || got.Changed() {
			w.Errorf("error %v and %+v, want a refusal", err, got)
		}
		w.holds(old.target())
	})
}

// limited is a load balancer with room for so many registrations, draining ones not counted, whose messages name nobody.
func limited(w *world, room int, bad func(id string) bool) *healthcheckmock.SyncAPIMock {
	return &healthcheckmock.SyncAPIMock{
		DescribeTargetHealthFunc: w.DescribeTargetHealth, DeregisterTargetsFunc: w.DeregisterTargets,
		RegisterTargetsFunc: func(ctx context.Context, in *elbv2.RegisterTargetsInput, optFns ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error) {
			now, _ := w.registered()
			for _, t := range in.Targets {
				if bad(*t.Id) {
					return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "a target is wrong"}
				}
			}
			if len(now)+len(in.Targets) > room {
				return nil, &smithy.GenericAPIError{Code: "TooManyTargets", Message: "the load balancer is full"}
			}
			return w.RegisterTargets(ctx, in, optFns...)
		},
	}
}

func nobody(string) bool { return false }

func TestFullGroupMakesRoomFirst(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		before, want := addresses(0, 10), addresses(4, 10)
		w.register(before...)
		s := must(elbv2hc.NewSyncer(limited(w, 12, nobody), w.group))(w)
		got, err := s.Sync(w.Context(), want)
		if err != nil || len(got.Registered) != 4 || len(got.Deregistered) != 4 {
			w.Errorf("%d registered and %d deregistered, error %v", len(got.Registered), len(got.Deregistered), err)
		}
		w.holds(want...)
	}, byAddress)
}

func TestWhatDoesNotFitIsNamed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		api := limited(w, 37, nobody)
		s := must(elbv2hc.NewSyncer(api, w.group))(w)
		got, err := s.Sync(w.Context(), addresses(0, 150))
		e := (*elbv2hc.GroupError)(nil)
		if !errors.As(err, &e) || len(e.Refused) != 113 || len(got.Registered) != 37 {
			w.Fatalf("%d registered, error %v", len(got.Registered), err)
		}
		if api := smithy.APIError(nil); !errors.As(e.Refused[112], &api) || api.ErrorCode() != "TooManyTargets" {
			w.Errorf("refused for %v", e.Refused[112])
		}
		if calls := len(api.RegisterTargetsCalls()); calls > 16 {
			w.Errorf("%d calls to find out", calls)
		}
	}, byAddress)
}

func TestWrongTargetsAreSearchedFor(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		all := addresses(0, 100)
		api := limited(w, 1000, func(id string) bool { return id == all[13].ID || id == all[77].ID })
		got, err := must(elbv2hc.NewSyncer(api, w.group))(w).Sync(w.Context(), all)
		e := (*elbv2hc.GroupError)(nil)
		if !errors.As(err, &e) || len(e.Refused) != 2 || e.Refused[0].Target != all[13] || e.Refused[1].Target != all[77] {
			w.Errorf("error %v, want those two refused", err)
		}
		if len(got.Registered) != 98 {
			w.Errorf("%d registered", len(got.Registered))
		}
		if calls := len(api.RegisterTargetsCalls()); calls > 2*2*8 {
			w.Errorf("%d calls to find two", calls)
		}

		api = limited(w, 1000, func(string) bool { return true })
		nothing := func(o *elbv2hc.SyncOptions) { o.Owns = func(elbv2hc.Target) bool { return false } }
		_, err = must(elbv2hc.NewSyncer(api, w.group, nothing))(w).Sync(w.Context(), addresses(100, 100))
		if !errors.As(err, &e) || len(e.Refused) != 100 {
			w.Errorf("error %v, want all refused", err)
		}
		if calls := len(api.RegisterTargetsCalls()); calls > 40 {
			w.Errorf("%d calls where all are wrong", calls)
		}
	}, byAddress)
}

func TestManyWrongTargetsKeepNoRightOneOutForEver(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		all := addresses(0, 100)
		var right []elbv2hc.Target
		wrong := map[string]bool{}
		for i, target := range all {
			if wrong[target.ID] = i%5 == 0; i%5 != 0 {
				right = append(right, target)
			}
		}
		api := limited(w, 1000, func(id string) bool { return wrong[id] })
		s := must(elbv2hc.NewSyncer(api, w.group))(w)
		for range 3 { // each finds ten of the twenty, the last one what was beside them
			got, err := s.Sync(w.Context(), all)
			if e := (*elbv2hc.GroupError)(nil); !errors.As(err, &e) || len(e.Refused) < 20 || !slices.IsSortedFunc(got.Registered, byID) {
				w.Fatalf("%+v, error %v", got, err)
			}
		}
		w.holds(right...)
		calls := len(api.RegisterTargetsCalls())
		if got, err := s.Sync(w.Context(), all); err == nil || got.Changed() {
			w.Errorf("%+v, error %v", got, err)
		}
		if calls = len(api.RegisterTargetsCalls()) - calls; calls > 40 {
			w.Errorf("%d calls to find the same", calls)
		}
	}, byAddress)
}

func byID(a, b elbv2hc.Target) int { return strings.Compare(a.ID, b.ID) }

func TestNamedTargetsDoNotEndTheSearchForOthers(t *testing.T) {
	t.Parallel()
	all := addresses(0, 200)
	api := &healthcheckmock.SyncAPIMock{
		DescribeTargetHealthFunc: describing().DescribeTargetHealth,
		RegisterTargetsFunc: func(_ context.Context, in *elbv2.RegisterTargetsInput, _ ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error) {
			var named []string
			for _, d := range in.Targets {
				switch i := slices.IndexFunc(all, func(t elbv2hc.Target) bool { return t.ID == *d.Id }); {
				case i < 20:
					named = append(named, *d.Id)
				case i == 150:
					return nil, &smithy.GenericAPIError{Code: "InvalidTarget", Message: "one of them"}
				}
			}
			if named != nil {
				return nil, &smithy.GenericAPIError{Code: "InvalidTarget", Message: strings.Join(named, ", ")}
			}
			return &elbv2.RegisterTargetsOutput{}, nil
		},
	}
	got, err := must(elbv2hc.NewSyncer(api, arn))(t).Sync(t.Context(), all)
	if e := (*elbv2hc.GroupError)(nil); !errors.As(err, &e) || len(e.Refused) != 21 || len(got.Registered) != 179 {
		t.Errorf("%d registered, error %v", len(got.Registered), err)
	}
}

// TestOwnChangesAreOwnedByTheirZones: what the Syncer has registered is shown to Owns as it was registered, before reads show it.
func TestOwnChangesAreOwnedByTheirZones(t *testing.T) {
	t.Parallel()
	api := &healthcheckmock.SyncAPIMock{
		DescribeTargetHealthFunc: describing().DescribeTargetHealth, // reads stand behind
		RegisterTargetsFunc: func(context.Context, *elbv2.RegisterTargetsInput, ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error) {
			return &elbv2.RegisterTargetsOutput{}, nil
		},
		DeregisterTargetsFunc: func(context.Context, *elbv2.DeregisterTargetsInput, ...func(*elbv2.Options)) (*elbv2.DeregisterTargetsOutput, error) {
			return &elbv2.DeregisterTargetsOutput{}, nil
		},
	}
	s := must(elbv2hc.NewSyncer(api, arn, func(o *elbv2hc.SyncOptions) {
		o.Owns = func(t elbv2hc.Target) bool { return t.Zone == "all" }
	}))(t)
	must(s.Sync(t.Context(), addresses(0, 4)))(t)
	if got := must(s.Sync(t.Context(), addresses(0, 3)))(t); len(got.Deregistered) != 1 || got.Deregistered[0].Zone != "all" {
		t.Errorf("%+v, want the last one deregistered", got)
	}
}

func TestLambdaFunctionsHaveNoPort(t *testing.T) {
	t.Parallel()
	function := elbv2hc.Target{ID: "arn:aws:lambda:us-east-1:123456789012:function:f", Zone: "all"}
	api := &healthcheckmock.SyncAPIMock{
		DescribeTargetHealthFunc: describing().DescribeTargetHealth,
		RegisterTargetsFunc: func(_ context.Context, in *elbv2.RegisterTargetsInput, _ ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error) {
			if diff := cmp.Diff(raw([]elbv2hc.Target{function}), in.Targets, cmp.AllowUnexported(types.TargetDescription{})); diff != "" {
				t.Error(diff)
			}
			return &elbv2.RegisterTargetsOutput{}, nil
		},
	}
	s := must(elbv2hc.NewSyncer(api, arn, func(o *elbv2hc.SyncOptions) { o.Port = 80 }))(t)
	must(s.Sync(t.Context(), []elbv2hc.Target{function}))(t)
	function.Zone = "us-east-1a"
	_, err := s.Sync(t.Context(), []elbv2hc.Target{function})
	wantFields(t, err, "want[0].Zone")
}

func TestTargetOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ id, addr, want string }{
		{"i-0123456789abcdef0", "10.0.0.1:80", "i-0123456789abcdef0:80"},
		{"i-0123abcd", "10.0.0.1:80", "i-0123abcd:80"},
		{"i-cache-1", "10.0.0.1:80", "10.0.0.1:80"}, // a name
		{"web", "[2600:1f18:0::1]:80", "[2600:1f18::1]:80"},
		{"web", "[::ffff:10.0.0.1]:80", "10.0.0.1:80"},
		{"10.0.0.2", "10.0.0.1:80", "10.0.0.2:80"},
		{"arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/a/1", "a.example:443", "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/a/1|443"},
		{"web", "web.example:80", "web.example:80"},
		{"web", "", "web"},
	} {
		got := elbv2hc.TargetOf(healthcheck.Target{ID: test.id, Addr: test.addr})
		text := got.String()
		if strings.HasPrefix(got.ID, "arn:") {
			text = fmt.Sprintf("%s|%d", got.ID, got.Port)
		}
		if text != test.want {
			t.Errorf("%s at %s is %s, want %s", test.id, test.addr, text, test.want)
		}
	}
}

func TestSyncOutlastsFaults(t *testing.T) {
	t.Parallel()
	for what, effect := range map[string]awstest.Effect{
		"throttles": awstest.Throttle(), "server errors": awstest.Unavailable(), "lost replies": awstest.LoseReply(), "calls that hang": awstest.Hang(),
	} {
		for _, operation := range []string{"DescribeTargetHealth", "RegisterTargets", "DeregisterTargets"} {
			t.Run(what+" of "+operation, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					before, want := addresses(0, 4), addresses(2, 4)
					w.register(before...)
					heal := w.inject(operation, 0, effect)
					time.AfterFunc(30*time.Second, heal)
					s := w.syncer(always)
					if _, err := s.Sync(w.Context(), want); err != nil {
						w.Error(err)
					}
					within(w, "the end", time.Since(w.start), 30*time.Second, 55*time.Second)
					w.holds(want...)

					heal = w.inject(operation, 0, effect)
					start := time.Now()
					_, err := s.Sync(w.Context(), before)
					e := (*elbv2hc.GroupError)(nil)
					if !errors.As(err, &e) || e.Err == nil || len(e.Refused) > 0 {
						w.Errorf("error %v, want what the calls met", err)
					}
					within(w, "giving up", time.Since(start), time.Minute, 100*time.Second)
					heal()
					if _, err := s.Sync(w.Context(), before); err != nil {
						w.Error(err)
					}
					w.holds(before...)
				}, byAddress)
			})
		}
	}
}

func TestSyncKnowsItsOwnChangesBeforeReadsDo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.syncer(always)
		want := addresses(0, 4)
		time.Sleep(time.Minute)
		heal := w.inject("DescribeTargetHealth", 0, awstest.Stale(20*time.Second))
		must(s.Sync(w.Context(), want))(w)
		if got := must(s.Sync(w.Context(), want))(w); got.Changed() {
			w.Errorf("registers again what reads do not show yet: %+v", got)
		}
		must(s.Sync(w.Context(), want[:1]))(w) // what was registered a moment ago is deregistered, though no read shows it
		if got := must(s.Sync(w.Context(), want[:1]))(w); got.Changed() {
			w.Errorf("deregisters again what reads still show: %+v", got)
		}
		heal()
		w.holds(want[0])

		// Another writer undoes it: after half a minute reads count again.
		w.deregister(want[0])
		w.register(want[1])
		if got := must(s.Sync(w.Context(), want[:1]))(w); got.Changed() {
			w.Errorf("believes reads at once: %+v", got)
		}
		time.Sleep(30 * time.Second)
		must(s.Sync(w.Context(), want[:1]))(w)
		w.holds(want[0])
	}, byAddress)
}

func TestOldTargetsStayUntilTheNewOnesAreInService(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a, b := w.server(0, 0), w.server(1, 1)
		w.register(a.target())
		time.Sleep(time.Minute)
		s := w.syncer(func(o *elbv2hc.SyncOptions) { o.InService = 2 * time.Minute })

		b.status.Store(http.StatusServiceUnavailable)
		start := time.Now()
		got, err := s.Sync(w.Context(), []elbv2hc.Target{b.target()})
		wantGroupError(w, err, elbv2hc.ErrTimeout, "unhealthy Target.ResponseCodeMismatch")
		within(w, "giving up", time.Since(start), 2*time.Minute, 2*time.Minute+time.Second)
		if len(got.Deregistered) > 0 {
			w.Errorf("deregistered %v", got.Deregistered)
		}
		w.holds(a.target(), b.target())

		// The next Sync has nothing to register, and knows nevertheless that the new one has never been healthy. So does a
		// Syncer that starts in the middle, while the load balancer does not know either.
		_, err = s.Sync(w.Context(), []elbv2hc.Target{b.target()})
		wantGroupError(w, err, elbv2hc.ErrTimeout, "unhealthy Target.ResponseCodeMismatch")
		w.holds(a.target(), b.target())
		w.deregister(b.target())
		w.register(b.target())
		again := w.syncer(func(o *elbv2hc.SyncOptions) { o.InService = 5 * time.Second })
		_, err = again.Sync(w.Context(), []elbv2hc.Target{b.target()})
		wantGroupError(w, err, elbv2hc.ErrTimeout, "initial Elb.InitialHealthChecking")
		w.holds(a.target(), b.target())
		b.status.Store(http.StatusOK)

		c := w.server(1, 2)
		start = time.Now()
		must(s.Sync(w.Context(), []elbv2hc.Target{b.target(), c.target()}))(w)
		within(w, "the replacement", time.Since(start), 5*time.Second, 17*time.Second)
		w.holds(b.target(), c.target())

		// What has been in service does not hold up anything when it fails later, nor does what is refused.
		c.status.Store(http.StatusServiceUnavailable)
		time.Sleep(time.Minute)
		refused := elbv2hc.Target{ID: "i-0123456789abcdef0", Port: 80}
		start = time.Now()
		got, err = s.Sync(w.Context(), []elbv2hc.Target{c.target(), refused})
		if e := wantGroupError(w, err, nil); len(e.Refused) != 1 || len(got.Deregistered) != 1 {
			w.Errorf("%+v, error %v", got, err)
		}
		within(w, "the next one", time.Since(start), 0, time.Second)
		w.holds(c.target())
	})
}

func TestSyncEndsWithItsContextAndWithWhatCannotBeRepeated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		want := addresses(0, 1)
		for code, test := range map[string]struct {
			effect awstest.Effect
			kind   error
		}{
			"denied": {awstest.Deny(), elbv2hc.ErrDenied},
			"gone":   {awstest.Reject(awstest.APIError{Code: "TargetGroupNotFound", Message: "gone"}), elbv2hc.ErrNotFound},
		} {
			for _, operation := range []string{"DescribeTargetHealth", "RegisterTargets"} {
				heal := w.inject(operation, 0, test.effect)
				before := w.cloud.Count(name, operation)
				_, err := w.syncer().Sync(w.Context(), want)
				e := (*elbv2hc.GroupError)(nil)
				if !errors.As(err, &e) || !errors.Is(err, test.kind) || e.RequestID == "" || len(e.Refused) > 0 {
					w.Errorf("%s %s: error %v, want %v", code, operation, err, test.kind)
				}
				if calls := w.cloud.Count(name, operation) - before; calls != 1 {
					w.Errorf("%s %s: %d calls", code, operation, calls)
				}
				heal()
			}
		}
		w.inject("RegisterTargets", 0, awstest.Hang())
		ctx, cancel := context.WithCancelCause(w.Context())
		enough := errors.New("enough")
		time.AfterFunc(5*time.Second, func() { cancel(enough) })
		s := w.syncer()
		second := make(chan error)
		go func() {
			time.Sleep(time.Second)
			_, err := s.Sync(ctx, want) // waits for its turn
			second <- err
		}()
		for _, err := range []error{func() error { _, err := s.Sync(ctx, want); return err }(), <-second} {
			if !errors.Is(err, enough) || !errors.As(err, new(*elbv2hc.GroupError)) {
				w.Errorf("error %v, want the cause", err)
			}
		}
	}, byAddress)
}

func TestZoneOfARegistrationIsNotChanged(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		api := &healthcheckmock.SyncAPIMock{DescribeTargetHealthFunc: func(
			ctx context.Context, in *elbv2.DescribeTargetHealthInput, _ ...func(*elbv2.Options),
		) (*elbv2.DescribeTargetHealthOutput, error) {
			out, err := w.DescribeTargetHealth(ctx, in)
			for i := range out.TargetHealthDescriptions {
				out.TargetHealthDescriptions[i].Target.AvailabilityZone = aws.String("us-east-1a")
			}
			return out, err
		}}
		want := addresses(0, 2)
		w.register(want...)
		want[0].Zone = "us-east-1a"
		got := must(must(elbv2hc.NewSyncer(api, w.group))(w).Sync(w.Context(), want))(w)
		if diff := cmp.Diff(elbv2hc.SyncResult{Unchanged: 2, OtherZone: want[1:]}, got); diff != "" {
			w.Error(diff)
		}
	}, byAddress)
}

func TestMistakesInSyncs(t *testing.T) {
	t.Parallel()
	_, err := elbv2hc.NewSyncer(nil, "", func(o *elbv2hc.SyncOptions) {
		o.MaxRemovePercent, o.ChunkSize, o.InService, o.RegistrationLag, o.Settle, o.Resync = 101, -1, -1, -2, -2, -1
	})
	wantFields(t, err, "api", "targetGroupARN", "SyncOptions.MaxRemovePercent", "SyncOptions.ChunkSize", "SyncOptions.InService",
		"SyncOptions.RegistrationLag", "SyncOptions.Settle", "SyncOptions.Resync")
	s := must(elbv2hc.NewSyncer(&elbv2.Client{}, "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1"))(t)
	_, err = s.Sync(t.Context(), []elbv2hc.Target{{ID: "i-1"}, {Port: 80}, {ID: "i-2", Port: 80, Zone: "us-east-1a"}, {ID: "i-2", Port: 80}})
	wantFields(t, err, "want[0].Port", "want[1].ID", "want[2].Zone", "want[3].ID")
}
