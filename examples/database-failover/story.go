package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/faultinjector"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/examples/internal/virtual"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/awscall"
	"github.com/awsha/awsha/failover/drill"
	"github.com/awsha/awsha/failover/preset"
	"github.com/awsha/awsha/failover/rdsstep"
)

const (
	region   = "us-east-1"
	service  = "orders"
	call     = 20 * time.Millisecond // to AWS and back
	takes    = 90 * time.Second      // a failover of RDS
	noticed  = 5 * time.Second       // without a good answer: it has failed
	steady   = 30 * time.Second      // before the fault, after the recovery, and after the end of the fault
	every    = 100 * time.Millisecond
	patience = 500 * time.Millisecond
)

// errTold ends what runs beside the story.
var errTold = errors.New("the story is told")

// world is AWS in memory with a database in it.
type world struct {
	cloud    *awstest.Cloud
	zone     string // ID of the primary's
	endpoint string // URL of the database

	good  atomic.Int64 // when the last good answer came, in nanoseconds
	wrote atomic.Int64 // writes that were acknowledged
}

// story lets the zone of the primary die, or RDS be asked to leave it.
func story(pacer *virtual.Pacer, interrupted func() error, show *screen, planned bool) (_ *report, err error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(errTold)
	w := &world{}
	w.cloud, err = awstest.New([]awstest.Service{
		ec2svc.New(), rdssvc.New(func(o *rdssvc.Options) { o.Failover = takes }),
	}, func(o *awstest.Options) { o.Latency, o.CallLog = call, 100_000 })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.cloud.Close()) }()
	show.say("a database is made, with a standby in another zone")
	if err := w.build(ctx); err != nil {
		return nil, err
	}
	show.say("%s: the primary is in %s", w.endpoint, w.zone)

	var pacing sync.WaitGroup
	defer pacing.Wait()
	defer cancel(errTold)
	pacing.Go(func() {
		pacer.Run(ctx, func() {
			if err := interrupted(); err != nil {
				cancel(err)
			}
		})
	})
	return w.drill(ctx, show, planned)
}

// build makes the database, and the program that both of its machines run: a number that only the primary writes.
func (w *world) build(ctx context.Context) error {
	api := rds.NewFromConfig(w.cloud.Config(region))
	if _, err := api.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String(service), Engine: aws.String("postgres"), DBInstanceClass: aws.String("db.m7g.large"), AllocatedStorage: aws.Int32(100),
		MasterUsername: aws.String("master"), MasterUserPassword: aws.String("password"), BackupRetentionPeriod: aws.Int32(7), MultiAZ: aws.Bool(true),
	}); err != nil {
		return err
	}
	for {
		out, err := api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(service)})
		if err != nil {
			return err
		}
		if i := &out.DBInstances[0]; aws.ToString(i.DBInstanceStatus) == "available" {
			w.endpoint = fmt.Sprintf("http://%s:%d/number", *i.Endpoint.Address, *i.Endpoint.Port)
			return w.serve(int(*i.Endpoint.Port))
		}
		if err := sleep(ctx, 10*time.Second); err != nil {
			return err
		}
	}
}

func (w *world) serve(port int) error {
	primary, standby, err := rdssvc.Machines(w.cloud, region, service)
	if err != nil {
		return err
	}
	w.zone = primary.Zone().ID()
	var mu sync.Mutex
	for _, machine := range []*awstest.Instance{primary, standby} {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /number", func(rw http.ResponseWriter, _ *http.Request) {
			n, err := rdssvc.Writes(w.cloud, region, service)
			if err != nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = io.WriteString(rw, strconv.FormatInt(n, 10))
		})
		mux.HandleFunc("PUT /number/{n}", func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
			old, rerr := rdssvc.Writes(w.cloud, region, service)
			now, _, merr := rdssvc.Machines(w.cloud, region, service)
			switch err := errors.Join(err, rerr, merr); {
			case err != nil:
				http.Error(rw, err.Error(), http.StatusInternalServerError)
			case now != machine:
				http.Error(rw, "this is the standby: read-only", http.StatusServiceUnavailable)
			case n < old: // a write that comes late
				http.Error(rw, "there is a newer one", http.StatusConflict)
			default:
				if err := rdssvc.SetWrites(w.cloud, region, service, n); err != nil {
					http.Error(rw, err.Error(), http.StatusInternalServerError)
				}
			}
		})
		if _, err := machine.Serve(port, mux); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) drill(ctx context.Context, show *screen, planned bool) (*report, error) {
	cfg := w.cloud.Config(region)
	awscall.Record(&cfg)
	r := &report{plan: preset.DatabaseFailover(rds.NewFromConfig(cfg), preset.Databases{
		Service: service, Away: failover.Literal(w.zone), Zones: ec2.NewFromConfig(cfg), Planned: planned,
		Databases: []preset.Database{{Instance: service, Probe: w.probe}},
	})}
	r.plan.Estimates = map[string]time.Duration{"database-" + service: takes + 3*call}
	response := drill.Response{Plan: r.plan, Detect: w.detect}
	fault := drill.Fault{Kind: faultinjector.PowerLoss, Target: w.zone}
	if planned {
		fault, response.Detect = drill.Fault{Kind: noFault}, nil
	} else {
		r.plan.Estimates["database-"+service] -= noticed // RDS has begun by then
	}
	injector, err := faultinjector.New(w.cloud, func(o *faultinjector.Options) {
		o.Kinds = map[string]func(drill.Fault) (func(), error){noFault: func(drill.Fault) (func(), error) { return func() {}, nil }}
	})
	if err != nil {
		return nil, err
	}
	if response.Engine, err = newEngine(show); err != nil {
		return nil, err
	}
	d, err := drill.New(injector, fault, response, []drill.Probe{{Name: "client", Client: w.client(), Interval: every, Timeout: patience}}, func(o *drill.Options) {
		o.Targets = drill.Targets{RTO: 2 * time.Minute, RPO: new(time.Duration(0)), MaxLostWrites: new(0)}
		o.Steady, o.OnEvent = steady, show.event
	})
	if err != nil {
		return nil, err
	}
	drilled, err := d.Run(ctx)
	if err != nil {
		return nil, err
	}
	r.measure(drilled, w.wrote.Load())
	applied := map[string]bool{}
	for _, c := range w.cloud.Calls(awstest.Match{}) {
		applied[c.RequestID] = c.Applied
	}
	r.Effects = effects(r.timeline, func(c *failover.Call) bool { return applied[c.RequestID] })
	return r, nil
}

// noFault is the fault of a planned failover: the plan is the outage.
const noFault = "none"

func newEngine(show *screen) (*failover.Engine, error) {
	locker, err := failover.NewLocker(new(failover.MemoryStore)) // of a rehearsal; a real one needs a store that outlives the zone
	if err != nil {
		return nil, err
	}
	return failover.New(locker, new(failover.MemoryJournal), func(o *failover.Options) { o.OnEvent = show.event })
}

// client keeps a number in the database, each time over a connection of its own.
func (w *world) client() drill.Client {
	transport := w.cloud.Transport()
	transport.DisableKeepAlives = true
	return drill.WriteRead(drill.WriteReadSpec{
		Write: func(ctx context.Context, n uint64) error {
			if _, err := send(ctx, transport, http.MethodPut, w.endpoint+"/"+strconv.FormatUint(n, 10)); err != nil {
				return err
			}
			w.good.Store(time.Now().UnixNano())
			w.wrote.Add(1)
			return nil
		},
		Read: func(ctx context.Context) (uint64, error) {
			text, err := send(ctx, transport, http.MethodGet, w.endpoint)
			if err != nil {
				return 0, err
			}
			return strconv.ParseUint(text, 10, 64)
		},
	})
}

// detect waits until the client has been without a good answer for a while.
func (w *world) detect(ctx context.Context) error {
	for time.Since(time.Unix(0, w.good.Load())) < noticed {
		if err := sleep(ctx, every); err != nil {
			return err
		}
	}
	return nil
}

// probe writes what is there once more: that changes nothing, and only the primary takes it.
func (w *world) probe(ctx context.Context, to rdsstep.Writer) error {
	transport := w.cloud.Transport()
	transport.DisableKeepAlives = true
	base := fmt.Sprintf("http://%s:%d/number", to.Endpoint, to.Port)
	text, err := send(ctx, transport, http.MethodGet, base)
	if err != nil {
		return err
	}
	_, err = send(ctx, transport, http.MethodPut, base+"/"+text)
	return err
}

// send sends a request without a body, and returns that of the answer, if it is a good one.
func send(ctx context.Context, transport http.RoundTripper, method, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return string(body), err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
