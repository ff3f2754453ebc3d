package eventbridgesvc_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/eventbridgesvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// TestRandom plays random sequences of changes, events and outages, and holds
// what the queues get against a naive account of it.
func TestRandom(t *testing.T) {
	svctest.Sequences(t, 300, 50, func(t *testing.T, first, last uint64) {
		t.Helper()
		for seed := first; seed <= last && !t.Failed(); seed++ {
			inBubbleWith(t, func(o *eventbridgesvc.Options) { o.Delay, o.Spread = time.Second, 5*time.Second }, func(w *world) {
				p := &play{world: w, rng: rand.New(rand.NewPCG(seed, seed)), rules: map[string]*naiveRule{}, sent: map[string][]string{}}
				p.run()
				if w.Failed() {
					w.Logf("seed %d: %s", seed, strings.Join(p.log, "; "))
				}
			})
		}
	})
}

// naiveRule is what a rule is thought to be: it matches events of a source
// whose number is not one of some.
type naiveRule struct {
	source   string
	but      int
	disabled bool
	targets  []string
}

type play struct {
	*world
	rng   *rand.Rand
	rules map[string]*naiveRule
	sent  map[string][]string // what each queue is to have got, in order
	log   []string
	n     int
}

func (p *play) note(format string, args ...any) { p.log = append(p.log, fmt.Sprintf(format, args...)) }

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

func (p *play) run() {
	p.Helper()
	p.queue("more", nil)
	p.putRule("a")
	for range 60 {
		p.step()
		if p.Failed() {
			return
		}
	}
	time.Sleep(time.Hour)
	for _, q := range []string{"events", "more"} {
		got := strings.Fields(p.told(q))
		slices.Sort(got)
		slices.Sort(p.sent[q])
		if diff := cmp.Diff(strings.Join(p.sent[q], "\n"), strings.Join(got, "\n")); diff != "" {
			p.Errorf("%s (-want +got):\n%s", q, diff)
		}
	}
}

func (p *play) step() {
	p.Helper()
	name, queue := pick(p.rng, "a", "b", "c"), pick(p.rng, "events", "more")
	rule, there := p.rules[name]
	switch p.rng.IntN(10) {
	case 0, 1:
		p.putRule(name)
	case 2, 3:
		p.note("target %s %s", name, queue)
		err := p.target(name, queue)
		p.wantError(err, !there, "ResourceNotFoundException")
		if there && !slices.Contains(rule.targets, queue) {
			rule.targets = append(rule.targets, queue)
		}
	case 4:
		p.note("untarget %s %s", name, queue)
		_, err := p.RemoveTargets(p.Context(), &eventbridge.RemoveTargetsInput{Rule: &name, Ids: []string{queue}})
		p.wantError(err, !there, "ResourceNotFoundException")
		if there {
			rule.targets = slices.DeleteFunc(rule.targets, func(q string) bool { return q == queue })
		}
	case 5:
		p.note("delete %s", name)
		_, err := p.DeleteRule(p.Context(), &eventbridge.DeleteRuleInput{Name: &name})
		held := there && len(rule.targets) > 0
		p.wantError(err, held, "ValidationException")
		if !held {
			delete(p.rules, name)
		}
	case 6:
		service := pick(p.rng, "SQS", "EventBridge")
		p.note("outage of %s", service)
		heal := svctest.Must(p.cloud.FailService(service, "us-east-1"))(p)
		p.emit(1)
		time.Sleep(time.Duration(p.rng.IntN(120)) * time.Minute)
		heal()
		time.Sleep(15 * time.Minute) // until all of it has been tried again
	default:
		p.emit(pick(p.rng, 0, 0, 0, 0, 2))
	}
}

func (p *play) putRule(name string) {
	p.Helper()
	next := &naiveRule{source: pick(p.rng, "app", "shop"), but: p.rng.IntN(3), disabled: p.rng.IntN(4) == 0}
	if before, ok := p.rules[name]; ok {
		next.targets = before.targets
	}
	p.rules[name] = next
	in := &eventbridge.PutRuleInput{
		Name: &name, EventPattern: aws.String(fmt.Sprintf(`{"source": [{"prefix": %q}], "detail": {"kind": [{"anything-but": [%d]}]}}`, next.source[:2], next.but)),
	}
	if next.disabled {
		in.State = types.RuleStateDisabled
	}
	p.note("rule %s %+v", name, *next)
	svctest.Must(p.PutRule(p.Context(), in))(p)
}

// emit tells one event, which the loss of EventBridge does not hinder, or puts
// it by the API; 2 is an event of which deliveries are duplicated.
func (p *play) emit(how int) {
	p.Helper()
	p.n++
	source, kind := pick(p.rng, "app", "shop"), p.rng.IntN(3)
	detail := fmt.Sprintf(`{"kind":%d,"n":%d}`, kind, p.n)
	p.note("event of %s: %s", source, detail)
	copies := 1
	var heal func()
	if how == 2 {
		copies = 2
		heal = svctest.Must(eventbridgesvc.Duplicate(p.cloud, eventbridgesvc.Deliveries{Source: source}))(p)
	}
	if how == 1 {
		p.tellDetail(source, detail)
	} else {
		out := p.put(types.PutEventsRequestEntry{Source: &source, DetailType: aws.String("Tick"), Detail: &detail})
		if out.FailedEntryCount > 0 {
			p.Errorf("%+v", out)
		}
	}
	time.Sleep(time.Millisecond)
	if heal != nil {
		heal()
	}
	for _, r := range p.rules {
		if r.disabled || r.source != source || r.but == kind {
			continue
		}
		for _, q := range r.targets {
			for range copies {
				p.sent[q] = append(p.sent[q], detail)
			}
		}
	}
}

func (p *play) wantError(err error, wanted bool, code string) {
	p.Helper()
	switch {
	case wanted:
		svctest.WantCode(p, err, code)
	case err != nil:
		p.Error(err)
	}
}
