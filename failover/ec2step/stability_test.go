package ec2step_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
)

func randomFleets(r *rand.Rand) []ec2step.Fleet {
	fleets := make([]ec2step.Fleet, 3)
	for i := range fleets {
		fleets[i] = ec2step.Fleet{
			Name: fmt.Sprintf("fleet %d", i), Tags: map[string]string{"fleet": fmt.Sprint(i)}, Needed: r.IntN(5), Types: some(r, 3, randomTypes...),
			Reservations: some(r, 2, "cr-0", "cr-1", "cr-2"), Subnets: some(r, 3, "subnet-0", "subnet-1", "subnet-2"),
		}
	}
	return fleets
}

// TestPropertiesOfStability: what carries is reserved, free, elsewhere and of a type that will do; nothing is given away twice; and no other way of giving
// would leave fewer short.
func TestPropertiesOfStability(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*inventories) {
		r := rand.New(rand.NewPCG(seed, 10))
		inv, fleets := randomInventory(r), randomFleets(r)
		report := ec2step.Stability(inv, fleets)
		stable := true
		for _, loss := range report.Losses {
			short, used := 0, map[string]int{}
			for _, f := range loss.Fleets {
				if f.Lost < 1 || f.Short < 0 {
					t.Errorf("seed %d: %+v", seed, f)
				}
				carried := 0
				for _, c := range f.Carriers {
					carried += c.Count
					used[c.ZoneID+" "+c.Type+" "+c.Reservation] += c.Count
					if z := zoneOf(inv, c.ZoneID); c.ZoneID == loss.ZoneID || z.State == "impaired" || z.State == "unavailable" {
						t.Errorf("seed %d: without %s: %+v", seed, loss.ZoneID, c)
					}
				}
				if f.Left+carried+f.Short != max(f.Needed, f.Left) {
					t.Errorf("seed %d: %d left, %d carried and %d short are not %d", seed, f.Left, carried, f.Short, f.Needed)
				}
				short += f.Short
			}
			for key, n := range used {
				if free := freeIn(inv, key); n > free {
					t.Errorf("seed %d: %d of %s, where %d are free", seed, n, key, free)
				}
			}
			if least := leastShort(inv, fleets, loss); short != least {
				t.Errorf("seed %d: %d are short without %s, and %d could be", seed, short, loss.ZoneID, least)
			}
			if loss.Stable != (short == 0) {
				t.Errorf("seed %d: stable: %v, short: %d", seed, loss.Stable, short)
			}
			stable = stable && loss.Stable
		}
		if report.Stable != stable {
			t.Errorf("seed %d: stable: %v, want %v", seed, report.Stable, stable)
		}
		if t.Failed() {
			return
		}
	}
}

// freeIn is what is free in a pool, by another way than the report's.
func freeIn(inv *ec2step.Inventory, key string) int {
	free := 0
	for _, r := range inv.Reservations {
		if r.ZoneID+" "+r.Type+" "+r.ID == key {
			return r.Free
		}
	}
	for _, r := range inv.Reserved {
		if r.ZoneID+" "+r.Type+" " == key {
			free += r.Count
		}
	}
	for _, i := range inv.Instances {
		if i.ZoneID+" "+i.Type+" " == key {
			free--
		}
	}
	return max(free, 0)
}

// leastShort tries every way of giving what is free to the fleets.
func leastShort(inv *ec2step.Inventory, fleets []ec2step.Fleet, loss ec2step.ZoneLoss) int {
	type pool struct {
		zone, kind, reservation string
		targeted                bool
	}
	free := map[pool]int{}
	var pools []pool
	add := func(p pool) {
		if z := zoneOf(inv, p.zone); p.zone == loss.ZoneID || z.State == "impaired" || z.State == "unavailable" {
			return
		}
		if _, ok := free[p]; !ok {
			if free[p] = freeIn(inv, p.zone+" "+p.kind+" "+p.reservation); free[p] > 0 {
				pools = append(pools, p)
			}
		}
	}
	for _, r := range inv.Reservations {
		add(pool{r.ZoneID, r.Type, r.ID, r.Targeted})
	}
	for _, r := range inv.Reserved {
		add(pool{r.ZoneID, r.Type, "", false})
	}
	var units [][]pool // what each missing instance could have
	for _, l := range loss.Fleets {
		f := fleets[slices.IndexFunc(fleets, func(f ec2step.Fleet) bool { return f.Name == l.Fleet })]
		kinds := slices.Clone(f.Types)
		for _, i := range inv.Instances {
			if len(f.Types) == 0 && i.Tags["fleet"] == f.Tags["fleet"] {
				kinds = append(kinds, i.Type)
			}
		}
		var fit []pool
		for _, p := range pools {
			place := slices.ContainsFunc(inv.Subnets, func(s ec2step.Subnet) bool {
				return s.ZoneID == p.zone && s.Free > 0 && (len(f.Subnets) == 0 || slices.Contains(f.Subnets, s.ID))
			})
			if place && slices.Contains(kinds, p.kind) && (!p.targeted || slices.Contains(f.Reservations, p.reservation)) {
				fit = append(fit, p)
			}
		}
		for range max(l.Needed-l.Left, 0) {
			units = append(units, fit)
		}
	}
	var try func(n int) int
	try = func(n int) int {
		if n == len(units) {
			return 0
		}
		best := 1 + try(n+1)
		for _, p := range units[n] {
			if free[p] > 0 {
				free[p]--
				best = min(best, try(n+1))
				free[p]++
			}
		}
		return best
	}
	if len(units) > 8 { // too many ways to try them all
		got := 0
		for _, l := range loss.Fleets {
			got += l.Short
		}
		return got
	}
	return try(0)
}

func TestStabilityOfAFleet(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		tagged := func(in *ec2.RunInstancesInput) {
			in.InstanceType = firstType
			in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("web")}}}}
		}
		launch(w, "us-east-1a", tagged)
		launch(w, "us-east-1b", tagged)
		lonely := launch(w, "us-east-1c", func(in *ec2.RunInstancesInput) { tagged(in); in.InstanceType = "m5d.large" })
		launch(w, "us-east-1c") // of nobody
		web := ec2step.Fleet{Name: "web", Tags: map[string]string{"app": "web"}, Needed: 3, Types: []string{firstType}}
		report := func() *ec2step.StabilityReport {
			inv, err := ec2step.Survey(w.Context(), ec2.NewFromConfig(w.Config()), ec2step.SurveyRequest{Instances: true})
			if err != nil {
				w.Fatal(err)
			}
			if len(inv.Unread) > 0 {
				w.Error(inv.Unread)
			}
			return ec2step.Stability(inv, []ec2step.Fleet{web, {Name: "ghost", Tags: map[string]string{"app": "ghost"}}})
		}
		r := report()
		if r.Stable || len(r.Losses) != 3 || r.Losses[0].Fleets[0].Short != 1 {
			w.Errorf("%+v", r)
		}
		if err := ec2svc.Reserve(w.Cloud, steptest.Region, ec2svc.ReservedInstances{Type: firstType, Count: 2, Zone: "us-east-1b"}); err != nil {
			w.Fatal(err)
		}
		reserved, err := admin(w).CreateCapacityReservation(w.Context(), &ec2.CreateCapacityReservationInput{
			InstanceType: aws.String(firstType), InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: aws.Int32(1),
			AvailabilityZone: aws.String("us-east-1a"), InstanceMatchCriteria: types.InstanceMatchCriteriaTargeted,
		})
		if err != nil {
			w.Fatal(err)
		}
		id := *reserved.CapacityReservation.CapacityReservationId
		if r := report(); r.Stable { // without us-east-1b there is only the targeted one, which is meant for others
			w.Errorf("%+v", r)
		}
		web.Reservations = []string{id}
		r = report()
		text := r.String()
		for _, want := range []string{
			"stable: without use1-az2\n  web: 1 lost, 2 left, 3 needed; 1 m7g.large in use1-az3, Reserved Instances\n",
			"stable: without use1-az3\n  web: 1 lost, 2 left, 3 needed; 1 m7g.large in use1-az2, " + id + "\n",
			"warning: fleet ghost: no instance has its tags\n", lonely + " (m5d.large) has instance storage and no data volume",
		} {
			if !strings.Contains(text, want) {
				w.Errorf("%q is not in\n%s", want, text)
			}
		}
		if !r.Stable {
			w.Error(text)
		}
		data, err := json.Marshal(r)
		if err != nil {
			w.Fatal(err)
		}
		var back ec2step.StabilityReport
		if err := json.Unmarshal(data, &back); err != nil {
			w.Fatal(err)
		}
		if diff := cmp.Diff(*r, back); diff != "" {
			w.Error(diff)
		}
	})
}
