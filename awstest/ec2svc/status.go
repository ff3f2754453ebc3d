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

// checked is an instance with the results of its status checks.
type checked struct {
	ec2model.Instance
	system, instance, ebs ec2model.Status
}

var statusFilters = filterable[checked]{
	"availability-zone":          one(func(c checked) string { return c.Zone.Name() }),
	"availability-zone-id":       one(func(c checked) string { return c.Zone.ID() }),
	"instance-state-name":        one(func(c checked) string { return string(c.State) }),
	"system-status.status":       one(func(c checked) string { return string(c.system) }),
	"attached-ebs-status.status": one(func(c checked) string { return string(c.ebs) }),
	"instance-status.status":     one(func(c checked) string { return string(c.instance) }),
}

func (s *service) describeInstanceStatus(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeInstanceStatusInput) (*ec2.DescribeInstanceStatusOutput, error) {
	if err := noPages(in.InstanceIds, in.MaxResults); err != nil {
		return nil, err
	}
	match, err := statusFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.Instance, error) { return region.Instance(call.At, id) }
	found, err := find(instanceKind, in.InstanceIds, get, region.Instances(call.At))
	if err != nil {
		return nil, err
	}
	var list []checked
	for _, i := range found {
		if i.State == ec2model.Running || aws.ToBool(in.IncludeAllInstances) {
			system, instance := region.Status(tx, i)
			list = append(list, checked{i, system, instance, region.EBSStatus(tx, i)})
		}
	}
	list, next, err := page(only(list, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstanceStatusOutput{NextToken: next}
	for _, c := range list {
		out.InstanceStatuses = append(out.InstanceStatuses, types.InstanceStatus{
			InstanceId: aws.String(c.ID), AvailabilityZone: aws.String(c.Zone.Name()), AvailabilityZoneId: aws.String(c.Zone.ID()),
			InstanceState: showState(c.State), SystemStatus: showStatus(c.system), InstanceStatus: showStatus(c.instance),
			AttachedEbsStatus: showEBSStatus(c.ebs),
		})
	}
	return out, nil
}

// reachability is the detail behind a status.
var reachability = map[ec2model.Status]types.StatusType{
	ec2model.StatusOK:           types.StatusTypePassed,
	ec2model.StatusImpaired:     types.StatusTypeFailed,
	ec2model.StatusInitializing: types.StatusTypeInitializing,
}

func showStatus(s ec2model.Status) *types.InstanceStatusSummary {
	out := &types.InstanceStatusSummary{Status: types.SummaryStatus(s)}
	if result, ok := reachability[s]; ok {
		out.Details = []types.InstanceStatusDetails{{Name: types.StatusNameReachability, Status: result}}
	}
	return out
}

func showEBSStatus(s ec2model.Status) *types.EbsStatusSummary {
	out := &types.EbsStatusSummary{Status: types.SummaryStatus(s)}
	if result, ok := reachability[s]; ok {
		out.Details = []types.EbsStatusDetails{{Name: types.StatusNameReachability, Status: result}}
	}
	return out
}
