package route53svc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

var shape = cmpopts.IgnoreUnexported(types.HealthCheck{}, types.HealthCheckConfig{}, types.AlarmIdentifier{}, types.CloudWatchAlarmConfiguration{}, types.Dimension{})

func TestDefaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ given, want *config }{
		"HTTP": {endpoint(), &config{
			Type: "HTTP", IPAddress: aws.String(addr), ResourcePath: aws.String("/healthz"), Port: aws.Int32(80), RequestInterval: aws.Int32(30),
			FailureThreshold: aws.Int32(3), EnableSNI: aws.Bool(false), MeasureLatency: aws.Bool(false), Inverted: aws.Bool(false), Disabled: aws.Bool(false),
		}},
		"HTTPS": {endpoint(func(c *config) { c.Type = "HTTPS" }), &config{
			Type: "HTTPS", IPAddress: aws.String(addr), ResourcePath: aws.String("/healthz"), Port: aws.Int32(443), RequestInterval: aws.Int32(30),
			FailureThreshold: aws.Int32(3), EnableSNI: aws.Bool(true), MeasureLatency: aws.Bool(false), Inverted: aws.Bool(false), Disabled: aws.Bool(false),
		}},
		"CALCULATED": {&config{Type: "CALCULATED"}, &config{Type: "CALCULATED", HealthThreshold: aws.Int32(0), Inverted: aws.Bool(false), Disabled: aws.Bool(false)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				made := svctest.Must(w.try(c.given))(w)
				want := &types.HealthCheck{Id: made.Id, CallerReference: aws.String("ref-1"), HealthCheckVersion: aws.Int64(1), HealthCheckConfig: c.want}
				if diff := cmp.Diff(want, made, shape); diff != "" {
					t.Error(diff)
				}
				got := svctest.Must(w.GetHealthCheck(w.Context(), &route53.GetHealthCheckInput{HealthCheckId: made.Id}))(w).HealthCheck
				if diff := cmp.Diff(made, got, shape); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestCallerReference(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		dormant := func(c *config) { c.Disabled = aws.Bool(true) } // nobody asks for a week
		first := svctest.Must(w.tryAs("a", endpoint(dormant)))(w)
		again := svctest.Must(w.tryAs("a", endpoint(dormant, func(c *config) { c.Port = aws.Int32(80) })))(w) // the default, said
		if *again.Id != *first.Id {
			t.Errorf("made another one: %s", *again.Id)
		}
		if other := svctest.Must(w.tryAs("b", endpoint(dormant)))(w); *other.Id == *first.Id {
			t.Error("another reference has made no other one")
		}
		refused := func(what string, c *config) {
			_, err := w.tryAs("a", c)
			svctest.WantCode(w, err, "HealthCheckAlreadyExists")
			svctest.WantStatus(w, err, 409)
			if n := *svctest.Must(w.GetHealthCheckCount(w.Context(), nil))(w).HealthCheckCount; n > 2 {
				t.Errorf("%s: %d health checks", what, n)
			}
		}
		refused("other settings", endpoint(dormant, quick))
		svctest.Must(w.update(*first.Id, func(in *route53.UpdateHealthCheckInput) { in.FailureThreshold = aws.Int32(5) }))(w)
		refused("the settings of before the update", endpoint(dormant))
		w.remove(*first.Id)
		refused("deleted", endpoint(dormant))
		time.Sleep(7*24*time.Hour - time.Minute)
		refused("deleted a week ago", endpoint(dormant))
		time.Sleep(time.Minute)
		svctest.Must(w.tryAs("a", endpoint(dormant)))(w)
	})
}

func TestLostReplyMeetsItself(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.cloud.LoseReply(route53.ServiceID, "CreateHealthCheck", 1))(w)
		w.create(endpoint())
		if n := *svctest.Must(w.GetHealthCheckCount(w.Context(), nil))(w).HealthCheckCount; n != 1 {
			t.Errorf("%d health checks", n)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	children := func(n int) (ids []string) {
		for i := range n {
			ids = append(ids, fmt.Sprint("child-", i))
		}
		return ids
	}
	long := aws.String(strings.Repeat("x", 256))
	for name, c := range map[string]*config{
		"an unknown type":             {Type: "PING", IPAddress: aws.String(addr)},
		"neither address nor name":    {Type: "HTTP"},
		"no address":                  endpoint(func(c *config) { c.IPAddress = aws.String("web.example") }),
		"a private address":           endpoint(func(c *config) { c.IPAddress = aws.String("10.0.0.10") }),
		"a private IPv6 address":      endpoint(func(c *config) { c.IPAddress = aws.String("fd00::1") }),
		"the machine itself":          endpoint(func(c *config) { c.IPAddress = aws.String("127.0.0.1") }),
		"a link":                      endpoint(func(c *config) { c.IPAddress = aws.String("169.254.169.254") }),
		"a shared address":            endpoint(func(c *config) { c.IPAddress = aws.String("100.64.1.1") }),
		"multicast":                   endpoint(func(c *config) { c.IPAddress = aws.String("224.0.0.1") }),
		"a port too high":             endpoint(func(c *config) { c.Port = aws.Int32(65536) }),
		"a port below zero":           endpoint(func(c *config) { c.Port = aws.Int32(-1) }),
		"TCP without a port":          endpoint(func(c *config) { c.Type, c.ResourcePath = "TCP", nil }),
		"TCP with a path":             endpoint(func(c *config) { c.Type, c.Port = "TCP", aws.Int32(80) }),
		"a long path":                 endpoint(func(c *config) { c.ResourcePath = long }),
		"a long name":                 endpoint(func(c *config) { c.FullyQualifiedDomainName = long }),
		"a search without a string":   endpoint(func(c *config) { c.Type = "HTTP_STR_MATCH" }),
		"a string without a search":   endpoint(func(c *config) { c.SearchString = aws.String("x") }),
		"an interval of 20":           endpoint(func(c *config) { c.RequestInterval = aws.Int32(20) }),
		"an interval of zero":         endpoint(func(c *config) { c.RequestInterval = aws.Int32(0) }),
		"a threshold of zero":         endpoint(func(c *config) { c.FailureThreshold = aws.Int32(0) }),
		"a threshold of eleven":       endpoint(func(c *config) { c.FailureThreshold = aws.Int32(11) }),
		"two regions":                 endpoint(func(c *config) { c.Regions = []types.HealthCheckRegion{"us-east-1", "eu-west-1"} }),
		"a region without checkers":   endpoint(func(c *config) { c.Regions = []types.HealthCheckRegion{"us-east-1", "eu-west-1", "eu-central-1"} }),
		"a region twice":              endpoint(func(c *config) { c.Regions = []types.HealthCheckRegion{"us-east-1", "eu-west-1", "eu-west-1"} }),
		"children of an endpoint":     endpoint(func(c *config) { c.ChildHealthChecks = []string{"a"} }),
		"an alarm of an endpoint":     endpoint(func(c *config) { c.InsufficientDataHealthStatus = "Healthy" }),
		"an endpoint that calculates": {Type: "CALCULATED", IPAddress: aws.String(addr)},
		"a port that calculates":      {Type: "CALCULATED", Port: aws.Int32(80)},
		"too many children":           {Type: "CALCULATED", ChildHealthChecks: children(256)},
		"an unknown child":            {Type: "CALCULATED", ChildHealthChecks: children(1)},
		"a child twice":               {Type: "CALCULATED", ChildHealthChecks: []string{"a", "a"}},
		"a sum that is too high":      {Type: "CALCULATED", HealthThreshold: aws.Int32(257)},
		"a sum below zero":            {Type: "CALCULATED", HealthThreshold: aws.Int32(-1)},
		"a sum of an alarm":           {Type: "CALCULATED", InsufficientDataHealthStatus: "Healthy"},
		"no alarm":                    {Type: "CLOUDWATCH_METRIC"},
		"an unknown alarm":            {Type: "CLOUDWATCH_METRIC", AlarmIdentifier: &types.AlarmIdentifier{Name: aws.String("a"), Region: "us-east-1"}},
		"an alarm of nowhere":         {Type: "CLOUDWATCH_METRIC", AlarmIdentifier: &types.AlarmIdentifier{Name: aws.String("a"), Region: "mars-1"}},
		"a status that is none":       {Type: "CLOUDWATCH_METRIC", AlarmIdentifier: &types.AlarmIdentifier{Name: aws.String("a"), Region: "us-east-1"}, InsufficientDataHealthStatus: "Good"},
		"an alarm at a port":          {Type: "CLOUDWATCH_METRIC", AlarmIdentifier: &types.AlarmIdentifier{Name: aws.String("a"), Region: "us-east-1"}, Port: aws.Int32(1)},
		"an alarm that calculates":    {Type: "CLOUDWATCH_METRIC", AlarmIdentifier: &types.AlarmIdentifier{Name: aws.String("a"), Region: "us-east-1"}, HealthThreshold: aws.Int32(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				_, err := w.try(c)
				svctest.WantCode(w, err, "InvalidInput")
				svctest.WantStatus(w, err, 400)
			})
		})
	}
}

func TestRefusedReferencesAndCalls(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, ref := range []string{"", strings.Repeat("x", 65)} {
			_, err := w.tryAs(ref, endpoint())
			svctest.WantCode(w, err, "InvalidInput")
		}
		unknown := aws.String("00000000-0000-4000-8000-ffffffffffff")
		for _, in := range []any{
			&route53.GetHealthCheckInput{HealthCheckId: unknown},
			&route53.UpdateHealthCheckInput{HealthCheckId: unknown},
			&route53.DeleteHealthCheckInput{HealthCheckId: unknown},
			&route53.GetHealthCheckStatusInput{HealthCheckId: unknown},
			&route53.GetHealthCheckLastFailureReasonInput{HealthCheckId: unknown},
			&route53.ChangeTagsForResourceInput{ResourceId: unknown, ResourceType: "healthcheck", RemoveTagKeys: []string{"a"}},
			&route53.ListTagsForResourceInput{ResourceId: unknown, ResourceType: "healthcheck"},
		} {
			_, err := svctest.Call(w.Context(), w.Client, in)
			svctest.WantCode(w, err, "NoSuchHealthCheck")
			svctest.WantStatus(w, err, 404)
		}
		id := w.create(&config{Type: "CALCULATED"})
		for _, in := range []any{
			&route53.UpdateHealthCheckInput{HealthCheckId: &id, HealthCheckVersion: aws.Int64(0)},
			&route53.UpdateHealthCheckInput{HealthCheckId: &id, ResetElements: []types.ResettableElementName{"Port"}},
			&route53.UpdateHealthCheckInput{HealthCheckId: &id, IPAddress: aws.String(addr)},
			&route53.GetHealthCheckStatusInput{HealthCheckId: &id},
			&route53.GetHealthCheckLastFailureReasonInput{HealthCheckId: &id},
			&route53.ListHealthChecksInput{MaxItems: aws.Int32(0)},
			&route53.ListHealthChecksInput{Marker: unknown},
			&route53.ChangeTagsForResourceInput{ResourceId: &id, ResourceType: "healthcheck"},
		} {
			_, err := svctest.Call(w.Context(), w.Client, in)
			svctest.WantCode(w, err, "InvalidInput")
		}
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		named := func(c *config) { c.FullyQualifiedDomainName = aws.String("web.example") }
		made := svctest.Must(w.try(endpoint(named)))(w)
		got := svctest.Must(w.update(*made.Id, func(in *route53.UpdateHealthCheckInput) {
			in.HealthCheckVersion = aws.Int64(1)
			in.ResetElements = []types.ResettableElementName{"ResourcePath", "FullyQualifiedDomainName"}
			in.IPAddress, in.Port, in.FailureThreshold, in.Inverted = aws.String("203.0.113.11"), aws.Int32(8080), aws.Int32(1), aws.Bool(true)
			in.Regions = []types.HealthCheckRegion{"us-east-1", "eu-west-1", "us-west-2"}
		}))(w)
		want := *made
		want.HealthCheckVersion = aws.Int64(2)
		want.HealthCheckConfig = &config{
			Type: "HTTP", IPAddress: aws.String("203.0.113.11"), Port: aws.Int32(8080), RequestInterval: aws.Int32(30), FailureThreshold: aws.Int32(1),
			Inverted: aws.Bool(true), Disabled: aws.Bool(false), EnableSNI: aws.Bool(false), MeasureLatency: aws.Bool(false),
			Regions: []types.HealthCheckRegion{"us-east-1", "eu-west-1", "us-west-2"},
		}
		if diff := cmp.Diff(&want, got, shape); diff != "" {
			t.Error(diff)
		}
		for _, version := range []int64{1, 3} {
			_, err := w.update(*made.Id, func(in *route53.UpdateHealthCheckInput) { in.HealthCheckVersion = &version })
			svctest.WantCode(w, err, "HealthCheckVersionMismatch")
			svctest.WantStatus(w, err, 409)
		}
		byName := w.create(endpoint(func(c *config) { named(c); c.IPAddress = nil }))
		for what, change := range map[string]func(*route53.UpdateHealthCheckInput){
			"an address is added": func(in *route53.UpdateHealthCheckInput) { in.IPAddress = aws.String(addr) },
			"the name is removed": func(in *route53.UpdateHealthCheckInput) {
				in.ResetElements = []types.ResettableElementName{"FullyQualifiedDomainName"}
			},
		} {
			_, err := w.update(byName, change)
			svctest.WantCode(w, err, "InvalidInput")
			if err == nil {
				t.Error(what)
			}
		}
	})
}

func TestPages(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var want []string
		for range 120 {
			want = append(want, w.create(&config{Type: "CALCULATED"}))
		}
		for _, c := range []struct {
			items *int32
			pages int
		}{{nil, 2}, {aws.Int32(1), 120}, {aws.Int32(50), 3}, {aws.Int32(120), 1}, {aws.Int32(5000), 1}} {
			var got []string
			n := 0
			pages := route53.NewListHealthChecksPaginator(w, &route53.ListHealthChecksInput{MaxItems: c.items})
			for ; pages.HasMorePages(); n++ {
				for _, hc := range svctest.Must(pages.NextPage(w.Context()))(w).HealthChecks {
					got = append(got, *hc.Id)
				}
			}
			if !slices.Equal(got, want) || n != c.pages {
				t.Errorf("%v a page: %d in %d pages", aws.ToInt32(c.items), len(got), n)
			}
		}
		for range 80 {
			w.create(&config{Type: "CALCULATED"})
		}
		_, err := w.try(&config{Type: "CALCULATED"})
		svctest.WantCode(w, err, "TooManyHealthChecks")
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.create(&config{Type: "CALCULATED"})
		tag := func(n int, remove ...string) error {
			in := &route53.ChangeTagsForResourceInput{ResourceId: &id, ResourceType: "healthcheck", RemoveTagKeys: remove}
			for i := range n {
				in.AddTags = append(in.AddTags, types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String(fmt.Sprint("v", i))})
			}
			_, err := w.ChangeTagsForResource(w.Context(), in)
			return err
		}
		told := func() (all string) {
			out := svctest.Must(w.ListTagsForResource(w.Context(), &route53.ListTagsForResourceInput{ResourceId: &id, ResourceType: "healthcheck"}))(w)
			for _, t := range out.ResourceTagSet.Tags {
				all += *t.Key + "=" + *t.Value + " "
			}
			return all
		}
		if err := tag(2); err != nil || told() != "k0=v0 k1=v1 " {
			t.Errorf("got %q, %v", told(), err)
		}
		if err := tag(0, "k0", "unknown"); err != nil || told() != "k1=v1 " {
			t.Errorf("got %q, %v", told(), err)
		}
		svctest.WantCode(w, tag(11), "InvalidInput")
		svctest.WantCode(w, tag(1, "k0"), "InvalidInput")
	})
}

func TestReadsLagBehind(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.machine(answering(200))
		id := w.create(endpoint(quick))
		count := func() int64 { return *svctest.Must(w.GetHealthCheckCount(w.Context(), nil))(w).HealthCheckCount }
		_, err := w.GetHealthCheck(w.Context(), &route53.GetHealthCheckInput{HealthCheckId: &id})
		svctest.WantCode(w, err, "NoSuchHealthCheck")
		if n := count(); n != 0 {
			t.Errorf("%d seen at once", n)
		}
		time.Sleep(time.Minute)
		svctest.Must(w.GetHealthCheckStatus(w.Context(), &route53.GetHealthCheckStatusInput{HealthCheckId: &id}))(w)
		if n := count(); n != 1 {
			t.Errorf("%d seen after the lag", n)
		}
	}, func(o *awstest.Options) { o.VisibilityLag = 30 * time.Second })
}
