package awstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/stssvc"
)

func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{stssvc.New()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cloud.Close() }()

	who, err := sts.NewFromConfig(cloud.Config("us-east-1")).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*who.Arn)
	// Output: arn:aws:iam::123456789012:user/awstest
}

// A throttle that lasts for two calls is outlasted by the SDK's retryer, and
// the ledger shows three attempts.
func ExampleCloud_Inject() {
	cloud, err := awstest.New([]awstest.Service{stssvc.New()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cloud.Close() }()
	heal, err := cloud.Inject(awstest.Match{Service: "STS", Times: 2}, awstest.Throttle())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer heal()

	_, err = sts.NewFromConfig(cloud.Config("us-east-1")).GetCallerIdentity(context.Background(), nil)
	fmt.Println(err, cloud.Count("STS", "GetCallerIdentity"))
	// Output: <nil> 3
}

// A zone goes dark and comes back. In a testing/synctest bubble the wait takes
// no time; here it is real, and short.
func ExampleZone_Fail() {
	cloud, err := awstest.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cloud.Close() }()
	zone, err := cloud.Zone("use1-az1")
	if err != nil {
		fmt.Println(err)
		return
	}
	// The EC2 adapter makes instances when RunInstances is called; this is how.
	var inst *awstest.Instance
	cloud.Update(func(tx *awstest.Tx) {
		inst = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.Route(nil, netip.MustParseAddr("203.0.113.10"), inst)
		tx.PowerOn(inst)
	})
	if _, err := inst.Serve(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })); err != nil {
		fmt.Println(err)
		return
	}
	transport := cloud.Transport()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 50 * time.Millisecond}
	ask := func() {
		resp, err := client.Get("http://203.0.113.10/")
		if err != nil {
			fmt.Println("no answer")
			return
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		fmt.Println(string(body))
	}

	ask()
	heal := zone.Fail(awstest.PowerLoss)
	ask()
	heal()
	ask()
	// Output:
	// hello
	// no answer
	// hello
}

// An adapter of a service, or of one operation of it, is a typed function and
// a few lines around it.
func ExampleHandle() {
	whoami := func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
		awstest.Handle(e, func(tx *awstest.Tx, call *awstest.Call, in *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
			if in.AccessKeyId == nil {
				return nil, awstest.Errorf("ValidationError", "an access key ID is required")
			}
			return &sts.GetAccessKeyInfoOutput{Account: aws.String(tx.Cloud().AccountID())}, nil
		}, "AccessKeyId")
		return e.Err()
	}
	cloud, err := awstest.New([]awstest.Service{whoami})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := sts.NewFromConfig(cloud.Config("us-east-1"))
	info, err := client.GetAccessKeyInfo(context.Background(), &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*info.Account)

	_, err = client.GetCallerIdentity(context.Background(), nil)
	fmt.Println(errors.Is(err, awstest.ErrNotModelled))
	fmt.Println(cloud.Close())
	// Output:
	// 123456789012
	// true
	// awstest: STS.GetCallerIdentity is not modelled
}
