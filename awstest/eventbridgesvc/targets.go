package eventbridgesvc

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
	"github.com/awsha/awsha/awstest/internal/paging"
)

func (s *service) addTargets(e *awstest.Endpoint) {
	awstest.Handle(e, s.putTargets, "Rule", "Targets", "EventBusName")
	awstest.Handle(e, s.removeTargets, "Rule", "Ids", "EventBusName", "Force")
	awstest.Handle(e, s.listTargetsByRule, "Rule", "EventBusName", "Limit", "NextToken")
}

func (s *service) putTargets(tx *awstest.Tx, call *awstest.Call, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	if err := s.bus(call, in.EventBusName); err != nil {
		return nil, err
	}
	if err := ebmodel.CheckEntries("targets", len(in.Targets)); err != nil {
		return nil, err
	}
	var targets []ebmodel.Target
	var failed []types.PutTargetsResultEntry
	for i := range in.Targets {
		t, err := s.target(call, &in.Targets[i])
		if err != nil {
			return nil, err
		}
		if code, fails := failsEntry(call, i); fails {
			failed = append(failed, types.PutTargetsResultEntry{TargetId: aws.String(t.ID), ErrorCode: &code, ErrorMessage: aws.String(entryFailed)})
			continue
		}
		targets = append(targets, t)
	}
	if err := s.region(call).PutTargets(tx, aws.ToString(in.Rule), targets); err != nil {
		return nil, err
	}
	return &eventbridge.PutTargetsOutput{FailedEntries: failed, FailedEntryCount: int32(len(failed))}, nil
}

// target reads a target, which is a queue of the region and the account.
func (s *service) target(call *awstest.Call, t *types.Target) (ebmodel.Target, error) {
	target := ebmodel.Target{ID: aws.ToString(t.Id), ARN: aws.ToString(t.Arn)}
	if t.SqsParameters != nil {
		target.Group = aws.ToString(t.SqsParameters.MessageGroupId)
	}
	v := reflect.ValueOf(t).Elem()
	for i := range v.NumField() {
		switch f := v.Type().Field(i); f.Name {
		case "Id", "Arn", "SqsParameters":
		default:
			if f.IsExported() && !v.Field(i).IsZero() {
				return target, call.NotModelled("%s of a target", f.Name)
			}
		}
	}
	if name, ok := s.region(call).QueueName(target.ARN); !ok || name == "" {
		return target, call.NotModelled("target %q", target.ARN)
	}
	return target, nil
}

func (s *service) removeTargets(tx *awstest.Tx, call *awstest.Call, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	if err := s.bus(call, in.EventBusName); err != nil {
		return nil, err
	}
	if err := ebmodel.CheckEntries("ids", len(in.Ids)); err != nil {
		return nil, err
	}
	var ids []string
	var failed []types.RemoveTargetsResultEntry
	for i, id := range in.Ids {
		if code, fails := failsEntry(call, i); fails {
			failed = append(failed, types.RemoveTargetsResultEntry{TargetId: &id, ErrorCode: &code, ErrorMessage: aws.String(entryFailed)})
			continue
		}
		ids = append(ids, id)
	}
	if err := s.region(call).RemoveTargets(tx, aws.ToString(in.Rule), ids); err != nil {
		return nil, err
	}
	return &eventbridge.RemoveTargetsOutput{FailedEntries: failed, FailedEntryCount: int32(len(failed))}, nil
}

// maxPage is the size of a page unless it is given, and the greatest.
// Source: the comment of ListTargetsByRule in the SDK (read 2026-11)
const maxPage = 100

func (s *service) listTargetsByRule(_ *awstest.Tx, call *awstest.Call, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	if err := s.bus(call, in.EventBusName); err != nil {
		return nil, err
	}
	rule, err := s.region(call).Rule(call.At, aws.ToString(in.Rule))
	if err != nil {
		return nil, err
	}
	size := maxPage
	if in.Limit != nil {
		if size = int(*in.Limit); size < 1 || size > maxPage {
			return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", size, maxPage)
		}
	}
	targets, next, ok := paging.Cut(rule.Targets, in.NextToken, size)
	if !ok {
		return nil, invalid("The nextToken is not valid.")
	}
	out := &eventbridge.ListTargetsByRuleOutput{NextToken: next}
	for _, t := range targets {
		shown := types.Target{Id: aws.String(t.ID), Arn: aws.String(t.ARN)}
		if t.Group != "" {
			shown.SqsParameters = &types.SqsParameters{MessageGroupId: aws.String(t.Group)}
		}
		out.Targets = append(out.Targets, shown)
	}
	return out, nil
}
