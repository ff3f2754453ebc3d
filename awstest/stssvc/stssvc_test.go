package stssvc_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/stssvc"
)

func TestCallerIdentity(t *testing.T) {
	t.Parallel()
	cloud, err := awstest.New([]awstest.Service{stssvc.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	var inst *awstest.Instance
	zone, err := cloud.Zone("euw1-az2")
	if err != nil {
		t.Fatal(err)
	}
	cloud.Update(func(tx *awstest.Tx) {
		inst = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.PowerOn(inst)
	})
	for name, tc := range map[string]struct {
		config aws.Config
		arn    string
	}{
		"outside":        {cloud.Config("us-east-1"), "arn:aws:iam::123456789012:user/awstest"},
		"on an instance": {inst.Config(), "arn:aws:sts::123456789012:assumed-role/instance/i-00000000000000001"},
	} {
		out, err := sts.NewFromConfig(tc.config).GetCallerIdentity(t.Context(), nil)
		if err != nil || aws.ToString(out.Arn) != tc.arn || aws.ToString(out.Account) != "123456789012" {
			t.Errorf("%s: got %v, %v; want %s", name, out, err, tc.arn)
		}
	}
}
