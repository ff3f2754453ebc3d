package r53hc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/awsha/awsha/healthcheck"
)

// HandlerOptions configure a [Handler]. The zero value of each field means its default.
type HandlerOptions struct {
	// Zone answers for the targets of one zone, and not well while a zonal shift takes traffic away from it. Default: for
	// all of the pool.
	Zone string

	// MinHealthyPercent is how many of the registered targets have to serve, 1 to 100; always at least one. What serves is
	// what [HealthyPercent] counts: overrides and ejections are heeded. Default: one target, as Elastic Load Balancing has
	// it for its addresses in DNS.
	MinHealthyPercent int

	// Healthy decides in place of Zone and MinHealthyPercent. It must return at once: what is not answered within 2
	// seconds has failed. It is called by requests, several at a time.
	Healthy func(*healthcheck.View) bool

	// Body is what is answered when all is well: the search string of a health check of type HTTP_STR_MATCH, 1 to 255
	// characters. Nothing else is ever in a body: the string "healthy" would be found in "unhealthy". Default "in service".
	Body string

	// Logger gets a line at Debug for each request. Nil is silent.
	Logger *slog.Logger
}

const defaultBody = "in service"

// Handler answers Route 53's health checkers, or anybody's, by the health of a pool: 200 and a fixed body, or 503 and
// none. It says nothing else, as who asks is on the Internet. Make one with [NewHandler]. It is safe for concurrent use.
//
// The answer is that of the pool's latest view. While the pool's own machine is too busy to check, that is the last known
// health: that the handler answers in time says the rest. A pool that has stopped is not well.
//
// A request makes no call. With Zone or MinHealthyPercent, or when all is not well, it looks at every target once.
type Handler struct {
	source healthcheck.Source
	opts   HandlerOptions
}

// NewHandler returns a Handler of what source says, mostly a *healthcheck.Pool. Mistakes are reported all at once, each a
// [*FieldError].
func NewHandler(source healthcheck.Source, optFns ...func(*HandlerOptions)) (*Handler, error) {
	h := &Handler{source: source}
	for _, fn := range optFns {
		fn(&h.opts)
	}
	o := &h.opts
	orDefault(&o.Body, defaultBody)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &checks{of: "HandlerOptions"}
	if source == nil {
		c.errs = append(c.errs, &FieldError{"source", nil, "must be a pool"})
	}
	c.require(0 <= o.MinHealthyPercent && o.MinHealthyPercent <= 100, "MinHealthyPercent", o.MinHealthyPercent, "must be from 1 to 100")
	c.require(o.Healthy == nil || o.Zone == "" && o.MinHealthyPercent == 0, "Healthy", "a function", "must not be combined with Zone or MinHealthyPercent")
	c.require(len(o.Body) <= maxText, "Body", o.Body, "must have at most 255 characters, as a search string has")
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	if o.Healthy == nil {
		o.Healthy = o.enough
	}
	return h, nil
}

// ServeHTTP implements http.Handler. It answers GET and HEAD, of any path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	view, err := look(h.source)
	well := err == nil && h.opts.Healthy(view)
	h.log(r.Context(), well)
	if !well {
		header.Set("Content-Length", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(h.opts.Body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write([]byte(h.opts.Body)) // to a checker that may have gone
	}
}

func (h *Handler) log(ctx context.Context, well bool) {
	h.opts.Logger.LogAttrs(ctx, slog.LevelDebug, "r53hc answered", slog.Bool("well", well))
}

// enough tells whether enough targets serve. A zone that a shift takes traffic away from gets none from Route 53 either.
func (o *HandlerOptions) enough(v *healthcheck.View) bool {
	if o.MinHealthyPercent == 0 && o.Zone == "" && !v.FailOpen("") {
		return true // one serves at least, and nobody has to be counted
	}
	n := count(v, func(s *healthcheck.Status) bool { return o.Zone == "" || s.Target.Zone == o.Zone })
	if n.shifted && o.Zone != "" {
		return false
	}
	return n.serving > 0 && 100*n.serving >= o.MinHealthyPercent*n.registered
}
