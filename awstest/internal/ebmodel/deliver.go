package ebmodel

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

// How events that cannot be delivered are tried again. The guide names the
// limits, and of the times between only that they grow.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-delivery-level.html (read 2026-11)
const (
	maxAge      = 24 * time.Hour
	maxAttempts = 185
	firstRetry  = time.Second
	lastRetry   = 10 * time.Minute
)

// Emit takes an event and returns its ID. What happens to it is for later.
func (r *Region) Emit(tx *awstest.Tx, e Event) (id string) {
	s := r.seal(tx, e)
	tx.Schedule(tx.Now(), func(tx *awstest.Tx) { r.accept(tx, s, 1) })
	return s.id
}

// again does something later that could not be done at this attempt, unless it
// has been tried for long enough.
func (s *sent) again(tx *awstest.Tx, attempt int, fn func(*awstest.Tx)) {
	if attempt > maxAttempts || tx.Now().Sub(s.since) >= maxAge {
		return
	}
	wait := lastRetry
	if attempt < 16 {
		wait = min(wait, firstRetry<<(attempt-1))
	}
	tx.Schedule(tx.Now().Add(wait), fn)
}

// accept matches an event against the rules. While EventBridge is down, its
// source keeps it.
func (r *Region) accept(tx *awstest.Tx, s sent, attempt int) {
	if tx.ServiceDown(serviceID, r.region) {
		s.again(tx, attempt, func(tx *awstest.Tx) { r.accept(tx, s, attempt+1) })
		return
	}
	var fields map[string]any // of the event, once they are asked for
	for _, rule := range r.rules.All(tx.Now().Add(-r.model.opts.Effect)) {
		if rule.Disabled || len(rule.Targets) == 0 {
			continue
		}
		if fields == nil {
			v, _ := decode(s.body)
			fields, _ = v.(map[string]any)
		}
		if !rule.pattern.matches(fields) {
			continue
		}
		for _, t := range rule.Targets {
			for range r.model.copies(r.region, rule.Name, s) {
				r.send(tx, s, t)
			}
		}
	}
}

// send puts one delivery on its way. Each has a delay of its own, so that
// events overtake each other; what is drawn depends on the number of the
// delivery, so that runs repeat.
func (r *Region) send(tx *awstest.Tx, s sent, t Target) {
	o := &r.model.opts
	r.model.deliveries++
	after := o.Delay
	if o.Spread > 0 {
		after += time.Duration(rand.New(rand.NewPCG(1, r.model.deliveries)).Int64N(int64(o.Spread) + 1))
	}
	tx.Schedule(tx.Now().Add(after), func(tx *awstest.Tx) { r.deliver(tx, s, t, 1) })
}

// deliver sends a message. While SQS or EventBridge is down it is tried again;
// a queue that is not there, or does not take it, gets no second try.
// Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html (read 2026-11)
func (r *Region) deliver(tx *awstest.Tx, s sent, t Target, attempt int) {
	if tx.ServiceDown(serviceID, r.region) || tx.ServiceDown(sqsServiceID, r.region) {
		s.again(tx, attempt, func(tx *awstest.Tx) { r.deliver(tx, s, t, attempt+1) })
		return
	}
	name, _ := r.QueueName(t.ARN)
	queue, err := r.model.queues.Region(r.region).Queue(tx, name)
	if err != nil {
		return
	}
	if _, err := queue.Send(tx, &sqsmodel.Entry{Body: s.body, Group: t.Group, Sender: sender}); err == nil {
		r.model.queues.Settle(tx)
	}
}

// sender is what the queue says of who has sent the message. AWS does not
// document what it is.
const sender = "events.amazonaws.com"

// Deliveries selects deliveries. What is empty selects all.
type Deliveries struct {
	Region, Rule       string // names
	Source, DetailType string
	Text               string // anywhere in the event, in JSON
	Skip, Times        int    // as in [awstest.Match]
}

type disturbance struct {
	Deliveries
	copies int // in place of one
	seen   int
}

// Disturb makes deliveries happen that often instead of once, until heal is
// called with the cloud locked.
func (m *Model) Disturb(d Deliveries, copies int) (heal func(*awstest.Tx)) {
	added := &disturbance{Deliveries: d, copies: copies}
	m.disturbances = append(m.disturbances, added)
	return func(*awstest.Tx) {
		m.disturbances = slices.DeleteFunc(m.disturbances, func(o *disturbance) bool { return o == added })
	}
}

// copies returns how often a delivery happens. Of several disturbances that
// select it, all have seen it, and that which was made first counts.
func (m *Model) copies(region *awstest.Region, rule string, s sent) int {
	n, struck := 1, false
	for _, d := range m.disturbances {
		if !d.selects(region, rule, s) {
			continue
		}
		d.seen++
		if d.seen > d.Skip && (d.Times == 0 || d.seen <= d.Skip+d.Times) && !struck {
			n, struck = d.copies, true
		}
	}
	return n
}

func (d *Deliveries) selects(region *awstest.Region, rule string, s sent) bool {
	is := func(wanted, v string) bool { return wanted == "" || wanted == v }
	return is(d.Region, region.Name()) && is(d.Rule, rule) && is(d.Source, s.Source) && is(d.DetailType, s.DetailType) && strings.Contains(s.body, d.Text)
}
