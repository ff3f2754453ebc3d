package zonalhc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/zonalhc"
)

// twoZones is a pool with two targets in each of two zones; those of az1 are unhealthy while bad says so.
func twoZones(bad *atomic.Bool) *healthcheckmock.SourceMock {
	view := func() *healthcheck.View {
		var statuses []healthcheck.Status
		for k, zone := range []string{"az1", "az1", "az2", "az2"} {
			s := healthcheck.Status{Target: healthcheck.Target{ID: fmt.Sprint(k), Zone: zone}, State: healthcheck.Healthy}
			if zone == "az1" && bad.Load() {
				s.State = healthcheck.Unhealthy
			}
			statuses = append(statuses, s)
		}
		return healthcheck.NewView(statuses...)
	}
	return &healthcheckmock.SourceMock{
		ViewFunc: view,
		WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
			for !cond(view()) {
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		},
	}
}

// Reads come from places that are behind by different times: what one has shown, the next one may not know yet, for less
// than SettleTime after the change.
func TestReadsThatContradictEachOther(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		loseStart bool
		want      []zonalhc.Kind
	}{
		{"after a start and a cancellation", false, []zonalhc.Kind{zonalhc.KindStarted, zonalhc.KindCancelled}},
		{"after a start whose reply was lost", true, []zonalhc.Kind{zonalhc.KindFailed, zonalhc.KindAdopted, zonalhc.KindCancelled}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var bad atomic.Bool
				bad.Store(true)
				var active, changed time.Time // the shift is active since; when that began or ended
				var starts, cancels, reads int
				api := &healthcheckmock.ZonalShiftAPIMock{
					GetManagedResourceFunc: func(context.Context, *arczonalshift.GetManagedResourceInput, ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error) {
						reads++
						shown := !active.IsZero()
						if time.Since(changed) < 50*time.Second && reads%2 == 0 { // this place is behind
							shown = !shown
						}
						out := &arczonalshift.GetManagedResourceOutput{AppliedWeights: map[string]float32{"az1": 1, "az2": 1}}
						if shown {
							out.ZonalShifts = []types.ZonalShiftInResource{{
								ZonalShiftId: aws.String("s"), AwayFrom: aws.String("az1"), Comment: aws.String("why"), ShiftType: types.ShiftTypeZonalShift,
								StartTime: aws.Time(changed), ExpiryTime: aws.Time(time.Now().Add(time.Hour)),
							}}
						}
						return out, nil
					},
					StartZonalShiftFunc: func(_ context.Context, in *arczonalshift.StartZonalShiftInput, _ ...func(*arczonalshift.Options)) (*arczonalshift.StartZonalShiftOutput, error) {
						if starts++; *in.ExpiresIn != "90m" {
							t.Errorf("the shift is to hold for %s", *in.ExpiresIn)
						}
						active, changed = time.Now(), time.Now()
						if test.loseStart {
							reads = 0 // the next read shows it, the one after does not
							return nil, errors.New("connection reset")
						}
						return &arczonalshift.StartZonalShiftOutput{
							ZonalShiftId: aws.String("s"), StartTime: aws.Time(time.Now()), ExpiryTime: aws.Time(time.Now().Add(90 * time.Minute)),
						}, nil
					},
					CancelZonalShiftFunc: func(context.Context, *arczonalshift.CancelZonalShiftInput, ...func(*arczonalshift.Options)) (*arczonalshift.CancelZonalShiftOutput, error) {
						cancels++
						active, changed = time.Time{}, time.Now()
						bad.Store(true) // a relapse, so that the resource is read at once
						return &arczonalshift.CancelZonalShiftOutput{}, nil
					},
				}
				var got []zonalhc.Kind
				s := must(zonalhc.New(api, twoZones(&bad), "arn:x", func(o *zonalhc.Options) {
					o.Expiry, o.Comment, o.Cancel, o.BadFor, o.Interval = 90*time.Minute, "why", true, 10*time.Second, 10*time.Second
					o.OnEvent = func(_ context.Context, e zonalhc.Event) {
						if e.Kind != zonalhc.KindDecided {
							got = append(got, e.Kind)
						}
						if e.Kind == zonalhc.KindCancelled {
							panic("which is recovered")
						}
					}
				}))(t)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				time.AfterFunc(3*time.Minute, func() { bad.Store(false) })
				if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if len(got) < len(test.want) || !slices.Equal(got[:len(test.want)], test.want) || cancels != 1 {
					t.Errorf("%d cancellations, %d starts: (-want +got):\n%s", cancels, starts, cmp.Diff(test.want, got))
				}
				if slices.Contains(got, zonalhc.KindTakenBack) || len(slices.DeleteFunc(slices.Clone(got), func(k zonalhc.Kind) bool { return k != zonalhc.KindAdopted })) > 1 {
					t.Errorf("events: %q", got)
				}
			})
		})
	}
}

// What is shown of a resource is no own shift if it is no shift of a customer's, and no shift at all once it has expired.
func TestShiftsThatAreNotOwn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kind types.ShiftType
		left time.Duration
		want []string
	}{
		{"a shift with the comment", types.ShiftTypeZonalShift, time.Hour, []string{"adopted", "decided shifted"}},
		{"a practice run with the comment", types.ShiftTypePracticeRun, time.Hour, []string{"decided confirming", "decided other-shift"}},
		{"an experiment with the comment", types.ShiftTypeFisExperiment, time.Hour, []string{"decided confirming", "decided other-shift"}},
		{"one that has expired", types.ShiftTypeZonalShift, -time.Second, []string{"decided confirming", "started zone-bad", "decided shifted"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var bad atomic.Bool
				bad.Store(true)
				start, expiry := time.Now().Add(-2*time.Hour), time.Now().Add(test.left)
				api := &healthcheckmock.ZonalShiftAPIMock{
					GetManagedResourceFunc: func(context.Context, *arczonalshift.GetManagedResourceInput, ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error) {
						return &arczonalshift.GetManagedResourceOutput{
							AppliedWeights: map[string]float32{"az1": 1, "az2": 1},
							ZonalShifts: []types.ZonalShiftInResource{{
								ZonalShiftId: aws.String("s"), AwayFrom: aws.String("az1"), Comment: aws.String("why"), ShiftType: test.kind, StartTime: &start, ExpiryTime: &expiry,
							}},
						}, nil
					},
					StartZonalShiftFunc: func(context.Context, *arczonalshift.StartZonalShiftInput, ...func(*arczonalshift.Options)) (*arczonalshift.StartZonalShiftOutput, error) {
						return &arczonalshift.StartZonalShiftOutput{ZonalShiftId: aws.String("t"), StartTime: aws.Time(time.Now()), ExpiryTime: aws.Time(time.Now().Add(time.Hour))}, nil
					},
				}
				var got []string
				s := must(zonalhc.New(api, twoZones(&bad), "arn:x", func(o *zonalhc.Options) {
					o.Expiry, o.Comment, o.SettleTime = time.Hour, "why", 10*time.Minute
					o.OnEvent = func(_ context.Context, e zonalhc.Event) {
						got = append(got, strings.TrimSpace(fmt.Sprint(e.Kind, " ", e.Decision.Reason)))
					}
				}))(t)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
				defer cancel()
				if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}
