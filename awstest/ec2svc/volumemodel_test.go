package ec2svc_test

import (
	"fmt"
	"slices"
	"strings"
)

// ebs is what volumes and instances do, in the plainest way: lists, and a list
// of what is to come. The random test holds the adapter against it.
type ebs struct {
	now       int // seconds
	instances []*modelInstance
	volumes   []*modelVolume
	coming    []coming // in the order in which it was decided
	past      []moment
}

// coming is a change that is due at a time.
type coming struct {
	at int
	do func()
}

// moment is what everything looked like from a time on.
type moment struct {
	at   int
	text string
}

type modelInstance struct {
	id, zone, state string
	hasRun          bool
	turns           int // changes of state: what was to come of an earlier one does not
	devices         []*modelVolume
}

type modelVolume struct {
	id, zone, state string
	turns           int

	on                    *modelInstance // nil: not attached
	device, attachment    string
	goes, forced, waiting bool
	mounts                int
	attachments           int // so far: a mount is of one of them
}

// How long things take, in seconds: the defaults of the options.
const (
	toRun, toStop, toTerminate                            = 15, 30, 30
	toCreate, toAttach, toDetach, toForceDetach, toDelete = 2, 2, 5, 30, 5
)

// pass lets time pass, second by second; what is due in one second happens in
// the order in which it was decided.
func (m *ebs) pass(seconds int) {
	for range seconds {
		m.now++
		for n := 0; n < len(m.coming); n++ {
			if c := m.coming[n]; c.at == m.now {
				m.coming = slices.Delete(m.coming, n, n+1)
				n--
				c.do()
			}
		}
		m.note()
	}
}

// note keeps what everything looks like now.
func (m *ebs) note() {
	if text := m.show(); len(m.past) == 0 || m.past[len(m.past)-1].text != text {
		m.past = append(m.past, moment{m.now, text})
	}
}

// seen returns what a read shows that stands behind by some seconds.
func (m *ebs) seen(behind int) string {
	text := ""
	for _, p := range m.past {
		if p.at <= m.now-behind {
			text = p.text
		}
	}
	return text
}

func (m *ebs) show() string {
	var text strings.Builder
	for _, i := range m.instances {
		fmt.Fprintf(&text, "%s %s:", i.id, i.state)
		for _, v := range i.devices {
			fmt.Fprintf(&text, " %s=%s", v.device, v.id)
		}
		text.WriteString("\n")
	}
	for _, v := range m.volumes {
		if v.state == "gone" {
			continue
		}
		fmt.Fprintf(&text, "%s %s", v.id, v.state)
		if v.on != nil {
			fmt.Fprintf(&text, " %s to %s as %s, goes %v", v.shownAttachment(), v.on.id, v.device, v.goes)
		}
		text.WriteString("\n")
	}
	return text.String()
}

func (v *modelVolume) shownAttachment() string {
	if v.waiting && !v.forced && v.mounts > 0 {
		return "busy"
	}
	return v.attachment
}

func (m *ebs) later(seconds int, turns *int, do func()) {
	turn := *turns
	m.coming = append(m.coming, coming{m.now + seconds, func() {
		if *turns == turn {
			do()
		}
	}})
}

// Instances.

func (m *ebs) run(id, zone, root string) {
	i := &modelInstance{id: id, zone: zone, state: "pending"}
	m.instances = append(m.instances, i)
	v := &modelVolume{id: root, zone: zone, state: "available"}
	m.volumes = append(m.volumes, v)
	m.put(v, i, "/dev/xvda")
	v.goes = true
	m.later(toRun, &i.turns, func() { m.enter(i, "running") })
}

func (m *ebs) enter(i *modelInstance, state string) {
	i.state = state
	i.turns++
	if state == "running" {
		i.hasRun = true
		return
	}
	for _, v := range slices.Clone(i.devices) { // nothing on it holds a volume any more
		v.mounts = 0
		m.settle(v)
	}
}

func (m *ebs) start(i *modelInstance) string {
	switch {
	case i.state == "pending" || i.state == "running":
		return ""
	case i.state != "stopped":
		return "IncorrectInstanceState"
	case !slices.ContainsFunc(i.devices, func(v *modelVolume) bool { return v.device == "/dev/xvda" && v.attachment != "detaching" }):
		return "InvalidParameterValue"
	}
	m.enter(i, "pending")
	m.later(toRun, &i.turns, func() { m.enter(i, "running") })
	return ""
}

func (m *ebs) stop(i *modelInstance) string {
	switch {
	case i.state == "stopping" || i.state == "stopped":
		return ""
	case i.state == "shutting-down" || i.state == "terminated" || !i.hasRun:
		return "IncorrectInstanceState"
	}
	m.enter(i, "stopping")
	m.later(toStop, &i.turns, func() { m.enter(i, "stopped") })
	return ""
}

func (m *ebs) terminate(i *modelInstance) string {
	if i.state == "shutting-down" || i.state == "terminated" {
		return ""
	}
	m.enter(i, "shutting-down")
	m.later(toTerminate, &i.turns, func() {
		for _, v := range slices.Clone(i.devices) {
			goes := v.goes
			m.take(v)
			if goes {
				m.remove(v)
			}
		}
		m.enter(i, "terminated")
	})
	return ""
}

// Volumes.

func (m *ebs) create(id, zone string) {
	v := &modelVolume{id: id, zone: zone, state: "creating"}
	m.volumes = append(m.volumes, v)
	m.later(toCreate, &v.turns, func() { v.state = "available"; v.turns++ })
}

func (m *ebs) delete(v *modelVolume) string {
	switch {
	case v.state == "gone":
		return "InvalidVolume.NotFound"
	case v.on != nil:
		return "VolumeInUse"
	case v.state != "available":
		return "IncorrectState"
	}
	m.remove(v)
	return ""
}

func (m *ebs) remove(v *modelVolume) {
	v.state = "deleting"
	v.turns++
	m.later(toDelete, &v.turns, func() { v.state = "gone" })
}

func (m *ebs) attach(v *modelVolume, i *modelInstance, device string) string {
	switch {
	case v.state == "gone":
		return "InvalidVolume.NotFound"
	case v.on != nil:
		return "VolumeInUse"
	case v.state != "available" || i.state != "running" && i.state != "stopped":
		return "IncorrectState"
	case v.zone != i.zone:
		return "InvalidVolume.ZoneMismatch"
	case slices.ContainsFunc(i.devices, func(v *modelVolume) bool { return v.device == device }):
		return "InvalidParameterValue"
	}
	m.put(v, i, device)
	return ""
}

func (m *ebs) put(v *modelVolume, i *modelInstance, device string) {
	v.state, v.on, v.device, v.attachment = "in-use", i, device, "attaching"
	v.goes, v.forced, v.waiting, v.mounts = false, false, false, 0
	v.attachments++
	v.turns++
	i.devices = append(i.devices, v)
	m.later(toAttach, &v.turns, func() { v.attachment = "attached"; v.turns++ })
}

func (m *ebs) detach(v *modelVolume, from *modelInstance, force bool) string {
	switch {
	case v.state == "gone":
		return "InvalidVolume.NotFound"
	case v.on == nil:
		return "IncorrectState"
	case from != nil && from != v.on:
		return "InvalidAttachment.NotFound"
	case v.device == "/dev/xvda" && v.on.state != "stopped":
		return "IncorrectState"
	case v.attachment == "detaching" && !force:
		return "IncorrectState"
	case v.forced:
		return ""
	case v.attachment != "detaching":
		v.attachment, v.waiting = "detaching", false
		v.turns++
	}
	if force {
		v.forced = true
		m.later(toForceDetach, &v.turns, func() { m.take(v) })
		return ""
	}
	m.later(toDetach, &v.turns, func() {
		v.waiting = true
		m.settle(v)
	})
	return ""
}

// settle ends a detachment that only waits for its instance.
func (m *ebs) settle(v *modelVolume) {
	if v.waiting && (v.mounts == 0 || v.on.state != "running") {
		m.take(v)
	}
}

func (m *ebs) take(v *modelVolume) {
	v.on.devices = slices.DeleteFunc(v.on.devices, func(other *modelVolume) bool { return other == v })
	v.state, v.on, v.waiting, v.forced, v.mounts = "available", nil, false, false, 0
	v.turns++
}

// mount returns what unmounts, or nil if the volume is not attached.
func (m *ebs) mount(v *modelVolume) (unmount func()) {
	if v.on == nil || v.attachment != "attached" || v.on.state != "running" {
		return nil
	}
	v.mounts++
	attachment, boot := v.attachments, v.on.turns
	on := v.on
	return func() {
		if v.on == on && v.attachments == attachment && on.turns == boot && v.mounts > 0 {
			v.mounts--
			m.settle(v)
		}
	}
}
