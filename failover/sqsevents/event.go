package sqsevents

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Event is an event of EventBridge, with what a failover may ask of it. It is plain data. What an event does not tell is empty.
// Source: https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html (read 2026-11)
type Event struct {
	ID         string // unique to the event, the same in each copy of it
	Source     string // "aws.ec2"
	DetailType string // "EC2 Instance State-change Notification"
	Account    string
	Region     string
	Time       time.Time
	Resources  []string // ARNs, and of AWS Health IDs too

	InstanceID string // of EC2 and Auto Scaling
	State      string // of an instance: "stopping"; of an event of AWS Health: "open"; of what Auto Scaling tried: "Failed"
	Group      string // an Auto Scaling group
	Hook       string // a lifecycle hook
	Zone       string // of Auto Scaling the name of the zone, of zonal shift the ID of the zone that is left
	Database   string // identifier of a DB instance or cluster
	Code       string // of AWS Health the type of the event, of RDS the ID of its kind, such as "RDS-EVENT-0049"
}

// Kind is a source and a detail type.
type Kind struct{ Source, DetailType string }

// The kinds of events that are known, each a reason to look.
// Source: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ec2.html, events-ref-autoscaling.html, events-ref-health.html,
// events-ref-rds.html and events-ref-arc-zonal-shift.html beside it (read 2026-11)
var (
	InstanceStateChange     = Kind{ec2, "EC2 Instance State-change Notification"}
	SpotInterruption        = Kind{ec2, "EC2 Spot Instance Interruption Warning"}
	RebalanceRecommendation = Kind{ec2, "EC2 Instance Rebalance Recommendation"}

	LaunchLifecycleAction    = Kind{autoScaling, "EC2 Instance-launch Lifecycle Action"}
	TerminateLifecycleAction = Kind{autoScaling, "EC2 Instance-terminate Lifecycle Action"}
	LaunchSuccessful         = Kind{autoScaling, "EC2 Instance Launch Successful"}
	LaunchUnsuccessful       = Kind{autoScaling, "EC2 Instance Launch Unsuccessful"}
	TerminateSuccessful      = Kind{autoScaling, "EC2 Instance Terminate Successful"}
	TerminateUnsuccessful    = Kind{autoScaling, "EC2 Instance Terminate Unsuccessful"}

	HealthEvent = Kind{"aws.health", "AWS Health Event"}

	DatabaseEvent = Kind{rds, "RDS DB Instance Event"}
	ClusterEvent  = Kind{rds, "RDS DB Cluster Event"}

	AutoshiftInProgress  = Kind{zonalShift, "Autoshift In Progress"}
	AutoshiftCompleted   = Kind{zonalShift, "Autoshift Completed"}
	ManualShiftStarted   = Kind{zonalShift, "Manual Shift Started"}
	ManualShiftCanceled  = Kind{zonalShift, "Manual Shift Canceled"}
	DrillShiftInProgress = Kind{zonalShift, "FIS Experiment Autoshift In Progress"}
)

const (
	ec2         = "aws.ec2"
	autoScaling = "aws.autoscaling"
	rds         = "aws.rds"
	zonalShift  = "aws.arc-zonal-shift"
)

// Kinds returns all of the known kinds.
func Kinds() []Kind {
	return []Kind{
		InstanceStateChange, SpotInterruption, RebalanceRecommendation,
		LaunchLifecycleAction, TerminateLifecycleAction, LaunchSuccessful, LaunchUnsuccessful, TerminateSuccessful, TerminateUnsuccessful,
		HealthEvent, DatabaseEvent, ClusterEvent,
		AutoshiftInProgress, AutoshiftCompleted, ManualShiftStarted, ManualShiftCanceled, DrillShiftInProgress,
	}
}

// Kind is the event's.
func (e *Event) Kind() Kind { return Kind{e.Source, e.DetailType} }

// envelope is an event on the wire.
type envelope struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       time.Time       `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`

	// Of a notification by SNS, around an event.
	Type    string `json:"Type"`
	Message string `json:"Message"`
}

// detail has what is read of all details. They are so different that no two of them mean different things by one name.
type detail struct {
	InstanceID string `json:"instance-id"`
	State      string `json:"state"`

	EC2InstanceID string `json:"EC2InstanceId"`
	Group         string `json:"AutoScalingGroupName"`
	Hook          string `json:"LifecycleHookName"`
	Details       struct {
		Zone string `json:"Availability Zone"`
	} `json:"Details"`

	HealthCode string `json:"eventTypeCode"`
	Status     string `json:"statusCode"` // Auto Scaling writes StatusCode
	Entities   []struct {
		Value string `json:"entityValue"`
	} `json:"affectedEntities"`

	Database string `json:"SourceIdentifier"`
	EventID  string `json:"EventID"`

	AwayFrom string `json:"awayFrom"`
	Metadata struct {
		AwayFrom string `json:"awayFrom"`
	} `json:"metadata"`
}

// ErrMalformed reports a message that is no event of EventBridge.
var ErrMalformed = errors.New("sqsevents: no event")

// Parse reads an event from the body of a message: as EventBridge sends it, or in a notification of SNS. What it needs has to be there (the ID, the
// source and the detail type); details are read as far as they are understood, since AWS adds to them. The error matches ErrMalformed.
func Parse(body string) (*Event, error) {
	var e envelope
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if e.Source == "" && e.Type == "Notification" {
		inner := e.Message
		e = envelope{}
		if err := json.Unmarshal([]byte(inner), &e); err != nil {
			return nil, fmt.Errorf("%w in a notification: %w", ErrMalformed, err)
		}
	}
	if e.ID == "" || e.Source == "" || e.DetailType == "" {
		return nil, fmt.Errorf("%w: it has no id, source or detail-type", ErrMalformed)
	}
	event := &Event{
		ID: e.ID, Source: e.Source, DetailType: e.DetailType, Account: e.Account, Region: e.Region, Time: e.Time, Resources: e.Resources,
	}
	var d detail
	if json.Unmarshal(e.Detail, &d) == nil { // else it is of another shape, and what it is about stands in the resources
		event.read(&d)
	}
	if event.InstanceID == "" {
		event.InstanceID = instanceOf(e.Resources)
	}
	return event, nil
}

func (e *Event) read(d *detail) {
	first := func(texts ...string) string {
		for _, t := range texts {
			if t != "" {
				return t
			}
		}
		return ""
	}
	e.InstanceID, e.Group, e.Hook = first(d.InstanceID, d.EC2InstanceID), d.Group, d.Hook
	e.State, e.Zone = first(d.State, d.Status), first(d.Details.Zone, d.AwayFrom, d.Metadata.AwayFrom)
	e.Database, e.Code = d.Database, first(d.HealthCode, d.EventID)
	for _, entity := range d.Entities {
		if entity.Value != "" {
			e.Resources = append(e.Resources, entity.Value)
		}
	}
}

// instanceOf returns the first instance of some resources, by ARN or ID.
func instanceOf(resources []string) string {
	for _, r := range resources {
		if _, id, ok := strings.Cut(r, ":instance/"); ok {
			return id
		}
		if strings.HasPrefix(r, "i-") {
			return r
		}
	}
	return ""
}

// About tells whether the event is about one of some things: instances, Auto Scaling groups, databases, zones by ID or name, or ARNs.
func (e *Event) About(things ...string) bool {
	for _, t := range things {
		if t == "" {
			continue
		}
		switch t {
		case e.InstanceID, e.Group, e.Database, e.Zone:
			return true
		}
		for _, r := range e.Resources {
			if r == t || strings.HasSuffix(r, "/"+t) || strings.HasSuffix(r, ":"+t) {
				return true
			}
		}
	}
	return false
}
