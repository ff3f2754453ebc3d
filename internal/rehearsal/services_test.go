package rehearsal_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asg "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A subject is a service as the faults see it: something that can be changed, and read.
type subject struct {
	service      string
	change, read string // operations
	consistent   bool   // reads are never of the past

	// prepare makes what the calls need, with a client that no fault strikes, and returns them. Changes count up: look
	// returns how many there have been, as the read shows it; sure the same, of the present.
	prepare func(t *testing.T, cfg aws.Config) calls
}

type calls struct {
	change     func(context.Context, aws.Config) error
	look, sure func(context.Context, aws.Config) (int, error)
}

var subjects = []subject{
	{
		service: ec2.ServiceID, change: "CreateVolume", read: "DescribeVolumes",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					_, err := ec2.NewFromConfig(cfg).CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZoneId: aws.String("use1-az1"), Size: aws.Int32(1)})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := ec2.NewFromConfig(cfg).DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
					return of(err, func() int { return len(out.Volumes) })
				},
			}
		},
	},
	{
		service: elbv2.ServiceID, change: "CreateTargetGroup", read: "DescribeTargetGroups",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			vpcs, err := ec2.NewFromConfig(cfg).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					n++
					_, err := elbv2.NewFromConfig(cfg).CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
						Name: aws.String("group-" + strconv.Itoa(n)), Protocol: elb.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: vpcs.Vpcs[0].VpcId,
					})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := elbv2.NewFromConfig(cfg).DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{})
					return of(err, func() int { return len(out.TargetGroups) })
				},
			}
		},
	},
	{
		service: autoscaling.ServiceID, change: "CreateOrUpdateTags", read: "DescribeTags",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			template(t, cfg)
			_, err := autoscaling.NewFromConfig(cfg).CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
				AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(0), MaxSize: aws.Int32(0), AvailabilityZones: []string{"us-east-1a"},
				LaunchTemplate: &asg.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
			})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					n++
					_, err := autoscaling.NewFromConfig(cfg).CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []asg.Tag{{
						ResourceId: aws.String("web"), ResourceType: aws.String("auto-scaling-group"),
						Key: aws.String("key-" + strconv.Itoa(n)), Value: aws.String("v"), PropagateAtLaunch: aws.Bool(false),
					}}})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := autoscaling.NewFromConfig(cfg).DescribeTags(ctx, &autoscaling.DescribeTagsInput{})
					return of(err, func() int { return len(out.Tags) })
				},
			}
		},
	},
	{
		service: sqs.ServiceID, change: "SendMessage", read: "GetQueueAttributes",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			q, err := sqs.NewFromConfig(cfg).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("work")})
			if err != nil {
				t.Fatal(err)
			}
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					_, err := sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q.QueueUrl, MessageBody: aws.String("m")})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					name := sqstypes.QueueAttributeNameApproximateNumberOfMessages
					out, err := sqs.NewFromConfig(cfg).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: q.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{name}})
					return of(err, func() int { return number(out.Attributes[string(name)]) })
				},
			}
		},
	},
	{
		service: dynamodb.ServiceID, change: "UpdateItem", read: "GetItem",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			client := dynamodb.NewFromConfig(cfg)
			_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
				TableName: aws.String("counts"), BillingMode: ddb.BillingModePayPerRequest,
				KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}},
				AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("counts")}, time.Hour); err != nil {
				t.Fatal(err)
			}
			key := map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: "a"}}
			get := func(consistent bool) func(ctx context.Context, cfg aws.Config) (int, error) {
				return func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := dynamodb.NewFromConfig(cfg).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("counts"), Key: key, ConsistentRead: aws.Bool(consistent)})
					return of(err, func() int {
						if n, ok := out.Item["n"].(*ddb.AttributeValueMemberN); ok {
							return number(n.Value)
						}
						return 0
					})
				}
			}
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					_, err := dynamodb.NewFromConfig(cfg).UpdateItem(ctx, &dynamodb.UpdateItemInput{
						TableName: aws.String("counts"), Key: key, UpdateExpression: aws.String("ADD n :one"),
						ExpressionAttributeValues: map[string]ddb.AttributeValue{":one": &ddb.AttributeValueMemberN{Value: "1"}},
					})
					return err
				},
				look: get(false), sure: get(true),
			}
		},
	},
	{
		service: s3.ServiceID, change: "PutObject", read: "ListObjectsV2", consistent: true,
		prepare: func(t *testing.T, cfg aws.Config) calls {
			bucket := aws.String("rehearsal")
			if _, err := s3.NewFromConfig(cfg).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
				t.Fatal(err)
			}
			if _, err := s3.NewFromConfig(cfg).PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
				Bucket: bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
			}); err != nil {
				t.Fatal(err)
			}
			n := 0
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					n++
					_, err := s3.NewFromConfig(cfg).PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String(strconv.Itoa(n)), Body: strings.NewReader("x")})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := s3.NewFromConfig(cfg).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
					return of(err, func() int { return len(out.Contents) })
				},
			}
		},
	},
	{
		service: cloudwatch.ServiceID, change: "PutMetricAlarm", read: "DescribeAlarms",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			n := 0
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					n++
					_, err := cloudwatch.NewFromConfig(cfg).PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
						AlarmName: aws.String("alarm-" + strconv.Itoa(n)), Namespace: aws.String("Web"), MetricName: aws.String("Errors"),
						Statistic: cw.StatisticSum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
						Threshold: aws.Float64(1), ComparisonOperator: cw.ComparisonOperatorGreaterThanThreshold,
					})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
					return of(err, func() int { return len(out.MetricAlarms) })
				},
			}
		},
	},
	{
		service: kms.ServiceID, change: "CreateKey", read: "ListKeys",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					_, err := kms.NewFromConfig(cfg).CreateKey(ctx, &kms.CreateKeyInput{})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := kms.NewFromConfig(cfg).ListKeys(ctx, &kms.ListKeysInput{})
					return of(err, func() int { return len(out.Keys) })
				},
			}
		},
	},
	{
		service: route53.ServiceID, change: "CreateHealthCheck", read: "ListHealthChecks",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			n := 0
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					n++
					_, err := route53.NewFromConfig(cfg).CreateHealthCheck(ctx, &route53.CreateHealthCheckInput{
						CallerReference: aws.String("check-" + strconv.Itoa(n)), HealthCheckConfig: &r53.HealthCheckConfig{Type: r53.HealthCheckTypeCalculated},
					})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := route53.NewFromConfig(cfg).ListHealthChecks(ctx, &route53.ListHealthChecksInput{})
					return of(err, func() int { return len(out.HealthChecks) })
				},
			}
		},
	},
	{
		service: arczonalshift.ServiceID, change: "StartZonalShift", read: "ListZonalShifts",
		prepare: func(t *testing.T, cfg aws.Config) calls {
			template(t, cfg)
			groups := autoscaling.NewFromConfig(cfg)
			var arns []string
			for n := range 12 { // one for each change that a test makes
				name := aws.String("group-" + strconv.Itoa(n))
				_, err := groups.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
					AutoScalingGroupName: name, MinSize: aws.Int32(0), MaxSize: aws.Int32(0), AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
					LaunchTemplate:                   &asg.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
					AvailabilityZoneImpairmentPolicy: &asg.AvailabilityZoneImpairmentPolicy{ZonalShiftEnabled: aws.Bool(true), ImpairedZoneHealthCheckBehavior: asg.ImpairedZoneHealthCheckBehaviorReplaceUnhealthy},
				})
				if err != nil {
					t.Fatal(err)
				}
				out, err := groups.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{*name}})
				if err != nil {
					t.Fatal(err)
				}
				arns = append(arns, *out.AutoScalingGroups[0].AutoScalingGroupARN)
			}
			n := 0
			return calls{
				change: func(ctx context.Context, cfg aws.Config) error {
					n++
					_, err := arczonalshift.NewFromConfig(cfg).StartZonalShift(ctx, &arczonalshift.StartZonalShiftInput{
						ResourceIdentifier: &arns[n], AwayFrom: aws.String("use1-az2"), ExpiresIn: aws.String("24h"), Comment: aws.String("c"),
					})
					return err
				},
				look: func(ctx context.Context, cfg aws.Config) (int, error) {
					out, err := arczonalshift.NewFromConfig(cfg).ListZonalShifts(ctx, &arczonalshift.ListZonalShiftsInput{})
					return of(err, func() int { return len(out.Items) })
				},
			}
		},
	},
}

// template makes the launch template that groups launch by.
func template(t *testing.T, cfg aws.Config) {
	t.Helper()
	_, err := ec2.NewFromConfig(cfg).CreateLaunchTemplate(t.Context(), launchTemplate("web"))
	if err != nil {
		t.Fatal(err)
	}
}

// of is the number that a read shows, or its error.
func of(err error, n func() int) (int, error) {
	if err != nil {
		return 0, err
	}
	return n(), nil
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("%q is no number", text))
	}
	return n
}
