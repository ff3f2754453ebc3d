package conformance_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
)

// A place is where a scenario runs.
type place struct {
	name    string // whose known differences apply
	regions [2]string
	image   string
	config  func(region string) aws.Config

	pause    time.Duration // between two looks at a state that is to come
	patience time.Duration // how long it may take to come
	forgets  bool          // everything is gone before the next scenario
	shared   bool          // an account, whose defaults others may need at this moment
}

// onAwstest is a cloud of its own for one scenario, in whose bubble it has to be called.
func onAwstest(t *testing.T, covered *coverage) *place {
	t.Helper()
	cloud, err := awstest.New(services())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		covered.note(cloud)
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &place{
		name: awstestName, regions: [2]string{"us-east-1", "eu-west-1"}, image: emulatedImage, config: cloud.Config,
		pause: time.Second, patience: 15 * time.Minute,
	}
	t.Cleanup(func() { p.isEmpty(t) })
	return p
}

// isEmpty asserts that a scenario has taken away all that it made, as it has to on an account.
func (p *place) isEmpty(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if n := len(must(s3.NewFromConfig(p.config(p.regions[0])).ListBuckets(ctx, &s3.ListBucketsInput{}))(t).Buckets); n > 0 {
		t.Errorf("%d buckets are left", n)
	}
	if n := *must(route53.NewFromConfig(p.config(p.regions[0])).GetHealthCheckCount(ctx, &route53.GetHealthCheckCountInput{}))(t).HealthCheckCount; n > 0 {
		t.Errorf("%d health checks are left", n)
	}
	for _, region := range p.regions {
		cfg := p.config(region)
		compute, balancing := ec2.NewFromConfig(cfg), elbv2.NewFromConfig(cfg)
		left := map[string]int{
			"addresses":      len(must(compute.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{}))(t).Addresses),
			"interfaces":     len(must(compute.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{}))(t).NetworkInterfaces),
			"instances":      len(must(compute.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filters("instance-state-name", "pending,running,stopping,stopped,shutting-down")}))(t).Reservations),
			"volumes":        len(must(compute.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: filters("status", "creating,available,in-use,error")}))(t).Volumes),
			"snapshots":      len(must(compute.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}}))(t).Snapshots),
			"images":         len(must(compute.DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"self"}}))(t).Images),
			"templates":      len(must(compute.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{}))(t).LaunchTemplates),
			"scaling groups": len(must(autoscaling.NewFromConfig(cfg).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{}))(t).AutoScalingGroups),
			"target groups":  len(must(balancing.DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{}))(t).TargetGroups),
			"alarms":         len(must(cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{}))(t).MetricAlarms),
			"keys":           usableKeys(ctx, t, kms.NewFromConfig(cfg)),
			"databases":      databases(ctx, t, rds.NewFromConfig(cfg)),
			"DB snapshots":   len(must(rds.NewFromConfig(cfg).DescribeDBSnapshots(ctx, &rds.DescribeDBSnapshotsInput{SnapshotType: aws.String("manual")}))(t).DBSnapshots),
			"tables":         len(must(dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{}))(t).TableNames),
			"queues":         len(must(sqs.NewFromConfig(cfg).ListQueues(ctx, &sqs.ListQueuesInput{}))(t).QueueUrls),
			"load balancers": len(must(balancing.DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{}))(t).LoadBalancers),
		}
		for what, n := range left {
			if n > 0 {
				t.Errorf("%d %s are left in %s", n, what, region)
			}
		}
	}
}

// overHTTP is the place that the settings name.
func overHTTP(t *testing.T, s *settings) *place {
	t.Helper()
	client := s.httpClient()
	t.Cleanup(client.CloseIdleConnections)
	base := aws.Config{
		HTTPClient: client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test", Source: "conformance"}, nil
		}),
	}
	if s.credentials == defaultCredentials {
		// The chain wants a client of this type, to which it adds AWS_CA_BUNDLE; connections that nobody keeps are nobody's to close.
		buildable := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.DisableKeepAlives = true
			if s.roots != nil {
				tr.TLSClientConfig.RootCAs = s.roots.Clone()
			}
		})
		var err error
		if base, err = config.LoadDefaultConfig(t.Context(), config.WithHTTPClient(buildable), config.WithRegion(s.regions[0])); err != nil {
			t.Fatal(err)
		}
	}
	p := &place{
		name: string(s.emulator), regions: s.regions, image: s.image,
		pause: 2 * time.Second, patience: 10 * time.Minute, forgets: s.emulator == moto, shared: s.endpoint == nil,
	}
	if s.endpoint != nil {
		base.BaseEndpoint = aws.String(s.endpoint.String())
		base.Retryer = retryer
		p.pause, p.patience = 100*time.Millisecond, time.Minute
	}
	if s.emulator == moto {
		p.pause, p.patience = 20*time.Millisecond, 5*time.Second // its states are final when they are first read
	}
	p.config = func(region string) aws.Config {
		cfg := base.Copy()
		cfg.Region = region
		return cfg
	}
	return p
}

// retryer has a call repeated whose connection breaks, as moto's server breaks some in the middle of an answer. What an
// emulator refuses, with HTTP 500 too, it will refuse again. A call that took effect before its answer was lost takes
// effect twice, or is refused the second time, as the scenario then shows.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 3, 100*time.Millisecond, ratelimit.None
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableConnectionError{}}
	})
}

func (s *settings) httpClient() *http.Client {
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 10,
			TLSClientConfig: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		},
	}
}

// reset makes moto forget everything.
func (s *settings) reset(t *testing.T) {
	t.Helper()
	client := s.httpClient()
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.endpoint.JoinPath("moto-api", "reset").String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		t.Fatal(fmt.Errorf("reset of moto: %s: %s", res.Status, text))
	}
}
