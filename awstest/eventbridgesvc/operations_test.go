package eventbridgesvc_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/eventbridgesvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*eventbridge.Client](t, eventbridgesvc.New(), eventbridge.ServiceID))
}

func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/ebmodel/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ErrorTypes(w, w.cloud, eventbridge.ServiceID, codes(w.T), w.Client, func(code string) *eventbridge.Client {
			return eventbridge.New(eventbridge.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer(`{"__type":"` + code + `","message":"no"}`),
			})
		})
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: eventbridge.ServiceID, Operation: "PutRule"}, func() error {
			_, err := w.PutRule(w.Context(), rule())
			return err
		},
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "ThrottlingException", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDeniedException", Status: 400, Attempts: 1},
		)
	})
}

// A reply that is lost makes the SDK send an event twice: PutEvents has no
// token, and the copies have IDs of their own.
func TestLostReplySendsTwice(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(), "events")
		svctest.Must(w.cloud.Inject(awstest.Match{Service: eventbridge.ServiceID, Operation: "PutEvents", Times: 1}, awstest.LoseReply()))(w)
		w.put(entry(1))
		w.until(1)
		if got := w.received("events"); len(got) != 2 || got[0].ID == got[1].ID {
			w.Errorf("got %v", got)
		}
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	target := func(change func(*types.Target)) any {
		list := targets("events")
		change(&list[0])
		return &eventbridge.PutTargetsInput{Rule: aws.String("wake"), Targets: list}
	}
	event := func(change func(*types.PutEventsRequestEntry)) any {
		return &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry(1, change)}}
	}
	for name, c := range map[string]struct {
		input any
		says  string
	}{
		"an operation":         {&eventbridge.ListRulesInput{}, ".ListRules"},
		"a schedule":           {rule(func(in *eventbridge.PutRuleInput) { in.ScheduleExpression = aws.String("rate(1 minute)") }), ".PutRule: parameter ScheduleExpression"},
		"another bus":          {rule(func(in *eventbridge.PutRuleInput) { in.EventBusName = aws.String("mine") }), `.PutRule: event bus "mine"`},
		"CloudTrail":           {rule(func(in *eventbridge.PutRuleInput) { in.State = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" }), ".PutRule: state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
		"a suffix":             {rule(pattern(`{"a": [{"suffix": "x"}]}`)), ".PutRule: suffix in an event pattern"},
		"numbers":              {rule(pattern(`{"a": {"b": ["x", {"numeric": [">", 0]}]}}`)), ".PutRule: numeric in an event pattern"},
		"an or":                {rule(pattern(`{"$or": [{"a": ["b"]}]}`)), ".PutRule: $or in an event pattern"},
		"a prefix of another":  {rule(pattern(`{"a": [{"anything-but": {"prefix": "x"}}]}`)), ".PutRule: an operator within anything-but in an event pattern"},
		"another kind":         {target(func(t *types.Target) { t.Arn = aws.String("arn:aws:sns:us-east-1:123456789012:topic") }), `.PutTargets: target "arn:aws:sns:us-east-1:123456789012:topic"`},
		"another region":       {target(func(t *types.Target) { t.Arn = aws.String("arn:aws:sqs:us-west-2:123456789012:q") }), `.PutTargets: target "arn:aws:sqs:us-west-2:123456789012:q"`},
		"an input":             {target(func(t *types.Target) { t.Input = aws.String("{}") }), ".PutTargets: Input of a target"},
		"a dead-letter queue":  {target(func(t *types.Target) { t.DeadLetterConfig = &types.DeadLetterConfig{} }), ".PutTargets: DeadLetterConfig of a target"},
		"an event elsewhere":   {event(func(e *types.PutEventsRequestEntry) { e.EventBusName = aws.String("mine") }), `.PutEvents: event bus "mine"`},
		"a trace":              {event(func(e *types.PutEventsRequestEntry) { e.TraceHeader = aws.String("x") }), ".PutEvents: TraceHeader of an entry"},
		"targets of elsewhere": {&eventbridge.ListTargetsByRuleInput{Rule: aws.String("r"), EventBusName: aws.String("mine")}, `.ListTargetsByRule: event bus "mine"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svctest.NotModelled(t, eventbridgesvc.New(), func(cloud *awstest.Cloud) error {
				_, err := svctest.Call(t.Context(), eventbridge.NewFromConfig(cloud.Config("us-east-1")), c.input)
				return err
			}, "awstest: EventBridge"+c.says+" is not modelled")
		})
	}
}

func TestMistakesInOptions(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{eventbridgesvc.New(func(o *eventbridgesvc.Options) {
		o.Delay, o.Spread, o.Effect = -1, -1, awstest.Memory+1
	})})
	for _, field := range []string{"Delay", "Spread", "Effect"} {
		if err == nil || !strings.Contains(err.Error(), "eventbridgesvc.Options."+field) {
			t.Errorf("%s is not in %v", field, err)
		}
	}
}
