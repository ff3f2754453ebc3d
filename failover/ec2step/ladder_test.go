package ec2step_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover/ec2step"
)

var inventories = flag.Int("inventories", 2000, "how many random inventories the properties of placement are tried on")

// some returns up to n of a list, at random.
func some[T any](r *rand.Rand, n int, from ...T) []T {
	all := slices.Clone(from)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(r.IntN(n+1), len(all))]
}

var (
	randomZones = []string{"z1", "z2", "z3", "z4"}
	randomTypes = []string{"m7g.large", "m7i.large", "c7g.large", "g5.xlarge"}
)

func randomInventory(r *rand.Rand) *ec2step.Inventory {
	inv := &ec2step.Inventory{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i, id := range randomZones {
		state := []string{"available", "available", "available", "constrained", "impaired", "unavailable"}[r.IntN(6)]
		inv.Zones = append(inv.Zones, ec2step.Zone{ID: id, Name: fmt.Sprintf("name%d", i+1), State: state})
	}
	for i := range 1 + r.IntN(6) {
		inv.Subnets = append(inv.Subnets, ec2step.Subnet{ID: fmt.Sprintf("subnet-%d", i), ZoneID: randomZones[r.IntN(4)], Free: r.IntN(3)})
	}
	if r.IntN(3) > 0 {
		inv.Offered = map[string][]string{}
		for _, t := range randomTypes {
			inv.Offered[t] = some(r, 4, randomZones...)
		}
	}
	for i := range r.IntN(4) {
		total := 1 + r.IntN(3)
		inv.Reservations = append(inv.Reservations, ec2step.Reservation{
			ID: fmt.Sprintf("cr-%d", i), ZoneID: randomZones[r.IntN(4)], Type: randomTypes[r.IntN(4)], Platform: ec2step.DefaultPlatform, Tenancy: "default",
			Targeted: r.IntN(2) == 0, Total: total, Free: r.IntN(total + 1),
		})
	}
	for i := range r.IntN(3) {
		inv.Reserved = append(inv.Reserved, ec2step.Reserved{
			ID: fmt.Sprintf("ri-%d", i), ZoneID: randomZones[r.IntN(4)], Type: randomTypes[r.IntN(4)], Platform: ec2step.DefaultPlatform, Tenancy: "default",
			Count: 1 + r.IntN(3),
		})
	}
	for i := range r.IntN(8) {
		inv.Instances = append(inv.Instances, ec2step.Instance{
			ID: fmt.Sprintf("i-%d", i), ZoneID: randomZones[r.IntN(4)], Type: randomTypes[r.IntN(4)], Platform: ec2step.DefaultPlatform, Tenancy: "default",
			RootStore: "ebs", Tags: map[string]string{"fleet": fmt.Sprint(r.IntN(3))},
		})
	}
	return inv
}

func zoneOf(inv *ec2step.Inventory, id string) ec2step.Zone {
	for _, z := range inv.Zones {
		if z.ID == id {
			return z
		}
	}
	return ec2step.Zone{}
}

// TestPropertiesOfTheLadder: whatever there is, each candidate is possible and there once, every possible one is there, and the order is by rung.
func TestPropertiesOfTheLadder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*inventories) {
		r := rand.New(rand.NewPCG(seed, 9))
		inv := randomInventory(r)
		w := ec2step.Wish{
			Types: randomTypes[:1+r.IntN(4)], Avoid: some(r, 2, "z1", "name2", "z3", "name4"), Reservations: some(r, 3, "cr-0", "cr-1", "cr-2"),
			Subnets: some(r, 4, "subnet-0", "subnet-1", "subnet-2", "subnet-3"),
		}
		if r.IntN(4) == 0 {
			w.Zone = randomZones[r.IntN(4)]
		}
		var shortages []ec2step.Shortage
		for range r.IntN(3) {
			shortages = append(shortages, ec2step.Shortage{
				Type: randomTypes[r.IntN(4)], ZoneID: randomZones[r.IntN(4)], Until: inv.Time.Add(time.Duration(r.IntN(3)-1) * time.Minute),
			})
		}
		short := func(c ec2step.Candidate) bool {
			return c.Reservation == "" && slices.ContainsFunc(shortages, func(s ec2step.Shortage) bool {
				return s.Type == c.Type && s.ZoneID == c.ZoneID && s.Until.After(inv.Time)
			})
		}
		ladder := ec2step.Ladder(inv, w, shortages)
		seen := map[ec2step.Candidate]bool{}
		for i, c := range ladder {
			key := c
			key.Rung = 0
			z := zoneOf(inv, c.ZoneID)
			switch {
			case seen[key]:
				t.Errorf("seed %d: %s is there twice", seed, c)
			case !slices.Contains(w.Types, c.Type), len(w.Subnets) > 0 && !slices.Contains(w.Subnets, c.SubnetID), w.Zone != "" && w.Zone != c.ZoneID:
				t.Errorf("seed %d: %s was not wished for", seed, c)
			case slices.Contains(w.Avoid, z.ID), slices.Contains(w.Avoid, z.Name), z.State == "impaired", z.State == "unavailable":
				t.Errorf("seed %d: %s is to be avoided", seed, c)
			case inv.Offered != nil && !slices.Contains(inv.Offered[c.Type], c.ZoneID):
				t.Errorf("seed %d: %s is not offered", seed, c)
			case (c.Reservation != "") != (c.Rung == ec2step.RungTargeted), c.Reservation != "" && !slices.Contains(w.Reservations, c.Reservation):
				t.Errorf("seed %d: %s uses what is not meant for it", seed, c)
			}
			seen[key] = true
			if i == 0 {
				continue
			}
			if before := ladder[i-1]; short(before) && !short(c) || short(before) == short(c) && before.Rung > c.Rung {
				t.Errorf("seed %d: %s (%s) comes before %s (%s)", seed, before, before.Rung, c, c.Rung)
			}
		}
		if diff := cmp.Diff(ladder, ec2step.Ladder(inv, w, shortages)); diff != "" {
			t.Errorf("seed %d: it is another the second time:\n%s", seed, diff)
		}
		rest(t, r, seed, ladder)
		if t.Failed() {
			return
		}
	}
}

// rest climbs a ladder on which everything is refused: it ends, asks for nothing twice, and leaves out only what the refusal speaks of.
func rest(t *testing.T, r *rand.Rand, seed uint64, ladder []ec2step.Candidate) {
	t.Helper()
	for left := ladder; len(left) > 0; {
		tried := left[0]
		code := []string{"InsufficientInstanceCapacity", "InsufficientFreeAddressesInSubnet", "ReservationCapacityExceeded", "Unsupported", "VcpuLimitExceeded"}[r.IntN(5)]
		next := ec2step.Rest(left[1:], tried, &smithy.GenericAPIError{Code: code})
		for _, c := range left[1:] {
			var out bool
			switch {
			case code == "VcpuLimitExceeded":
				out = strings.HasPrefix(c.Type, "g") == strings.HasPrefix(tried.Type, "g")
			case code == "InsufficientFreeAddressesInSubnet":
				out = c.SubnetID == tried.SubnetID
			case tried.Reservation != "":
				out = c.Reservation == tried.Reservation
			default:
				out = c.Reservation == "" && c.Type == tried.Type && c.ZoneID == tried.ZoneID
			}
			if out == slices.Contains(next, c) {
				t.Errorf("seed %d: after %s for %s: %s is left out: %v", seed, code, tried, c, !out)
			}
		}
		if slices.Contains(next, tried) {
			t.Errorf("seed %d: %s comes again", seed, tried)
		}
		left = next
	}
}

func TestLimitsCountByFamily(t *testing.T) {
	t.Parallel()
	limit := &smithy.GenericAPIError{Code: "VcpuLimitExceeded"}
	candidate := func(kind string) ec2step.Candidate {
		return ec2step.Candidate{Type: kind, ZoneID: "z1", SubnetID: "subnet-1"}
	}
	for _, c := range []struct {
		tried, other string
		same         bool
	}{
		{"m7g.large", "t3.micro", true}, {"c7g.large", "is4gen.large", true}, {"i4i.large", "im4gn.large", true}, {"m5d.large", "z1d.large", true},
		{"m7g.large", "g5.xlarge", false}, {"g5.xlarge", "vt1.3xlarge", true}, {"g6.xlarge", "gr6.4xlarge", true}, {"p5.48xlarge", "g5.xlarge", false},
		{"u-6tb1.metal", "u7i-12tb.224xlarge", true}, {"x2gd.large", "x1e.large", true}, {"inf2.xlarge", "i4i.large", false}, {"trn1.2xlarge", "t3.micro", false},
		{"hpc7g.4xlarge", "h1.2xlarge", false}, {"dl1.24xlarge", "d3.xlarge", false}, {"f2.6xlarge", "m5.large", false}, {"mac2.metal", "m5.large", false},
	} {
		left := ec2step.Rest([]ec2step.Candidate{candidate(c.other)}, candidate(c.tried), limit)
		if (len(left) == 0) != c.same {
			t.Errorf("%s and %s count towards one limit: %v", c.tried, c.other, !c.same)
		}
	}
}
