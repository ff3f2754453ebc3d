package sqsevents_test

import (
	"fmt"

	"github.com/awsha/awsha/failover/sqsevents"
)

// An event says what it is about; what to make of it is the controller's.
func ExampleParse() {
	e, err := sqsevents.Parse(`{
		"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2",
		"account": "123456789012", "time": "2026-01-02T15:04:05Z", "region": "us-east-1",
		"resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"],
		"detail": {"instance-id": "i-0123456789abcdef0", "state": "stopping"}
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.InstanceID, e.State, e.Kind() == sqsevents.InstanceStateChange, e.About("i-0123456789abcdef0"))
	// Output:
	// i-0123456789abcdef0 stopping true true
}
