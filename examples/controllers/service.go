package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/failover"
)

// service is what fails over: an Elastic IP that is on one of two instances.
type service struct {
	ec2        *ec2.Client
	allocation string
	publicIP   string
	primary    node
	standby    node
	zones      []types.Subnet // one in each zone that has a controller
}

// node is an instance.
type node struct {
	role string
	id   string
	zone string // ID
	eni  string
}

// port that the nodes serve.
const port = 80

func newClients(cfg aws.Config) *ec2.Client { return ec2.NewFromConfig(cfg) }

func (s *service) nodes() []node { return []node{s.primary, s.standby} }

// build makes a service in the second and third of three zones. What it has made is in the service also if it fails.
func build(ctx context.Context, api *ec2.Client, pause time.Duration) (*service, error) {
	s := &service{ec2: api, primary: node{role: "primary"}, standby: node{role: "standby"}}
	subnets, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil {
		return s, err
	}
	if len(subnets.Subnets) < 3 {
		return s, errors.New("the default VPC needs subnets in three zones")
	}
	s.zones = subnets.Subnets[:3]
	for i, n := range []*node{&s.primary, &s.standby} {
		if err := n.launch(ctx, api, s.zones[i+1]); err != nil {
			return s, err
		}
	}
	for _, n := range []*node{&s.primary, &s.standby} {
		if err := n.awaitRunning(ctx, api, pause); err != nil {
			return s, err
		}
	}
	address, err := api.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc})
	if err != nil {
		return s, err
	}
	s.allocation, s.publicIP = aws.ToString(address.AllocationId), aws.ToString(address.PublicIp)
	remapper, err := eip.New(api)
	if err != nil {
		return s, err
	}
	_, err = remapper.Remap(ctx, eip.Request{AllocationID: s.allocation, Target: eip.Target{NetworkInterfaceID: s.primary.eni}, Guard: eip.GuardFree})
	return s, err
}

func (n *node) launch(ctx context.Context, api *ec2.Client, subnet types.Subnet) error {
	out, err := api.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0abcdef1234567890"), InstanceType: types.InstanceTypeT3Micro, SubnetId: subnet.SubnetId,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	if err != nil {
		return err
	}
	n.id, n.zone = aws.ToString(out.Instances[0].InstanceId), aws.ToString(subnet.AvailabilityZoneId)
	return nil
}

func (n *node) awaitRunning(ctx context.Context, api *ec2.Client, pause time.Duration) error {
	for {
		inst, err := describe(ctx, api, n.id)
		if err != nil {
			return err
		}
		if inst.State.Name == types.InstanceStateNameRunning {
			n.eni = aws.ToString(inst.NetworkInterfaces[0].NetworkInterfaceId)
			return nil
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func describe(ctx context.Context, api *ec2.Client, id string) (*types.Instance, error) {
	out, err := api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return nil, err
	}
	for _, r := range out.Reservations {
		for i := range r.Instances {
			return &r.Instances[i], nil
		}
	}
	return nil, fmt.Errorf("there is no instance %s", id)
}

// state is how the API has the primary, where nobody can be asked.
func (s *service) state(ctx context.Context, m *machine) failover.Observation {
	inst, err := describe(ctx, ec2.NewFromConfig(m.cfg), s.primary.id)
	if err != nil {
		return failover.Observation{Evidence: err.Error()}
	}
	o := failover.Observation{Verdict: failover.Failed, Evidence: string(inst.State.Name)}
	if inst.State.Name == types.InstanceStateNameRunning {
		o.Verdict = failover.Healthy
	}
	return o
}

// stop stops the primary, which does not answer: at once, and without asking its system.
func (s *service) stop(ctx context.Context, api *ec2.Client) error {
	_, err := api.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{s.primary.id}, Force: aws.Bool(true)})
	return err
}

// remove takes away what build has made.
func (s *service) remove(ctx context.Context) error {
	var errs []error
	attempt := func(_ any, err error) { errs = append(errs, err) }
	if s.allocation != "" {
		out, err := s.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{s.allocation}})
		attempt(out, err)
		if err == nil && out.Addresses[0].AssociationId != nil {
			attempt(s.ec2.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: out.Addresses[0].AssociationId}))
		}
		attempt(s.ec2.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: aws.String(s.allocation)}))
	}
	for _, n := range s.nodes() {
		if n.id != "" {
			attempt(s.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{n.id}}))
		}
	}
	return errors.Join(errs...)
}
