package elbv2svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addListeners(e *awstest.Endpoint) {
	awstest.Handle(e, s.createListener, "LoadBalancerArn", "DefaultActions", "Port", "Protocol", "Certificates", "SslPolicy",
		// Accepted and without effect here:
		"Tags")
	awstest.Handle(e, s.describeListeners, "LoadBalancerArn", "ListenerArns", "PageSize", "Marker")
	awstest.Handle(e, s.deleteListener, "ListenerArn")
}

func (s *service) createListener(tx *awstest.Tx, call *awstest.Call, in *elbv2.CreateListenerInput) (*elbv2.CreateListenerOutput, error) {
	spec := elbmodel.ListenerSpec{Protocol: string(in.Protocol), Policy: aws.ToString(in.SslPolicy)}
	switch in.Protocol {
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps, types.ProtocolEnumTcp, types.ProtocolEnumTls:
	case "":
		return nil, invalid("A protocol must be specified for a listener")
	default:
		return nil, call.NotModelled("protocol %s", in.Protocol)
	}
	var err error
	if spec.Port, err = port("a listener", in.Port); err != nil {
		return nil, err
	}
	if spec.Group, err = forwardsTo(call, in.DefaultActions); err != nil {
		return nil, err
	}
	if len(in.Certificates) > 1 {
		return nil, invalid("A listener has exactly one default certificate")
	}
	for _, c := range in.Certificates {
		spec.Certificates = append(spec.Certificates, aws.ToString(c.CertificateArn))
	}
	l, err := s.region(call).CreateListener(tx, aws.ToString(in.LoadBalancerArn), spec)
	if err != nil {
		return nil, err
	}
	return &elbv2.CreateListenerOutput{Listeners: []types.Listener{showListener(l)}}, nil
}

// forwardsTo returns the one target group that the actions of a listener
// forward to.
func forwardsTo(call *awstest.Call, actions []types.Action) (group string, err error) {
	if len(actions) != 1 || actions[0].Type != types.ActionTypeEnumForward {
		return "", call.NotModelled("an action other than to forward")
	}
	a := actions[0]
	group = aws.ToString(a.TargetGroupArn)
	if f := a.ForwardConfig; f != nil {
		if len(f.TargetGroups) != 1 || aws.ToInt32(f.TargetGroups[0].Weight) > 1 {
			return "", call.NotModelled("a weight of a target group")
		}
		if st := f.TargetGroupStickinessConfig; st != nil && aws.ToBool(st.Enabled) {
			return "", call.NotModelled("stickiness of target groups")
		}
		named := aws.ToString(f.TargetGroups[0].TargetGroupArn)
		if group != "" && group != named {
			return "", invalid("The target group of an action and that of its ForwardConfig must be the same")
		}
		group = named
	}
	switch {
	case a.AuthenticateCognitoConfig != nil, a.AuthenticateOidcConfig != nil, a.FixedResponseConfig != nil, a.JwtValidationConfig != nil, a.RedirectConfig != nil:
		return "", invalid("An action of type '%s' cannot have the configuration of another type", a.Type)
	case group == "":
		return "", invalid("A target group ARN must be specified")
	}
	return group, nil
}

func (s *service) describeListeners(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeListenersInput) (out *elbv2.DescribeListenersOutput, err error) {
	region := s.region(call)
	switch {
	case in.LoadBalancerArn == nil && len(in.ListenerArns) == 0:
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	case in.LoadBalancerArn != nil && len(in.ListenerArns) > 0:
		return nil, invalid("Listener ARNs and a load balancer ARN cannot be specified at the same time")
	case in.LoadBalancerArn != nil:
		if _, err := region.Balancer(call.At, *in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	for _, arn := range in.ListenerArns {
		if _, err := region.Listener(call.At, arn); err != nil {
			return nil, err
		}
	}
	var all []types.Listener
	for l := range region.Listeners(call.At) {
		if wanted(in.ListenerArns, l.ARN) && (in.LoadBalancerArn == nil || l.Balancer.ARN == *in.LoadBalancerArn) {
			all = append(all, showListener(l))
		}
	}
	out = &elbv2.DescribeListenersOutput{}
	out.Listeners, out.NextMarker, err = page(all, in.Marker, in.PageSize)
	return out, err
}

func (s *service) deleteListener(tx *awstest.Tx, call *awstest.Call, in *elbv2.DeleteListenerInput) (*elbv2.DeleteListenerOutput, error) {
	return &elbv2.DeleteListenerOutput{}, s.region(call).DeleteListener(tx, aws.ToString(in.ListenerArn))
}

func showListener(l *elbmodel.Listener) types.Listener {
	out := types.Listener{
		ListenerArn: aws.String(l.ARN), LoadBalancerArn: aws.String(l.Balancer.ARN), Port: aws.Int32(int32(l.Port)), Protocol: types.ProtocolEnum(l.Protocol),
		DefaultActions: []types.Action{{
			Type: types.ActionTypeEnumForward, TargetGroupArn: aws.String(l.Group),
			ForwardConfig: &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: aws.String(l.Group), Weight: aws.Int32(1)}}},
		}},
	}
	for _, c := range l.Certificates {
		out.Certificates = append(out.Certificates, types.Certificate{CertificateArn: aws.String(c)})
	}
	if l.Policy != "" {
		out.SslPolicy = aws.String(l.Policy)
	}
	return out
}
