package autoscalingsvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
)

func (s *service) addHooks(e *awstest.Endpoint) {
	awstest.Handle(e, s.putLifecycleHook, "AutoScalingGroupName", "LifecycleHookName", "LifecycleTransition", "DefaultResult", "HeartbeatTimeout", "NotificationMetadata")
	awstest.Handle(e, s.describeLifecycleHooks, "AutoScalingGroupName", "LifecycleHookNames")
	awstest.Handle(e, s.deleteLifecycleHook, "AutoScalingGroupName", "LifecycleHookName")
	awstest.Handle(e, s.completeLifecycleAction, "AutoScalingGroupName", "LifecycleHookName", "LifecycleActionResult", "LifecycleActionToken", "InstanceId")
	awstest.Handle(e, s.recordLifecycleActionHeartbeat, "AutoScalingGroupName", "LifecycleHookName", "LifecycleActionToken", "InstanceId")
}

func (s *service) putLifecycleHook(tx *awstest.Tx, call *awstest.Call, in *autoscaling.PutLifecycleHookInput) (*autoscaling.PutLifecycleHookOutput, error) {
	err := s.region(call).PutHook(tx, aws.ToString(in.AutoScalingGroupName), asgmodel.Hook{
		Name: aws.ToString(in.LifecycleHookName), Transition: asgmodel.Transition(aws.ToString(in.LifecycleTransition)),
		Default: aws.ToString(in.DefaultResult), Heartbeat: seconds(in.HeartbeatTimeout), Metadata: aws.ToString(in.NotificationMetadata),
	})
	if err != nil {
		return nil, err
	}
	return &autoscaling.PutLifecycleHookOutput{}, nil
}

func (s *service) describeLifecycleHooks(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeLifecycleHooksInput) (*autoscaling.DescribeLifecycleHooksOutput, error) {
	g, err := s.region(call).Group(call.At, aws.ToString(in.AutoScalingGroupName))
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeLifecycleHooksOutput{}
	for _, h := range g.Hooks {
		if !wanted(in.LifecycleHookNames, h.Name) {
			continue
		}
		out.LifecycleHooks = append(out.LifecycleHooks, types.LifecycleHook{
			AutoScalingGroupName: aws.String(g.Name), LifecycleHookName: &h.Name, LifecycleTransition: aws.String(string(h.Transition)),
			DefaultResult: &h.Default, HeartbeatTimeout: inSeconds(h.Heartbeat), GlobalTimeout: inSeconds(h.Global()),
			NotificationMetadata: optional(h.Metadata),
		})
	}
	return out, nil
}

func (s *service) deleteLifecycleHook(tx *awstest.Tx, call *awstest.Call, in *autoscaling.DeleteLifecycleHookInput) (*autoscaling.DeleteLifecycleHookOutput, error) {
	if err := s.region(call).DeleteHook(tx, aws.ToString(in.AutoScalingGroupName), aws.ToString(in.LifecycleHookName)); err != nil {
		return nil, err
	}
	return &autoscaling.DeleteLifecycleHookOutput{}, nil
}

func (s *service) completeLifecycleAction(tx *awstest.Tx, call *awstest.Call, in *autoscaling.CompleteLifecycleActionInput) (*autoscaling.CompleteLifecycleActionOutput, error) {
	err := s.region(call).CompleteAction(tx, aws.ToString(in.AutoScalingGroupName), aws.ToString(in.LifecycleHookName),
		aws.ToString(in.InstanceId), aws.ToString(in.LifecycleActionToken), aws.ToString(in.LifecycleActionResult))
	if err != nil {
		return nil, err
	}
	return &autoscaling.CompleteLifecycleActionOutput{}, nil
}

func (s *service) recordLifecycleActionHeartbeat(tx *awstest.Tx, call *awstest.Call, in *autoscaling.RecordLifecycleActionHeartbeatInput) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
	err := s.region(call).Heartbeat(tx, aws.ToString(in.AutoScalingGroupName), aws.ToString(in.LifecycleHookName),
		aws.ToString(in.InstanceId), aws.ToString(in.LifecycleActionToken))
	if err != nil {
		return nil, err
	}
	return &autoscaling.RecordLifecycleActionHeartbeatOutput{}, nil
}

// LifecycleActionToken returns the token of the lifecycle action that an
// instance waits for, and whether it waits for that hook. AWS tells it in a
// notification, which is not modelled; most programs name the instance.
func LifecycleActionToken(cloud *awstest.Cloud, region, group, hook, instance string) (token string, ok bool) {
	r, err := cloud.Region(region)
	if err != nil {
		return "", false
	}
	cloud.Update(func(tx *awstest.Tx) {
		var m *asgmodel.Model
		if m, ok = awstest.Lookup[asgmodel.Model](tx); ok {
			token, ok = m.Region(r).Token(group, hook, instance)
		}
	})
	return token, ok
}
