package rehearsal_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asg "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
)

// A fleet is a group of six instances in three zones, behind a load balancer, each with a worker that takes jobs from a queue
// and writes them to a table; and a volume in each zone.
type fleet struct {
	*testing.T
	cloud *awstest.Cloud
	cfg   aws.Config

	queue, group, domain string
	volumes              map[string]string // zone to volume
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{T: t, volumes: map[string]string{}}
	f.cloud = newCloud(t, func(o *awstest.Options) { o.OnBoot = f.boot })
	f.cfg = f.cloud.Config("us-east-1")
	ctx := t.Context()

	queue, err := sqs.NewFromConfig(f.cfg).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs")})
	f.must(err)
	f.queue = *queue.QueueUrl
	table := dynamodb.NewFromConfig(f.cfg)
	_, err = table.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("done"), BillingMode: ddb.BillingModePayPerRequest,
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("job"), KeyType: ddb.KeyTypeHash}},
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("job"), AttributeType: ddb.ScalarAttributeTypeS}},
	})
	f.must(err)
	f.must(dynamodb.NewTableExistsWaiter(table).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("done")}, time.Hour))

	compute, balancing := ec2.NewFromConfig(f.cfg), elbv2.NewFromConfig(f.cfg)
	subnets, err := compute.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	f.must(err)
	var three []string
	for _, s := range subnets.Subnets[:3] {
		three = append(three, *s.SubnetId)
		v, err := compute.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZoneId: s.AvailabilityZoneId, Size: aws.Int32(1)})
		f.must(err)
		f.volumes[*s.AvailabilityZoneId] = *v.VolumeId
	}
	balancer, err := balancing.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: three})
	f.must(err)
	group, err := balancing.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: elb.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: subnets.Subnets[0].VpcId,
		HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(3),
	})
	f.must(err)
	f.group, f.domain = *group.TargetGroups[0].TargetGroupArn, *balancer.LoadBalancers[0].DNSName
	_, err = balancing.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: elb.ProtocolEnumHttp,
		DefaultActions: []elb.Action{{Type: elb.ActionTypeEnumForward, TargetGroupArn: &f.group}},
	})
	f.must(err)

	template(t, f.cfg)
	_, err = autoscaling.NewFromConfig(f.cfg).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(6), MaxSize: aws.Int32(9), DesiredCapacity: aws.Int32(6),
		VPCZoneIdentifier: aws.String(strings.Join(three, ",")), TargetGroupARNs: []string{f.group},
		HealthCheckType: aws.String("ELB"), HealthCheckGracePeriod: aws.Int32(60),
		LaunchTemplate: &asg.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")},
	})
	f.must(err)
	return f
}

func (f *fleet) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// boot starts what runs on an instance of the group.
func (f *fleet) boot(i *awstest.Instance, n int) {
	if n == 1 {
		if _, err := i.Serve(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, i.Zone().ID()) })); err != nil {
			f.Error(err)
		}
	}
	go f.work(i)
}

// work takes jobs as long as the machine runs.
func (f *fleet) work(i *awstest.Instance) {
	ctx, end := i.Program(f.Context())
	defer end()
	queue, table := sqs.NewFromConfig(i.Config()), dynamodb.NewFromConfig(i.Config())
	for ctx.Err() == nil {
		got, err := queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &f.queue, WaitTimeSeconds: 20, VisibilityTimeout: 60})
		if err != nil {
			continue
		}
		for _, m := range got.Messages {
			time.Sleep(2 * time.Second)
			if ctx.Err() != nil {
				return // with the job in its hands
			}
			_, err := table.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("done"), Item: map[string]ddb.AttributeValue{"job": &ddb.AttributeValueMemberS{Value: *m.Body}}})
			if err == nil {
				_, _ = queue.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &f.queue, ReceiptHandle: m.ReceiptHandle})
			}
		}
	}
}

// zones counts the instances of the group that are in service, by zone.
func (f *fleet) zones() string {
	f.Helper()
	out, err := autoscaling.NewFromConfig(f.cfg).DescribeAutoScalingGroups(f.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})
	f.must(err)
	n := map[string]int{}
	for _, i := range out.AutoScalingGroups[0].Instances {
		if i.LifecycleState == asg.LifecycleStateInService && aws.ToString(i.HealthStatus) == "Healthy" {
			n[*i.AvailabilityZone]++
		}
	}
	return counts(n)
}

// answers counts who answers at the load balancer, by zone, in thirty requests; "" is for none in a second.
func (f *fleet) answers() string {
	n := map[string]int{}
	for range 30 {
		transport := f.cloud.Transport()
		transport.DisableKeepAlives = true
		resp, err := (&http.Client{Transport: transport, Timeout: time.Second}).Get("http://" + f.domain + "/")
		if err != nil {
			n["nobody"]++
			continue
		}
		zone, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			n[resp.Status]++
			continue
		}
		n[string(zone)]++
	}
	return strings.Join(slices.Sorted(maps.Keys(n)), ", ")
}

// targets counts the targets of the load balancer by health.
func (f *fleet) targets() string {
	f.Helper()
	out, err := elbv2.NewFromConfig(f.cfg).DescribeTargetHealth(f.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &f.group})
	f.must(err)
	n := map[string]int{}
	for _, d := range out.TargetHealthDescriptions {
		n[string(d.TargetHealth.State)]++
	}
	return counts(n)
}

// volume is what the status checks of the volume in a zone say.
func (f *fleet) volume(zone string) ec2types.VolumeStatusInfoStatus {
	f.Helper()
	out, err := ec2.NewFromConfig(f.cfg).DescribeVolumeStatus(f.Context(), &ec2.DescribeVolumeStatusInput{VolumeIds: []string{f.volumes[zone]}})
	f.must(err)
	return out.VolumeStatuses[0].VolumeStatus.Status
}

// done counts the jobs in the table.
func (f *fleet) done() int {
	f.Helper()
	out, err := dynamodb.NewFromConfig(f.cfg).Scan(f.Context(), &dynamodb.ScanInput{TableName: aws.String("done"), ConsistentRead: aws.Bool(true)})
	f.must(err)
	return len(out.Items)
}

func counts(n map[string]int) string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(n)) {
		list = append(list, fmt.Sprintf("%s %d", k, n[k]))
	}
	return strings.Join(list, ", ")
}

func (f *fleet) want(what string, got, want any) {
	f.Helper()
	if got != want {
		f.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestZoneDiesForAll: one call takes a zone's power or network away, and every service shows it in its own way and time.
func TestZoneDiesForAll(t *testing.T) {
	t.Parallel()
	for _, fault := range []awstest.Fault{awstest.PowerLoss, awstest.NetworkLoss} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { zoneDies(newFleet(t), fault) })
		})
	}
}

func zoneDies(f *fleet, fault awstest.Fault) {
	// us-east-1a is use1-az2.
	const dead, deadID = "us-east-1a", "use1-az2"
	ctx, compute := f.Context(), ec2.NewFromConfig(f.cfg)
	time.Sleep(30 * time.Minute)
	f.want("in service", f.zones(), "us-east-1a 2, us-east-1b 2, us-east-1c 2")
	f.want("targets", f.targets(), "healthy 6")
	f.want("answers come from", f.answers(), "use1-az2, use1-az3, use1-az4")
	f.want("volume", f.volume(deadID), ec2types.VolumeStatusInfoStatusOk)

	const jobs = 120
	for n := range jobs {
		_, err := sqs.NewFromConfig(f.cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &f.queue, MessageBody: aws.String(fmt.Sprint(n))})
		f.must(err)
	}
	time.Sleep(3 * time.Second) // every worker has a job in its hands
	zone, err := f.cloud.Zone(deadID)
	f.must(err)
	heal := zone.Fail(fault)

	// At once: no launches, and the zone is not available. Its status checks have not seen it yet.
	_, err = compute.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), Placement: &ec2types.Placement{AvailabilityZone: aws.String(dead)},
	})
	f.want("a launch", code("InsufficientInstanceCapacity")(err), true)
	zones, err := compute.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{dead}})
	f.must(err)
	f.want("the zone", zones.AvailabilityZones[0].State, ec2types.AvailabilityZoneStateUnavailable)
	f.want("volume", f.volume(deadID), ec2types.VolumeStatusInfoStatusOk)
	_, err = compute.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String(dead), Size: aws.Int32(1)})
	f.want("a volume is refused", refused(err), true)

	// After three checks: no target there is in service, and nobody is sent there any more.
	time.Sleep(time.Minute)
	f.want("answers come from", f.answers(), "use1-az3, use1-az4")

	// Then Auto Scaling replaces what is lost in the other zones, and the volume is impaired.
	time.Sleep(20 * time.Minute)
	f.want("in service", f.zones(), "us-east-1b 3, us-east-1c 3")
	f.want("volume", f.volume(deadID), ec2types.VolumeStatusInfoStatusImpaired)
	f.want("volume elsewhere", f.volume("use1-az3"), ec2types.VolumeStatusInfoStatusOk)

	// The jobs in dead hands came back, and all are done.
	f.want("jobs", f.done(), jobs)

	// Healed, the zone has its share again.
	heal()
	time.Sleep(time.Hour)
	f.want("in service", f.zones(), "us-east-1a 2, us-east-1b 2, us-east-1c 2")
	f.want("targets", f.targets(), "healthy 6")
	f.want("answers come from", f.answers(), "use1-az2, use1-az3, use1-az4")
	f.want("volume", f.volume(deadID), ec2types.VolumeStatusInfoStatusOk)
}
