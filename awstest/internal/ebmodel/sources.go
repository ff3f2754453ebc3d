package ebmodel

import (
	"encoding/json"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// object is a JSON object, whose members come in the order of their names.
type object = map[string]any

// tell emits an event of AWS's own.
func (m *Model) tell(tx *awstest.Tx, region *awstest.Region, source, kind string, detail object, resources ...string) {
	m.Region(region).Emit(tx, Event{Source: source, DetailType: kind, Resources: resources, Detail: toJSON(detail)})
}

func (m *Model) instanceARN(region *awstest.Region, id string) string {
	return "arn:aws:ec2:" + region.Name() + ":" + m.cloud.AccountID() + ":instance/" + id
}

// instanceChanged hears of every state that an instance of EC2 enters.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html (read 2026-11)
func (m *Model) instanceChanged(tx *awstest.Tx, _ *ec2model.Region, i ec2model.Instance) {
	region := i.Zone.Region()
	m.tell(tx, region, "aws.ec2", "EC2 Instance State-change Notification",
		object{"instance-id": i.ID, "state": string(i.State)}, m.instanceARN(region, i.ID))
}

// groupTells hears of lifecycle actions, launches and terminations.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html (read 2026-11)
func (m *Model) groupTells(tx *awstest.Tx, region *awstest.Region, e asgmodel.Event) {
	detail := object{"AutoScalingGroupName": e.Group, "EC2InstanceId": e.Instance, "Origin": "EC2", "Destination": "AutoScalingGroup"}
	word := "Launch"
	if e.Ending {
		word, detail["Origin"], detail["Destination"] = "Terminate", "AutoScalingGroup", "EC2"
	}
	if e.Action != nil {
		detail["LifecycleActionToken"], detail["LifecycleHookName"] = e.Action.Token, e.Action.Hook.Name
		detail["LifecycleTransition"] = string(e.Action.Hook.Transition)
		if e.Action.Hook.Metadata != "" {
			detail["NotificationMetadata"] = e.Action.Hook.Metadata
		}
		kind := "EC2 Instance-launch Lifecycle Action"
		if e.Ending {
			kind = "EC2 Instance-terminate Lifecycle Action"
		}
		m.tell(tx, region, "aws.autoscaling", kind, detail, e.ARN)
		return
	}
	// The reference shows InProgress for what has succeeded, and Failed for what
	// has not; what it says of a launch that was cancelled is not documented.
	a, result, code := e.Activity, "Unsuccessful", e.Activity.Status
	if a.Status == asgmodel.Successful {
		result, code = "Successful", asgmodel.InProgress
	}
	detail["StatusCode"], detail["StatusMessage"] = code, a.Message
	detail["Description"], detail["Cause"], detail["ActivityId"], detail["RequestId"] = a.Description, a.Cause, a.ID, a.ID
	detail["StartTime"], detail["EndTime"] = milliseconds(a.Start), milliseconds(a.End)
	detail["Details"] = json.RawMessage(a.Details)
	resources := []string{e.ARN}
	if e.Instance != "" {
		resources = append(resources, m.instanceARN(region, e.Instance))
	}
	m.tell(tx, region, "aws.autoscaling", "EC2 Instance "+word+" "+result, detail, resources...)
}

// databaseTells hears of events of DB instances and clusters. The guide's
// example has "rds:" before the identifier of the instance; users of these events
// find the identifier alone, and so it is here.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-cloudwatch-events.sample.html (read 2026-11)
func (m *Model) databaseTells(tx *awstest.Tx, region *awstest.Region, e rdsmodel.Event) {
	kind, of := "RDS DB Instance Event", "DB_INSTANCE"
	if e.OfCluster {
		kind, of = "RDS DB Cluster Event", "CLUSTER"
	}
	m.tell(tx, region, "aws.rds", kind, object{
		"EventCategories": []string{e.Category}, "SourceType": of, "SourceArn": e.ARN, "SourceIdentifier": e.ID,
		"Date": milliseconds(tx.Now()), "Message": e.Message, "EventID": e.EventID,
	}, e.ARN)
}

// shiftTells hears of zonal shifts. The examples have names of tests for
// resources; these are ARNs.
// Source: https://docs.aws.amazon.com/r53recovery/latest/dg/eventbridge-zonal-autoshift.html (read 2026-11)
func (m *Model) shiftTells(tx *awstest.Tx, region *awstest.Region, e zonalshiftmodel.Event) {
	m.tell(tx, region, "aws.arc-zonal-shift", string(e.Kind), object{
		"version": "0.0.1", "data": "", "metadata": object{"awayFrom": e.Zone.ID(), "notes": ""},
	}, e.ARN)
}

func milliseconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
