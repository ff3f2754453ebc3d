package elbv2hc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// memory is what a Syncer knows from its earlier Syncs. A new Syncer does without.
type memory struct {
	lag    time.Duration
	own    map[key]recent // its changes, until reads can be trusted to show them
	fresh  map[key]bool   // wanted, registered by it, and not read as healthy since
	guilty map[key]bool   // refused for themselves, when they were sent last
}

// recent is a change that the Syncer has made.
type recent struct {
	target     Target
	at         time.Time
	registered bool
}

func newMemory(lag time.Duration) memory {
	return memory{lag: lag, own: map[key]recent{}, fresh: map[key]bool{}, guilty: map[key]bool{}}
}

// remember keeps a change until reads show it.
func (m *memory) remember(targets []Target, registered bool) {
	for _, t := range targets {
		m.own[t.key()] = recent{t, time.Now(), registered}
	}
}

// forget drops the changes that reads show by now.
func (m *memory) forget() {
	for k, change := range m.own {
		if time.Since(change.at) >= m.lag {
			delete(m.own, k)
		}
	}
}

// expect makes those fresh that are registered next, and drops those that a read has shown as healthy or that are not wanted
// any more.
func (m *memory) expect(want, add []Target, all []Health) {
	fresh := make(map[key]bool, len(add))
	for _, t := range add {
		fresh[t.key()] = true
	}
	state := stateOf(all)
	for _, t := range want {
		if k := t.key(); m.fresh[k] && state[k] != types.TargetHealthStateEnumHealthy {
			fresh[k] = true
		}
	}
	m.fresh = fresh
}

// waiting returns the wanted targets that must be in service before others go: the fresh ones, and those of which the load
// balancer does not know yet, as this Syncer may have been started in the middle.
func (m *memory) waiting(want []Target, all []Health, add *batch) (waiting []Target) {
	refused := make(map[key]bool, len(add.refused))
	for _, e := range add.refused {
		refused[e.Target.key()] = true
	}
	state := stateOf(all)
	for _, t := range want {
		k := t.key()
		if !refused[k] && (m.fresh[k] || state[k] == types.TargetHealthStateEnumInitial) {
			waiting = append(waiting, t)
		}
	}
	return waiting
}

func stateOf(all []Health) map[key]types.TargetHealthStateEnum {
	state := make(map[key]types.TargetHealthStateEnum, len(all))
	for _, h := range all {
		state[h.Target.key()] = h.State
	}
	return state
}

// guiltyLast returns the targets with those at the end that have been refused before: a search that ends early then finds
// others than the last one did, so that no number of wrong targets keeps right ones out for ever.
func (m *memory) guiltyLast(targets []Target) []Target {
	var first, last []Target
	for _, t := range targets {
		if m.guilty[t.key()] {
			last = append(last, t)
		} else {
			first = append(first, t)
		}
	}
	return append(first, last...)
}

// blame notes which targets were refused for themselves, now or before.
func (m *memory) blame(b *batch) {
	guilty := make(map[key]bool, len(b.guilty))
	for _, t := range b.guilty {
		guilty[t.key()] = true
	}
	for _, e := range b.refused {
		if k := e.Target.key(); m.guilty[k] {
			guilty[k] = true
		}
	}
	m.guilty = guilty
}
