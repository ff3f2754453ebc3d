package ec2svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addInstances(e *awstest.Endpoint) {
	handle(e, s.runInstances, "CapacityReservationSpecification", "MinCount", "MaxCount", "InstanceType", "ImageId", "KeyName", "Placement", "SubnetId",
		"PrivateIpAddress", "NetworkInterfaces", "ClientToken", "TagSpecifications", "LaunchTemplate", "BlockDeviceMappings",
		"SecurityGroupIds", "SecurityGroups",
		// Accepted and without effect here:
		"UserData", "IamInstanceProfile", "MetadataOptions", "Monitoring", "EbsOptimized")
	handle(e, s.startInstances, "InstanceIds")
	handle(e, s.stopInstances, "InstanceIds", "Force", "SkipOsShutdown")
	handle(e, s.rebootInstances, "InstanceIds")
	handle(e, s.terminateInstances, "InstanceIds", "Force", "SkipOsShutdown")
	handle(e, s.describeInstances, "InstanceIds", "Filters", "MaxResults", "NextToken")
}

// named returns the instances of a change, as they are now.
func (s *service) named(tx *awstest.Tx, call *awstest.Call, ids []string) (*ec2model.Region, []ec2model.Instance, error) {
	if len(ids) == 0 {
		return nil, nil, missing("InstanceId")
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.Instance, error) { return region.Instance(tx.Now(), id) }
	list, err := find(instanceKind, ids, get, nil)
	return region, list, err
}

func (s *service) startInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error) {
	region, before, err := s.named(tx, call, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	after, err := region.Start(tx, before)
	if err != nil {
		return nil, err
	}
	return &ec2.StartInstancesOutput{StartingInstances: showChanges(before, after)}, nil
}

func (s *service) stopInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error) {
	region, before, err := s.named(tx, call, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	after, err := region.Stop(tx, before, aws.ToBool(in.SkipOsShutdown))
	if err != nil {
		return nil, err
	}
	return &ec2.StopInstancesOutput{StoppingInstances: showChanges(before, after)}, nil
}

func (s *service) terminateInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error) {
	region, before, err := s.named(tx, call, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	return &ec2.TerminateInstancesOutput{TerminatingInstances: showChanges(before, region.Terminate(tx, before, aws.ToBool(in.SkipOsShutdown)))}, nil
}

func (s *service) rebootInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.RebootInstancesInput) (*ec2.RebootInstancesOutput, error) {
	region, list, err := s.named(tx, call, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	if err := region.Reboot(tx, list); err != nil {
		return nil, err
	}
	return &ec2.RebootInstancesOutput{}, nil
}

func showChanges(before, after []ec2model.Instance) []types.InstanceStateChange {
	var out []types.InstanceStateChange
	for n, i := range before {
		out = append(out, types.InstanceStateChange{InstanceId: aws.String(i.ID), PreviousState: showState(i.State), CurrentState: showState(after[n].State)})
	}
	return out
}

func (s *service) describeInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	if err := noPages(in.InstanceIds, in.MaxResults); err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	match, err := instanceFilters(tx, call, region).matcher(call, in.Filters, func(i ec2model.Instance) ec2model.Tags { return i.Tags })
	if err != nil {
		return nil, err
	}
	get := func(id string) (ec2model.Instance, error) { return region.Instance(call.At, id) }
	found, err := find(instanceKind, in.InstanceIds, get, region.Instances(call.At))
	if err != nil {
		return nil, err
	}
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstancesOutput{NextToken: next}
	place := map[string]int{} // of a reservation in the output
	for _, i := range found {
		n, known := place[i.Reservation]
		if !known {
			n = len(out.Reservations)
			place[i.Reservation] = n
			out.Reservations = append(out.Reservations, types.Reservation{ReservationId: aws.String(i.Reservation), OwnerId: aws.String(tx.Cloud().AccountID())})
		}
		out.Reservations[n].Instances = append(out.Reservations[n].Instances, showInstance(tx, call, region, i))
	}
	return out, nil
}
