package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/faultinjector"
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

// tell drills the evacuation on AWS in memory, and measures it.
func tell(ctx context.Context, show *screen) (_ *report, err error) {
	show.say("a service is built in three zones, and its first backup taken")
	m, err := inMemory(ctx, show.event)
	if err != nil {
		return nil, err
	}
	defer func() {
		if m != nil {
			err = errors.Join(err, m.end())
		}
	}()
	show.say("%d web servers behind %s, and a ledger at %s in %s", perZone*len(m.subnets), m.front, m.public, m.Zone)

	plan := m.plan(m.cfg)
	plan.Estimates = forecast()
	injector, err := faultinjector.New(m.cloud)
	if err != nil {
		return nil, err
	}
	d, err := drill.New(injector, drill.Fault{Kind: faultinjector.PowerLoss, Target: m.Zone},
		drill.Response{Plan: plan, Engine: m.engine, Detect: m.detect}, m.probes(),
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
	r := &report{drill: drilled, plan: &plan}
	if err := m.settle(ctx, r); err != nil {
		return nil, err
	}
	r.measure(m)
	err = m.end()
	m = nil
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

// settle waits for the orders that were accepted, and looks where the volumes are. What a dead worker had in hand comes back after its visibility
// timeout.
func (m *memory) settle(ctx context.Context, r *report) error {
	const limit = 2 * time.Minute
	for deadline := time.Now().Add(limit); m.programs.tally.lost() > 0 && time.Now().Before(deadline); {
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	r.MessagesLost = m.programs.tally.lost()
	out, err := ec2.NewFromConfig(m.cfg).DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
	if err != nil {
		return err
	}
	for i := range out.Volumes {
		if n := len(out.Volumes[i].Attachments); n > 1 {
			return fmt.Errorf("volume %s is attached %d times", *out.Volumes[i].VolumeId, n)
		}
	}
	return nil
}

// effects counts what AWS has carried out for each step, by the request IDs in the timeline and in the ledger of the cloud.
func (m *memory) effects(t *failover.Timeline) map[string]int {
	steps := map[string]string{}
	counts := map[string]int{}
	for _, ev := range t.Events() {
		if ev.Kind == failover.KindCall && ev.Call.RequestID != "" {
			steps[ev.Call.RequestID] = ev.Step
		}
	}
	for _, call := range m.cloud.Calls(awstest.Match{}) {
		if step := steps[call.RequestID]; step != "" && call.Applied && changes(call.Operation) {
			counts[step]++
		}
	}
	return counts
}

// changes tells whether an operation changes something.
func changes(operation string) bool {
	for _, reads := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(operation, reads) {
			return false
		}
	}
	return true
}
