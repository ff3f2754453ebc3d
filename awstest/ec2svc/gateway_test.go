package ec2svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

// gateway returns the internet gateway of the default VPC, and the VPC.
func (w *world) gateway() (id, vpc string) {
	w.Helper()
	out := must(w.DescribeInternetGateways(w.Context(), &ec2.DescribeInternetGatewaysInput{Filters: []types.Filter{filter("attachment.state", "available")}}))(w)
	return *out.InternetGateways[0].InternetGatewayId, *out.InternetGateways[0].Attachments[0].VpcId
}

func (w *world) newGateway() string {
	w.Helper()
	return *must(w.CreateInternetGateway(w.Context(), &ec2.CreateInternetGatewayInput{}))(w).InternetGateway.InternetGatewayId
}

func (w *world) attachGateway(id, vpc string) error {
	_, err := w.AttachInternetGateway(w.Context(), &ec2.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc})
	return err
}

func (w *world) detachGateway(id, vpc string) error {
	_, err := w.DetachInternetGateway(w.Context(), &ec2.DetachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc})
	return err
}

func (w *world) deleteGateway(id string) error {
	_, err := w.DeleteInternetGateway(w.Context(), &ec2.DeleteInternetGatewayInput{InternetGatewayId: &id})
	return err
}

func TestDefaultVPCHasAGatewayFromTheStart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) { // the lag does not hide what has always been there
		id, vpc := w.gateway()
		vpcs := must(w.DescribeVpcs(w.Context(), &ec2.DescribeVpcsInput{}))(w)
		out := must(w.DescribeInternetGateways(w.Context(), &ec2.DescribeInternetGatewaysInput{}))(w)
		want := []types.InternetGateway{{
			InternetGatewayId: &id, OwnerId: aws.String(account),
			Attachments: []types.InternetGatewayAttachment{{VpcId: vpcs.Vpcs[0].VpcId, State: "available"}},
		}}
		if diff := cmp.Diff(want, out.InternetGateways, unexported); diff != "" || vpc != *vpcs.Vpcs[0].VpcId {
			w.Errorf("in %s: %s", vpc, diff)
		}
	}, func(o *awstest.Options) { o.VisibilityLag = time.Minute })
}

func TestAssociateNeedsAGateway(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a := w.running(zoneA), w.allocate()
		nic := w.eni(id)
		gateway, vpc := w.gateway()
		wantCode(w, w.detachGateway(gateway, vpc), "")
		for _, in := range []*ec2.AssociateAddressInput{{AllocationId: &a, InstanceId: &id}, {AllocationId: &a, NetworkInterfaceId: &nic}} {
			_, err := w.AssociateAddress(w.Context(), in)
			wantMessage(w, err, "Gateway.NotAttached", "Network "+vpc+" is not attached to any internet gateway")
			wantStatus(w, err, 400)
		}
		w.holds(a, "", "", "")
		wantCode(w, w.attachGateway(w.newGateway(), vpc), "") // another will do
		w.associate(a, id)
		w.holds(a, id, nic, "172.31.80.4")
	})
}

func TestGatewayStaysWhileAddressesAreMapped(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, a, b := w.running(zoneA), w.allocate(), w.allocate()
		nic := w.nic(zoneB)
		of := map[string]string{a: w.associate(a, id)}
		of[b] = *must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &b, NetworkInterfaceId: &nic}))(w).AssociationId
		gateway, vpc := w.gateway()
		for _, allocation := range []string{a, b} {
			wantMessage(w, w.detachGateway(gateway, vpc), "DependencyViolation",
				"Network "+vpc+" has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.")
			association := of[allocation]
			must(w.DisassociateAddress(w.Context(), &ec2.DisassociateAddressInput{AssociationId: &association}))(w)
		}
		wantCode(w, w.detachGateway(gateway, vpc), "")
	})
}

func TestGatewayLife(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		first, vpc := w.gateway()
		out := must(w.CreateInternetGateway(w.Context(), &ec2.CreateInternetGatewayInput{TagSpecifications: tags(types.ResourceTypeInternetGateway, "Name", "spare")}))(w)
		second := *out.InternetGateway.InternetGatewayId
		if len(out.InternetGateway.Attachments) != 0 || *out.InternetGateway.Tags[0].Value != "spare" {
			w.Errorf("made %+v", out.InternetGateway)
		}
		wantMessage(w, w.attachGateway(second, vpc), "InvalidParameterValue", "Network "+vpc+" already has an internet gateway attached")
		wantMessage(w, w.attachGateway(first, vpc), "Resource.AlreadyAssociated", "resource "+first+" is already attached to network "+vpc)
		wantMessage(w, w.detachGateway(second, vpc), "Gateway.NotAttached", "resource "+second+" is not attached to network "+vpc)
		wantMessage(w, w.deleteGateway(first), "DependencyViolation", "The internetGateway '"+first+"' has dependencies and cannot be deleted.")

		wantCode(w, w.detachGateway(first, vpc), "")
		wantCode(w, w.detachGateway(first, vpc), "Gateway.NotAttached")
		wantCode(w, w.deleteGateway(first), "")
		wantMessage(w, w.deleteGateway(first), "InvalidInternetGatewayID.NotFound", "The internetGateway ID '"+first+"' does not exist")
		wantCode(w, w.attachGateway(first, vpc), "InvalidInternetGatewayID.NotFound")
		wantCode(w, w.detachGateway(first, vpc), "InvalidInternetGatewayID.NotFound")

		wantCode(w, w.attachGateway(second, "vpc-12345678"), "InvalidVpcID.NotFound")
		wantCode(w, w.attachGateway(second, "default"), "InvalidVpcID.Malformed")
		wantCode(w, w.detachGateway("gateway", vpc), "InvalidInternetGatewayId.Malformed")
		wantCode(w, w.deleteGateway(vpc), "InvalidInternetGatewayId.Malformed")
		wantCode(w, w.attachGateway(second, vpc), "")
		if id, _ := w.gateway(); id != second {
			w.Errorf("%s is attached, want %s", id, second)
		}
	})
}

func TestGatewayChangesLagBehind(t *testing.T) {
	t.Parallel()
	const lag = 10 * time.Second
	inBubble(t, func(w *world) {
		gateway, vpc := w.gateway()
		a, nic := w.allocate(), *must(w.CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneA))}))(w).NetworkInterface.NetworkInterfaceId
		wantCode(w, w.detachGateway(gateway, vpc), "")
		if id, _ := w.gateway(); id != gateway {
			w.Error("a read sees the detachment at once")
		}
		_, err := w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &nic})
		wantCode(w, err, "Gateway.NotAttached") // changes look at the present
		time.Sleep(lag)
		out := must(w.DescribeInternetGateways(w.Context(), &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{gateway}}))(w)
		if len(out.InternetGateways[0].Attachments) != 0 {
			w.Error("after the lag the detachment is not seen")
		}
	}, func(o *awstest.Options) { o.VisibilityLag = lag })
}

func TestDescribeInternetGateways(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		attached, vpc := w.gateway()
		spare := w.newGateway()
		must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{spare}, Tags: tagList("role=spare")}))(w)
		if diff := cmp.Diff([]string{spare + " internet-gateway role=spare"}, w.tags(filter("resource-type", "internet-gateway"))); diff != "" {
			w.Error(diff)
		}
		for name, c := range map[string]struct {
			in   ec2.DescribeInternetGatewaysInput
			want []string
			code string
		}{
			"all":         {want: []string{attached, spare}},
			"by ID":       {in: ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{spare, attached}}, want: []string{spare, attached}},
			"unknown":     {in: ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{spare, "igw-12345678"}}, code: "InvalidInternetGatewayID.NotFound"},
			"malformed":   {in: ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{vpc}}, code: "InvalidInternetGatewayId.Malformed"},
			"of a VPC":    {in: ec2.DescribeInternetGatewaysInput{Filters: []types.Filter{filter("attachment.vpc-id", vpc)}}, want: []string{attached}},
			"by state":    {in: ec2.DescribeInternetGatewaysInput{Filters: []types.Filter{filter("attachment.state", "*")}}, want: []string{attached}},
			"by ID again": {in: ec2.DescribeInternetGatewaysInput{Filters: []types.Filter{filter("internet-gateway-id", spare)}}, want: []string{spare}},
			"by owner":    {in: ec2.DescribeInternetGatewaysInput{Filters: []types.Filter{filter("owner-id", account)}}, want: []string{attached, spare}},
			"by tag":      {in: ec2.DescribeInternetGatewaysInput{Filters: []types.Filter{filter("tag:role", "spare")}}, want: []string{spare}},
			"small pages": {in: ec2.DescribeInternetGatewaysInput{MaxResults: aws.Int32(4)}, code: "InvalidParameterValue"},
		} {
			out, err := w.DescribeInternetGateways(w.Context(), &c.in)
			if c.code != "" {
				wantCode(w, err, c.code)
				continue
			}
			if err != nil {
				w.Fatalf("%s: %v", name, err)
			}
			var got []string
			for _, g := range out.InternetGateways {
				got = append(got, *g.InternetGatewayId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%s: %s", name, diff)
			}
		}
		for range 5 {
			w.newGateway()
		}
		var sizes []int
		pages := ec2.NewDescribeInternetGatewaysPaginator(w.Client, &ec2.DescribeInternetGatewaysInput{MaxResults: aws.Int32(5)})
		for pages.HasMorePages() {
			sizes = append(sizes, len(must(pages.NextPage(w.Context()))(w).InternetGateways))
		}
		if diff := cmp.Diff([]int{5, 2}, sizes); diff != "" {
			w.Error(diff)
		}
	})
}
