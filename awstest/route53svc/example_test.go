package route53svc_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/route53svc"
)

// The checkers of the Internet find out that a site is down. This is real time;
// a test would run it in a bubble of testing/synctest, where hours pass at once.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{route53svc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()

	// A machine with a public address; ec2svc would launch it.
	zone, err := cloud.Zone("use1-az1")
	if err != nil {
		log.Fatal(err)
	}
	var machine *awstest.Instance
	cloud.Update(func(tx *awstest.Tx) {
		machine = tx.NewInstance(awstest.InstanceSpec{ID: "i-1", Zone: zone})
		tx.Route(nil, netip.MustParseAddr("203.0.113.10"), machine)
		tx.PowerOn(machine)
	})
	if _, err := machine.Serve(80, http.NotFoundHandler()); err != nil {
		log.Fatal(err)
	}

	client := route53.NewFromConfig(cloud.Config("eu-west-1"))
	made, err := client.CreateHealthCheck(context.Background(), &route53.CreateHealthCheckInput{
		CallerReference: aws.String("site-1"),
		HealthCheckConfig: &types.HealthCheckConfig{
			Type: types.HealthCheckTypeHttp, IPAddress: aws.String("203.0.113.10"), ResourcePath: aws.String("/healthz"),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	id := made.HealthCheck.Id
	for {
		out, err := client.GetHealthCheckStatus(context.Background(), &route53.GetHealthCheckStatusInput{HealthCheckId: id})
		if err != nil {
			log.Fatal(err)
		}
		if len(out.HealthCheckObservations) > 0 {
			first := out.HealthCheckObservations[0]
			fmt.Println(first.Region, *first.StatusReport.Status)
			break
		}
		time.Sleep(time.Millisecond)
	}
	healthy, err := route53svc.Healthy(cloud, *id) // one look is not enough for a verdict
	fmt.Println(healthy, err)
	// Output:
	// us-east-1 Failure: HTTP Status Code 404, Not Found
	// true <nil>
}
