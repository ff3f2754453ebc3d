package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
)

// site is where the story happens: a service, and three machines for
// controllers, each with its own way to AWS.
type site struct {
	cfg      aws.Config // of who tells the story
	svc      *service
	machines []machine
	answers  func(ctx context.Context, m *machine) failover.Observation // how a machine sees the service
	pause    time.Duration                                              // from the leader's first step until its zone dies; 0: before its first call
	strike   func(ctx context.Context) error                            // the service's instance dies
	verify   func(ctx context.Context) bool                             // that the service answers where it should
	client   *traffic                                                   // nil: nobody sends requests
	effects  func() map[string]int                                      // by step, as AWS has carried them out; nil: nobody has counted
	end      func(ctx context.Context) error
}

// machine is what a controller runs on.
type machine struct {
	name, zone string
	cfg        aws.Config
	program    func(context.Context) (context.Context, context.CancelFunc)
	kill       func()
	get        *http.Client
}

const table = "awsha-controllers"

// createTable makes the table of leases, votes and journals.
func createTable(ctx context.Context, cfg aws.Config) (made bool, err error) {
	client := dynamodb.NewFromConfig(cfg)
	_, err = client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("group"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("name"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("group"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("name"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		return false, err
	}
	for {
		out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)})
		if err != nil {
			return true, err
		}
		if out.Table.TableStatus == types.TableStatusActive {
			return true, nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return true, err
		}
	}
}

// inMemory makes the site on AWS in memory, where zones can be killed.
func inMemory(ctx context.Context) (_ *site, err error) {
	cloud, err := awstest.New([]awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) { o.Pending, o.Stopping = 500*time.Millisecond, 3*time.Second }),
		dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = 100 * time.Millisecond }),
	}, func(o *awstest.Options) { o.Latency = 10 * time.Millisecond })
	if err != nil {
		return nil, err
	}
	s := &site{cfg: cloud.Config("us-east-1"), pause: 300 * time.Millisecond, end: func(context.Context) error { return cloud.Close() }}
	defer func() {
		if err != nil {
			err = errors.Join(err, cloud.Close())
		}
	}()
	if _, err := createTable(ctx, s.cfg); err != nil {
		return nil, err
	}
	if s.svc, err = build(ctx, newClients(s.cfg), 100*time.Millisecond); err != nil {
		return nil, err
	}
	for _, n := range s.svc.nodes() {
		inst, _ := cloud.Instance(n.id)
		if _, err := inst.Serve(port, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, n.role) })); err != nil {
			return nil, err
		}
	}
	for i, zone := range s.svc.zones {
		n := node{role: fmt.Sprintf("controller-%d", i+1)}
		if err := n.launch(ctx, s.svc.ec2, zone); err != nil {
			return nil, err
		}
		if err := n.awaitRunning(ctx, s.svc.ec2, 100*time.Millisecond); err != nil {
			return nil, err
		}
		inst, _ := cloud.Instance(n.id)
		s.machines = append(s.machines, machine{
			name: n.role, zone: n.zone, cfg: inst.Config(), program: inst.Program,
			kill: func() { inst.Zone().Fail(awstest.PowerLoss) },
			get:  &http.Client{Transport: &http.Transport{DialContext: inst.Dial, DisableKeepAlives: true}, Timeout: 400 * time.Millisecond},
		})
	}
	primary, _ := cloud.Instance(s.svc.primary.id)
	s.strike = func(context.Context) error { primary.Fail(awstest.PowerLoss); return nil }
	s.answers = func(ctx context.Context, m *machine) failover.Observation { return s.probe(ctx, m) }
	outside := cloud.Transport()
	outside.DisableKeepAlives = true
	s.client = &traffic{url: "http://" + s.svc.publicIP + "/", every: 50 * time.Millisecond, client: &http.Client{Transport: outside, Timeout: 400 * time.Millisecond}}
	s.effects = func() map[string]int { return effects(cloud) }
	return s, nil
}

// probe asks whoever holds the address, from a machine.
func (s *site) probe(ctx context.Context, m *machine) failover.Observation {
	o := failover.Observation{Verdict: failover.Failed} // of its zone it says nothing: one instance is no zone
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.svc.publicIP+"/healthz", http.NoBody)
	if err != nil {
		return failover.Observation{Evidence: err.Error()}
	}
	resp, err := m.get.Do(req)
	if err != nil {
		o.Evidence = err.Error()
		return o
	}
	defer func() { _ = resp.Body.Close() }()
	o.Evidence = resp.Status
	if resp.StatusCode == http.StatusOK {
		o.Verdict = failover.Healthy
	}
	return o
}

// effects counts what AWS has carried out for each step.
func effects(cloud *awstest.Cloud) map[string]int {
	counts := map[string]int{}
	for step, operation := range map[string]string{stepStop: "StopInstances", stepRemap: "AssociateAddress", stepLabel: "CreateTags"} {
		for _, call := range cloud.Calls(awstest.Match{Service: "EC2", Operation: operation}) {
			if call.Applied && call.Caller != "" { // not what made the world
				counts[step]++
			}
		}
	}
	return counts
}

// onEndpoint makes the site on an emulator, where nothing can be killed but our own ways to it.
func onEndpoint(ctx context.Context, f flags) (_ *site, err error) {
	s := &site{cfg: emulator(f, http.DefaultTransport)}
	svc, err := build(ctx, newClients(s.cfg), time.Second)
	s.svc = svc
	made := false // the table: one that is there already is of another run
	s.end = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err := svc.remove(ctx)
		if made {
			_, derr := dynamodb.NewFromConfig(s.cfg).DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(table)})
			err = errors.Join(derr, err)
		}
		return err
	}
	if err == nil {
		made, err = createTable(ctx, s.cfg)
	}
	if err != nil {
		return nil, errors.Join(err, s.end(ctx))
	}
	for i, zone := range svc.zones {
		way := &cable{Transport: http.DefaultTransport.(*http.Transport).Clone(), cut: make(chan struct{})}
		s.machines = append(s.machines, machine{
			name: fmt.Sprintf("controller-%d", i+1), zone: aws.ToString(zone.AvailabilityZoneId), cfg: emulator(f, way),
			program: context.WithCancel, kill: sync.OnceFunc(func() { close(way.cut) }),
		})
	}
	s.answers = func(ctx context.Context, m *machine) failover.Observation { return svc.state(ctx, m) }
	s.strike = func(ctx context.Context) error { return svc.stop(ctx, svc.ec2) }
	return s, nil
}

// cable is a way to an endpoint that can be cut: requests hang then.
type cable struct {
	*http.Transport

	cut chan struct{}
}

func (c *cable) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-c.cut:
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	default:
		return c.Transport.RoundTrip(r)
	}
}

func emulator(f flags, way http.RoundTripper) aws.Config {
	return aws.Config{
		Region: f.region, BaseEndpoint: aws.String(f.endpoint), HTTPClient: &http.Client{Transport: way},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
