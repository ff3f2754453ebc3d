package eventbridgesvc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func (w *world) targetsOf(rule string) string {
	w.Helper()
	var told []string
	in := &eventbridge.ListTargetsByRuleInput{Rule: &rule, Limit: aws.Int32(2)}
	for {
		out := svctest.Must(w.ListTargetsByRule(w.Context(), in))(w)
		for _, t := range out.Targets {
			text := *t.Id + "=" + strings.TrimPrefix(*t.Arn, queueARN)
			if t.SqsParameters != nil {
				text += "/" + *t.SqsParameters.MessageGroupId
			}
			told = append(told, text)
		}
		if out.NextToken == nil {
			return strings.Join(told, " ")
		}
		in.NextToken = out.NextToken
	}
}

func TestRulesLive(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		put := svctest.Must(w.PutRule(w.Context(), rule(func(in *eventbridge.PutRuleInput) {
			in.Description, in.State, in.EventBusName = aws.String("d"), types.RuleStateDisabled, aws.String("arn:aws:events:us-east-1:123456789012:event-bus/default")
		})))(w)
		got := svctest.Must(w.DescribeRule(w.Context(), &eventbridge.DescribeRuleInput{Name: aws.String("wake"), EventBusName: aws.String("default")}))(w)
		if *got.Arn != *put.RuleArn || *got.Arn != "arn:aws:events:us-east-1:123456789012:rule/wake" || *got.Description != "d" || got.State != types.RuleStateDisabled || *got.EventPattern != `{"source": ["app"]}` || *got.EventBusName != "default" || *got.CreatedBy != "123456789012" {
			w.Errorf("%+v", got)
		}
		if err := w.target("wake", "a", "b", "c.fifo", "d", "e"); err != nil {
			w.Error(err)
		}
		svctest.WantCode(w, w.target("wake", "f"), "LimitExceededException")
		svctest.Must(w.PutRule(w.Context(), rule()))(w) // keeps the targets, and forgets the description
		got = svctest.Must(w.DescribeRule(w.Context(), &eventbridge.DescribeRuleInput{Name: aws.String("wake")}))(w)
		if got.Description != nil || got.State != types.RuleStateEnabled {
			w.Errorf("%+v", got)
		}
		if told := w.targetsOf("wake"); told != "a=a b=b c=c.fifo/g d=d e=e" {
			w.Error(told)
		}
		remove := func(ids ...string) *eventbridge.RemoveTargetsOutput {
			return svctest.Must(w.RemoveTargets(w.Context(), &eventbridge.RemoveTargetsInput{Rule: aws.String("wake"), Ids: ids}))(w)
		}
		remove("a", "b", "unknown")
		svctest.Must(w.PutTargets(w.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("wake"), Targets: []types.Target{{Id: aws.String("d"), Arn: aws.String(queueARN + "other")}}}))(w)
		if told := w.targetsOf("wake"); told != "c=c.fifo/g d=other e=e" {
			w.Error(told)
		}
		drop := func() error {
			_, err := w.DeleteRule(w.Context(), &eventbridge.DeleteRuleInput{Name: aws.String("wake")})
			return err
		}
		svctest.WantCode(w, drop(), "ValidationException")
		remove("c", "d", "e")
		for range 2 {
			if err := drop(); err != nil {
				w.Error(err)
			}
		}
		_, err := w.DescribeRule(w.Context(), &eventbridge.DescribeRuleInput{Name: aws.String("wake")})
		svctest.WantCode(w, err, "ResourceNotFoundException")
	})
}

func TestReadsLag(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(), "events")
		_, err := w.DescribeRule(w.Context(), &eventbridge.DescribeRuleInput{Name: aws.String("wake")})
		svctest.WantCode(w, err, "ResourceNotFoundException")
		_, err = w.ListTargetsByRule(w.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String("wake")})
		svctest.WantCode(w, err, "ResourceNotFoundException")
		w.until(time.Minute)
		if told := w.targetsOf("wake"); told != "events=events" {
			w.Error(told)
		}
	}, func(o *awstest.Options) { o.VisibilityLag = 30 * time.Second })
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		many := make([]string, 11)
		for i := range many {
			many[i] = "q"
		}
		for name, c := range map[string]struct {
			input any
			code  string
		}{
			"a name with a space":       {rule(func(in *eventbridge.PutRuleInput) { in.Name = aws.String("a b") }), "ValidationException"},
			"a long name":               {rule(func(in *eventbridge.PutRuleInput) { in.Name = aws.String(strings.Repeat("n", 65)) }), "ValidationException"},
			"a long description":        {rule(func(in *eventbridge.PutRuleInput) { in.Description = aws.String(strings.Repeat("n", 513)) }), "ValidationException"},
			"a state":                   {rule(func(in *eventbridge.PutRuleInput) { in.State = "ON" }), "ValidationException"},
			"nothing to match":          {rule(func(in *eventbridge.PutRuleInput) { in.EventPattern = nil }), "ValidationException"},
			"a long pattern":            {rule(pattern(`{"a": ["` + strings.Repeat("n", 2048) + `"]}`)), "LimitExceededException"},
			"a rule that is not there":  {&eventbridge.PutTargetsInput{Rule: aws.String("x"), Targets: targets("events")}, "ResourceNotFoundException"},
			"to remove of none":         {&eventbridge.RemoveTargetsInput{Rule: aws.String("x"), Ids: []string{"a"}}, "ResourceNotFoundException"},
			"too many targets":          {&eventbridge.PutTargetsInput{Rule: aws.String("x"), Targets: targets(many...)}, "ValidationException"},
			"no targets":                {&eventbridge.PutTargetsInput{Rule: aws.String("x"), Targets: []types.Target{}}, "ValidationException"},
			"too many to remove":        {&eventbridge.RemoveTargetsInput{Rule: aws.String("x"), Ids: many}, "ValidationException"},
			"a limit":                   {&eventbridge.ListTargetsByRuleInput{Rule: aws.String("wake"), Limit: aws.Int32(101)}, "ValidationException"},
			"a token":                   {&eventbridge.ListTargetsByRuleInput{Rule: aws.String("wake"), NextToken: aws.String("x")}, "ValidationException"},
			"a FIFO queue, no group":    {&eventbridge.PutTargetsInput{Rule: aws.String("wake"), Targets: []types.Target{{Id: aws.String("a"), Arn: aws.String(queueARN + "a.fifo")}}}, "ValidationException"},
			"an ID":                     {&eventbridge.PutTargetsInput{Rule: aws.String("wake"), Targets: []types.Target{{Id: aws.String("a b"), Arn: aws.String(queueARN + "a")}}}, "ValidationException"},
			"too many events":           {&eventbridge.PutEventsInput{Entries: make([]types.PutEventsRequestEntry, 11)}, "ValidationException"},
			"no events":                 {&eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{}}, "ValidationException"},
			"none that is complete":     {&eventbridge.PutEventsInput{Entries: make([]types.PutEventsRequestEntry, 2)}, "ValidationException"},
			"what is no JSON":           {rule(pattern(`{`)), "InvalidEventPatternException"},
			"two patterns":              {rule(pattern(`{"a": ["b"]} {}`)), "InvalidEventPatternException"},
			"a list as a pattern":       {rule(pattern(`["a"]`)), "InvalidEventPatternException"},
			"an empty pattern":          {rule(pattern(`{}`)), "InvalidEventPatternException"},
			"a value without a list":    {rule(pattern(`{"source": "app"}`)), "InvalidEventPatternException"},
			"an empty list":             {rule(pattern(`{"source": []}`)), "InvalidEventPatternException"},
			"a list in a list":          {rule(pattern(`{"source": [["a"]]}`)), "InvalidEventPatternException"},
			"an operator of no one":     {rule(pattern(`{"source": [{"like": "a"}]}`)), "InvalidEventPatternException"},
			"two operators":             {rule(pattern(`{"source": [{"prefix": "a", "exists": true}]}`)), "InvalidEventPatternException"},
			"a prefix that is a number": {rule(pattern(`{"source": [{"prefix": 1}]}`)), "InvalidEventPatternException"},
			"an existence of a string":  {rule(pattern(`{"source": [{"exists": "yes"}]}`)), "InvalidEventPatternException"},
			"anything but nothing":      {rule(pattern(`{"source": [{"anything-but": []}]}`)), "InvalidEventPatternException"},
			"anything but null":         {rule(pattern(`{"source": [{"anything-but": null}]}`)), "InvalidEventPatternException"},
		} {
			svctest.Must(w.PutRule(w.Context(), rule()))(w)
			_, err := svctest.Call(w.Context(), w.Client, c.input)
			if err == nil {
				w.Errorf("%s: no error", name)
				continue
			}
			svctest.WantCode(w, err, c.code)
			if w.Failed() {
				w.Fatal(name)
			}
		}
	})
}
