package selfhealth

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

const defaultGuardHold = 5 * time.Minute

// Options are those of New. The zero value of each is its default.
type Options struct {
	// ManualStart keeps the process Starting until Started is called, for what is no check, such as a cache that is
	// filled once. Default: it has started once Run runs and every Local and Hard check has passed.
	ManualStart bool

	// GuardHold is how long a Guard that has objected keeps the process in traffic after it passes again, so that a fleet which
	// leaves and comes back by its Guards does so no more than once in that time. Zero means the default of 5 min, a negative
	// one none.
	GuardHold time.Duration

	// Authorize decides who may read names and errors of checks, with ?verbose. It runs in the request and must be quick.
	// Compare secrets in constant time. Nil allows nobody; who is not allowed gets the same answer as without ?verbose, with
	// the same code, as load balancers read the code.
	Authorize func(*http.Request) bool

	// OnEvent is called with each event, one at a time and in order, on the goroutine of Run with no lock held: it may call
	// the Health. It must return at once; a slow one holds up later events and the return of Run, but no check and no answer.
	// A panic is recovered and logged. The context is that of Run.
	OnEvent func(context.Context, Event)

	// Logger gets changes at Info, what fails at Warn, and panics of checks and of OnEvent at Error. Its handler must not
	// panic. Nil is silent.
	Logger *slog.Logger
}
