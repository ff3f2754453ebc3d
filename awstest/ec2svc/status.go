package ec2svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addStatus(e *awstest.Endpoint) {
	handle(e, s.describeInstanceStatus, "InstanceIds", "IncludeAllInstances", "Filters", "MaxResults", "NextToken")
}

func (s *service) describeInstanceStatus(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeInstanceStatusInput) (*ec2.DescribeInstanceStatusOutput, error) {
	region := s.region(tx, call)
	check := func(i ec2model.Instance) (system, instance ec2model.Status) { return region.Status(tx, i) }
	match, err := filterable[ec2model.Instance]{
		"availability-zone":      instanceFilters["availability-zone"],
		"availability-zone-id":   instanceFilters["availability-zone-id"],
		"instance-state-name":    instanceFilters["instance-state-name"],
		"system-status.status":   func(i ec2model.Instance) []string { system, _ := check(i); return []string{string(system)} },
		"instance-status.status": func(i ec2model.Instance) []string { _, instance := check(i); return []string{string(instance)} },
	}.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	var found []ec2model.Instance
	if len(in.InstanceIds) > 0 {
		var lost []string
		for _, id := range in.InstanceIds {
			i, err := region.Instance(call.At, id)
			if err != nil {
				lost = append(lost, id)
			}
			found = append(found, i)
		}
		if err := notFound(lost); err != nil {
			return nil, err
		}
	} else {
		for _, i := range region.Instances(call.At) {
			found = append(found, i)
		}
	}
	var all []types.InstanceStatus
	for _, i := range found {
		if (i.State != ec2model.Running && !aws.ToBool(in.IncludeAllInstances)) || !match(i) {
			continue
		}
		system, instance := check(i)
		all = append(all, types.InstanceStatus{
			InstanceId: aws.String(i.ID), AvailabilityZone: aws.String(i.Zone.Name()), AvailabilityZoneId: aws.String(i.Zone.ID()),
			InstanceState: showState(i.State), SystemStatus: showStatus(system), InstanceStatus: showStatus(instance),
		})
	}
	out := &ec2.DescribeInstanceStatusOutput{}
	out.InstanceStatuses, out.NextToken, err = page(all, in.NextToken, in.MaxResults, pageLimits{5, 1000})
	return out, err
}

func showStatus(s ec2model.Status) *types.InstanceStatusSummary {
	reachability := map[ec2model.Status]types.StatusType{
		ec2model.StatusOK: types.StatusTypePassed, ec2model.StatusImpaired: types.StatusTypeFailed,
		ec2model.StatusInitializing: types.StatusTypeInitializing,
	}
	out := &types.InstanceStatusSummary{Status: types.SummaryStatus(s)}
	if result, ok := reachability[s]; ok {
		out.Details = []types.InstanceStatusDetails{{Name: types.StatusNameReachability, Status: result}}
	}
	return out
}
