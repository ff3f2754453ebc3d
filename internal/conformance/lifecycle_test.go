package conformance_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html (read 2026-11)
var lifecycleScenarios = []scenario{
	{
		name: "an instance is stopped, started and terminated",
		run: func(s *session) {
			m := s.launch("the instance")
			changes, err := s.stop(m.id)
			s.accepted("stopping", err)
			s.is("change by stopping", changes, "running to stopping")
			s.shows("state after stopping", "stopped", func() string { return s.state(m.id) })
			_, err = s.stop(m.id)
			s.accepted("stopping again", err)
			i := must(s.instance(m.id))(s)
			s.is("private address while stopped", told(i.PrivateIpAddress), m.private)
			s.is("public address while stopped", told(i.PublicIpAddress), "none")

			changes, err = s.start(m.id)
			s.accepted("starting", err)
			s.is("change by starting", changes, "stopped to pending")
			s.shows("state after starting", "running", func() string { return s.state(m.id) })
			_, err = s.start(m.id)
			s.accepted("starting again", err)
			_, err = s.ec2.RebootInstances(s.Context(), &ec2.RebootInstancesInput{InstanceIds: []string{m.id}})
			s.accepted("rebooting", err)
			s.is("state after rebooting", s.state(m.id), "running")

			changes, err = s.terminate(m.id)
			s.accepted("terminating", err)
			s.is("change by terminating", changes, "running to shutting-down")
			s.shows("state after terminating", "terminated", func() string { return s.state(m.id) })
			_, err = s.terminate(m.id)
			s.accepted("terminating again", err)
			_, err = s.start(m.id)
			s.refused("starting a terminated one", err, "IncorrectInstanceState")
			_, err = s.stop(m.id)
			s.refused("stopping a terminated one", err, "IncorrectInstanceState")
		},
		differs: []difference{
			{on: motoName, at: "starting a terminated one", does: "accepted"},
			{on: motoName, at: "stopping a terminated one", does: "accepted"},
		},
	},
	{
		name: "an instance keeps its address when it is stopped and loses it when it is terminated",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			id := must(s.associate(a, toInterface(m.eni), nil))(s)
			must(s.stop(m.id))(s)
			s.shows("state after stopping", "stopped", func() string { return s.state(m.id) })
			s.is("holder while stopped", s.holder(a), m.eni)
			must(s.start(m.id))(s)
			s.shows("state after starting", "running", func() string { return s.state(m.id) })
			s.is("holder after starting", s.holder(a), m.eni)
			s.is("association after starting", same(told(s.address(a).AssociationId), id), "the same")
			s.shows("public address after starting", "it", s.wears(m.id, a))

			must(s.terminate(m.id))(s)
			s.shows("state after terminating", "terminated", func() string { return s.state(m.id) })
			s.shows("holder after terminating", "nobody", func() string { return s.holder(a) })
			s.shows("interface after terminating", "InvalidNetworkInterfaceID.NotFound", func() string { return s.nicStatus(m.eni) })
		},
		differs: []difference{
			{on: motoName, at: "public address after starting", does: "not it"},
			{on: motoName, at: "holder after terminating", does: "the interface of the instance"},
			{on: motoName, at: "interface after terminating", does: "in-use"},
		},
	},
	{
		name: "a terminated instance is no target",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			must(s.terminate(m.id))(s)
			s.shows("state", "terminated", func() string { return s.state(m.id) })
			_, err := s.associate(a, toInstance(m.id), nil)
			s.refused("associating by instance", err, "InvalidInstanceID")
			_, err = s.associate(a, toInterface(m.eni), nil)
			s.refused("associating by interface", err, "InvalidNetworkInterfaceID.NotFound")
			s.is("holder", s.holder(a), "nobody")
		},
		differs: []difference{
			{on: motoName, at: "associating by instance", does: "accepted"},
			{on: motoName, at: "associating by interface", does: "accepted"},
			{on: motoName, at: "holder", does: "the interface of the instance"},
		},
	},
	{
		name: "a stopped instance is a target",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			must(s.stop(m.id))(s)
			s.shows("state", "stopped", func() string { return s.state(m.id) })
			_, err := s.associate(a, toInterface(m.eni), nil)
			s.accepted("associating", err)
			s.shows("holder", m.eni, func() string { return s.holder(a) })
		},
	},
	{
		name: "changes of state want instances that exist",
		run: func(s *session) {
			for operation, call := range map[string]func(string) (string, error){
				"StartInstances": s.start, "StopInstances": s.stop, "TerminateInstances": s.terminate,
				"RebootInstances": func(id string) (string, error) {
					_, err := s.ec2.RebootInstances(s.Context(), &ec2.RebootInstancesInput{InstanceIds: []string{id}})
					return "", err
				},
			} {
				_, err := call("i" + unknown)
				s.refused(operation+" of an unknown one", err, "InvalidInstanceID.NotFound")
				_, err = call("i-1")
				s.refused(operation+" of a malformed one", err, "InvalidInstanceID.Malformed")
			}
		},
		differs: []difference{
			{on: motoName, at: "TerminateInstances of a malformed one", does: "InvalidInstanceID.NotFound"},
			{on: motoName, at: "RebootInstances of a malformed one", does: "InvalidInstanceID.NotFound"},
			{on: motoName, at: "StartInstances of a malformed one", does: "InvalidInstanceID.NotFound"},
			{on: motoName, at: "StopInstances of a malformed one", does: "InvalidInstanceID.NotFound"},
		},
	},
}

func (s *session) stop(id string) (changes string, err error) {
	out, err := s.ec2.StopInstances(s.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return "", err
	}
	return changesOf(out.StoppingInstances), nil
}

func (s *session) start(id string) (changes string, err error) {
	out, err := s.ec2.StartInstances(s.Context(), &ec2.StartInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return "", err
	}
	return changesOf(out.StartingInstances), nil
}

func (s *session) terminate(id string) (changes string, err error) {
	out, err := s.ec2.TerminateInstances(s.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return "", err
	}
	return changesOf(out.TerminatingInstances), nil
}

func changesOf(list []types.InstanceStateChange) string {
	if len(list) != 1 || list[0].PreviousState == nil || list[0].CurrentState == nil {
		return fmt.Sprintf("%d changes", len(list))
	}
	return string(list[0].PreviousState.Name) + " to " + string(list[0].CurrentState.Name)
}
