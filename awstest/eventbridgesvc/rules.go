package eventbridgesvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
)

func (s *service) addRules(e *awstest.Endpoint) {
	awstest.Handle(e, s.putRule, "Name", "EventPattern", "Description", "State", "EventBusName")
	awstest.Handle(e, s.describeRule, "Name", "EventBusName")
	awstest.Handle(e, s.deleteRule, "Name", "EventBusName", "Force")
}

func (s *service) putRule(tx *awstest.Tx, call *awstest.Call, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	if err := s.bus(call, in.EventBusName); err != nil {
		return nil, err
	}
	rule := ebmodel.Rule{Name: aws.ToString(in.Name), Description: aws.ToString(in.Description), Pattern: aws.ToString(in.EventPattern)}
	switch in.State {
	case "", types.RuleStateEnabled:
	case types.RuleStateDisabled:
		rule.Disabled = true
	case types.RuleStateEnabledWithAllCloudtrailManagementEvents:
		return nil, call.NotModelled("state %s", in.State)
	default:
		return nil, invalid("1 validation error detected: Value '%s' at 'state' failed to satisfy constraint: Member must satisfy enum value set: %v", in.State, in.State.Values())
	}
	rule, err := s.region(call).PutRule(tx, rule)
	if err != nil {
		return nil, refusal(call, err)
	}
	return &eventbridge.PutRuleOutput{RuleArn: &rule.ARN}, nil
}

func (s *service) describeRule(tx *awstest.Tx, call *awstest.Call, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	if err := s.bus(call, in.EventBusName); err != nil {
		return nil, err
	}
	rule, err := s.region(call).Rule(call.At, aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	out := &eventbridge.DescribeRuleOutput{
		Name: &rule.Name, Arn: &rule.ARN, EventPattern: &rule.Pattern, EventBusName: aws.String(ebmodel.DefaultBus),
		State: types.RuleStateEnabled, CreatedBy: aws.String(tx.Cloud().AccountID()),
	}
	if rule.Disabled {
		out.State = types.RuleStateDisabled
	}
	if rule.Description != "" {
		out.Description = &rule.Description
	}
	return out, nil
}

func (s *service) deleteRule(tx *awstest.Tx, call *awstest.Call, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	if err := s.bus(call, in.EventBusName); err != nil {
		return nil, err
	}
	return nil, s.region(call).DeleteRule(tx, aws.ToString(in.Name))
}
