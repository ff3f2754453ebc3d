package ec2svc_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

func TestSmoke(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		client := ec2.NewFromConfig(cloud.Config("us-east-1"))
		run, err := client.RunInstances(t.Context(), &ec2.RunInstancesInput{ImageId: aws.String("ami-1"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: "t3.micro",
			Placement: &types.Placement{AvailabilityZoneId: aws.String("use1-az1")}})
		if err != nil {
			t.Fatal(err)
		}
		id := *run.Instances[0].InstanceId
		if err := ec2.NewInstanceRunningWaiter(client).Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, time.Hour); err != nil {
			t.Fatal(err)
		}
		addr, err := client.AllocateAddress(t.Context(), &ec2.AllocateAddressInput{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.AssociateAddress(t.Context(), &ec2.AssociateAddressInput{AllocationId: addr.AllocationId, InstanceId: &id}); err != nil {
			t.Fatal(err)
		}
		inst, _ := cloud.Instance(id)
		if _, err := inst.Serve(80, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello from "+id) })); err != nil {
			t.Fatal(err)
		}
		tr := cloud.Transport()
		defer tr.CloseIdleConnections()
		hc := &http.Client{Transport: tr, Timeout: 2 * time.Second}
		resp, err := hc.Get("http://" + *addr.PublicIp + "/")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		t.Log(string(b))
		zone, _ := cloud.Zone("use1-az1")
		heal := zone.Fail(awstest.PowerLoss)
		start := time.Now()
		_, err = hc.Get("http://" + *addr.PublicIp + "/")
		t.Log(err, time.Since(start))
		if err == nil {
			t.Fatal("answered without power")
		}
		heal()
		if resp, err = hc.Get("http://" + *addr.PublicIp + "/"); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	})
}
