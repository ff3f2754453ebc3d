package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
)

// place is where the site is.
type place struct {
	site *site
	ec2  *ec2.Client
	elb  *elbv2.Client
	end  func()
}

// elsewhere is an account or an emulator, and a site that a file describes.
func elsewhere(ctx context.Context, f flags) (*place, error) {
	data, err := os.ReadFile(f.site)
	if err != nil {
		return nil, &usageError{"-site:", err.Error()}
	}
	s, err := read(data)
	if err != nil {
		return nil, err
	}
	opts := []func(*config.LoadOptions) error{config.WithRegion(s.Region)}
	if f.endpoint != "" {
		opts = append(opts, config.WithBaseEndpoint(f.endpoint), config.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		})))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return &place{site: s, ec2: ec2.NewFromConfig(cfg), elb: elbv2.NewFromConfig(cfg), end: func() {}}, nil
}

// inMemory makes a site: four web servers in two zones with two more reserved, and a database with a volume, an address and a target group.
func inMemory(ctx context.Context) (_ *place, err error) {
	const now = ec2svc.Immediately
	cloud, err := awstest.New([]awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) { o.Pending, o.VolumeCreating, o.VolumeAttaching = now, now, now }),
		elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning, o.Registration = elbv2svc.Immediately, elbv2svc.Immediately }),
	})
	if err != nil {
		return nil, err
	}
	cfg := cloud.Config("us-east-1")
	p := &place{
		site: &site{
			Region: "us-east-1", Service: "orders",
			Fleets: []fleet{{Name: "web", Tags: map[string]string{"app": "web"}, Needed: 4, Types: []string{"m7g.large"}}},
		},
		ec2: ec2.NewFromConfig(cfg), elb: elbv2.NewFromConfig(cfg), end: func() { _ = cloud.Close() },
	}
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	b := builder{ctx: ctx, place: p, cloud: cloud}
	subnets := b.subnets()
	for i := range 4 {
		b.launch(subnets[i%2], "m7g.large", "web")
	}
	b.fail(ec2svc.Reserve(cloud, "us-east-1", ec2svc.ReservedInstances{Type: "m7g.large", Count: 4, Zone: zoneOf(subnets[1])})) // two of them run
	b.database(subnets[0])
	return p, b.err
}

// builder makes the site, until something goes wrong.
type builder struct {
	ctx   context.Context
	place *place
	cloud *awstest.Cloud
	err   error
}

func (b *builder) fail(err error) bool {
	if b.err == nil {
		b.err = err
	}
	return b.err != nil
}

func (b *builder) subnets() []types.Subnet {
	out, err := b.place.ec2.DescribeSubnets(b.ctx, &ec2.DescribeSubnetsInput{})
	if b.fail(err) {
		return make([]types.Subnet, 2)
	}
	return out.Subnets
}

func zoneOf(s types.Subnet) string { return aws.ToString(s.AvailabilityZoneId) }

func (b *builder) launch(subnet types.Subnet, kind, app string) string {
	if b.err != nil {
		return ""
	}
	out, err := b.place.ec2.RunInstances(b.ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceType(kind), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: subnet.SubnetId,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("app"), Value: &app}}}},
	})
	if b.fail(err) {
		return ""
	}
	id := aws.ToString(out.Instances[0].InstanceId)
	if machine, ok := b.cloud.Instance(id); ok {
		_, err = machine.Serve(80, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		b.fail(err)
	}
	return id
}

func (b *builder) database(subnet types.Subnet) {
	one := &b.place.site.Single
	one.Instance = b.launch(subnet, "m5d.large", "db")
	one.Image, one.Types, one.Subnets, one.Zone = "ami-12345678", []string{"m5d.large", "m7g.large"}, []string{aws.ToString(subnet.SubnetId)}, zoneOf(subnet)
	volume, err := b.place.ec2.CreateVolume(b.ctx, &ec2.CreateVolumeInput{AvailabilityZoneId: subnet.AvailabilityZoneId, Size: aws.Int32(100)})
	if b.fail(err) {
		return
	}
	one.Volumes = []string{*volume.VolumeId}
	b.fail(b.settle(func() error {
		_, err := b.place.ec2.AttachVolume(b.ctx, &ec2.AttachVolumeInput{VolumeId: volume.VolumeId, InstanceId: &one.Instance, Device: aws.String("/dev/sdf")})
		return err
	}))
	address, err := b.place.ec2.AllocateAddress(b.ctx, &ec2.AllocateAddressInput{})
	if b.fail(err) {
		return
	}
	one.Addresses = []string{*address.AllocationId}
	_, err = b.place.ec2.AssociateAddress(b.ctx, &ec2.AssociateAddressInput{AllocationId: address.AllocationId, InstanceId: &one.Instance})
	b.fail(err)
	b.targetGroup(one)
}

func (b *builder) targetGroup(one *single) {
	subnets := b.subnets()
	if b.err != nil {
		return
	}
	group, err := b.place.elb.CreateTargetGroup(b.ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("db"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: subnets[0].VpcId, HealthCheckIntervalSeconds: aws.Int32(5),
		HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	})
	if b.fail(err) {
		return
	}
	arn := group.TargetGroups[0].TargetGroupArn
	one.Targets = []targetGroup{{ARN: *arn}}
	balancer, err := b.place.elb.CreateLoadBalancer(b.ctx, &elbv2.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{*subnets[0].SubnetId, *subnets[1].SubnetId},
	})
	if b.fail(err) {
		return
	}
	_, err = b.place.elb.CreateListener(b.ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: arn}},
	})
	b.fail(err)
	_, err = b.place.elb.RegisterTargets(b.ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: arn, Targets: []elbtypes.TargetDescription{{Id: &one.Instance}}})
	b.fail(err)
	b.fail(b.settle(func() error { // its first check
		out, err := b.place.elb.DescribeTargetHealth(b.ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: arn})
		if err == nil && out.TargetHealthDescriptions[0].TargetHealth.State != elbtypes.TargetHealthStateEnumHealthy {
			err = fmt.Errorf("the target is %s", out.TargetHealthDescriptions[0].TargetHealth.State)
		}
		return err
	}))
}

// settle repeats something until it succeeds, for some seconds.
func (b *builder) settle(try func() error) (err error) {
	if b.err != nil {
		return b.err
	}
	for range 100 {
		if err = try(); err == nil {
			return nil
		}
		select {
		case <-b.ctx.Done():
			return context.Cause(b.ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return err
}
