package sqsevents_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/failover/sqsevents"
	"github.com/awsha/awsha/queueworker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The shapes are those of AWS's documentation, with IDs of our own.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html,
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html,
// https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html,
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-cloudwatch-events.sample.html (read 2026-11)
func event(id, source, kind, resources, detail string) string {
	return fmt.Sprintf(`{"version": "0", "id": %q, "detail-type": %q, "source": %q, "account": "123456789012", "time": %q, "region": "us-east-1", "resources": [%s], "detail": %s}`,
		id, kind, source, time.Now().UTC().Format(time.RFC3339), resources, detail)
}

func stopped(id string) string {
	return event(id, "aws.ec2", "EC2 Instance State-change Notification", `"arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"`,
		`{"instance-id": "i-0123456789abcdef0", "state": "stopping"}`)
}

func TestEventsAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want sqsevents.Event
	}{
		"an instance stops": {stopped("1"), sqsevents.Event{
			Source: "aws.ec2", DetailType: "EC2 Instance State-change Notification", InstanceID: "i-0123456789abcdef0", State: "stopping",
			Resources: []string{"arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"},
		}},
		"an interruption": {
			event("1", "aws.ec2", "EC2 Spot Instance Interruption Warning", `"arn:aws:ec2:us-east-1a:instance/i-1"`, `{"instance-id": "i-1", "instance-action": "terminate"}`),
			sqsevents.Event{Source: "aws.ec2", DetailType: "EC2 Spot Instance Interruption Warning", InstanceID: "i-1", Resources: []string{"arn:aws:ec2:us-east-1a:instance/i-1"}},
		},
		"a lifecycle action": {
			event("1", "aws.autoscaling", "EC2 Instance-terminate Lifecycle Action", `"arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/web"`,
				`{"LifecycleActionToken": "t", "AutoScalingGroupName": "web", "LifecycleHookName": "drain", "EC2InstanceId": "i-1", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}`),
			sqsevents.Event{
				Source: "aws.autoscaling", DetailType: "EC2 Instance-terminate Lifecycle Action", InstanceID: "i-1", Group: "web", Hook: "drain",
				Resources: []string{"arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/web"},
			},
		},
		"a launch that failed": {
			event("1", "aws.autoscaling", "EC2 Instance Launch Unsuccessful", "", `{"StatusCode": "Failed", "AutoScalingGroupName": "web", "EC2InstanceId": "", "Details": {"Availability Zone": "us-east-1b", "Subnet ID": "subnet-1"}}`),
			sqsevents.Event{Source: "aws.autoscaling", DetailType: "EC2 Instance Launch Unsuccessful", State: "Failed", Group: "web", Zone: "us-east-1b", Resources: []string{}},
		},
		"AWS Health": {
			event("1", "aws.health", "AWS Health Event", `"i-1"`, `{"eventArn": "arn:1", "service": "EC2", "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE", "eventTypeCategory": "issue", "statusCode": "open", "affectedEntities": [{"entityValue": "i-2"}]}`),
			sqsevents.Event{
				Source: "aws.health", DetailType: "AWS Health Event", InstanceID: "i-1", State: "open", Code: "AWS_EC2_OPERATIONAL_ISSUE", Resources: []string{"i-1", "i-2"},
			},
		},
		"a database": {
			event("1", "aws.rds", "RDS DB Instance Event", `"arn:aws:rds:us-east-1:123456789012:db:orders"`,
				`{"EventCategories": ["failover"], "SourceType": "DB_INSTANCE", "SourceArn": "arn:aws:rds:us-east-1:123456789012:db:orders", "Message": "A Multi-AZ failover has completed.", "SourceIdentifier": "orders", "EventID": "RDS-EVENT-0049"}`),
			sqsevents.Event{Source: "aws.rds", DetailType: "RDS DB Instance Event", Database: "orders", Code: "RDS-EVENT-0049", Resources: []string{"arn:aws:rds:us-east-1:123456789012:db:orders"}},
		},
		"an autoshift": {
			event("1", "aws.arc-zonal-shift", "Autoshift In Progress", "", `{"version": "0.0.1", "data": "", "metadata": {"awayFrom": "use1-az2", "notes": ""}}`),
			sqsevents.Event{Source: "aws.arc-zonal-shift", DetailType: "Autoshift In Progress", Zone: "use1-az2", Resources: []string{}},
		},
		"details of another shape": {
			event("1", "aws.ec2", "Something New", `"arn:aws:ec2:us-east-1:123456789012:instance/i-1"`, `{"state": 7}`),
			sqsevents.Event{Source: "aws.ec2", DetailType: "Something New", InstanceID: "i-1", Resources: []string{"arn:aws:ec2:us-east-1:123456789012:instance/i-1"}},
		},
	} {
		for _, body := range []string{c.body, fmt.Sprintf(`{"Type": "Notification", "MessageId": "m", "Message": %q}`, c.body)} {
			got, err := sqsevents.Parse(body)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := c.want
			want.ID, want.Account, want.Region, want.Time = "1", "123456789012", "us-east-1", got.Time
			if diff := cmp.Diff(want, *got); diff != "" || got.Time.IsZero() {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestWhatIsNoEventIsRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "x", "[]", "null", "{}", `{"id": "1"}`, `{"id": "1", "source": "aws.ec2"}`, `{"Type": "Notification", "Message": "x"}`, `{"id": 1}`} {
		if e, err := sqsevents.Parse(body); !errors.Is(err, sqsevents.ErrMalformed) {
			t.Errorf("%q: %+v, %v", body, e, err)
		}
	}
}

func TestWhatAnEventIsAbout(t *testing.T) {
	t.Parallel()
	e := &sqsevents.Event{InstanceID: "i-1", Group: "web", Zone: "use1-az2", Resources: []string{"arn:aws:rds:us-east-1:123456789012:db:orders", "arn:aws:elasticloadbalancing:x:y:loadbalancer/app/front/1"}}
	for thing, want := range map[string]bool{
		"i-1": true, "web": true, "use1-az2": true, "orders": true, "app/front/1": true, "1": true, "": false, "i-10": false, "we": false, "ders": false,
		"arn:aws:rds:us-east-1:123456789012:db:orders": true,
	} {
		if e.About(thing) != want {
			t.Errorf("about %q: %v", thing, !want)
		}
	}
	if e.About() || e.About("", "x") || !e.About("x", "web") {
		t.Error("several")
	}
}

// ward is a source on a queue.
type ward struct {
	*testing.T
	cloud  *awstest.Cloud
	client *sqs.Client
	queue  string
	source *sqsevents.Source
	end    func()

	mu    sync.Mutex
	times []time.Time
}

func (w *ward) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.times = append(w.times, time.Now())
}

// woken is when the controller was woken.
func (w *ward) woken() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.times)
}

func inWard(t *testing.T, test func(*ward), optFns ...func(*sqsevents.Options)) {
	t.Helper()
	inWardWith(t, nil, test, optFns...)
}

// inWardWith is inWard with other services beside SQS.
func inWardWith(t *testing.T, services []awstest.Service, test func(*ward), optFns ...func(*sqsevents.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New(append(services, sqssvc.New()))
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		w := &ward{T: t, cloud: cloud, client: sqs.NewFromConfig(cloud.Config("us-east-1"))}
		out, err := w.client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events")})
		if err != nil {
			t.Fatal(err)
		}
		w.queue = *out.QueueUrl
		fast := func(o *sqsevents.Options) { o.Worker = func(o *queueworker.Options) { o.CancelReceives = true } }
		w.source, err = sqsevents.New(w.client, w.queue, w.wake, append([]func(*sqsevents.Options){fast}, optFns...)...)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.source.Run(ctx) }()
		w.end = func() {
			cancel()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		test(w)
		w.end()
	})
}

func (w *ward) send(body string) {
	w.Helper()
	if _, err := w.client.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &w.queue, MessageBody: &body}); err != nil {
		w.Fatal(err)
	}
}

func (w *ward) left() int {
	w.Helper()
	out, err := w.client.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &w.queue, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"},
	})
	if err != nil {
		w.Fatal(err)
	}
	n := 0
	for _, v := range out.Attributes {
		var k int
		_, _ = fmt.Sscan(v, &k)
		n += k
	}
	return n
}

func TestAnEventWakesAtOnce(t *testing.T) {
	t.Parallel()
	inWard(t, func(w *ward) {
		began := time.Now()
		w.send(stopped("1"))
		time.Sleep(time.Minute)
		if woken := w.woken(); len(woken) != 1 || woken[0].Sub(began) > time.Second {
			w.Errorf("woken at %v, sent at %v", woken, began)
		}
		if n := w.left(); n != 0 {
			w.Errorf("%d messages are left", n)
		}
	})
}

// TestAStormIsALookASecond sends a thousand events, each of them twice, for ten seconds.
func TestAStormIsALookASecond(t *testing.T) {
	t.Parallel()
	inWard(t, func(w *ward) {
		var last time.Time
		for i := range 1000 {
			for range 2 {
				w.send(stopped(fmt.Sprint(i)))
			}
			last = time.Now()
			time.Sleep(8 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		s := w.source.Stats()
		if s.Matched != 1000 || s.Duplicates != 1000 || s.Received != 2000 {
			w.Errorf("%+v", s)
		}
		woken := w.woken()
		if n := len(woken); n < 5 || n > 15 || s.Woke != n {
			w.Errorf("woken %d times: %+v", n, s)
		}
		for i := range woken[1:] {
			if gap := woken[i+1].Sub(woken[i]); gap < time.Second {
				w.Errorf("woken after %s", gap)
			}
		}
		if after := woken[len(woken)-1]; after.Before(last) {
			w.Error("nobody was woken after the last event")
		}
	})
}

func TestWhatIsNoReasonIsDoneWith(t *testing.T) {
	t.Parallel()
	inWard(t, func(w *ward) {
		w.send("poison")
		w.send(event("1", "aws.s3", "Object Created", "", "{}"))
		w.send(event("2", "aws.ec2", "EC2 Instance State-change Notification", "", `{"instance-id": "i-other", "state": "stopped"}`))
		w.send(strings.ReplaceAll(stopped("3"), time.Now().UTC().Format("2006"), "1999"))
		time.Sleep(10 * time.Minute)
		want := sqsevents.Stats{Received: 4, Other: 2, Old: 1, Malformed: 1}
		if diff := cmp.Diff(want, w.source.Stats()); diff != "" || len(w.woken()) != 0 || w.left() != 0 {
			w.Errorf("%d wakes, %d left (-want +got):\n%s", len(w.woken()), w.left(), diff)
		}
	}, func(o *sqsevents.Options) {
		o.Match = func(e *sqsevents.Event) bool { return e.About("i-0123456789abcdef0") }
	})
}

func TestPanicsAreRecovered(t *testing.T) {
	t.Parallel()
	inWard(t, func(w *ward) {
		w.send(stopped("1"))
		time.Sleep(time.Minute)
		if s := w.source.Stats(); s.Matched != 1 || s.Woke != 1 || len(w.woken()) != 1 {
			w.Errorf("%+v", s)
		}
		if err := w.source.Run(w.Context()); !errors.Is(err, sqsevents.ErrAlreadyRun) {
			w.Error(err)
		}
	}, func(o *sqsevents.Options) {
		o.Match = func(*sqsevents.Event) bool { panic("match") }
		o.OnEvent = func(context.Context, *sqsevents.Event) { panic("event") }
	})
}

func TestMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := sqsevents.New(nil, "", nil, func(o *sqsevents.Options) {
		o.MinInterval, o.MaxAge = -1, -1
		o.Worker = func(o *queueworker.Options) { o.Concurrency = -1 }
	})
	for _, text := range []string{"wake", "Options.MinInterval", "Options.MaxAge", "Concurrency", "queueURL"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(stopped("1"))
	f.Add(`{"Type": "Notification", "Message": "{\"id\": \"1\"}"}`)
	f.Add(event("1", "aws.health", "AWS Health Event", "", `{"affectedEntities": [{"entityValue": "i-2"}, {}]}`))
	f.Fuzz(func(t *testing.T, body string) {
		e, err := sqsevents.Parse(body)
		if (err == nil) != (e != nil) || err != nil && !errors.Is(err, sqsevents.ErrMalformed) {
			t.Fatalf("%+v, %v", e, err)
		}
		if err == nil && (e.ID == "" || e.Source == "" || e.DetailType == "") {
			t.Fatalf("%+v", e)
		}
		if err == nil && e.InstanceID != "" && !e.About(e.InstanceID) {
			t.Fatalf("%+v is not about %q", e, e.InstanceID)
		}
	})
}
