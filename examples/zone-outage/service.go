package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/eip"
)

// clients are the AWS clients of one account and region, and what they count.
type clients struct {
	ec2   *ec2.Client
	elb   *elbv2.Client
	calls *callCounter
}

func newClients(cfg aws.Config) *clients {
	calls := &callCounter{}
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], calls.attach)
	return &clients{ec2: ec2.NewFromConfig(cfg), elb: elbv2.NewFromConfig(cfg), calls: calls}
}

// service is what fails over: an address and a registration that are on one
// instance or on another.
type service struct {
	*clients
	remapper    *eip.Remapper
	allocation  string
	publicIP    string
	targetGroup string // ARN; empty: there is none
	balancer    string // ARN; only of a service that build has made
	lastRead    atomic.Pointer[eip.Association]
	primary     node
	standby     node
}

// node is an instance that can serve.
type node struct {
	Role      string
	ID        string // of the instance
	Zone      string // ID
	Interface string
	PrivateIP string
}

// port that the nodes serve.
const port = 80

// build makes a service from nothing: two instances in two zones, an Elastic
// IP on the first, and a target group that the first is registered with.
// What it has made is in the service also if it fails.
func build(ctx context.Context, c *clients, pause time.Duration) (*service, error) {
	s := &service{clients: c, primary: node{Role: "primary"}, standby: node{Role: "standby"}}
	subnets, err := c.ec2.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil {
		return s, err
	}
	if len(subnets.Subnets) < 2 {
		return s, errors.New("the default VPC needs subnets in two zones")
	}
	for i, n := range []*node{&s.primary, &s.standby} {
		if err := n.launch(ctx, c, &subnets.Subnets[i]); err != nil {
			return s, err
		}
	}
	for _, n := range []*node{&s.primary, &s.standby} {
		if err := n.awaitRunning(ctx, c, pause); err != nil {
			return s, err
		}
	}
	address, err := c.ec2.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc})
	if err != nil {
		return s, err
	}
	s.allocation, s.publicIP = aws.ToString(address.AllocationId), aws.ToString(address.PublicIp)
	if s.remapper, err = eip.New(c.ec2); err != nil {
		return s, err
	}
	if _, err := s.remapper.Remap(ctx, eip.Request{AllocationID: s.allocation, Target: eip.Target{NetworkInterfaceID: s.primary.Interface}, Guard: eip.GuardFree}); err != nil {
		return s, err
	}
	err = s.buildTargetGroup(ctx, subnets.Subnets[:2])
	return s, err
}

func (n *node) launch(ctx context.Context, c *clients, subnet *types.Subnet) error {
	out, err := c.ec2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0abcdef1234567890"), InstanceType: types.InstanceTypeT3Micro, SubnetId: subnet.SubnetId,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String(n.Role)}}}},
	})
	if err != nil {
		return err
	}
	n.ID, n.Zone = aws.ToString(out.Instances[0].InstanceId), aws.ToString(subnet.AvailabilityZoneId)
	return nil
}

// awaitRunning waits for the instance, with pauses of our own: the SDK's
// waiter would take 15 s for the first.
func (n *node) awaitRunning(ctx context.Context, c *clients, pause time.Duration) error {
	for {
		if err := n.read(ctx, c); err != nil {
			return err
		} else if n.Interface != "" {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// read fills in what the instance's network is, once it is running.
func (n *node) read(ctx context.Context, c *clients) error {
	out, err := c.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{n.ID}})
	if err != nil {
		return err
	}
	for _, r := range out.Reservations {
		for i := range r.Instances {
			inst := &r.Instances[i]
			if inst.State == nil || inst.State.Name != types.InstanceStateNameRunning {
				continue
			}
			if len(inst.NetworkInterfaces) != 1 {
				return fmt.Errorf("instance %s has %d network interfaces, and this program wants one", n.ID, len(inst.NetworkInterfaces))
			}
			n.Interface, n.PrivateIP = aws.ToString(inst.NetworkInterfaces[0].NetworkInterfaceId), aws.ToString(inst.PrivateIpAddress)
			if zone := aws.ToString(inst.Placement.AvailabilityZoneId); zone != "" {
				n.Zone = zone
			}
		}
	}
	return nil
}

func (s *service) buildTargetGroup(ctx context.Context, subnets []types.Subnet) error {
	group, err := s.elb.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("zone-outage"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port), VpcId: subnets[0].VpcId,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), HealthCheckPath: aws.String("/healthz"),
	})
	if err != nil {
		return err
	}
	s.targetGroup = aws.ToString(group.TargetGroups[0].TargetGroupArn)
	balancer, err := s.elb.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{
		Name: aws.String("zone-outage"), Subnets: []string{aws.ToString(subnets[0].SubnetId), aws.ToString(subnets[1].SubnetId)},
	})
	if err != nil {
		return err
	}
	s.balancer = aws.ToString(balancer.LoadBalancers[0].LoadBalancerArn)
	if _, err := s.elb.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: aws.String(s.balancer), Port: aws.Int32(port), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(s.targetGroup)}},
	}); err != nil {
		return err
	}
	_, err = s.elb.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: aws.String(s.targetGroup), Targets: targets(s.primary.ID)})
	return err
}

// remove takes away what build has made.
func (s *service) remove(ctx context.Context) error {
	var errs []error
	attempt := func(_ any, err error) { errs = append(errs, err) }
	if s.balancer != "" {
		attempt(s.elb.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: aws.String(s.balancer)}))
	}
	if s.targetGroup != "" {
		attempt(s.elb.DeleteTargetGroup(ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: aws.String(s.targetGroup)}))
	}
	if s.allocation != "" {
		held, err := s.association(ctx)
		attempt(held, err)
		if held.ID != "" {
			attempt(s.ec2.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: aws.String(held.ID)}))
		}
		attempt(s.ec2.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: aws.String(s.allocation)}))
	}
	for _, n := range []node{s.primary, s.standby} {
		if n.ID != "" {
			attempt(s.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{n.ID}}))
		}
	}
	return errors.Join(errs...)
}

func targets(id string) []elbtypes.TargetDescription {
	return []elbtypes.TargetDescription{{Id: aws.String(id), Port: aws.Int32(port)}}
}
