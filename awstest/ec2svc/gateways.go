package ec2svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addGateways(e *awstest.Endpoint) {
	handle(e, s.createInternetGateway, "TagSpecifications")
	handle(e, s.deleteInternetGateway, "InternetGatewayId")
	handle(e, s.attachInternetGateway, "InternetGatewayId", "VpcId")
	handle(e, s.detachInternetGateway, "InternetGatewayId", "VpcId")
	handle(e, s.describeInternetGateways, "InternetGatewayIds", "Filters", "MaxResults", "NextToken")
}

func (s *service) createInternetGateway(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateInternetGatewayInput) (*ec2.CreateInternetGatewayOutput, error) {
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeInternetGateway)
	if err != nil {
		return nil, err
	}
	shown := showGateway(tx, s.region(tx, call).CreateGateway(tx, tags))
	return &ec2.CreateInternetGatewayOutput{InternetGateway: &shown}, nil
}

func (s *service) deleteInternetGateway(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteInternetGatewayInput) (*ec2.DeleteInternetGatewayOutput, error) {
	if err := gatewayKind.check(aws.ToString(in.InternetGatewayId)); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).DeleteGateway(tx, *in.InternetGatewayId); err != nil {
		return nil, err
	}
	return &ec2.DeleteInternetGatewayOutput{}, nil
}

func (s *service) attachInternetGateway(tx *awstest.Tx, call *awstest.Call, in *ec2.AttachInternetGatewayInput) (*ec2.AttachInternetGatewayOutput, error) {
	if err := checkGatewayAndVPC(in.InternetGatewayId, in.VpcId); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).AttachGateway(tx, *in.InternetGatewayId, *in.VpcId); err != nil {
		return nil, err
	}
	return &ec2.AttachInternetGatewayOutput{}, nil
}

func (s *service) detachInternetGateway(tx *awstest.Tx, call *awstest.Call, in *ec2.DetachInternetGatewayInput) (*ec2.DetachInternetGatewayOutput, error) {
	if err := checkGatewayAndVPC(in.InternetGatewayId, in.VpcId); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).DetachGateway(tx, *in.InternetGatewayId, *in.VpcId); err != nil {
		return nil, err
	}
	return &ec2.DetachInternetGatewayOutput{}, nil
}

func checkGatewayAndVPC(gateway, vpc *string) error {
	if err := gatewayKind.check(aws.ToString(gateway)); err != nil {
		return err
	}
	return vpcKind.check(aws.ToString(vpc))
}

func gatewayFilters(tx *awstest.Tx) filterable[ec2model.Gateway] {
	return filterable[ec2model.Gateway]{
		"internet-gateway-id": one(func(g ec2model.Gateway) string { return g.ID }),
		"owner-id":            one(func(ec2model.Gateway) string { return tx.Cloud().AccountID() }),
		"attachment.vpc-id":   ifAny(func(g ec2model.Gateway) string { return g.VPC }),
		"attachment.state":    ifAny(gatewayState),
	}
}

func gatewayState(g ec2model.Gateway) string {
	if g.VPC == "" {
		return ""
	}
	return "available"
}

func (s *service) describeInternetGateways(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeInternetGatewaysInput) (*ec2.DescribeInternetGatewaysOutput, error) {
	match, err := gatewayFilters(tx).matcher(call, in.Filters, func(g ec2model.Gateway) ec2model.Tags { return g.Tags })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.Gateway, error) { return region.Gateway(call.At, id) }
	found, err := find(gatewayKind, in.InternetGatewayIds, get, region.Gateways(call.At))
	if err != nil {
		return nil, err
	}
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInternetGatewaysOutput{NextToken: next}
	for _, g := range found {
		out.InternetGateways = append(out.InternetGateways, showGateway(tx, g))
	}
	return out, nil
}

func showGateway(tx *awstest.Tx, g ec2model.Gateway) types.InternetGateway {
	out := types.InternetGateway{
		InternetGatewayId: aws.String(g.ID), OwnerId: aws.String(tx.Cloud().AccountID()), Tags: showTags(g.Tags),
	}
	if g.VPC != "" {
		// Source: types.InternetGatewayAttachment.State of the SDK (read 2026-11);
		// its enumeration does not have the value.
		out.Attachments = []types.InternetGatewayAttachment{{VpcId: aws.String(g.VPC), State: types.AttachmentStatus(gatewayState(g))}}
	}
	return out
}
