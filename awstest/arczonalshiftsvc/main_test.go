package arczonalshiftsvc_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet is a service with resources to shift: web and api in the first three
// zones of us-east-1, api without autoshift, and gone, which comes and goes.
type fleet struct {
	model  *zonalshiftmodel.Model
	gone   bool
	record func(string)
}

const prefix = "arn:aws:fleet:us-east-1:123456789012:"

func (f *fleet) register(r *awstest.Registry) error {
	f.model = zonalshiftmodel.Of(r)
	list := func(_ *awstest.Tx, region *awstest.Region) (all []zonalshiftmodel.Resource) {
		for _, name := range []string{"web", "api", "gone"} {
			if region.Name() == "us-east-1" && (name != "gone" || !f.gone) {
				all = append(all, zonalshiftmodel.Resource{ARN: prefix + name, Name: name, Zones: region.Zones()[:3], NoAutoshift: name == "api"})
			}
		}
		return all
	}
	f.model.RegisterKind(zonalshiftmodel.Kind{
		Prefix: "arn:aws:fleet:",
		List:   list,
		Resolve: func(tx *awstest.Tx, region *awstest.Region, arn string) (zonalshiftmodel.Resource, bool) {
			all := list(tx, region)
			i := slices.IndexFunc(all, func(r zonalshiftmodel.Resource) bool { return r.ARN == arn })
			if i < 0 {
				return zonalshiftmodel.Resource{}, false
			}
			return all[i], true
		},
		Changed: func(tx *awstest.Tx, region *awstest.Region, arn string) {
			f.record(fmt.Sprintf("%s out of %v", strings.TrimPrefix(arn, prefix), ids(f.model.Shifted(tx, region, arn))))
		},
	})
	return nil
}

func ids(zones []*awstest.Zone) (all []string) {
	for _, z := range zones {
		all = append(all, z.ID())
	}
	return all
}

type world struct {
	*testing.T
	*arczonalshift.Client
	cloud *awstest.Cloud
	fleet *fleet
	start time.Time
	log   []string // of the changes, with when they were
}

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	inBubbleWith(t, func(*arczonalshiftsvc.Options) {}, test, optFns...)
}

func inBubbleWith(t *testing.T, options func(*arczonalshiftsvc.Options), test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	f := &fleet{}
	svctest.InBubble(t, []awstest.Service{f.register, arczonalshiftsvc.New(options)}, func(t *testing.T, cloud *awstest.Cloud) {
		w := &world{T: t, Client: arczonalshift.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, fleet: f, start: time.Now()}
		f.record = func(text string) {
			w.log = append(w.log, fmt.Sprintf("%v %s", time.Since(w.start).Truncate(time.Second), text))
		}
		test(w)
	}, optFns...)
}

func (w *world) until(d time.Duration) { time.Sleep(time.Until(w.start.Add(d))) }

// changes tells what has changed since it was asked last.
func (w *world) changes() (told string) {
	w.cloud.Update(func(*awstest.Tx) { told, w.log = strings.Join(w.log, ", "), nil })
	return told
}

// The zones of the fleet: us-east-1a is use1-az2 and so on.
const zone, another = "use1-az2", "use1-az3"

func startInput(changes ...func(*arczonalshift.StartZonalShiftInput)) *arczonalshift.StartZonalShiftInput {
	in := &arczonalshift.StartZonalShiftInput{ResourceIdentifier: aws.String(prefix + "web"), AwayFrom: aws.String(zone), ExpiresIn: aws.String("1h"), Comment: aws.String("why")}
	for _, change := range changes {
		change(in)
	}
	return in
}

// shift starts a zonal shift and returns its ID.
func (w *world) shift(changes ...func(*arczonalshift.StartZonalShiftInput)) string {
	w.Helper()
	return *svctest.Must(w.StartZonalShift(w.Context(), startInput(changes...)))(w).ZonalShiftId
}

func of(name string) func(*arczonalshift.StartZonalShiftInput) {
	return func(in *arczonalshift.StartZonalShiftInput) { in.ResourceIdentifier = aws.String(prefix + name) }
}

func (w *world) cancel(id string) error {
	_, err := w.CancelZonalShift(w.Context(), &arczonalshift.CancelZonalShiftInput{ZonalShiftId: &id})
	return err
}

// list tells the shifts of a status.
func (w *world) list(status types.ZonalShiftStatus, changes ...func(*arczonalshift.ListZonalShiftsInput)) string {
	w.Helper()
	in := &arczonalshift.ListZonalShiftsInput{Status: status}
	for _, change := range changes {
		change(in)
	}
	var told []string
	pages := arczonalshift.NewListZonalShiftsPaginator(w, in)
	for pages.HasMorePages() {
		for _, s := range svctest.Must(pages.NextPage(w.Context()))(w).Items {
			told = append(told, fmt.Sprintf("%s %s %s %s until %v", strings.TrimPrefix(*s.ResourceIdentifier, prefix), s.Status, *s.AwayFrom, *s.Comment, s.ExpiryTime.Sub(w.start).Truncate(time.Second)))
		}
	}
	return strings.Join(told, ", ")
}

// resource tells what is known of a resource.
func (w *world) resource(name string) string {
	w.Helper()
	r := svctest.Must(w.GetManagedResource(w.Context(), &arczonalshift.GetManagedResourceInput{ResourceIdentifier: aws.String(prefix + name)}))(w)
	return tell(*r.Name, r.AppliedWeights, r.ZonalShifts, r.Autoshifts)
}

func tell(name string, weights map[string]float32, shifts []types.ZonalShiftInResource, autoshifts []types.AutoshiftInResource) string {
	var told strings.Builder
	fmt.Fprintf(&told, "%s %v", name, weights)
	for _, s := range shifts {
		fmt.Fprintf(&told, ", shift from %s %s", *s.AwayFrom, s.AppliedStatus)
	}
	for _, s := range autoshifts {
		fmt.Fprintf(&told, ", autoshift from %s %s", *s.AwayFrom, s.AppliedStatus)
	}
	return told.String()
}

// wantReason asserts the reason of a refusal.
func wantReason(t testing.TB, err error, reason string) {
	t.Helper()
	if e, ok := errors.AsType[*types.ConflictException](err); ok && string(e.Reason) == reason {
		return
	}
	if e, ok := errors.AsType[*types.ValidationException](err); ok && string(e.Reason) == reason {
		return
	}
	t.Errorf("got %v, want reason %q", err, reason)
}
