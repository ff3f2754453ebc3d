package autoscalingsvc

import (
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// service is Auto Scaling of one cloud.
type service struct {
	model *asgmodel.Model
	ec2   *ec2model.Model
}

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: asgmodel.Of(r), ec2: ec2model.Of(r)}
		var err error
		s.model.Configure(func(m *asgmodel.Options) { err = opts.apply(m) })
		if err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: autoscaling.ServiceID,
			// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "Throttling", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addGroups(e)
		s.addDescribe(e)
		s.addActivities(e)
		s.addCapacity(e)
		s.addInstances(e)
		s.addStandby(e)
		s.addHooks(e)
		s.addProcesses(e)
		s.addSources(e)
		s.addPolicies(e)
		s.addTags(e)
		return e.Err()
	}
}

// modelled gives the codes that the adapter uses the SDK's types for them, in
// the operations for which the SDK knows them. Elsewhere they stay generic, and
// so do codes that the SDK has no type for, such as ValidationError.
func modelled(operation, code, message string) error {
	m := aws.String(message)
	if code == "ResourceContention" { // which every operation may meet
		return &types.ResourceContentionFault{Message: m}
	}
	switch operation + " " + code {
	case "CreateAutoScalingGroup AlreadyExists", "CreateOrUpdateTags AlreadyExists":
		return &types.AlreadyExistsFault{Message: m}
	case "LaunchInstances IdempotentParameterMismatch":
		return &types.IdempotentParameterMismatchError{Message: m}
	case "DescribeAutoScalingGroups InvalidNextToken", "DescribeAutoScalingInstances InvalidNextToken",
		"DescribeInstanceRefreshes InvalidNextToken",
		"DescribeLoadBalancerTargetGroups InvalidNextToken", "DescribePolicies InvalidNextToken",
		"DescribeScalingActivities InvalidNextToken", "DescribeTags InvalidNextToken", "DescribeTrafficSources InvalidNextToken":
		return &types.InvalidNextToken{Message: m}
	case "CreateAutoScalingGroup LimitExceeded", "CreateOrUpdateTags LimitExceeded", "PutLifecycleHook LimitExceeded",
		"PutScalingPolicy LimitExceeded", "SetInstanceProtection LimitExceeded":
		return &types.LimitExceededFault{Message: m}
	case "CreateOrUpdateTags ResourceInUse", "DeleteAutoScalingGroup ResourceInUse", "DeleteTags ResourceInUse",
		"ResumeProcesses ResourceInUse", "SuspendProcesses ResourceInUse":
		return &types.ResourceInUseFault{Message: m}
	case "DeleteAutoScalingGroup ScalingActivityInProgress", "ExecutePolicy ScalingActivityInProgress",
		"SetDesiredCapacity ScalingActivityInProgress", "TerminateInstanceInAutoScalingGroup ScalingActivityInProgress",
		"UpdateAutoScalingGroup ScalingActivityInProgress":
		return &types.ScalingActivityInProgressFault{Message: m}
	}
	return nil
}

func (s *service) region(call *awstest.Call) *asgmodel.Region { return s.model.Region(call.Region) }

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationError", format, args...)
}

// seconds reads a number of seconds.
func seconds(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Second }

func inSeconds(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }

// wanted tells whether a value is asked for; no values ask for everything.
func wanted(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
