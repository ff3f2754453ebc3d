package queueworker

import (
	"context"
	"errors"
	"fmt"
)

// KeyFunc finds what a message is handled by, such as its type. It is called from many goroutines at a time. Its errors are treated
// as those of a Decoder: see Typed.
type KeyFunc func(m *Message) (string, error)

// ErrNoRoute is that a Mux knows no handler for the key of a message.
var ErrNoRoute = errors.New("queueworker: there is no handler for the message")

// ByAttribute is the value of a message attribute that is text or a number; a message without it cannot be decoded. If
// Options.Attributes is set it must name the attribute: else every message goes to the dead-letter queue.
func ByAttribute(name string) KeyFunc {
	return func(m *Message) (string, error) {
		a, ok := m.Attributes[name]
		switch {
		case !ok:
			return "", fmt.Errorf("it has no attribute %q, or Options.Attributes does not name it", name)
		case a.StringValue == nil:
			return "", fmt.Errorf("its attribute %q is not text", name)
		}
		return *a.StringValue, nil
	}
}

// Route is a handler for the messages of one key.
type Route struct {
	Key     string
	Handler Handler
}

// MuxOptions are the options of a Mux. The zero value of each field means its default.
type MuxOptions struct {
	// Fallback gets the messages of keys that have no route. Default: they go to the dead-letter queue, with ErrNoRoute in a
	// *DecodeError. It does not get those whose key cannot be told.
	Fallback Handler
}

// Mux is a handler that hands each message to the handler for its key. It is safe for concurrent use.
type Mux struct {
	key      KeyFunc
	routes   map[string]Handler
	fallback Handler
}

var _ Handler = (*Mux)(nil)

// NewMux returns a mux, or all mistakes in its routes: a key may be there once. Keys match exactly; the empty one is one as others.
func NewMux(key KeyFunc, routes []Route, optFns ...func(*MuxOptions)) (*Mux, error) {
	var opts MuxOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	var m mistakes
	m.require(key != nil, "key", nil, "must not be nil")
	mux := &Mux{key: key, routes: make(map[string]Handler, len(routes)), fallback: opts.Fallback}
	for i, r := range routes {
		_, twice := mux.routes[r.Key]
		m.require(!twice, fmt.Sprintf("routes[%d].Key", i), fmt.Sprintf("%q", r.Key), "must not be there twice")
		m.require(r.Handler != nil, fmt.Sprintf("routes[%d].Handler", i), nil, "must not be nil")
		mux.routes[r.Key] = r.Handler
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	return mux, nil
}

// Handle has the message handled by the handler for its key.
func (x *Mux) Handle(ctx context.Context, m *Message) error {
	key, err := x.key(m)
	if err != nil {
		return undecodable(m, err)
	}
	h, ok := x.routes[key]
	switch {
	case ok:
		return h.Handle(ctx, m)
	case x.fallback != nil:
		return x.fallback.Handle(ctx, m)
	}
	return &DecodeError{MessageID: m.ID, Err: fmt.Errorf("%w: key %.100q", ErrNoRoute, key)}
}
