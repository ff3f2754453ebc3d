package eventbridgesvc_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/eventbridgesvc"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// BenchmarkEvent is an event that the last of some rules matches.
func BenchmarkEvent(b *testing.B) {
	for _, rules := range []int{0, 1, 100} {
		b.Run(fmt.Sprintf("rules=%d", rules), func(b *testing.B) {
			cloud := svctest.Must(awstest.New([]awstest.Service{eventbridgesvc.New(), queueService}))(b)
			defer cloud.Close()
			client := eventbridge.NewFromConfig(cloud.Config("us-east-1"))
			for i := range rules {
				name := fmt.Sprintf("rule-%d", i)
				svctest.Must(client.PutRule(b.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: aws.String(fmt.Sprintf(`{"source": ["aws.ec2"], "detail": {"n": [%d]}}`, i+1))}))(b)
				svctest.Must(client.PutTargets(b.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: targets("events")}))(b)
			}
			region := svctest.Must(cloud.Region("us-east-1"))(b)
			e := ebmodel.Event{Source: "aws.ec2", DetailType: "Tick", Detail: fmt.Sprintf(`{"n":%d}`, rules)}
			b.ReportAllocs()
			for b.Loop() {
				cloud.Update(func(tx *awstest.Tx) {
					m, _ := awstest.Lookup[ebmodel.Model](tx)
					m.Region(region).Emit(tx, e)
				})
			}
		})
	}
}
