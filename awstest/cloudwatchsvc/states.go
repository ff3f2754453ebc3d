package cloudwatchsvc

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

func (s *service) addStates(e *awstest.Endpoint) {
	awstest.Handle(e, s.setAlarmState, "AlarmName", "StateValue", "StateReason", "StateReasonData")
	awstest.Handle(e, s.enableAlarmActions, "AlarmNames")
	awstest.Handle(e, s.disableAlarmActions, "AlarmNames")
}

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html (read 2026-11)
const (
	maxReason     = 1023
	maxReasonData = 4000
)

func (s *service) setAlarmState(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	data := aws.ToString(in.StateReasonData)
	switch {
	case !slices.Contains(in.StateValue.Values(), in.StateValue):
		return nil, invalid("StateValue must be a value in the set %v", in.StateValue.Values())
	case utf8.RuneCountInString(*in.StateReason) > maxReason:
		return nil, invalid("StateReason must have at most %d characters", maxReason)
	case utf8.RuneCountInString(data) > maxReasonData:
		return nil, invalid("StateReasonData must have at most %d characters", maxReasonData)
	case data != "" && !json.Valid([]byte(data)):
		return nil, awstest.Errorf("InvalidFormat", "StateReasonData is no valid JSON")
	}
	err := s.region(call).SetState(tx, *in.AlarmName, cwmodel.State(in.StateValue), *in.StateReason, data)
	if err != nil {
		return nil, err
	}
	return &cloudwatch.SetAlarmStateOutput{}, nil
}

func (s *service) enableAlarmActions(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	if err := checkNames(in.AlarmNames); err != nil {
		return nil, err
	}
	s.region(call).EnableActions(tx, true, in.AlarmNames...)
	return &cloudwatch.EnableAlarmActionsOutput{}, nil
}

func (s *service) disableAlarmActions(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	if err := checkNames(in.AlarmNames); err != nil {
		return nil, err
	}
	s.region(call).EnableActions(tx, false, in.AlarmNames...)
	return &cloudwatch.DisableAlarmActionsOutput{}, nil
}
