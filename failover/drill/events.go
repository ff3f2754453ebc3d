package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/awsha/awsha/failover"
)

// Events takes in what a controller and its engine tell, for a drill that watches them. The zero value is ready, for one drill after
// another. Give its OnEvent to both:
//
//	events := new(drill.Events)
//	engine, err := failover.New(locker, journal, func(o *failover.Options) { o.OnEvent = events.OnEvent })
//	controller, err := failover.NewController(engine, board, services, func(o *failover.ControllerOptions) { ...; o.OnEvent = events.OnEvent })
//
// Events of several controllers may be handed in, of their whole fleet at best: whichever leads tells.
type Events struct {
	mu       sync.Mutex
	listener func(failover.Event)
}

// OnEvent takes in an event. It returns at once, and is safe for concurrent use. Without a drill that listens, it does nothing.
func (e *Events) OnEvent(_ context.Context, ev failover.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener != nil {
		e.listener(ev)
	}
}

// listen hands on events until end is called. It returns false if somebody listens already. listener is called under the lock, one event at
// a time.
func (e *Events) listen(listener func(failover.Event)) (end func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener != nil {
		return nil, false
	}
	e.listener = listener
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.listener = nil
	}, true
}

// watched is what a controller has told about the service.
type watched struct {
	mu sync.Mutex
	told
}

// told is what it comes to.
type told struct {
	detected *failover.Event // the first of the incident
	incident string
	done     bool  // the plan is done
	err      error // of the last execution that did not come to its end
	over     bool  // nothing more is to come: given up, or dropped
	why      string
}

// take takes in an event of the service.
func (w *watched) take(ev *failover.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ev.Kind == failover.KindDetected && w.incident == "" {
		w.detected, w.incident = ev, ev.Incident
	}
	if w.incident == "" || ev.Incident != w.incident {
		return
	}
	switch ev.Kind {
	case failover.KindEnded:
		w.done, w.err = ev.Err == nil, ev.Err
	case failover.KindGivenUp:
		w.over, w.err, w.why = true, ev.Err, "given up"
	case failover.KindDropped:
		w.over, w.why = true, "dropped: "+ev.Detail
	case failover.KindHeld, failover.KindProposed:
		w.why = string(ev.Kind) + ": " + ev.Detail
	case failover.KindStarted:
		w.why = ""
	}
}

// now is what has been told until now.
func (w *watched) now() told {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told
}

// failure is why the plan is not done.
func (t *told) failure() error {
	switch {
	case t.why != "" && t.err != nil:
		return fmt.Errorf("%s: %w", t.why, t.err)
	case t.err != nil:
		return t.err
	}
	return errors.New(t.why)
}

// forget starts anew: what was told before the fault does not count.
func (w *watched) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = told{}
}
