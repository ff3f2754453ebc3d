package zonalhc_test

import (
	"context"
	"errors"
	"fmt"
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

// What a view says of its zones is what is advised by.
func TestWhatZonesAreLike(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		zones [3]string // of az1, az2 and az3: a letter for each target: healthy, unhealthy or initial
		view  healthcheck.ViewOptions
		want  zonalhc.Reason // in the end
		own   bool           // a shift away from az1 is active
	}{
		{"all is well", [3]string{"hh", "hh", "hh"}, healthcheck.ViewOptions{}, zonalhc.Calm, false},
		{"one is bad", [3]string{"uu", "hh", "hh"}, healthcheck.ViewOptions{}, zonalhc.ZoneBad, false},
		{"just bad enough", [3]string{"uuuhh", "hhhh", "hhhh"}, healthcheck.ViewOptions{}, zonalhc.ZoneBad, false},
		{"not bad enough", [3]string{"uuhh", "hhhh", "hhhh"}, healthcheck.ViewOptions{}, zonalhc.Calm, false},
		{"one target tells of itself", [3]string{"u", "hh", "hh"}, healthcheck.ViewOptions{}, zonalhc.Calm, false},
		{"nothing is known of it yet", [3]string{"ii", "hh", "hh"}, healthcheck.ViewOptions{}, zonalhc.Calm, false},
		{"another has half of its targets", [3]string{"uu", "uh", "hh"}, healthcheck.ViewOptions{}, zonalhc.ZoneBad, false},
		{"and is Down with that", [3]string{"uu", "uh", "hh"}, healthcheck.ViewOptions{ZoneFailover: healthcheck.Threshold{Percent: 60}}, zonalhc.NoCapacity, false},
		{"the pool is short of CPU", [3]string{"uu", "hh", "hh"}, healthcheck.ViewOptions{Local: healthcheck.Local{Stretch: 2}}, zonalhc.Degraded, false},
		{"shifted, and well again", [3]string{"hh", "hh", "hh"}, healthcheck.ViewOptions{}, zonalhc.ZoneWell, true},
		{"shifted, and nothing is known of it yet", [3]string{"ii", "hh", "hh"}, healthcheck.ViewOptions{}, zonalhc.Shifted, true},
		{"shifted, and a fifth is unhealthy", [3]string{"uhhhh", "hh", "hh"}, healthcheck.ViewOptions{}, zonalhc.Shifted, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var statuses []healthcheck.Status
				states := map[rune]healthcheck.State{'h': healthcheck.Healthy, 'u': healthcheck.Unhealthy, 'i': healthcheck.Initial}
				for z, targets := range test.zones {
					for k, state := range targets {
						target := healthcheck.Target{ID: fmt.Sprint(z, "-", k), Zone: fmt.Sprint("az", z+1)}
						statuses = append(statuses, healthcheck.Status{Target: target, State: states[state]})
					}
				}
				view := test.view.View(statuses...)
				source := &healthcheckmock.SourceMock{
					ViewFunc: func() *healthcheck.View { return view },
					WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
						if !cond(view) {
							<-ctx.Done()
						}
						return context.Cause(ctx)
					},
				}
				api := calm(func() {}, nil)
				if read := api.GetManagedResourceFunc; test.own {
					expiry := time.Now().Add(time.Hour)
					api.GetManagedResourceFunc = func(ctx context.Context, in *arczonalshift.GetManagedResourceInput, _ ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error) {
						out, err := read(ctx, in)
						out.ZonalShifts = []types.ZonalShiftInResource{{ZonalShiftId: aws.String("s"), AwayFrom: aws.String("az1"), Comment: aws.String("why"), ExpiryTime: &expiry}}
						return out, err
					}
				}
				var got zonalhc.Reason
				a := must(zonalhc.New(api, source, "arn:x", func(o *zonalhc.Options) {
					o.Expiry, o.Comment, o.DryRun, o.BadPercent, o.Cancel = time.Hour, "why", true, 60, true
					o.OnEvent = func(_ context.Context, e zonalhc.Event) { got = e.Decision.Reason }
				}))(t)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				if err := a.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}
