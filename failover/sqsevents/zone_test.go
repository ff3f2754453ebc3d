package sqsevents_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/eventbridgesvc"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/failover/sqsevents"
)

// site is a group and a database in several zones, whose events a rule delivers
// to the queue of a ward.
type site struct {
	*ward
	death *awstest.Zone // where the primary is

	mu    sync.Mutex
	heard []*sqsevents.Event
}

// patternOfTheGuide is the one of the package's page.
const patternOfTheGuide = `{"source": ["aws.ec2", "aws.autoscaling", "aws.health", "aws.rds", "aws.arc-zonal-shift"]}`

func inSite(t *testing.T, test func(*site), optFns ...func(*sqsevents.Options)) {
	t.Helper()
	s := &site{}
	hear := func(o *sqsevents.Options) {
		o.OnEvent = func(_ context.Context, e *sqsevents.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.heard = append(s.heard, e)
		}
	}
	services := []awstest.Service{
		ec2svc.New(), autoscalingsvc.New(), rdssvc.New(),
		eventbridgesvc.New(func(o *eventbridgesvc.Options) { o.Delay, o.Spread = 500*time.Millisecond, time.Second }),
	}
	inWardWith(t, services, func(w *ward) {
		s.ward = w
		s.wire()
		s.build()
		time.Sleep(time.Hour)
		s.take()
		test(s)
	}, append([]func(*sqsevents.Options){hear}, optFns...)...)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wire makes the rule of the package's page.
func (s *site) wire() {
	s.Helper()
	bus := eventbridge.NewFromConfig(s.cloud.Config("us-east-1"))
	must(bus.PutRule(s.Context(), &eventbridge.PutRuleInput{Name: aws.String("wake"), EventPattern: aws.String(patternOfTheGuide)}))(s)
	const arn = sqstypes.QueueAttributeNameQueueArn
	queue := must(s.client.GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &s.queue, AttributeNames: []sqstypes.QueueAttributeName{arn}}))(s)
	out := must(bus.PutTargets(s.Context(), &eventbridge.PutTargetsInput{
		Rule: aws.String("wake"), Targets: []ebtypes.Target{{Id: aws.String("queue"), Arn: aws.String(queue.Attributes[string(arn)])}},
	}))(s)
	if out.FailedEntryCount > 0 {
		s.Fatal(out.FailedEntries)
	}
}

func (s *site) build() {
	s.Helper()
	cfg := s.cloud.Config("us-east-1")
	template := must(ec2.NewFromConfig(cfg).CreateLaunchTemplate(s.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
	}))(s)
	must(autoscaling.NewFromConfig(cfg).CreateAutoScalingGroup(s.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(3), MaxSize: aws.Int32(6),
		AvailabilityZones: []string{"us-east-1a", "us-east-1b", "us-east-1c"},
		LaunchTemplate:    &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId},
	}))(s)
	must(rds.NewFromConfig(cfg).CreateDBInstance(s.Context(), &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("orders"), DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("postgres"), MultiAZ: aws.Bool(true),
		AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("owner"), MasterUserPassword: aws.String("not a secret"),
	}))(s)
	database := must(rds.NewFromConfig(cfg).DescribeDBInstances(s.Context(), &rds.DescribeDBInstancesInput{}))(s).DBInstances[0]
	for _, z := range must(s.cloud.Region("us-east-1"))(s).Zones() {
		if z.Name() == *database.AvailabilityZone {
			s.death = z
		}
	}
}

// take returns what has been heard since it was asked last.
func (s *site) take() (heard []*sqsevents.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard, s.heard = s.heard, nil
	return heard
}

// wokenSince returns when the controller was woken after a moment.
func (s *site) wokenSince(at time.Time) []time.Duration {
	var after []time.Duration
	for _, t := range s.woken() {
		if t.After(at) {
			after = append(after, t.Sub(at))
		}
	}
	return after
}

// TestAZonesDeathWakes: the zone itself tells nothing, and what AWS does about it
// is heard within seconds: the database that fails over, the group that replaces.
func TestAZonesDeathWakes(t *testing.T) {
	t.Parallel()
	inSite(t, func(s *site) {
		began := time.Now()
		heal := s.death.Fail(awstest.PowerLoss)
		defer heal()
		time.Sleep(time.Minute)
		if heard := s.take(); len(heard) > 0 || len(s.wokenSince(began)) > 0 {
			s.Errorf("what is dead has told %+v", heard)
		}
		time.Sleep(29 * time.Minute)
		heard := s.take()
		told := func(kind sqsevents.Kind, is func(*sqsevents.Event) bool) *sqsevents.Event {
			i := slices.IndexFunc(heard, func(e *sqsevents.Event) bool { return e.Kind() == kind && is(e) })
			if i < 0 {
				s.Fatalf("%v was not told in %d events", kind, len(heard))
			}
			return heard[i]
		}
		failover := told(sqsevents.DatabaseEvent, func(e *sqsevents.Event) bool {
			return e.Code == "RDS-EVENT-0049" && e.Database == "orders" && e.About("orders")
		})
		launch := told(sqsevents.LaunchSuccessful, func(e *sqsevents.Event) bool {
			return e.Group == "web" && e.Zone != s.death.Name() && e.InstanceID != ""
		})
		told(sqsevents.InstanceStateChange, func(e *sqsevents.Event) bool {
			return e.InstanceID == launch.InstanceID && e.State == "running" && e.About(launch.InstanceID)
		})
		woken := s.wokenSince(began)
		s.Logf("%d events, woken after %v", len(heard), woken)
		for _, e := range []*sqsevents.Event{failover, launch} {
			after := e.Time.Sub(began)
			if !slices.ContainsFunc(woken, func(d time.Duration) bool { return d >= after && d < after+4*time.Second }) {
				s.Errorf("%s %s happened after %s, woken after %v", e.DetailType, e.Code, after, woken)
			}
		}
		if n := s.left(); n != 0 || s.source.Stats().Malformed != 0 {
			s.Errorf("%d messages are left: %+v", n, s.source.Stats())
		}
	})
}

// TestEventsThatAreLostOrComeTwice: a wake-up is lost with its events, and events
// that come twice are one reason to look.
func TestEventsThatAreLostOrComeTwice(t *testing.T) {
	t.Parallel()
	inSite(t, func(s *site) {
		client := rds.NewFromConfig(s.cloud.Config("us-east-1"))
		reboot := func() {
			s.Helper()
			must(client.RebootDBInstance(s.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("orders")}))(s)
			time.Sleep(10 * time.Minute)
		}
		heal := must(eventbridgesvc.Drop(s.cloud, eventbridgesvc.Deliveries{Rule: "wake", Source: "aws.rds"}))(s)
		began := time.Now()
		reboot()
		if woken := s.wokenSince(began); len(woken) > 0 {
			s.Errorf("woken after %v", woken)
		}
		heal()
		must(eventbridgesvc.Duplicate(s.cloud, eventbridgesvc.Deliveries{Source: "aws.rds"}))(s)
		before := s.source.Stats()
		reboot()
		after := s.source.Stats()
		if n := len(s.take()); n != 2 || after.Duplicates-before.Duplicates != 2 || after.Matched-before.Matched != 2 {
			s.Errorf("%d events were heard: %+v, then %+v", n, before, after)
		}
	}, func(o *sqsevents.Options) { o.Match = func(e *sqsevents.Event) bool { return e.About("orders") } })
}
