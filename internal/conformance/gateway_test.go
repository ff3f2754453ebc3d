package conformance_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteInternetGateway.html (read 2026-11)
var gatewayScenarios = []scenario{
	{
		name: "an internet gateway is made, found and deleted",
		run: func(s *session) {
			id := s.gateway("the gateway")
			s.shows("attachments", "0", func() string { return s.gatewayAttachments(id) })
			s.shows("by tag", "the gateway", func() string {
				out := must(s.ec2.DescribeInternetGateways(s.Context(), &ec2.DescribeInternetGatewaysInput{Filters: filters("tag:"+markKey, s.mark)}))(s)
				var ids []string
				for _, g := range out.InternetGateways {
					ids = append(ids, *g.InternetGatewayId)
				}
				return s.set(ids)
			})
			s.is("an unknown one", s.gatewayAttachments("igw"+unknown), "InvalidInternetGatewayID.NotFound")
			remove := func(id string) error {
				_, err := s.ec2.DeleteInternetGateway(s.Context(), &ec2.DeleteInternetGatewayInput{InternetGatewayId: &id})
				return err
			}
			s.accepted("deleting", remove(id))
			s.shows("then", "InvalidInternetGatewayID.NotFound", func() string { return s.gatewayAttachments(id) })
			s.refused("deleting again", remove(id), "InvalidInternetGatewayID.NotFound")
		},
	},
	{
		name: "the gateway of the default VPC is detached and attached",
		run: func(s *session) {
			vpc := *s.subnets()[0].VpcId
			out := must(s.ec2.DescribeInternetGateways(s.Context(), &ec2.DescribeInternetGatewaysInput{Filters: filters("attachment.vpc-id", vpc)}))(s)
			s.is("gateways of the default VPC", fmt.Sprint(len(out.InternetGateways)), "1")
			if len(out.InternetGateways) != 1 || s.shared {
				return
			}
			id, spare := *out.InternetGateways[0].InternetGatewayId, s.gateway("a spare gateway")
			attach := func(id string) error {
				_, err := s.ec2.AttachInternetGateway(s.Context(), &ec2.AttachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc})
				return err
			}
			detach := func(id string) error {
				_, err := s.ec2.DetachInternetGateway(s.Context(), &ec2.DetachInternetGatewayInput{InternetGatewayId: &id, VpcId: &vpc})
				return err
			}
			s.refused("attaching what is attached", attach(id), "Resource.AlreadyAssociated")
			s.refused("attaching a second one", attach(spare), "InvalidParameterValue", "Resource.AlreadyAssociated")
			_, err := s.ec2.DeleteInternetGateway(s.Context(), &ec2.DeleteInternetGatewayInput{InternetGatewayId: &id})
			s.refused("deleting while attached", err, "DependencyViolation")
			s.refused("detaching what is not attached", detach(spare), "Gateway.NotAttached")
			s.accepted("detaching", detach(id))
			s.shows("attachments then", "0", func() string { return s.gatewayAttachments(id) })
			s.accepted("attaching", attach(id))
			s.shows("attachments again", "1", func() string { return s.gatewayAttachments(id) })
		},
		differs: []difference{
			{on: motoName, at: "gateways of the default VPC", does: "0"},
		},
	},
}

// gateway makes an internet gateway that is attached to nothing.
func (s *session) gateway(name string) string {
	s.Helper()
	out := must(s.ec2.CreateInternetGateway(s.Context(), &ec2.CreateInternetGatewayInput{TagSpecifications: s.tagged(types.ResourceTypeInternetGateway)}))(s)
	id := *out.InternetGateway.InternetGatewayId
	s.call(id, name)
	s.cleanly(id, func(ctx context.Context) error {
		_, err := s.ec2.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: aws.String(id)})
		return unless(err, "InvalidInternetGatewayID.NotFound")
	})
	return id
}

// gatewayAttachments tells how many VPCs a gateway is attached to.
func (s *session) gatewayAttachments(id string) string {
	out, err := s.ec2.DescribeInternetGateways(s.Context(), &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{id}})
	if err != nil {
		return outcome(err)
	}
	return fmt.Sprint(len(out.InternetGateways[0].Attachments))
}
