package cloudwatchsvc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
)

// A real client makes an alarm, and somebody is told when it goes off. In a
// testing/synctest bubble the minutes until the data would do that pass at once.
func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{cloudwatchsvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	err = cloudwatchsvc.OnAction(cloud, "arn:aws:sns:", func(e cloudwatchsvc.ActionEvent) {
		fmt.Println(e.Alarm, "is in", e.State)
	})
	if err != nil {
		log.Fatal(err)
	}

	client := cloudwatch.NewFromConfig(cloud.Config("us-east-1"))
	_, err = client.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("backlog"), Namespace: aws.String("app"), MetricName: aws.String("backlog"),
		Statistic: types.StatisticMaximum, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(1000),
		AlarmActions: []string{"arn:aws:sns:us-east-1:123456789012:oncall"},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("backlog"), StateValue: types.StateValueAlarm, StateReason: aws.String("a drill"),
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: backlog is in ALARM
}
