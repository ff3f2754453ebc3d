package conformance_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html (read 2026-11)
// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html (read 2026-11)
// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html (read 2026-11)
// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteRule.html (read 2026-11)
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html (read 2026-11)
var eventScenarios = []scenario{
	{
		name: "a rule leads events to a queue",
		run: func(s *session) {
			rule, q := s.rule("orders", `{"source":["shop"],"detail":{"kind":[{"prefix":"order"}],"test":[{"exists":false}]}}`), s.eventQueue()
			s.accepted("a target", s.aim(rule, s.queueARN(q)))
			s.pass(min(5*time.Minute, s.patience)) // a rule takes a while to be felt
			out, err := s.events.PutEvents(s.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
				event("shop", `{"kind":"order-placed"}`), event("shop", `{"kind":"visit"}`), event("till", `{"kind":"order-placed"}`),
				event("shop", `{"kind":"order-paid","test":true}`), event("shop", `{"kind":`),
			}})
			if s.accepted("events", err) {
				s.is("one fails by itself", fmt.Sprint(out.FailedEntryCount, " ", aws.ToString(out.Entries[4].ErrorCode)), "1 MalformedDetail")
			}
			var got struct {
				Source     string          `json:"source"`
				DetailType string          `json:"detail-type"`
				Detail     json.RawMessage `json:"detail"`
				Version    string          `json:"version"`
				Region     string          `json:"region"`
			}
			if err := json.Unmarshal([]byte(*s.one(q).Body), &got); err != nil {
				s.Fatal(err)
			}
			s.is("the event", fmt.Sprint(got.Version, " ", got.Source, " ", got.DetailType, " ", strings.ReplaceAll(string(got.Detail), " ", ""), " ", got.Region == s.regions[0]), `0 shop done {"kind":"order-placed"} true`)
			s.is("and no other", fmt.Sprint(len(s.receive(q, 10))), "0")
			_, err = s.events.PutEvents(s.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{event("aws.shop", "{}")}})
			s.accepted("an event of AWS", err) // an entry fails, and not the call
		},
	},
	{
		name: "a rule and its targets are described and removed",
		run: func(s *session) {
			rule, q := s.rule("orders", `{"source":["shop"]}`), s.eventQueue()
			s.accepted("targets", s.aim(rule, s.queueARN(q), s.queueARN(q)))
			s.shows("described", `ENABLED {"source":["shop"]} default`, func() string {
				out, err := s.events.DescribeRule(s.Context(), &eventbridge.DescribeRuleInput{Name: &rule})
				if err != nil {
					return outcome(err)
				}
				return fmt.Sprint(out.State, " ", *out.EventPattern, " ", aws.ToString(out.EventBusName))
			})
			s.shows("its targets", "t0 t1", func() string { return s.targetsOf(rule) })
			_, err := s.events.DeleteRule(s.Context(), &eventbridge.DeleteRuleInput{Name: &rule})
			s.refused("deleting it with targets", err, "ValidationException")
			out, err := s.events.RemoveTargets(s.Context(), &eventbridge.RemoveTargetsInput{Rule: &rule, Ids: []string{"t0", "t9"}})
			if s.accepted("removing one, and one that there is not", err) {
				s.is("failures", fmt.Sprint(out.FailedEntryCount), "0")
			}
			s.shows("its targets then", "t1", func() string { return s.targetsOf(rule) })
			_, err = s.events.RemoveTargets(s.Context(), &eventbridge.RemoveTargetsInput{Rule: &rule, Ids: []string{"t1"}})
			s.accepted("removing the other", err)
			for _, at := range []string{"deleting it", "deleting it again"} {
				_, err = s.events.DeleteRule(s.Context(), &eventbridge.DeleteRuleInput{Name: &rule})
				s.accepted(at, err)
			}
			_, err = s.events.DescribeRule(s.Context(), &eventbridge.DescribeRuleInput{Name: &rule})
			s.refused("describing it then", err, "ResourceNotFoundException")
			s.refused("a target of it then", s.aim(rule, s.queueARN(q)), "ResourceNotFoundException")
		},
	},
	{
		name: "wrong rules are refused",
		run: func(s *session) {
			for _, pattern := range []string{`{"source":"shop"}`, `{"source":[]}`, `{`, `["shop"]`} {
				_, err := s.events.PutRule(s.Context(), &eventbridge.PutRuleInput{Name: aws.String("awsha-" + s.mark), EventPattern: &pattern})
				s.refused("the pattern "+pattern, err, "InvalidEventPatternException")
			}
			_, err := s.events.PutRule(s.Context(), &eventbridge.PutRuleInput{Name: aws.String("awsha-" + s.mark)})
			s.refused("neither a pattern nor a schedule", err, "ValidationException")
		},
		differs: []difference{{on: motoName, at: `the pattern ["shop"]`, does: "not implemented"}},
	},
	{
		name: "an instance tells what becomes of it",
		run: func(s *session) {
			rule, q := s.rule("states", `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"]}`), s.eventQueue()
			s.accepted("a target", s.aim(rule, s.queueARN(q)))
			s.pass(min(5*time.Minute, s.patience))
			id := s.launch("a server").id
			_, err := s.ec2.TerminateInstances(s.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
			s.accepted("its end", err)
			seen := map[string]bool{}
			s.shows("told", "pending running shutting-down terminated", func() string {
				for _, m := range s.receive(q, 10) {
					var told struct {
						Detail struct {
							ID    string `json:"instance-id"`
							State string `json:"state"`
						} `json:"detail"`
					}
					if err := json.Unmarshal([]byte(*m.Body), &told); err != nil {
						s.Fatal(err)
					}
					if told.Detail.ID == id {
						seen[told.Detail.State] = true
					}
				}
				var all []string
				for _, state := range []string{"pending", "running", "shutting-down", "terminated"} {
					if seen[state] {
						all = append(all, state)
					}
				}
				return cmp.Or(strings.Join(all, " "), "nothing")
			})
		},
		differs: []difference{{on: motoName, at: "told", does: "nothing"}},
	},
}

// event is of the type "done".
func event(source, detail string) types.PutEventsRequestEntry {
	return types.PutEventsRequestEntry{Source: &source, DetailType: aws.String("done"), Detail: &detail}
}

// rule makes a rule, and returns its name.
func (s *session) rule(name, pattern string) string {
	s.Helper()
	name = "awsha-" + s.mark + "-" + name
	must(s.events.PutRule(s.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern}))(s)
	s.cleanly("rule "+name, func(ctx context.Context) error {
		out, err := s.events.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: &name})
		if outcome(err) == "ResourceNotFoundException" {
			return nil
		}
		if err != nil {
			return err
		}
		for _, t := range out.Targets {
			if _, err := s.events.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: &name, Ids: []string{*t.Id}}); err != nil {
				return err
			}
		}
		_, err = s.events.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &name})
		return err
	})
	return name
}

// eventQueue makes a queue that lets EventBridge send.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html (read 2026-11)
func (s *session) eventQueue() string {
	s.Helper()
	q := s.queue("events")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + s.queueARN(q) + `"}]}`
	if err := s.setAttributes(q, "Policy="+policy); err != nil {
		s.Fatal(err)
	}
	return q
}

// aim gives a rule targets, t0 and so on.
func (s *session) aim(rule string, arns ...string) error {
	in := &eventbridge.PutTargetsInput{Rule: &rule}
	for i, arn := range arns {
		in.Targets = append(in.Targets, types.Target{Id: aws.String(fmt.Sprintf("t%d", i)), Arn: &arn})
	}
	_, err := s.events.PutTargets(s.Context(), in)
	return err
}

// targetsOf are the IDs of a rule's targets.
func (s *session) targetsOf(rule string) string {
	out, err := s.events.ListTargetsByRule(s.Context(), &eventbridge.ListTargetsByRuleInput{Rule: &rule})
	if err != nil {
		return outcome(err)
	}
	var ids []string
	for _, t := range out.Targets {
		ids = append(ids, *t.Id)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}
