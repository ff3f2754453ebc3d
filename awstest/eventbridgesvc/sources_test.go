package eventbridgesvc_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// inside gives the models of the services of AWS, which these tests drive
// without their clients.
func inside[M any](w *world, fn func(tx *awstest.Tx, r *awstest.Region, m *M)) {
	w.Helper()
	region := svctest.Must(w.cloud.Region("us-east-1"))(w)
	w.cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[M](tx)
		if !ok {
			w.Fatalf("there is no %T", m)
		}
		fn(tx, region, m)
	})
}

// story tells the events of a queue: when they happened, what they are, and
// values of their details.
func (w *world) story(names ...string) (told []string) {
	w.Helper()
	for _, e := range w.received("events") {
		var detail map[string]any
		if err := json.Unmarshal(e.Detail, &detail); err != nil {
			w.Fatal(err)
		}
		var text strings.Builder
		fmt.Fprintf(&text, "%v %s", e.Time.Sub(w.start), e.DetailType)
		for _, name := range names {
			if v, ok := detail[name]; ok {
				fmt.Fprintf(&text, ", %v", v)
			}
		}
		told = append(told, text.String())
	}
	return told
}

func (w *world) want(got []string, want ...string) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("(-want +got):\n%s", diff)
	}
}

func (w *world) failZone(id string) (heal func()) {
	w.Helper()
	return svctest.Must(w.cloud.Zone(id))(w).Fail(awstest.PowerLoss)
}

func TestInstancesTellTheirStates(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(pattern(`{"source": ["aws.ec2"], "detail": {"state": [{"anything-but": "stopped"}]}}`)), "events")
		var i ec2model.Instance
		inside(w, func(tx *awstest.Tx, r *awstest.Region, m *ec2model.Model) {
			ec2 := m.Region(tx, r)
			i = svctest.Must(ec2.Launch(tx, ec2model.LaunchData{Image: "ami-00000001", Type: "t3.micro"}, ec2.Subnets()[0].ID, nil))(w)
		})
		w.until(10 * time.Minute)
		events := w.received("events")
		if len(events) != 2 {
			w.Fatal(events)
		}
		want := fmt.Sprintf(`"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"123456789012","time":%q,"region":"us-east-1","resources":["arn:aws:ec2:us-east-1:123456789012:instance/%s"],"detail":{"instance-id":%q,"state":"pending"}}`,
			w.start.UTC().Format(time.RFC3339), i.ID, i.ID)
		if !strings.HasSuffix(events[0].body, want) || string(events[1].Detail) != fmt.Sprintf(`{"instance-id":%q,"state":"running"}`, i.ID) {
			w.Errorf("got %s\n%s", events[0].body, want)
		}
		heal := w.failZone(i.Zone.ID())
		w.until(time.Hour)
		w.want(w.story()) // it has no power to tell
		heal()
		inside(w, func(tx *awstest.Tx, r *awstest.Region, m *ec2model.Model) {
			now := svctest.Must(m.Region(tx, r).Instance(tx.Now(), i.ID))(w)
			m.Region(tx, r).Terminate(tx, []ec2model.Instance{now}, false)
		})
		w.until(2 * time.Hour)
		if got := w.story("state"); len(got) != 2 || !strings.HasSuffix(got[0], "shutting-down") || !strings.HasSuffix(got[1], "terminated") {
			w.Error(got)
		}
	})
}

// group makes an Auto Scaling group of one instance with a hook of either kind.
func (w *world) group() (arn string) {
	w.Helper()
	inside(w, func(tx *awstest.Tx, r *awstest.Region, m *asgmodel.Model) {
		ec2, _ := awstest.Lookup[ec2model.Model](tx)
		in := ec2.Region(tx, r)
		template := svctest.Must(in.CreateTemplate(tx, ec2model.TemplateSpec{
			Name: "web", First: ec2model.VersionSpec{Data: ec2model.LaunchData{Image: "ami-00000001", Type: "t3.micro"}},
		}))(w)
		g := svctest.Must(m.Region(r).Create(tx, asgmodel.CreateSpec{
			Spec: asgmodel.Spec{
				Name: "web", Template: asgmodel.Template{ID: template.ID}, Min: 1, Max: 2, Desired: 1,
				Zones: r.Zones()[:1], Subnets: in.Subnets()[:1], HealthCheckType: "EC2", Policies: asgmodel.DefaultPolicies(),
				Impairment: &asgmodel.Impairment{ShiftEnabled: true, Behavior: "ReplaceUnhealthy"},
			},
			Hooks: []asgmodel.Hook{
				{Name: "warm", Transition: asgmodel.Launching, Metadata: "hello"},
				{Name: "drain", Transition: asgmodel.Ending, Default: asgmodel.Continue, Heartbeat: 30 * time.Second},
			},
		}))(w)
		arn = g.ARN
	})
	return arn
}

func TestGroupsTellWhatTheyDo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(pattern(`{"source": ["aws.autoscaling"]}`)), "events")
		arn := w.group()
		w.until(time.Minute)
		first := w.received("events")
		if len(first) != 1 || !cmp.Equal(first[0].Resources, []string{arn}) {
			w.Fatalf("%+v", first)
		}
		var action map[string]string
		if err := json.Unmarshal(first[0].Detail, &action); err != nil {
			w.Fatal(err)
		}
		token, id := action["LifecycleActionToken"], action["EC2InstanceId"]
		want := map[string]string{
			"LifecycleActionToken": token, "AutoScalingGroupName": "web", "LifecycleHookName": "warm", "EC2InstanceId": id,
			"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "NotificationMetadata": "hello", "Origin": "EC2", "Destination": "AutoScalingGroup",
		}
		if diff := cmp.Diff(want, action); diff != "" || token == "" || !strings.HasPrefix(id, "i-") {
			w.Error(diff)
		}
		complete := func(instance, result string) {
			w.Helper()
			inside(w, func(tx *awstest.Tx, r *awstest.Region, m *asgmodel.Model) {
				if err := m.Region(r).CompleteAction(tx, "web", "warm", instance, "", result); err != nil {
					w.Error(err)
				}
			})
		}
		complete(id, asgmodel.Continue)
		w.until(2 * time.Minute)
		launched := w.received("events")
		if len(launched) != 1 || launched[0].DetailType != "EC2 Instance Launch Successful" || !cmp.Equal(launched[0].Resources, []string{arn, "arn:aws:ec2:us-east-1:123456789012:instance/" + id}) {
			w.Fatalf("%+v", launched)
		}
		var activity struct {
			StatusCode, Description, ActivityID, RequestID, Origin, Destination string
			StartTime, EndTime                                                  time.Time
			Details                                                             map[string]string
		}
		if err := json.Unmarshal(launched[0].Detail, &activity); err != nil {
			w.Fatal(err)
		}
		if activity.StatusCode != "InProgress" || activity.Description != "Launching a new EC2 instance: "+id || activity.ActivityID == "" || activity.RequestID == "" ||
			activity.Origin != "EC2" || activity.Destination != "AutoScalingGroup" || !activity.EndTime.After(activity.StartTime) ||
			activity.Details["Availability Zone"] != "us-east-1a" || activity.Details["Subnet ID"] == "" {
			w.Errorf("%s", launched[0].Detail)
		}

		// It is terminated, and its replacement is abandoned.
		inside(w, func(tx *awstest.Tx, r *awstest.Region, m *asgmodel.Model) {
			svctest.Must(m.Region(r).Terminate(tx, "web", []string{id}, false))(w)
		})
		w.until(4 * time.Minute)
		next := ""
		var told []string
		for _, e := range w.received("events") {
			var detail struct{ EC2InstanceID string }
			if err := json.Unmarshal(e.Detail, &detail); err != nil {
				w.Fatal(err)
			}
			if detail.EC2InstanceID != id {
				next = detail.EC2InstanceID
			}
			told = append(told, e.DetailType)
		}
		w.want(told, "EC2 Instance-terminate Lifecycle Action", "EC2 Instance-launch Lifecycle Action", "EC2 Instance Terminate Successful")
		complete(next, asgmodel.Abandon)
		w.until(4*time.Minute + 3*time.Second)
		if got := w.story("EC2InstanceId", "StatusCode"); len(got) != 1 || !strings.HasSuffix(got[0], "EC2 Instance Launch Unsuccessful, "+next+", Cancelled") {
			w.Error(got)
		}

		// The only zone dies: launches are refused.
		w.failZone("use1-az2")
		w.until(20 * time.Minute)
		refused := 0
		for _, text := range w.story("EC2InstanceId", "StatusCode", "StatusMessage") {
			if strings.Contains(text, "EC2 Instance Launch Unsuccessful, , Failed, ") {
				refused++
			}
		}
		if refused == 0 {
			w.Error("no launch was refused")
		}
	})
}

func TestDatabasesTell(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(pattern(`{"source": ["aws.rds"]}`)), "events")
		shape := rdsmodel.Shape{Class: "db.t3.micro", Engine: "postgres", StorageGiB: 20}
		var primary string
		rds := func(fn func(tx *awstest.Tx, r *rdsmodel.Region)) {
			w.Helper()
			inside(w, func(tx *awstest.Tx, r *awstest.Region, m *rdsmodel.Model) { fn(tx, m.Region(r)) })
		}
		rds(func(tx *awstest.Tx, r *rdsmodel.Region) {
			i := svctest.Must(r.CreateInstance(tx, rdsmodel.Spec{ID: "orders", Shape: shape, MultiAZ: true}))(w)
			primary = i.Zone.ID()
		})
		w.until(time.Hour)
		events := w.received("events")
		want := `{"Date":"2000-01-01T00:05:00.002Z","EventCategories":["creation"],"EventID":"RDS-EVENT-0005","Message":"DB instance created.","SourceArn":"arn:aws:rds:us-east-1:123456789012:db:orders","SourceIdentifier":"orders","SourceType":"DB_INSTANCE"}`
		if len(events) != 1 || events[0].DetailType != "RDS DB Instance Event" || !cmp.Equal(events[0].Resources, []string{"arn:aws:rds:us-east-1:123456789012:db:orders"}) {
			w.Fatalf("%+v", events)
		}
		if diff := cmp.Diff(want, string(events[0].Detail)); diff != "" {
			w.Error(diff)
		}
		heal := w.failZone(primary)
		w.until(61 * time.Minute)
		w.want(w.story())
		w.until(62 * time.Minute)
		w.want(w.story("EventID"), "1h1m30s RDS DB Instance Event, RDS-EVENT-0013", "1h1m30s RDS DB Instance Event, RDS-EVENT-0006", "1h1m30s RDS DB Instance Event, RDS-EVENT-0049")
		heal()
		w.until(2 * time.Hour)
		rds(func(tx *awstest.Tx, r *rdsmodel.Region) { svctest.Must(r.RebootInstance(tx, "orders", true))(w) })
		w.until(150 * time.Minute)
		rds(func(tx *awstest.Tx, r *rdsmodel.Region) { svctest.Must(r.RebootInstance(tx, "orders", false))(w) })
		w.until(3 * time.Hour)
		w.want(w.story("EventID"),
			"2h0m0s RDS DB Instance Event, RDS-EVENT-0013", "2h1m30s RDS DB Instance Event, RDS-EVENT-0006", "2h1m30s RDS DB Instance Event, RDS-EVENT-0049",
			"2h30m0s RDS DB Instance Event, RDS-EVENT-0004", "2h30m30s RDS DB Instance Event, RDS-EVENT-0006")
		rds(func(tx *awstest.Tx, r *rdsmodel.Region) {
			svctest.Must(r.DeleteInstance(tx, "orders", true, ""))(w)
			svctest.Must(r.CreateCluster(tx, rdsmodel.ClusterSpec{ID: "carts", Engine: "aurora-mysql", Retention: 1}))(w)
		})
		w.until(4 * time.Hour)
		rds(func(tx *awstest.Tx, r *rdsmodel.Region) { svctest.Must(r.DeleteCluster(tx, "carts", true, ""))(w) })
		w.until(5 * time.Hour)
		w.want(w.story("EventID", "SourceType", "SourceIdentifier"),
			"3h2m0s RDS DB Instance Event, RDS-EVENT-0003, DB_INSTANCE, orders",
			"3h5m0s RDS DB Cluster Event, RDS-EVENT-0170, CLUSTER, carts", "4h2m0s RDS DB Cluster Event, RDS-EVENT-0171, CLUSTER, carts")
	})
}

func TestShiftsTell(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.wire(rule(pattern(`{"source": ["aws.arc-zonal-shift"], "detail": {"metadata": {"awayFrom": ["use1-az2"]}}}`)), "events")
		arn := w.group()
		shift := func(fn func(tx *awstest.Tx, r *zonalshiftmodel.Region)) {
			w.Helper()
			inside(w, func(tx *awstest.Tx, r *awstest.Region, m *zonalshiftmodel.Model) { fn(tx, m.Region(r)) })
		}
		for range 2 { // one is canceled, the other expires
			shift(func(tx *awstest.Tx, r *zonalshiftmodel.Region) {
				s := svctest.Must(r.Start(tx, arn, "use1-az2", "1h", "why"))(w)
				hours := "2h"
				svctest.Must(r.Update(tx, s.ID, &hours, nil))(w)
				if tx.Now().Sub(w.start) < time.Minute {
					svctest.Must(r.Cancel(tx, s.ID))(w)
				}
			})
			time.Sleep(3 * time.Hour)
		}
		var end func(*awstest.Tx)
		shift(func(tx *awstest.Tx, r *zonalshiftmodel.Region) {
			end = r.StartAutoshift(tx, svctest.Must(w.cloud.Zone("use1-az2"))(w))
		})
		time.Sleep(time.Hour)
		for range 2 {
			w.cloud.Update(end)
		}
		time.Sleep(time.Minute)
		events := w.received("events")
		var told []string
		for _, e := range events {
			told = append(told, e.DetailType)
			if !cmp.Equal(e.Resources, []string{arn}) || string(e.Detail) != `{"data":"","metadata":{"awayFrom":"use1-az2","notes":""},"version":"0.0.1"}` {
				w.Error(e.body)
			}
		}
		w.want(told, "Manual Shift Started", "Manual Shift Updated", "Manual Shift Canceled", "Manual Shift Started", "Manual Shift Updated",
			"Autoshift In Progress", "Autoshift Completed")
	})
}
