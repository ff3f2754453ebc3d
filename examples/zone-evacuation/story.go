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
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/faultinjector"
	"github.com/awsha/awsha/examples/internal/virtual"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
)

// customers ask all the time, each for itself.
const customers = 4

// The targets of the drill.
const (
	targetRTO = 90 * time.Second
	targetRPO = backupEvery + time.Minute // the last one may be as old as that, while the next is not completed
)

// story tells how the service on AWS in memory leaves a zone. It ends early if it is interrupted.
func story(pacer *virtual.Pacer, interrupted func() error, show *screen) (_ *report, err error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(errTold)
	show.say("a service is built in three zones, and its first backup taken")
	m, err := inMemory(ctx, show.event)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.end()) }()
	show.say("%d web servers behind %s, and a ledger at %s in %s", perZone*len(m.subnets), m.front, m.public, m.Zone)

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
	return m.drill(ctx, show)
}

// drill breaks the zone, has the plan executed, and measures what that does to the clients.
func (m *memory) drill(ctx context.Context, show *screen) (*report, error) {
	r := &report{plan: m.plan(m.cfg)}
	r.plan.Estimates = forecast()
	injector, err := faultinjector.New(m.cloud)
	if err != nil {
		return nil, err
	}
	d, err := drill.New(injector, drill.Fault{Kind: faultinjector.PowerLoss, Target: m.Zone},
		drill.Response{Plan: r.plan, Engine: m.engine, Detect: m.detect}, m.probes(),
		func(o *drill.Options) {
			o.Targets = drill.Targets{RTO: targetRTO, Detection: m.watch.DetectionBound(), RPO: new(targetRPO)}
			o.Steady, o.OnEvent = steady, show.event
		})
	if err != nil {
		return nil, err
	}
	drilled, err := d.Run(ctx)
	if err != nil {
		return nil, err
	}
	r.measure(drilled, m.watch.DetectionBound())
	applied := map[string]bool{} // by request ID: also what was applied though its answer was lost
	for _, call := range m.cloud.Calls(awstest.Match{}) {
		applied[call.RequestID] = call.Applied
	}
	r.Effects = effects(r.timeline, func(c *failover.Call) bool { return applied[c.RequestID] })
	lost, err := m.settle(ctx)
	r.MessagesLost = &lost
	if lost > 0 {
		r.miss = errors.Join(r.miss, fmt.Errorf("%d orders are lost", lost))
	}
	return r, err
}

// probes are the customers, and one that keeps a number in the ledger.
func (m *memory) probes() []drill.Probe {
	transport := m.cloud.Transport()
	transport.DisableKeepAlives = true
	var probes []drill.Probe
	for c := range customers {
		orders := 0
		probes = append(probes, drill.Probe{
			Name: fmt.Sprintf("customer %d", c+1), Interval: 50 * time.Millisecond, Timeout: 500 * time.Millisecond,
			Client: drill.NewClient(func(ctx context.Context) error {
				orders++
				order := fmt.Sprintf("%d-%d", c+1, orders)
				if _, err := send(ctx, transport, http.MethodPost, "http://"+m.front+"/orders/"+order); err != nil {
					return err
				}
				m.programs.tally.accept(order)
				return nil
			}),
		})
	}
	ledger := "http://" + m.public + "/number"
	return append(probes, drill.Probe{
		Name: roleBook, Interval: 100 * time.Millisecond, Timeout: 500 * time.Millisecond,
		Client: drill.WriteRead(drill.WriteReadSpec{
			Write: func(ctx context.Context, n uint64) error {
				_, err := send(ctx, transport, http.MethodPut, ledger+"/"+strconv.FormatUint(n, 10))
				return err
			},
			Read: func(ctx context.Context) (uint64, error) {
				text, err := get(ctx, transport, ledger)
				if err != nil {
					return 0, err
				}
				return strconv.ParseUint(text, 10, 64)
			},
		}),
	})
}

func get(ctx context.Context, transport http.RoundTripper, url string) (string, error) {
	return send(ctx, transport, http.MethodGet, url)
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

// settle waits for the orders that were accepted, and counts those that are lost. What a dead worker had in hand comes back after its visibility
// timeout. Then it looks that no volume has two writers.
func (m *memory) settle(ctx context.Context) (lost int, err error) {
	const limit = 2 * time.Minute
	for deadline := time.Now().Add(limit); m.programs.tally.lost() > 0 && time.Now().Before(deadline); {
		if err := sleep(ctx, time.Second); err != nil {
			return 0, err
		}
	}
	out, err := ec2.NewFromConfig(m.cfg).DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
	if err != nil {
		return 0, err
	}
	for i := range out.Volumes {
		if n := len(out.Volumes[i].Attachments); n > 1 {
			return 0, fmt.Errorf("volume %s is attached %d times", *out.Volumes[i].VolumeId, n)
		}
	}
	return m.programs.tally.lost(), nil
}
