package queueworker

import "context"

// Handler handles one message. What it returns decides what becomes of the message: see Outcome. It is called from many goroutines
// at a time, on a FIFO queue never for two messages of a group at a time.
//
// Its context ends when it must stop: context.Cause tells why, by ErrLeaseLost, ErrLeaseCap, ErrHandlerTimeout or ErrDraining. A
// message may be handled more than once, in rare cases at the same time by two workers: see Deduplicate. A panic becomes a
// *PanicError, and the message is tried again.
type Handler interface {
	Handle(ctx context.Context, m *Message) error
}

// HandlerFunc is a function that is a Handler.
type HandlerFunc func(ctx context.Context, m *Message) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, m *Message) error { return f(ctx, m) }

// Middleware makes a handler out of another one.
type Middleware func(Handler) Handler

// Chain returns h inside the middlewares, the first of which is the outermost.
func Chain(h Handler, middlewares ...Middleware) Handler {
	for i := len(middlewares) - 1; i >= 0; i-- {
		h = middlewares[i](h)
	}
	return h
}
