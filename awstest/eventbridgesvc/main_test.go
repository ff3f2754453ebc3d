package eventbridgesvc_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/eventbridgesvc"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queueService stands for SQS, whose client these tests do without: it has no
// operation, but a state that cloud.FailService knows.
func queueService(r *awstest.Registry) error {
	sqsmodel.Of(r)
	return r.Add(awstest.ServiceSpec{ID: "SQS"}).Err()
}

// world is a cloud with EventBridge and queues, one of which is there.
type world struct {
	*testing.T
	*eventbridge.Client
	cloud *awstest.Cloud
	start time.Time
}

const queueARN = "arn:aws:sqs:us-east-1:123456789012:"

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	inBubbleWith(t, func(*eventbridgesvc.Options) {}, test, optFns...)
}

func inBubbleWith(t *testing.T, options func(*eventbridgesvc.Options), test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	svctest.InBubble(t, []awstest.Service{eventbridgesvc.New(options), queueService}, func(t *testing.T, cloud *awstest.Cloud) {
		w := &world{T: t, Client: eventbridge.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, start: time.Now()}
		w.queue("events", nil)
		test(w)
	}, optFns...)
}

// queues gives the queues of a cloud.
func (w *world) queues(fn func(*awstest.Tx, *sqsmodel.Model, *sqsmodel.Region)) {
	w.Helper()
	region := svctest.Must(w.cloud.Region("us-east-1"))(w)
	w.cloud.Update(func(tx *awstest.Tx) {
		m, _ := awstest.Lookup[sqsmodel.Model](tx)
		fn(tx, m, m.Region(region))
	})
}

func (w *world) queue(name string, attributes map[string]string) {
	w.Helper()
	w.queues(func(tx *awstest.Tx, _ *sqsmodel.Model, r *sqsmodel.Region) {
		svctest.Must(r.Create(tx, name, attributes, nil))(w)
	})
}

// received takes what a queue has.
func (w *world) received(name string) (events []event) {
	w.Helper()
	var bodies []string
	w.queues(func(tx *awstest.Tx, m *sqsmodel.Model, r *sqsmodel.Region) {
		q := svctest.Must(r.Queue(tx, name))(w)
		bodies = receiveAll(tx, q)
		m.Settle(tx)
	})
	for _, b := range bodies {
		var e event
		if err := json.Unmarshal([]byte(b), &e); err != nil {
			w.Fatalf("%s: %v", b, err)
		}
		e.body = b
		events = append(events, e)
	}
	return events
}

type event struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Time       time.Time       `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
	body       string
}

// told tells what a queue has, by the details.
func (w *world) told(name string) string {
	w.Helper()
	var all []string
	for _, e := range w.received(name) {
		all = append(all, string(e.Detail))
	}
	return strings.Join(all, " ")
}

func rule(changes ...func(*eventbridge.PutRuleInput)) *eventbridge.PutRuleInput {
	in := &eventbridge.PutRuleInput{Name: aws.String("wake"), EventPattern: aws.String(`{"source": ["app"]}`)}
	for _, change := range changes {
		change(in)
	}
	return in
}

func pattern(text string) func(*eventbridge.PutRuleInput) {
	return func(in *eventbridge.PutRuleInput) { in.EventPattern = &text }
}

// wire makes a rule that delivers to queues.
func (w *world) wire(in *eventbridge.PutRuleInput, queues ...string) {
	w.Helper()
	svctest.Must(w.PutRule(w.Context(), in))(w)
	if err := w.target(*in.Name, queues...); err != nil {
		w.Fatal(err)
	}
}

func targets(queues ...string) (list []types.Target) {
	for _, q := range queues {
		t := types.Target{Id: aws.String(strings.TrimSuffix(q, ".fifo")), Arn: aws.String(queueARN + q)}
		if strings.HasSuffix(q, ".fifo") {
			t.SqsParameters = &types.SqsParameters{MessageGroupId: aws.String("g")}
		}
		list = append(list, t)
	}
	return list
}

func (w *world) target(rule string, queues ...string) error {
	_, err := w.PutTargets(w.Context(), &eventbridge.PutTargetsInput{Rule: &rule, Targets: targets(queues...)})
	return err
}

func entry(n int, changes ...func(*types.PutEventsRequestEntry)) types.PutEventsRequestEntry {
	e := types.PutEventsRequestEntry{Source: aws.String("app"), DetailType: aws.String("Tick"), Detail: aws.String(fmt.Sprintf(`{"n":%d}`, n))}
	for _, change := range changes {
		change(&e)
	}
	return e
}

func (w *world) put(entries ...types.PutEventsRequestEntry) *eventbridge.PutEventsOutput {
	w.Helper()
	return svctest.Must(w.PutEvents(w.Context(), &eventbridge.PutEventsInput{Entries: entries}))(w)
}

// tell emits an event as a service does, which EventBridge's being down does not
// hinder.
func (w *world) tell(source string, n int) {
	w.Helper()
	w.tellDetail(source, fmt.Sprintf(`{"n":%d}`, n))
}

func (w *world) tellDetail(source, detail string) {
	w.Helper()
	region := svctest.Must(w.cloud.Region("us-east-1"))(w)
	w.cloud.Update(func(tx *awstest.Tx) {
		m, _ := awstest.Lookup[ebmodel.Model](tx)
		m.Region(region).Emit(tx, ebmodel.Event{Source: source, DetailType: "Tick", Detail: detail})
	})
}

// receiveAll takes what there is out of a queue.
func receiveAll(tx *awstest.Tx, q *sqsmodel.Queue) (bodies []string) {
	for more := true; more; {
		q.Receive(tx, &sqsmodel.Receive{
			Max: 10, Visibility: time.Minute,
			Answer: func(tx *awstest.Tx, got []sqsmodel.Delivery, _ error) {
				more = len(got) > 0
				for _, d := range got {
					bodies = append(bodies, d.Body)
					_ = q.Delete(tx, d.Handle)
				}
			},
			Gone: func(*awstest.Tx) (time.Time, bool) { return time.Time{}, false },
		})
	}
	return bodies
}
