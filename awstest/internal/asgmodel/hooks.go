package asgmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Transition is what a lifecycle hook is about.
type Transition string

// The transitions that a hook can be about.
const (
	Launching Transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
	Ending    Transition = "autoscaling:EC2_INSTANCE_TERMINATING"
)

// The results of a lifecycle action.
const (
	Continue = "CONTINUE"
	Abandon  = "ABANDON"
)

// Hook is a lifecycle hook: instances wait for it.
type Hook struct {
	Name       string
	Transition Transition
	Default    string // result when the heartbeat timeout has passed
	Heartbeat  time.Duration
	Metadata   string
}

// Limits and defaults of hooks.
// Source: PutLifecycleHookInput and LifecycleHook of the SDK (read 2026-11)
const (
	maxHooks         = 50
	minHeartbeat     = 30 * time.Second
	maxHeartbeat     = 7200 * time.Second
	defaultHeartbeat = 3600 * time.Second
	maxWait          = 48 * time.Hour
)

// Global returns how long an instance can wait for the hook, heartbeats
// included.
func (h *Hook) Global() time.Duration { return min(maxWait, 100*h.Heartbeat) }

// action is a lifecycle action: an instance that waits for a hook.
type action struct {
	hook  Hook
	token string
	limit time.Time // no heartbeat helps beyond it
	event *awstest.Event
}

// hooks returns the hooks of a transition.
func (g *Group) hooks(t Transition) (list []Hook) {
	for _, h := range g.Hooks {
		if h.Transition == t {
			list = append(list, h)
		}
	}
	return list
}

// Hook returns a hook by its name.
func (g *Group) Hook(name string) (Hook, bool) {
	i := slices.IndexFunc(g.Hooks, func(h Hook) bool { return h.Name == name })
	if i < 0 {
		return Hook{}, false
	}
	return g.Hooks[i], true
}

// putHook adds a hook or changes one. What the change leaves empty stays, or
// is the default.
func (g *Group) putHook(h Hook) error {
	old, known := g.Hook(h.Name)
	if !known {
		old = Hook{Default: Abandon, Heartbeat: defaultHeartbeat}
		if len(g.Hooks) >= maxHooks {
			return awstest.Errorf("LimitExceeded", "You have reached the limit of %d lifecycle hooks for the Auto Scaling group.", maxHooks)
		}
	}
	if h.Transition == "" {
		h.Transition = old.Transition
	}
	if h.Default == "" {
		h.Default = old.Default
	}
	if h.Heartbeat == 0 {
		h.Heartbeat = old.Heartbeat
	}
	if h.Metadata == "" {
		h.Metadata = old.Metadata
	}
	switch {
	case h.Name == "" || len(h.Name) > maxName:
		return invalid("LifecycleHookName must have from 1 to %d characters", maxName)
	case h.Transition != Launching && h.Transition != Ending:
		return invalid("Invalid lifecycle transition '%s'", h.Transition)
	case h.Default != Continue && h.Default != Abandon:
		return invalid("DefaultResult must be CONTINUE or ABANDON, and not '%s'", h.Default)
	case h.Heartbeat < minHeartbeat || h.Heartbeat > maxHeartbeat:
		return invalid("HeartbeatTimeout must be between 30 and 7200 seconds")
	}
	if known {
		g.Hooks = slices.Clone(g.Hooks)
		g.Hooks[slices.IndexFunc(g.Hooks, func(o Hook) bool { return o.Name == h.Name })] = h
	} else {
		g.Hooks = append(slices.Clip(g.Hooks), h)
	}
	return nil
}

// PutHook adds a hook to a group or changes one. Instances that wait for it
// already go on as they were.
func (r *Region) PutHook(tx *awstest.Tx, group string, h Hook) error {
	g, err := r.changeable(tx, group)
	if err != nil {
		return err
	}
	changed := *g
	if err := changed.putHook(h); err != nil {
		return err
	}
	r.groups.Put(tx.Now(), group, &changed)
	return nil
}

// DeleteHook deletes a hook. Actions that are waited for are completed: an
// instance that is launching is abandoned, one that is terminating goes on.
func (r *Region) DeleteHook(tx *awstest.Tx, group, name string) error {
	g, err := r.changeable(tx, group)
	if err != nil {
		return err
	}
	if _, ok := g.Hook(name); !ok {
		return noHook(name)
	}
	r.change(tx, group, func(g *Group) {
		g.Hooks = slices.DeleteFunc(slices.Clone(g.Hooks), func(h Hook) bool { return h.Name == name })
	})
	for _, m := range slices.Clone(g.control.members) {
		for _, a := range slices.Clone(m.actions) {
			if a.hook.Name == name {
				result := Continue
				if a.hook.Transition == Launching {
					result = Abandon
				}
				g.control.complete(tx, m, a, result, "Lifecycle hook was deleted")
			}
		}
	}
	return nil
}

func noHook(name string) error {
	return invalid("No Lifecycle Hook found with name %s", name)
}

// await makes an instance wait for the hooks of a transition, for all of them
// at once. It is false if there are none.
func (c *control) await(tx *awstest.Tx, g *Group, m *member, t Transition) bool {
	hooks := g.hooks(t)
	if len(hooks) == 0 {
		return false
	}
	if t == Launching {
		m.enter(tx, PendingWait)
		c.note(tx, m.launching, MidLifecycleAction, 40)
	} else {
		m.enter(tx, TerminatingWait)
		c.note(tx, m.ending, MidLifecycleAction, 25)
	}
	for _, h := range hooks {
		a := &action{hook: h, token: newUUID(tx, "token"), limit: tx.Now().Add(h.Global())}
		m.actions = append(m.actions, a)
		c.extend(tx, m, a)
		c.region.tell(tx, Event{Group: c.name, ARN: g.ARN, Instance: m.ID, Ending: t == Ending, Action: &Action{Hook: h, Token: a.token}})
	}
	return true
}

// extend sets the heartbeat timeout of an action anew.
func (c *control) extend(tx *awstest.Tx, m *member, a *action) {
	if a.event != nil {
		a.event.Cancel(tx)
	}
	until := tx.Now().Add(a.hook.Heartbeat)
	if until.After(a.limit) {
		until = a.limit
	}
	a.event = tx.Schedule(until, func(tx *awstest.Tx) { c.expire(tx, m, a) })
}

// expire ends an action whose time has passed, unless Auto Scaling is down.
func (c *control) expire(tx *awstest.Tx, m *member, a *action) {
	tx.WhenFree(nil, m.ID, func(tx *awstest.Tx) {
		switch {
		case c.dead || !slices.Contains(m.actions, a):
		case c.down(tx):
			a.event = tx.Schedule(tx.Now().Add(c.opts().Retry), func(tx *awstest.Tx) { c.expire(tx, m, a) })
		default:
			c.complete(tx, m, a, a.hook.Default, "Heartbeat Timeout")
		}
	})
}

// complete ends an action. An abandoned one ends all that the instance waits
// for: a launch comes to nothing, a termination goes on.
func (c *control) complete(tx *awstest.Tx, m *member, a *action, result, why string) {
	if !slices.Contains(m.actions, a) {
		return
	}
	a.event.Cancel(tx)
	m.actions = slices.DeleteFunc(m.actions, func(o *action) bool { return o == a })
	switch {
	case result == Abandon && a.hook.Transition == Launching:
		m.actions = nil
		c.abandon(tx, m, "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token "+a.token+" was abandoned: "+why)
		return
	case result == Abandon:
		m.actions = nil
	case len(m.actions) > 0:
		return
	}
	if a.hook.Transition == Launching {
		m.enter(tx, PendingProceed)
		m.later(tx, c.opts().Transition, func(tx *awstest.Tx) { c.serve(tx, m) })
		return
	}
	m.enter(tx, TerminatingProceed)
	m.later(tx, c.opts().Transition, func(tx *awstest.Tx) { c.terminate(tx, m) })
}

// CompleteAction ends the action of a hook that an instance waits for. It is
// named by its token or by the instance.
func (r *Region) CompleteAction(tx *awstest.Tx, group, hook, instance, token, result string) error {
	if result != Continue && result != Abandon {
		return invalid("The lifecycle action result must be CONTINUE or ABANDON, and not '%s'", result)
	}
	m, a, err := r.action(tx, group, hook, instance, token)
	if err != nil {
		return err
	}
	m.control.complete(tx, m, a, result, "Lifecycle Action Completed with ABANDON Result")
	return nil
}

// Heartbeat makes an instance wait for another heartbeat timeout.
func (r *Region) Heartbeat(tx *awstest.Tx, group, hook, instance, token string) error {
	m, a, err := r.action(tx, group, hook, instance, token)
	if err != nil {
		return err
	}
	m.control.extend(tx, m, a)
	return nil
}

func (r *Region) action(tx *awstest.Tx, group, hook, instance, token string) (*member, *action, error) {
	g, err := r.changeable(tx, group)
	if err != nil {
		return nil, nil, err
	}
	if instance == "" && token == "" {
		return nil, nil, invalid("Either a lifecycle action token or an instance ID must be specified")
	}
	for _, m := range g.control.members {
		for _, a := range m.actions {
			if a.hook.Name == hook && (token == "" || a.token == token) && (instance == "" || m.ID == instance) {
				return m, a, nil
			}
		}
	}
	if token != "" {
		return nil, nil, invalid("No active Lifecycle Action found with token %s", token)
	}
	return nil, nil, invalid("No active Lifecycle Action found with instance ID %s", instance)
}

// Token returns the token of the action of a hook that an instance waits for.
// AWS tells it in a notification.
func (r *Region) Token(group, hook, instance string) (string, bool) {
	m, ok := r.live[instance]
	if !ok || m.Group != group {
		return "", false
	}
	for _, a := range m.actions {
		if a.hook.Name == hook {
			return a.token, true
		}
	}
	return "", false
}
