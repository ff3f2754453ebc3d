package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/snapshot"
)

const (
	service  = "orders"
	image    = "ami-0abcdef1234567890"
	kind     = "t3.micro"
	perZone  = 2 // web servers in each zone
	port     = 80
	table    = "awsha-zone-evacuation"
	roleTag  = "role"
	roleWeb  = "web"
	roleBook = "ledger"
)

// built is a service that this program has made: web servers of an Auto Scaling group behind a load balancer, whose orders go through a
// queue, and a ledger, of which there is only one, with a volume and an address.
type built struct {
	site

	cfg     aws.Config
	pause   time.Duration // between looks at what takes time
	subnets []types.Subnet

	front  string // DNS name of the load balancer
	public string // address of the ledger
	queue  string // URL
	policy *snapshot.Policy
	undo   []func(context.Context) error
}

// ledger is the only one of its kind.
func (b *built) ledger() *single { return &b.Singles[0] }

// build makes the service in three zones, with the ledger in the first of them. What it has made, remove takes away, also if it fails. Without
// web there is only the ledger.
func build(ctx context.Context, cfg aws.Config, pause time.Duration, web bool) (b *built, err error) {
	b = &built{cfg: cfg, pause: pause, site: site{Region: cfg.Region, Service: service}}
	out, err := ec2.NewFromConfig(cfg).DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})
	if err != nil {
		return b, err
	}
	if len(out.Subnets) < 3 {
		return b, errors.New("the default VPC needs subnets in three zones")
	}
	b.subnets = out.Subnets[:3]
	b.Zone = *b.subnets[0].AvailabilityZoneId
	parts := []func(context.Context) error{b.buildTable, b.buildLedger}
	if web {
		parts = append(parts, b.buildQueue, b.buildFront)
	}
	for _, part := range parts {
		if err := part(ctx); err != nil {
			return b, err
		}
	}
	return b, nil
}

// remove takes away what build has made, the newest first.
func (b *built) remove(ctx context.Context) error {
	var errs []error
	for _, undo := range slices.Backward(b.undo) {
		errs = append(errs, undo(ctx))
	}
	return errors.Join(errs...)
}

// taken has remove make a call. Its answer does not matter.
func taken[I, O, Options any](b *built, call func(context.Context, *I, ...func(*Options)) (*O, error), in *I) {
	b.undo = append(b.undo, func(ctx context.Context) error {
		_, err := call(ctx, in)
		return err
	})
}

// await looks until something is so.
func (b *built) await(ctx context.Context, what string, look func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 15*time.Minute, errors.New("it takes too long: "+what))
	defer cancel()
	for {
		if ok, err := look(); err != nil || ok {
			return err
		}
		if err := sleep(ctx, b.pause); err != nil {
			return err
		}
	}
}

// buildTable makes the table of leases and journals.
func (b *built) buildTable(ctx context.Context) error {
	api := dynamodb.NewFromConfig(b.cfg)
	key := func(name string, t dbtypes.KeyType) dbtypes.KeySchemaElement {
		return dbtypes.KeySchemaElement{AttributeName: &name, KeyType: t}
	}
	text := func(name string) dbtypes.AttributeDefinition {
		return dbtypes.AttributeDefinition{AttributeName: &name, AttributeType: dbtypes.ScalarAttributeTypeS}
	}
	if _, err := api.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{text("group"), text("name")},
		KeySchema:            []dbtypes.KeySchemaElement{key("group", dbtypes.KeyTypeHash), key("name", dbtypes.KeyTypeRange)},
	}); err != nil {
		return err
	}
	taken(b, api.DeleteTable, &dynamodb.DeleteTableInput{TableName: aws.String(table)})
	return b.await(ctx, "the table", func() (bool, error) {
		out, err := api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)})
		return err == nil && out.Table.TableStatus == dbtypes.TableStatusActive, err
	})
}

// buildLedger makes the instance with its volume, its address and the policy of its backups, and the first of them.
func (b *built) buildLedger(ctx context.Context) error {
	api := ec2.NewFromConfig(b.cfg)
	zone := b.subnets[0].AvailabilityZone
	data, err := api.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: zone, Size: aws.Int32(20)})
	if err != nil {
		return err
	}
	taken(b, api.DeleteVolume, &ec2.DeleteVolumeInput{VolumeId: data.VolumeId})
	tags := []types.Tag{{Key: aws.String(roleTag), Value: aws.String(roleBook)}}
	instance, err := api.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String(image), InstanceType: kind, SubnetId: b.subnets[0].SubnetId, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: tags}},
	})
	if err != nil {
		return err
	}
	id := *instance.Instances[0].InstanceId
	taken(b, api.TerminateInstances, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	b.policy = &snapshot.Policy{
		Name: "ledger", Region: b.Region, Targets: snapshot.Targets{Volumes: snapshot.Selector{IDs: []string{*data.VolumeId}}},
		Schedule: snapshot.Schedule{Every: backupEvery},
	}
	b.Singles = []single{{
		Name: roleBook, Instance: id, Image: image, Types: []string{kind}, Tags: map[string]string{roleTag: roleBook},
		Volumes: []volume{{ID: *data.VolumeId, Policy: b.policy, maxAge: 3 * backupEvery}},
	}}
	for _, subnet := range b.subnets {
		b.ledger().Subnets = append(b.ledger().Subnets, *subnet.SubnetId)
	}
	if err := b.await(ctx, "the ledger's instance", func() (bool, error) {
		out, err := api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		return err == nil && out.Reservations[0].Instances[0].State.Name == types.InstanceStateNameRunning, err
	}); err != nil {
		return err
	}
	if _, err := api.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: data.VolumeId, InstanceId: &id, Device: aws.String(device)}); err != nil {
		return err
	}
	address, err := api.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc})
	if err != nil {
		return err
	}
	taken(b, api.ReleaseAddress, &ec2.ReleaseAddressInput{AllocationId: address.AllocationId})
	b.public, b.ledger().Addresses = *address.PublicIp, []string{*address.AllocationId}
	_, err = api.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: address.AllocationId, InstanceId: &id})
	return err
}

// device is that of the ledger's volume.
const device = "/dev/sdf"

func (b *built) buildQueue(ctx context.Context) error {
	api := sqs.NewFromConfig(b.cfg)
	out, err := api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(service)})
	if err != nil {
		return err
	}
	b.queue = *out.QueueUrl
	taken(b, api.DeleteQueue, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
	return nil
}

// buildFront makes the load balancer, its target group, and the group of web servers.
func (b *built) buildFront(ctx context.Context) error {
	api := elbv2.NewFromConfig(b.cfg)
	var subnets []string
	for _, subnet := range b.subnets {
		subnets = append(subnets, *subnet.SubnetId)
	}
	targets, err := api.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String(service), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port), VpcId: b.subnets[0].VpcId, HealthCheckPath: aws.String("/healthz"),
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		return err
	}
	arn := targets.TargetGroups[0].TargetGroupArn
	balancer, err := api.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String(service), Subnets: subnets})
	if err != nil {
		return err
	}
	front := balancer.LoadBalancers[0]
	b.front, b.Shifts = *front.DNSName, []string{*front.LoadBalancerArn}
	if _, err := api.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: front.LoadBalancerArn,
		Attributes:      []elbtypes.LoadBalancerAttribute{{Key: aws.String("zonal_shift.config.enabled"), Value: aws.String("true")}},
	}); err != nil {
		return err
	}
	if _, err := api.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: front.LoadBalancerArn, Port: aws.Int32(port), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: arn}},
	}); err != nil {
		return err
	}
	if err := b.buildGroup(ctx, arn); err != nil {
		return err
	}
	return b.await(ctx, "the load balancer and its targets", func() (bool, error) {
		out, err := api.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: arn})
		if err != nil {
			return false, err
		}
		healthy := 0
		for _, t := range out.TargetHealthDescriptions {
			if t.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
				healthy++
			}
		}
		return healthy == perZone*len(b.subnets), nil
	})
}

func (b *built) buildGroup(ctx context.Context, targets *string) error {
	template, err := ec2.NewFromConfig(b.cfg).CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(service), LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String(image), InstanceType: kind},
	})
	if err != nil {
		return err
	}
	g := group{Name: service + "-" + roleWeb, Count: perZone}
	zones := ""
	for i, subnet := range b.subnets {
		if zones += *subnet.SubnetId; i < len(b.subnets)-1 {
			zones += ","
		}
		if i > 0 {
			g.Zones = append(g.Zones, *subnet.AvailabilityZoneId)
		}
	}
	n := int32(perZone * len(b.subnets))
	if _, err := autoscaling.NewFromConfig(b.cfg).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &g.Name, MinSize: aws.Int32(n / 2), DesiredCapacity: &n, MaxSize: aws.Int32(2 * n), VPCZoneIdentifier: &zones,
		TargetGroupARNs: []string{*targets}, HealthCheckType: aws.String("ELB"), HealthCheckGracePeriod: aws.Int32(60),
		LaunchTemplate: &asgtypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
		Tags:           []asgtypes.Tag{{Key: aws.String(roleTag), Value: aws.String(roleWeb), PropagateAtLaunch: aws.Bool(true)}},
	}); err != nil {
		return fmt.Errorf("the group: %w", err)
	}
	b.Groups = []group{g}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
