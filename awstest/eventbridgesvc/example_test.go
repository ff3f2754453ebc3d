package eventbridgesvc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/eventbridgesvc"
)

// A real client makes a rule, and puts events: the second of them says that AWS
// has sent it, and is refused by itself. The call succeeds.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{eventbridgesvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := eventbridge.NewFromConfig(cloud.Config("us-east-1"))

	rule, err := client.PutRule(context.Background(), &eventbridge.PutRuleInput{
		Name: aws.String("stopped"), EventPattern: aws.String(`{"source": ["aws.ec2"], "detail": {"state": [{"prefix": "stop"}]}}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*rule.RuleArn)
	entry := func(source string) types.PutEventsRequestEntry {
		return types.PutEventsRequestEntry{Source: &source, DetailType: aws.String("Deployed"), Detail: aws.String(`{"version": 7}`)}
	}
	out, err := client.PutEvents(context.Background(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry("shop"), entry("aws.ec2")}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.FailedEntryCount, *out.Entries[1].ErrorCode)
	// Output:
	// arn:aws:events:us-east-1:123456789012:rule/stopped
	// 1 NotAuthorizedForSourceException
}
