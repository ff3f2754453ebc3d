package conformance_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html (read 2026-11)
var statusScenarios = []scenario{{
	name: "status checks are of instances that run, unless all are asked for",
	run: func(s *session) {
		m := s.launch("the instance")
		s.shows("status of a running one", "running, system ok, instance ok", func() string { return s.status(m.id, false) })
		out := must(s.ec2.DescribeInstanceStatus(s.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{m.id}}))(s)
		s.is("zone", told(out.InstanceStatuses[0].AvailabilityZone), m.zone)
		if d := out.InstanceStatuses[0].SystemStatus.Details; len(d) != 1 {
			s.is("details of the system check", "none", "one")
		} else {
			s.is("details of the system check", string(d[0].Name)+" "+string(d[0].Status), "reachability passed")
		}
		must(s.stop(m.id))(s)
		s.shows("state", "stopped", func() string { return s.state(m.id) })
		s.shows("status of a stopped one", "not shown", func() string { return s.status(m.id, false) })
		s.shows("status of a stopped one among all", "stopped, system not-applicable, instance not-applicable", func() string { return s.status(m.id, true) })
		must(s.terminate(m.id))(s)
		s.shows("state then", "terminated", func() string { return s.state(m.id) })
		s.shows("status of a terminated one", "not shown", func() string { return s.status(m.id, false) })
		s.is("status of an unknown one", s.status("i"+unknown, true), "InvalidInstanceID.NotFound")
		s.is("status of a malformed one", s.status("i-1", true), "InvalidInstanceID.Malformed")
	},
	differs: []difference{
		{on: motoName, at: "status of a malformed one", does: "InvalidInstanceID.NotFound"},
	},
}}

// status tells what the status checks say of an instance.
func (s *session) status(id string, all bool) string {
	out, err := s.ec2.DescribeInstanceStatus(s.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}, IncludeAllInstances: aws.Bool(all)})
	switch {
	case err != nil:
		return outcome(err)
	case len(out.InstanceStatuses) == 0:
		return "not shown"
	}
	i := out.InstanceStatuses[0]
	return string(i.InstanceState.Name) + ", system " + string(i.SystemStatus.Status) + ", instance " + string(i.InstanceStatus.Status)
}
