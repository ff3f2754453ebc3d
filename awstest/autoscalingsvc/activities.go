package autoscalingsvc

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
)

func (s *service) addActivities(e *awstest.Endpoint) {
	awstest.Handle(e, s.describeScalingActivities, "ActivityIds", "AutoScalingGroupName", "Filters", "IncludeDeletedGroups", "MaxRecords", "NextToken")
}

// keptFor is how far back activities can be seen.
// Source: DescribeScalingActivitiesInput of the SDK (read 2026-11)
const keptFor = 6 * 7 * 24 * time.Hour

func (s *service) describeScalingActivities(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeScalingActivitiesInput) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	name := aws.ToString(in.AutoScalingGroupName)
	r := s.region(call)
	if name != "" && !aws.ToBool(in.IncludeDeletedGroups) {
		if _, err := r.Group(call.At, name); err != nil {
			return nil, err
		}
	}
	match, err := activityFilter(name, in.Filters)
	if err != nil {
		return nil, err
	}
	var list []asgmodel.Activity
	for _, a := range r.Activities(call.At) {
		g, err := r.Group(call.At, a.Group)
		alive := err == nil && g.ARN == a.ARN
		if (name == "" || a.Group == name) && (alive || aws.ToBool(in.IncludeDeletedGroups)) &&
			wanted(in.ActivityIds, a.ID) && a.Start.After(call.At.Add(-keptFor)) && match(a) {
			list = append(list, a)
		}
	}
	list, next, err := page(pagesOfActivities, list, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeScalingActivitiesOutput{Activities: []types.Activity{}, NextToken: next}
	for _, a := range list {
		state := "Deleted"
		if g, err := r.Group(call.At, a.Group); err == nil && g.ARN == a.ARN {
			state = "InService"
		}
		shown := showActivity(a)
		shown.AutoScalingGroupState = &state
		out.Activities = append(out.Activities, shown)
	}
	return out, nil
}

// activityFilter reads the filters of activities.
// Source: DescribeScalingActivitiesInput of the SDK (read 2026-11)
func activityFilter(group string, filters []types.Filter) (func(asgmodel.Activity) bool, error) {
	var all []func(asgmodel.Activity) bool
	for _, f := range filters {
		name := aws.ToString(f.Name)
		switch name {
		case "Status":
			if group == "" {
				return nil, invalid("The filter Status can only be used with an AutoScalingGroupName")
			}
			all = append(all, func(a asgmodel.Activity) bool { return slices.Contains(f.Values, a.Status) })
		case "StartTimeLowerBound", "StartTimeUpperBound":
			if len(f.Values) != 1 {
				return nil, invalid("The filter %s must have one value", name)
			}
			at, err := parseTime(f.Values[0])
			if err != nil {
				return nil, err
			}
			all = append(all, func(a asgmodel.Activity) bool {
				if name == "StartTimeLowerBound" {
					return !a.Start.Before(at)
				}
				return !a.Start.After(at)
			})
		default:
			return nil, invalid("Filter type %s is not correct. Allowed Filter types are: StartTimeLowerBound, StartTimeUpperBound, Status", name)
		}
	}
	return func(a asgmodel.Activity) bool {
		return !slices.ContainsFunc(all, func(f func(asgmodel.Activity) bool) bool { return !f(a) })
	}, nil
}

// parseTime reads a time in ISO 8601; without an offset it is UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, invalid("'%s' is not a time in ISO 8601", text)
}

func showActivity(a asgmodel.Activity) types.Activity {
	out := types.Activity{
		ActivityId: &a.ID, AutoScalingGroupName: &a.Group, AutoScalingGroupARN: &a.ARN,
		Description: &a.Description, Cause: &a.Cause, Details: &a.Details, StartTime: &a.Start,
		StatusCode: types.ScalingActivityStatusCode(a.Status), StatusMessage: optional(a.Message), Progress: aws.Int32(int32(a.Progress)),
	}
	if !a.End.IsZero() {
		out.EndTime = &a.End
	}
	return out
}

func showActivities(list []asgmodel.Activity) (out []types.Activity) {
	for _, a := range list {
		out = append(out, showActivity(a))
	}
	return out
}
