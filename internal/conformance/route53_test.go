package conformance_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html (read 2026-11)
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html (read 2026-11)
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHealthCheck.html (read 2026-11)
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHealthCheckStatus.html (read 2026-11)
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html (read 2026-11)
var healthCheckScenarios = []scenario{
	{
		name: "a health check is created, changed and deleted",
		run: func(s *session) {
			made, err := s.healthCheck("a", s.nowhere())
			if !s.accepted("creating", err) {
				return
			}
			id := *made.Id
			s.call(id, "the health check")
			s.is("created", describedCheck(made), "HTTP of port 80 every 30 s, 3 in a row, inverted false, disabled false, version 1")
			again, err := s.healthCheck("a", s.nowhere())
			if s.accepted("creating again", err) {
				s.is("created again", map[bool]string{true: "the same", false: "another"}[*again.Id == id], "the same")
			}
			_, err = s.healthCheck("a", s.nowhere(func(c *types.HealthCheckConfig) { c.FailureThreshold = aws.Int32(5) }))
			s.refused("creating with other settings", err, "HealthCheckAlreadyExists")
			other, err := s.healthCheck("b", s.nowhere())
			if s.accepted("creating by another reference", err) {
				s.is("another one", fmt.Sprint(*other.Id != id), "true")
			}

			out, err := s.route53.UpdateHealthCheck(s.Context(), &route53.UpdateHealthCheckInput{
				HealthCheckId: &id, HealthCheckVersion: aws.Int64(1), Port: aws.Int32(8080), FailureThreshold: aws.Int32(5), Inverted: aws.Bool(true),
			})
			if s.accepted("updating", err) {
				s.is("updated", describedCheck(out.HealthCheck), "HTTP of port 8080 every 30 s, 5 in a row, inverted true, disabled false, version 2")
			}
			_, err = s.route53.UpdateHealthCheck(s.Context(), &route53.UpdateHealthCheckInput{HealthCheckId: &id, HealthCheckVersion: aws.Int64(1), Disabled: aws.Bool(true)})
			s.refused("updating an old version", err, "HealthCheckVersionMismatch")
			_, err = s.route53.UpdateHealthCheck(s.Context(), &route53.UpdateHealthCheckInput{HealthCheckId: &id, IPAddress: aws.String("192.0.2.44")})
			s.refused("adding an address", err, "InvalidInput")
			s.shows("read", "HTTP of port 8080 every 30 s, 5 in a row, inverted true, disabled false, version 2", func() string {
				out, err := s.route53.GetHealthCheck(s.Context(), &route53.GetHealthCheckInput{HealthCheckId: &id})
				if err != nil {
					return outcome(err)
				}
				return describedCheck(out.HealthCheck)
			})

			s.shows("listed", "true", func() string { return fmt.Sprint(s.listsHealthCheck(id)) })
			n, err := s.route53.GetHealthCheckCount(s.Context(), &route53.GetHealthCheckCountInput{})
			if s.accepted("counting", err) {
				s.is("counted", fmt.Sprint(*n.HealthCheckCount >= 2), "true")
			}

			s.accepted("deleting", s.deleteHealthCheck(id))
			s.refused("deleting again", s.deleteHealthCheck(id), "NoSuchHealthCheck")
			_, err = s.route53.GetHealthCheck(s.Context(), &route53.GetHealthCheckInput{HealthCheckId: &id})
			s.refused("reading what is deleted", err, "NoSuchHealthCheck")
			_, err = s.healthCheck("a", s.nowhere())
			s.refused("creating by the reference of a deleted one", err, "HealthCheckAlreadyExists")
		},
		differs: []difference{
			{on: motoName, at: "created again", does: "another"},
			{on: motoName, at: "creating with other settings", does: "accepted"},
			{on: motoName, at: "updated", does: "HTTP of port 8080 every 30 s, 5 in a row, inverted true, disabled false, version 1"},
			{on: motoName, at: "updating an old version", does: "accepted"},
			{on: motoName, at: "adding an address", does: "accepted"},
			{on: motoName, at: "read", does: "HTTP of port 8080 every 30 s, 5 in a row, inverted true, disabled true, version 1"},
			{on: motoName, at: "counting", does: "not implemented"},
			{on: motoName, at: "deleting again", does: "accepted"},
			{on: motoName, at: "creating by the reference of a deleted one", does: "accepted"},
		},
	},
	{
		name: "a health check has tags",
		run: func(s *session) {
			id := *must(s.healthCheck("a", s.nowhere()))(s).Id
			s.call(id, "the health check")
			change := func(add map[string]string, remove ...string) error {
				in := &route53.ChangeTagsForResourceInput{ResourceId: &id, ResourceType: types.TagResourceTypeHealthcheck, RemoveTagKeys: remove}
				for k, v := range add {
					in.AddTags = append(in.AddTags, types.Tag{Key: &k, Value: &v})
				}
				_, err := s.route53.ChangeTagsForResource(s.Context(), in)
				return err
			}
			s.accepted("adding", change(map[string]string{"Name": "a"}))
			s.accepted("changing", change(map[string]string{"Name": "b"}))
			s.shows("added", "Name=b", func() string { return s.tagOfHealthCheck(id) })
			s.accepted("removing", change(nil, "Name"))
			s.shows("removed", "", func() string { return s.tagOfHealthCheck(id) })
			unknown := "00000000-0000-4000-8000-ffffffffffff"
			_, err := s.route53.ListTagsForResource(s.Context(), &route53.ListTagsForResourceInput{ResourceId: &unknown, ResourceType: types.TagResourceTypeHealthcheck})
			s.refused("tags of an unknown one", err, "NoSuchHealthCheck")
		},
		differs: []difference{{on: motoName, at: "tags of an unknown one", does: "accepted"}},
	},
	{
		name: "health checkers report what they meet",
		run: func(s *session) {
			made, err := s.healthCheck("a", s.nowhere(func(c *types.HealthCheckConfig) { c.RequestInterval = aws.Int32(10) }))
			if !s.accepted("creating", err) {
				return
			}
			failing := func(all []types.HealthCheckObservation, err error) string {
				if err != nil {
					return outcome(err)
				}
				for _, o := range all {
					if !strings.HasPrefix(aws.ToString(o.StatusReport.Status), "Failure: DNS resolution failed") || o.Region == "" || o.IPAddress == nil || o.StatusReport.CheckedTime == nil {
						return "something else: " + aws.ToString(o.StatusReport.Status)
					}
				}
				return fmt.Sprint("some fail to resolve the name: ", len(all) > 0)
			}
			s.shows("status", "some fail to resolve the name: true", func() string {
				out, err := s.route53.GetHealthCheckStatus(s.Context(), &route53.GetHealthCheckStatusInput{HealthCheckId: made.Id})
				if err != nil {
					return failing(nil, err)
				}
				return failing(out.HealthCheckObservations, nil)
			})
			s.shows("last failure", "some fail to resolve the name: true", func() string {
				out, err := s.route53.GetHealthCheckLastFailureReason(s.Context(), &route53.GetHealthCheckLastFailureReasonInput{HealthCheckId: made.Id})
				if err != nil {
					return failing(nil, err)
				}
				return failing(out.HealthCheckObservations, nil)
			})
			ranges, err := s.route53.GetCheckerIpRanges(s.Context(), &route53.GetCheckerIpRangesInput{})
			if s.accepted("ranges", err) {
				s.is("there are ranges", fmt.Sprint(len(ranges.CheckerIpRanges) > 0), "true")
			}
		},
		differs: []difference{
			{on: motoName, at: "status", does: "something else: Success: HTTP Status Code: 200. Resolved IP: 127.0.13.37. OK"},
			{on: motoName, at: "last failure", does: "not implemented"},
			{on: motoName, at: "ranges", does: "not implemented"},
		},
	},
	{
		name: "a health check of health checks",
		run: func(s *session) {
			child := *must(s.healthCheck("a", s.nowhere()))(s).Id
			s.call(child, "the child")
			made, err := s.healthCheck("b", &types.HealthCheckConfig{Type: types.HealthCheckTypeCalculated, ChildHealthChecks: []string{child}, HealthThreshold: aws.Int32(1)})
			if !s.accepted("creating", err) {
				return
			}
			c := made.HealthCheckConfig
			s.is("created", fmt.Sprintf("%s of %v, %d of them, a port %v", c.Type, c.ChildHealthChecks, aws.ToInt32(c.HealthThreshold), c.Port != nil), "CALCULATED of [the child], 1 of them, a port false")
			_, err = s.route53.GetHealthCheckStatus(s.Context(), &route53.GetHealthCheckStatusInput{HealthCheckId: made.Id})
			s.refused("its status", err, "InvalidInput")
			out, err := s.route53.UpdateHealthCheck(s.Context(), &route53.UpdateHealthCheckInput{
				HealthCheckId: made.Id, ResetElements: []types.ResettableElementName{types.ResettableElementNameChildHealthChecks}, HealthThreshold: aws.Int32(0),
			})
			if s.accepted("resetting its children", err) {
				s.is("no children", fmt.Sprint(len(out.HealthCheck.HealthCheckConfig.ChildHealthChecks)), "0")
			}
		},
		differs: []difference{{on: motoName, at: "its status", does: "accepted"}},
	},
	{
		name: "a health check follows an alarm, as that was",
		run: func(s *session) {
			if !s.there(s.alarm("a")) {
				return
			}
			config := &types.HealthCheckConfig{
				Type:            types.HealthCheckTypeCloudwatchMetric,
				AlarmIdentifier: &types.AlarmIdentifier{Name: s.alarmName("a"), Region: types.CloudWatchRegion(s.regions[0])},
			}
			made, err := s.healthCheck("a", config)
			if !s.accepted("creating", err) {
				return
			}
			s.is("insufficient data", string(made.HealthCheckConfig.InsufficientDataHealthStatus), "LastKnownStatus")
			threshold := func(hc *types.HealthCheck) string {
				return fmt.Sprint(aws.ToFloat64(hc.CloudWatchAlarmConfiguration.Threshold))
			}
			before := threshold(made)
			s.accepted("another threshold", s.alarm("a", func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = aws.Float64(12345) }))
			got := must(s.route53.GetHealthCheck(s.Context(), &route53.GetHealthCheckInput{HealthCheckId: made.Id}))(s)
			s.is("not updated", threshold(got.HealthCheck), before)
			out, err := s.route53.UpdateHealthCheck(s.Context(), &route53.UpdateHealthCheckInput{HealthCheckId: made.Id, AlarmIdentifier: config.AlarmIdentifier})
			if s.accepted("updating", err) {
				s.is("updated", threshold(out.HealthCheck), "12345")
			}
		},
		differs: noCloudWatch,
	},
	{
		name: "a health check is refused",
		run: func(s *session) {
			for _, c := range []struct {
				at     string
				change func(*types.HealthCheckConfig)
			}{
				{"neither address nor name", func(c *types.HealthCheckConfig) { c.FullyQualifiedDomainName = nil }},
				{"a private address", func(c *types.HealthCheckConfig) { c.IPAddress = aws.String("10.0.0.1") }},
				{"an interval of 20 seconds", func(c *types.HealthCheckConfig) { c.RequestInterval = aws.Int32(20) }},
				{"eleven in a row", func(c *types.HealthCheckConfig) { c.FailureThreshold = aws.Int32(11) }},
				{"two regions", func(c *types.HealthCheckConfig) { c.Regions = []types.HealthCheckRegion{"us-east-1", "eu-west-1"} }},
				{"a search for nothing", func(c *types.HealthCheckConfig) { c.Type = types.HealthCheckTypeHttpStrMatch }},
				{"no alarm", func(c *types.HealthCheckConfig) {
					*c = types.HealthCheckConfig{Type: types.HealthCheckTypeCloudwatchMetric}
				}},
			} {
				_, err := s.healthCheck(c.at, s.nowhere(c.change))
				s.refused(c.at, err, "InvalidInput")
			}
			_, err := s.healthCheck(strings.Repeat("x", 60), s.nowhere())
			s.refused("a long reference", err, "InvalidInput")
			unknown := "00000000-0000-4000-8000-ffffffffffff"
			_, err = s.route53.UpdateHealthCheck(s.Context(), &route53.UpdateHealthCheckInput{HealthCheckId: &unknown})
			s.refused("updating an unknown one", err, "NoSuchHealthCheck")
			s.refused("deleting an unknown one", s.deleteHealthCheck(unknown), "NoSuchHealthCheck")
		},
		differs: []difference{
			{on: motoName, at: "neither address nor name", does: "accepted"},
			{on: motoName, at: "a private address", does: "accepted"},
			{on: motoName, at: "an interval of 20 seconds", does: "accepted"},
			{on: motoName, at: "eleven in a row", does: "accepted"},
			{on: motoName, at: "two regions", does: "accepted"},
			{on: motoName, at: "a search for nothing", does: "accepted"},
			{on: motoName, at: "no alarm", does: "accepted"},
			{on: motoName, at: "a long reference", does: "accepted"},
			{on: motoName, at: "deleting an unknown one", does: "accepted"},
		},
	},
}

// nowhere is a health check of a name that will never resolve, so that nobody is asked.
func (s *session) nowhere(changes ...func(*types.HealthCheckConfig)) *types.HealthCheckConfig {
	c := &types.HealthCheckConfig{Type: types.HealthCheckTypeHttp, FullyQualifiedDomainName: aws.String(s.mark + ".invalid"), ResourcePath: aws.String("/healthz")}
	for _, change := range changes {
		change(c)
	}
	return c
}

// healthCheck creates a health check, by a reference of this run.
func (s *session) healthCheck(ref string, config *types.HealthCheckConfig) (*types.HealthCheck, error) {
	out, err := s.route53.CreateHealthCheck(s.Context(), &route53.CreateHealthCheckInput{CallerReference: aws.String(s.mark + ref), HealthCheckConfig: config})
	if err != nil {
		return nil, err
	}
	s.cleanly(*out.HealthCheck.Id, func(ctx context.Context) error {
		_, err := s.route53.DeleteHealthCheck(ctx, &route53.DeleteHealthCheckInput{HealthCheckId: out.HealthCheck.Id})
		return unless(err, "NoSuchHealthCheck")
	})
	return out.HealthCheck, nil
}

func (s *session) deleteHealthCheck(id string) error {
	_, err := s.route53.DeleteHealthCheck(s.Context(), &route53.DeleteHealthCheckInput{HealthCheckId: &id})
	return err
}

func (s *session) listsHealthCheck(id string) bool {
	pages := route53.NewListHealthChecksPaginator(s.route53, &route53.ListHealthChecksInput{MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		for _, hc := range must(pages.NextPage(s.Context()))(s).HealthChecks {
			if *hc.Id == id {
				return true
			}
		}
	}
	return false
}

func (s *session) tagOfHealthCheck(id string) (all string) {
	out, err := s.route53.ListTagsForResource(s.Context(), &route53.ListTagsForResourceInput{ResourceId: &id, ResourceType: types.TagResourceTypeHealthcheck})
	if err != nil {
		return outcome(err)
	}
	for _, t := range out.ResourceTagSet.Tags {
		all += *t.Key + "=" + *t.Value
	}
	return all
}

func describedCheck(hc *types.HealthCheck) string {
	c := hc.HealthCheckConfig
	return fmt.Sprintf("%s of port %d every %d s, %d in a row, inverted %v, disabled %v, version %d", c.Type, aws.ToInt32(c.Port), aws.ToInt32(c.RequestInterval),
		aws.ToInt32(c.FailureThreshold), aws.ToBool(c.Inverted), aws.ToBool(c.Disabled), aws.ToInt64(hc.HealthCheckVersion))
}
