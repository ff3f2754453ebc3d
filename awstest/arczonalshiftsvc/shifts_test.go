package arczonalshiftsvc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

type startIn = arczonalshift.StartZonalShiftInput

func TestShiftExpires(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		out := svctest.Must(w.StartZonalShift(w.Context(), startInput()))(w)
		if *out.ResourceIdentifier != prefix+"web" || *out.AwayFrom != zone || *out.Comment != "why" || out.Status != types.ZonalShiftStatusActive ||
			out.StartTime.Sub(w.start) != time.Millisecond || out.ExpiryTime.Sub(*out.StartTime) != time.Hour {
			w.Errorf("got %+v", out)
		}
		if got := w.resource("web"); got != "web map[use1-az2:0 use1-az3:1 use1-az4:1], shift from use1-az2 APPLIED" {
			w.Errorf("while it lasts: %s", got)
		}
		w.until(time.Hour - time.Millisecond)
		if got := w.list(""); got != "web ACTIVE use1-az2 why until 1h0m0s" {
			w.Errorf("before it expires: %s", got)
		}
		if got := w.list(""); got != "" {
			w.Errorf("active after its expiry: %s", got)
		}
		if got := w.list(types.ZonalShiftStatusExpired); got != "web EXPIRED use1-az2 why until 1h0m0s" {
			w.Errorf("expired: %s", got)
		}
		if got := w.resource("web"); got != "web map[use1-az2:1 use1-az3:1 use1-az4:1]" {
			w.Errorf("after its expiry: %s", got)
		}
		if got := w.changes(); got != "0s web out of [use1-az2], 1h0m0s web out of []" {
			w.Errorf("the resource was told %s", got)
		}
	})
}

func TestShiftIsCanceled(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.shift()
		w.until(time.Minute)
		out := svctest.Must(w.CancelZonalShift(w.Context(), &arczonalshift.CancelZonalShiftInput{ZonalShiftId: &id}))(w)
		if out.Status != types.ZonalShiftStatusCanceled || *out.ZonalShiftId != id {
			w.Errorf("got %+v", out)
		}
		if got := w.list(types.ZonalShiftStatusCanceled) + w.list(types.ZonalShiftStatusActive); got != "web CANCELED use1-az2 why until 1h0m0s" {
			w.Errorf("got %s", got)
		}
		w.shift(func(in *startIn) { in.AwayFrom = aws.String(another) })
		w.until(2 * time.Hour) // the expiry of the first changes nothing
		if got := w.changes(); got != "0s web out of [use1-az2], 1m0s web out of [], 1m0s web out of [use1-az3], 1h1m0s web out of []" {
			w.Errorf("the resource was told %s", got)
		}
		err := w.cancel(id)
		wantReason(w, err, "ZonalShiftStatusNotActive")
		svctest.WantStatus(w, err, 409)
	})
}

func TestShiftIsUpdated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.shift()
		update := func(expiresIn, comment *string) error {
			_, err := w.UpdateZonalShift(w.Context(), &arczonalshift.UpdateZonalShiftInput{ZonalShiftId: &id, ExpiresIn: expiresIn, Comment: comment})
			return err
		}
		w.until(30 * time.Minute)
		for _, err := range []error{update(aws.String("2h"), nil), update(nil, aws.String("still so"))} {
			if err != nil {
				w.Error(err)
			}
		}
		if got := w.list(""); got != "web ACTIVE use1-az2 still so until 2h30m0s" {
			w.Errorf("got %s", got)
		}
		wantReason(w, update(nil, nil), "MissingValue")
		wantReason(w, update(aws.String("73h"), nil), "InvalidExpiresIn")
		svctest.WantCode(w, update(nil, aws.String(strings.Repeat("c", 129))), "ValidationException")
		w.until(2 * time.Hour)
		if got := w.changes(); got != "0s web out of [use1-az2]" {
			w.Errorf("the resource was told %s", got)
		}
		if err := update(aws.String("1m"), nil); err != nil { // earlier than before
			w.Error(err)
		}
		w.until(2*time.Hour + 2*time.Minute)
		wantReason(w, update(aws.String("1m"), nil), "ZonalShiftStatusNotActive")
		if got := w.changes(); got != "2h1m0s web out of []" {
			w.Errorf("the resource was told %s", got)
		}
	})
}

func TestStartIsRefused(t *testing.T) {
	t.Parallel()
	expires := func(text string) func(*startIn) { return func(in *startIn) { in.ExpiresIn = &text } }
	from := func(text string) func(*startIn) { return func(in *startIn) { in.AwayFrom = &text } }
	for name, c := range map[string]struct {
		change func(*startIn)
		reason string // empty is accepted
	}{
		"a minute":                           {expires("1m"), ""},
		"three days":                         {expires("72h"), ""},
		"three days of minutes":              {expires("4320m"), ""},
		"more than three days":               {expires("73h"), "InvalidExpiresIn"},
		"more minutes than three days":       {expires("4321m"), "InvalidExpiresIn"},
		"no time":                            {expires("0m"), "InvalidExpiresIn"},
		"seconds":                            {expires("90s"), "InvalidExpiresIn"},
		"a number with a sign":               {expires("+1h"), "InvalidExpiresIn"},
		"a part of an hour":                  {expires("1.5h"), "InvalidExpiresIn"},
		"two units":                          {expires("1h30m"), "InvalidExpiresIn"},
		"the name of a zone":                 {from("us-east-1a"), "InvalidAz"},
		"a zone of another region":           {from("euw1-az1"), "InvalidAz"},
		"a zone that the resource is not in": {from("use1-az6"), "UnsupportedAz"},
		"a name in place of the ARN":         {func(in *startIn) { in.ResourceIdentifier = aws.String("web-front") }, "InvalidResourceIdentifier"},
		"an ARN that is too short":           {func(in *startIn) { in.ResourceIdentifier = aws.String("arn:a") }, "InvalidResourceIdentifier"},
		"a comment of 128 characters":        {func(in *startIn) { in.Comment = aws.String(strings.Repeat("ü", 128)) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				_, err := w.StartZonalShift(w.Context(), startInput(c.change))
				switch {
				case c.reason != "":
					wantReason(w, err, c.reason)
					svctest.WantStatus(w, err, 400)
				case err != nil:
					w.Error(err)
				}
			})
		})
	}
	inBubble(t, func(w *world) {
		_, err := w.StartZonalShift(w.Context(), startInput(func(in *startIn) { in.Comment = aws.String(strings.Repeat("c", 129)) }))
		svctest.WantCode(w, err, "ValidationException")
		for _, arn := range []string{prefix + "none", "arn:aws:eks:us-east-1:123456789012:cluster/a", "arn:aws:fleet:"} {
			_, err := w.StartZonalShift(w.Context(), startInput(func(in *startIn) { in.ResourceIdentifier = &arn }))
			svctest.WantCode(w, err, "ResourceNotFoundException")
			svctest.WantStatus(w, err, 404)
		}
		if got := w.changes(); got != "" {
			w.Errorf("refused, and yet: %s", got)
		}
	})
}

func TestOneShiftForAResource(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.shift()
		for from, reason := range map[string]string{zone: "ZonalShiftAlreadyExists", another: "SimultaneousZonalShiftsConflict"} {
			_, err := w.StartZonalShift(w.Context(), startInput(func(in *startIn) { in.AwayFrom = &from }))
			wantReason(w, err, reason)
			if e, ok := errors.AsType[*types.ConflictException](err); !ok || aws.ToString(e.ZonalShiftId) != id {
				w.Errorf("got %v, want a word on %s", err, id)
			}
		}
		w.shift(of("api")) // another resource has its own
		if got := w.list(""); got != "web ACTIVE use1-az2 why until 1h0m0s, api ACTIVE use1-az2 why until 1h0m0s" {
			w.Errorf("got %s", got)
		}
	})
}

func TestUnknownShift(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.shift()
		elsewhere := arczonalshift.NewFromConfig(w.cloud.Config("eu-west-1"))
		for name, err := range map[string]error{
			"cancel": w.cancel("00000000-0000-4000-8000-00000000ffff"),
			"update": func() error {
				_, err := w.UpdateZonalShift(w.Context(), &arczonalshift.UpdateZonalShiftInput{ZonalShiftId: aws.String("x"), Comment: aws.String("c")})
				return err
			}(),
			"cancel in another region": func() error {
				_, err := elsewhere.CancelZonalShift(w.Context(), &arczonalshift.CancelZonalShiftInput{ZonalShiftId: &id})
				return err
			}(),
		} {
			w.Log(name)
			svctest.WantCode(w, err, "ResourceNotFoundException")
		}
		if err := w.cancel(id); err != nil {
			w.Error(err)
		}
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, name := range []string{"web", "api", "gone"} {
			w.shift(of(name))
		}
		small := func(in *arczonalshift.ListZonalShiftsInput) { in.MaxResults = aws.Int32(1) }
		all := w.list("")
		if got := w.list("", small); got != all || strings.Count(all, "ACTIVE") != 3 {
			w.Errorf("in pages: %s, on one: %s", got, all)
		}
		if got := w.list("", func(in *arczonalshift.ListZonalShiftsInput) { in.ResourceIdentifier = aws.String(prefix + "api") }); got != "api ACTIVE use1-az2 why until 1h0m0s" {
			w.Errorf("of a resource: %s", got)
		}
		var names []string
		pages := arczonalshift.NewListManagedResourcesPaginator(w, &arczonalshift.ListManagedResourcesInput{MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			for _, r := range svctest.Must(pages.NextPage(w.Context()))(w).Items {
				names = append(names, fmt.Sprintf("%s %v %v %d %s %s", *r.Name, r.AvailabilityZones, r.AppliedWeights[zone], len(r.ZonalShifts), r.ZonalAutoshiftStatus, r.PracticeRunStatus))
			}
		}
		if got := strings.Join(names, ", "); got != "web [use1-az2 use1-az3 use1-az4] 0 1 ENABLED DISABLED, api [use1-az2 use1-az3 use1-az4] 0 1 DISABLED DISABLED, gone [use1-az2 use1-az3 use1-az4] 0 1 ENABLED DISABLED" {
			w.Errorf("got %s", got)
		}
		for _, c := range []struct {
			reason string
			in     any
		}{
			{"InvalidStatus", &arczonalshift.ListZonalShiftsInput{Status: "GONE"}},
			{"InvalidStatus", &arczonalshift.ListAutoshiftsInput{Status: "GONE"}},
			{"InvalidToken", &arczonalshift.ListZonalShiftsInput{NextToken: aws.String("x")}},
			{"InvalidToken", &arczonalshift.ListManagedResourcesInput{NextToken: aws.String("x")}},
			{"InvalidToken", &arczonalshift.ListAutoshiftsInput{NextToken: aws.String("x")}},
			{"", &arczonalshift.ListZonalShiftsInput{MaxResults: aws.Int32(0)}},
			{"", &arczonalshift.ListManagedResourcesInput{MaxResults: aws.Int32(101)}},
		} {
			_, err := svctest.Call(w.Context(), w.Client, c.in)
			wantReason(w, err, c.reason)
		}
		elsewhere := svctest.Must(arczonalshift.NewFromConfig(w.cloud.Config("eu-west-1")).ListManagedResources(w.Context(), nil))(w)
		if len(elsewhere.Items) != 0 {
			w.Errorf("%d resources elsewhere", len(elsewhere.Items))
		}
	})
}

func TestShiftTakesEffectAfterAWhile(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *arczonalshiftsvc.Options) { o.Effect = time.Minute }, func(w *world) {
		id := w.shift()
		if got := w.list(""); got == "" {
			w.Error("the shift is not there at once")
		}
		w.until(30 * time.Second)
		if got := w.changes(); got != "" {
			w.Errorf("in effect too early: %s", got)
		}
		w.until(5 * time.Minute)
		if err := w.cancel(id); err != nil {
			w.Error(err)
		}
		w.until(10 * time.Minute)
		if got := w.changes(); got != "1m0s web out of [use1-az2], 6m0s web out of []" {
			w.Errorf("got %s", got)
		}
	})
}

// The end of one shift must not bring the next one into effect too early.
func TestEachShiftTakesItsOwnWhile(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *arczonalshiftsvc.Options) { o.Effect = 5 * time.Minute }, func(w *world) {
		id := w.shift()
		w.until(10 * time.Minute)
		if err := w.cancel(id); err != nil {
			w.Error(err)
		}
		w.until(14 * time.Minute)
		w.shift(func(in *arczonalshift.StartZonalShiftInput) { in.AwayFrom = aws.String(another) })
		w.until(30 * time.Minute)
		if got := w.changes(); got != "5m0s web out of [use1-az2], 15m0s web out of [], 19m0s web out of [use1-az3]" {
			w.Errorf("got %s", got)
		}
	})
}

// A resource that is stuck stays where it is, whatever shifts come and go.
func TestStuckResourceStaysWhereItIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		heal := svctest.Must(w.cloud.Stick(prefix + "web"))(w)
		w.shift(func(in *startIn) { in.ExpiresIn = aws.String("1m") })
		if got := w.resource("web"); got != "web map[use1-az2:1 use1-az3:1 use1-az4:1], shift from use1-az2 APPLIED" {
			w.Errorf("got %s", got)
		}
		w.until(2 * time.Minute)
		w.shift(func(in *startIn) { in.AwayFrom = aws.String(another) })
		w.until(3 * time.Minute)
		heal()
		if got := w.changes(); got != "3m0s web out of [use1-az3]" {
			w.Errorf("got %s", got)
		}
	})
}

func TestAutoshift(t *testing.T) {
	t.Parallel()
	autoshifts := func(w *world, status types.AutoshiftExecutionStatus) (told string) {
		for _, a := range svctest.Must(w.ListAutoshifts(w.Context(), &arczonalshift.ListAutoshiftsInput{Status: status}))(w).Items {
			told += fmt.Sprintf("%s %s ended %v ", *a.AwayFrom, a.Status, a.EndTime != nil)
		}
		return told
	}
	inBubble(t, func(w *world) {
		w.fleet.gone = true
		end := svctest.Must(arczonalshiftsvc.StartAutoshift(w.cloud, zone))(w)
		// It passes by what is not enabled for it.
		if got := w.changes(); got != "0s web out of [use1-az2]" {
			w.Errorf("got %s", got)
		}
		// A resource that comes later is moved too.
		w.cloud.Update(func(tx *awstest.Tx) {
			w.fleet.gone = false
			region := svctest.Must(w.cloud.Region("us-east-1"))(w)
			w.fleet.model.Refresh(tx, region, prefix+"gone")
		})
		if got := w.changes(); got != "0s gone out of [use1-az2]" {
			w.Errorf("got %s", got)
		}
		if got := w.resource("web"); got != "web map[use1-az2:0 use1-az3:1 use1-az4:1], autoshift from use1-az2 APPLIED" {
			w.Errorf("got %s", got)
		}
		// A shift of the customer comes before it.
		id := w.shift(func(in *startIn) { in.AwayFrom = aws.String(another) })
		if got := w.resource("web"); got != "web map[use1-az2:1 use1-az3:0 use1-az4:1], shift from use1-az3 APPLIED, autoshift from use1-az2 NOT_APPLIED" {
			w.Errorf("got %s", got)
		}
		if err := w.cancel(id); err != nil {
			w.Error(err)
		}
		if got := autoshifts(w, "") + autoshifts(w, types.AutoshiftExecutionStatusCompleted); got != "use1-az2 ACTIVE ended false " {
			w.Errorf("got %s", got)
		}
		w.until(time.Minute)
		end()
		end()
		if got := w.changes(); got != "0s web out of [use1-az3], 0s web out of [use1-az2], 1m0s web out of [], 1m0s gone out of []" {
			w.Errorf("got %s", got)
		}
		if got := autoshifts(w, "") + autoshifts(w, types.AutoshiftExecutionStatusCompleted); got != "use1-az2 COMPLETED ended true " {
			w.Errorf("got %s", got)
		}
	})
	if _, err := arczonalshiftsvc.StartAutoshift(svctest.Must(awstest.New(nil))(t), zone); err == nil {
		t.Error("an autoshift in a cloud without zonal shift")
	}
	if _, err := arczonalshiftsvc.StartAutoshift(svctest.Must(awstest.New(nil))(t), "us-east-1a"); err == nil {
		t.Error("an autoshift away from a name")
	}
}

// No more than one zone of a resource is left, however many are in trouble.
func TestSecondAutoshiftWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.fleet.gone = true
		first := svctest.Must(arczonalshiftsvc.StartAutoshift(w.cloud, zone))(w)
		second := svctest.Must(arczonalshiftsvc.StartAutoshift(w.cloud, another))(w)
		w.until(time.Minute)
		first()
		w.until(2 * time.Minute)
		second()
		if got := w.changes(); got != "0s web out of [use1-az2], 1m0s web out of [use1-az3], 2m0s web out of []" {
			w.Errorf("got %s", got)
		}
	})
}

func TestReadsOfThePast(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.shift()
		w.until(10 * time.Second)
		if err := w.cancel(id); err != nil {
			w.Error(err)
		}
		w.until(20 * time.Second)
		for ago, want := range map[time.Duration]string{
			time.Second:      "web map[use1-az2:1 use1-az3:1 use1-az4:1] ",
			15 * time.Second: "web map[use1-az2:0 use1-az3:1 use1-az4:1], shift from use1-az2 APPLIED web ACTIVE use1-az2 why until 1h0m0s",
			30 * time.Second: "web map[use1-az2:1 use1-az3:1 use1-az4:1] ",
		} {
			heal := svctest.Must(w.cloud.Inject(awstest.Match{}, awstest.Stale(ago)))(w)
			got := w.resource("web") + " " + w.list("")
			heal()
			if got != want {
				w.Errorf("%v ago: got %s, want %s", ago, got, want)
			}
		}
	})
}

// The way out of a zone is open while it is down.
func TestZoneThatIsDownIsLeft(t *testing.T) {
	t.Parallel()
	for _, fault := range []awstest.Fault{awstest.PowerLoss, awstest.NetworkLoss} {
		inBubble(t, func(w *world) {
			heal := svctest.Must(w.cloud.Zone(zone))(w).Fail(fault)
			defer heal()
			w.shift()
			if got := w.changes(); got != "0s web out of [use1-az2]" {
				w.Errorf("%v: got %s", fault, got)
			}
		})
	}
}

func TestNothingIsManagedWithoutAService(t *testing.T) {
	t.Parallel()
	svctest.InBubble(t, []awstest.Service{arczonalshiftsvc.New()}, func(t *testing.T, cloud *awstest.Cloud) {
		client := arczonalshift.NewFromConfig(cloud.Config("us-east-1"))
		if n := len(svctest.Must(client.ListManagedResources(t.Context(), nil))(t).Items); n != 0 {
			t.Errorf("%d resources", n)
		}
		_, err := client.StartZonalShift(t.Context(), startInput())
		svctest.WantCode(t, err, "ResourceNotFoundException")
	})
}
