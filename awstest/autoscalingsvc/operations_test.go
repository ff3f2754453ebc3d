package autoscalingsvc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestPage(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*autoscaling.Client](t, autoscalingsvc.New(), serviceID))
	svctest.PageListsCodes(t, svctest.Codes(t, "*.go", "../internal/asgmodel/*.go"))
}

func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	codes := svctest.Codes(t, "*.go", "../internal/asgmodel/*.go")
	codes["ResourceContention"] = true // which is for faults only
	inBubble(t, func(w *world) {
		svctest.ErrorTypes(w, w.cloud, serviceID, codes, w.Client, func(code string) *autoscaling.Client {
			return autoscaling.New(autoscaling.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer("<ErrorResponse><Error><Code>" + code + "</Code><Message>no</Message></Error></ErrorResponse>"),
			})
		})
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: serviceID, Operation: "DescribeAccountLimits"}, func() error {
			_, err := w.DescribeAccountLimits(w.Context(), nil)
			return err
		},
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "Throttling", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDenied", Status: 403, Attempts: 1},
			svctest.ServiceFault{Effect: awstest.Reject(awstest.APIError{Code: "ResourceContention", Message: "busy", Status: 500}), Code: "ResourceContention", Status: 500, Attempts: 3},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	create := func(change func(*autoscaling.CreateAutoScalingGroupInput)) func(*awstest.Cloud, *autoscaling.Client) error {
		return func(_ *awstest.Cloud, client *autoscaling.Client) error {
			in := &autoscaling.CreateAutoScalingGroupInput{
				AutoScalingGroupName: new("g"), MinSize: new(int32(0)), MaxSize: new(int32(0)), AvailabilityZones: []string{"us-east-1a"},
			}
			change(in)
			_, err := client.CreateAutoScalingGroup(t.Context(), in)
			return err
		}
	}
	track := func(change func(*types.TargetTrackingConfiguration)) func(*awstest.Cloud, *autoscaling.Client) error {
		return func(_ *awstest.Cloud, client *autoscaling.Client) error {
			c := &types.TargetTrackingConfiguration{TargetValue: new(1.0)}
			change(c)
			_, err := client.PutScalingPolicy(t.Context(), &autoscaling.PutScalingPolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p"), PolicyType: new("TargetTrackingScaling"), TargetTrackingConfiguration: c})
			return err
		}
	}
	for name, c := range map[string]struct {
		call func(*awstest.Cloud, *autoscaling.Client) error
		says string
	}{
		"an operation": {func(_ *awstest.Cloud, client *autoscaling.Client) error {
			_, err := client.StartInstanceRefresh(t.Context(), &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: new("g")})
			return err
		}, ".StartInstanceRefresh"},
		"a launch configuration": {create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.LaunchConfigurationName = new("l") }), ".CreateAutoScalingGroup: parameter LaunchConfigurationName"},
		"an instance as a model": {create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.InstanceId = new("i-1") }), ".CreateAutoScalingGroup: parameter InstanceId"},
		"mixed instances": {create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy = &types.MixedInstancesPolicy{}
		}), ".CreateAutoScalingGroup: parameter MixedInstancesPolicy"},
		"capacity rebalancing": {create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.CapacityRebalance = new(true) }), ".CreateAutoScalingGroup: capacity rebalancing"},
		"a lifetime":           {create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.MaxInstanceLifetime = new(int32(86400)) }), ".CreateAutoScalingGroup: a maximum instance lifetime"},
		"units":                {create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.DesiredCapacityType = new("vcpu") }), ".CreateAutoScalingGroup: desired capacity type vcpu"},
		"deletion protection":  {create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.DeletionProtection = "prevent-all-deletion" }), ".CreateAutoScalingGroup: deletion protection prevent-all-deletion"},
		"a health check":       {create(func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckType = new("EC2,EBS") }), ".CreateAutoScalingGroup: health check type EBS"},
		"a termination policy": {create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.TerminationPolicies = []string{"AllocationStrategy"}
		}), ".CreateAutoScalingGroup: termination policy AllocationStrategy"},
		"reservations first": {create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.AvailabilityZoneDistribution = &types.AvailabilityZoneDistribution{CapacityDistributionStrategy: types.CapacityDistributionStrategyReservationsThenBalanced}
		}), ".CreateAutoScalingGroup: capacity distribution strategy reservations-then-balanced"},
		"notifications": {create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{{LifecycleHookName: new("h"), LifecycleTransition: new(launching), NotificationTargetARN: new("arn:aws:sqs:us-east-1:123456789012:q")}}
		}), ".CreateAutoScalingGroup: a notification target of a lifecycle hook"},
		"a Classic Load Balancer": {create(func(in *autoscaling.CreateAutoScalingGroupInput) {
			in.TrafficSources = []types.TrafficSourceIdentifier{{Identifier: new("lb"), Type: new("elb")}}
		}), ".CreateAutoScalingGroup: traffic source type elb"},
		"a predefined metric": {track(func(c *types.TargetTrackingConfiguration) {
			c.PredefinedMetricSpecification = &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeASGAverageCPUUtilization}
		}), ".PutScalingPolicy: a predefined metric"},
		"metric math": {track(func(c *types.TargetTrackingConfiguration) {
			c.CustomizedMetricSpecification = &types.CustomizedMetricSpecification{Metrics: []types.TargetTrackingMetricDataQuery{{Id: new("a")}}}
		}), ".PutScalingPolicy: metric data queries"},
		"a short period": {track(func(c *types.TargetTrackingConfiguration) {
			c.CustomizedMetricSpecification = &types.CustomizedMetricSpecification{Period: new(int32(10))}
		}), ".PutScalingPolicy: a period of 10 seconds"},
		"predictive scaling": {func(_ *awstest.Cloud, client *autoscaling.Client) error {
			_, err := client.PutScalingPolicy(t.Context(), &autoscaling.PutScalingPolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p"), PolicyType: new("PredictiveScaling")})
			return err
		}, ".PutScalingPolicy: policy type PredictiveScaling"},
		"an aggregation": {func(_ *awstest.Cloud, client *autoscaling.Client) error {
			_, err := client.PutScalingPolicy(t.Context(), &autoscaling.PutScalingPolicyInput{AutoScalingGroupName: new("g"), PolicyName: new("p"), PolicyType: new("StepScaling"), MetricAggregationType: new("Maximum")})
			return err
		}, ".PutScalingPolicy: metric aggregation type Maximum"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svctest.NotModelled(t, autoscalingsvc.New(), func(cloud *awstest.Cloud) error {
				return c.call(cloud, autoscaling.NewFromConfig(cloud.Config("us-east-1")))
			}, "awstest: "+serviceID+c.says+" is not modelled")
		})
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{autoscalingsvc.New(func(o *autoscalingsvc.Options) {
		o.Reaction, o.Transition, o.HealthChecks, o.Impaired = -2, -2, -2, -2
		o.LaunchTimeout, o.Retry, o.RetryMax, o.GroupQuota = -1, -1, 1, -1
	})})
	for _, field := range []string{"Reaction", "Transition", "HealthChecks", "Impaired", "LaunchTimeout", "Retry", "RetryMax", "GroupQuota"} {
		if err == nil || !strings.Contains(err.Error(), "autoscalingsvc.Options."+field+":") {
			t.Errorf("%s is not refused: %v", field, err)
		}
	}
	var field *awstest.FieldError
	if !errors.As(err, &field) {
		t.Errorf("%T", err)
	}
}
