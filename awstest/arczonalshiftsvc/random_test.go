package arczonalshiftsvc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// TestRandomSequences holds sequences of calls, with time passing, against a
// list of shifts and autoshifts that is looked through each time.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 1000, 125, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			sequence(t, s)
		}
	})
}

func sequence(t *testing.T, seed uint64) {
	t.Helper()
	f := &fleet{record: func(string) {}}
	synctest.Test(t, func(t *testing.T) {
		cloud := svctest.Must(awstest.New([]awstest.Service{f.register, arczonalshiftsvc.New()}, func(o *awstest.Options) { o.Latency = awstest.NoLatency }))(t)
		r := &run{
			world: &world{T: t, Client: arczonalshift.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, fleet: f, start: time.Now()},
			rng:   rand.New(rand.NewPCG(seed, seed)),
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		const steps = 20
		for n := range steps {
			r.step()
			last := n == steps-1 // the only one whose lists are looked at
			if got, want := r.observed(last), r.expected(last); got != want {
				t.Fatalf("seed %d:\n%s\ngot\n%s\nwant\n%s", seed, strings.Join(r.log, "\n"), got, want)
			}
		}
	})
}

// run is a sequence under way, with the model: everything that was ever
// started.
type run struct {
	*world
	rng    *rand.Rand
	shifts []*modelShift
	autos  []*modelAuto
}

type modelShift struct {
	id, name, zone string
	expiry         time.Time
	canceled       bool
}

type modelAuto struct {
	zone  string
	ended bool
	end   func()
}

var names = []string{"web", "api", "gone"}

func (r *run) say(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v ", time.Since(r.start))+fmt.Sprintf(format, args...))
}

func (r *run) step() {
	switch n := r.rng.IntN(10); {
	case n < 3:
		r.startShift()
	case n < 4 && len(r.shifts) > 0:
		r.update(r.shifts[r.rng.IntN(len(r.shifts))])
	case n < 6 && len(r.shifts) > 0:
		r.cancelShift(r.shifts[r.rng.IntN(len(r.shifts))])
	case n < 7:
		z := r.anyZone()
		r.say("autoshift from %s", z)
		r.autos = append(r.autos, &modelAuto{zone: z, end: svctest.Must(arczonalshiftsvc.StartAutoshift(r.cloud, z))(r)})
	case n < 8 && len(r.autos) > 0:
		a := r.autos[r.rng.IntN(len(r.autos))]
		r.say("the autoshift from %s ends", a.zone)
		a.ended = true
		a.end()
	default:
		d := time.Duration(r.rng.IntN(60*60)) * time.Second
		r.say("pass %v", d)
		time.Sleep(d)
	}
}

func (r *run) anyZone() string { return []string{"use1-az2", "use1-az3", "use1-az4"}[r.rng.IntN(3)] }

func (r *run) startShift() {
	name, z, d := names[r.rng.IntN(len(names))], r.anyZone(), time.Duration(1+r.rng.IntN(60))*time.Minute
	r.say("start %s from %s for %v", name, z, d)
	out, err := r.StartZonalShift(r.Context(), startInput(of(name), func(in *startIn) {
		in.AwayFrom, in.ExpiresIn = &z, aws.String(fmt.Sprintf("%.0fm", d.Minutes()))
	}))
	for _, s := range r.shifts {
		switch {
		case s.name != name || s.status() != types.ZonalShiftStatusActive:
		case s.zone == z:
			wantReason(r, err, "ZonalShiftAlreadyExists")
			return
		default:
			wantReason(r, err, "SimultaneousZonalShiftsConflict")
			return
		}
	}
	if err != nil {
		r.Fatalf("%v\n%s", err, strings.Join(r.log, "\n"))
	}
	r.shifts = append(r.shifts, &modelShift{id: *out.ZonalShiftId, name: name, zone: z, expiry: time.Now().Add(d)})
}

func (s *modelShift) status() types.ZonalShiftStatus {
	switch {
	case s.canceled:
		return types.ZonalShiftStatusCanceled
	case !time.Now().Before(s.expiry):
		return types.ZonalShiftStatusExpired
	}
	return types.ZonalShiftStatusActive
}

func (r *run) update(s *modelShift) {
	d := time.Duration(1+r.rng.IntN(60)) * time.Minute
	r.say("update %s from %s to %v", s.name, s.zone, d)
	_, err := r.UpdateZonalShift(r.Context(), &arczonalshift.UpdateZonalShiftInput{ZonalShiftId: &s.id, ExpiresIn: aws.String(fmt.Sprintf("%.0fm", d.Minutes()))})
	if s.status() != types.ZonalShiftStatusActive {
		wantReason(r, err, "ZonalShiftStatusNotActive")
		return
	}
	if err != nil {
		r.Error(err)
	}
	s.expiry = time.Now().Add(d)
}

func (r *run) cancelShift(s *modelShift) {
	r.say("cancel %s from %s", s.name, s.zone)
	err := r.cancel(s.id)
	if s.status() != types.ZonalShiftStatusActive {
		wantReason(r, err, "ZonalShiftStatusNotActive")
		return
	}
	if err != nil {
		r.Error(err)
	}
	s.canceled = true
}

// observed and expected tell the resources, and the shifts by their status if
// lists are asked for.
func (r *run) observed(lists bool) string {
	var told []string
	for _, res := range svctest.Must(r.ListManagedResources(r.Context(), nil))(r).Items {
		told = append(told, tell(*res.Name, res.AppliedWeights, res.ZonalShifts, res.Autoshifts))
	}
	for _, status := range statuses(lists) {
		told = append(told, r.list(status))
	}
	return strings.Join(told, "\n")
}

func (r *run) expected(lists bool) string {
	var told []string
	for _, name := range names {
		shift, auto := "", ""
		for _, s := range r.shifts {
			if s.name == name && s.status() == types.ZonalShiftStatusActive {
				shift = s.zone
			}
		}
		for _, a := range slices.Backward(r.autos) {
			if !a.ended && name != "api" {
				auto = a.zone
			}
		}
		away, notes := auto, ""
		if shift != "" {
			away, notes = shift, fmt.Sprintf(", shift from %s APPLIED", shift)
		}
		if auto != "" {
			notes += fmt.Sprintf(", autoshift from %s %s", auto, map[bool]string{true: "APPLIED", false: "NOT_APPLIED"}[shift == ""])
		}
		weights := map[string]float32{}
		for _, z := range []string{"use1-az2", "use1-az3", "use1-az4"} {
			weights[z] = 1
		}
		if away != "" {
			weights[away] = 0
		}
		told = append(told, fmt.Sprintf("%s %v%s", name, weights, notes))
	}
	for _, status := range statuses(lists) {
		var of []string
		for _, s := range r.shifts {
			if s.status() == status {
				of = append(of, fmt.Sprintf("%s %s %s why until %v", s.name, status, s.zone, s.expiry.Sub(r.start)))
			}
		}
		told = append(told, strings.Join(of, ", "))
	}
	return strings.Join(told, "\n")
}

func statuses(lists bool) []types.ZonalShiftStatus {
	if !lists {
		return nil
	}
	return types.ZonalShiftStatus("").Values()
}
