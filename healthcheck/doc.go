// Package healthcheck checks a set of targets as Elastic Load Balancing does, inside your own process, and tells you which of
// them should get traffic.
//
//	checker, err := healthcheck.HTTP(func(o *healthcheck.HTTPOptions) { o.Path = "/healthz" })
//	...
//	pool, err := healthcheck.New(checker, func(o *healthcheck.Options) {
//		o.Interval, o.Timeout = 10*time.Second, 2*time.Second
//	})
//	...
//	err = pool.Register(healthcheck.Target{ID: "i-1", Zone: "use1-az1", Addr: "10.0.0.1:80"})
//	...
//	go pool.Run(ctx)
//	err = pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) > 0 })
//
// # When to use it
//
// Use it where you decide yourself what is alive: a client that balances over instances, a controller that fails over, a
// sidecar, a test. The states, reason codes, defaults and timing are those of a target group, so that what you see here and
// what the load balancer says can be compared.
//
// Do not use it to find out what a load balancer thinks: it has checks of its own, from other places.
//
// # How it works
//
//	          Register                one pass
//	unused ------------> initial --------------------> healthy <---+
//	   ^                    |                             |        |
//	   |                    | UnhealthyThreshold failures |        | HealthyThreshold
//	   |                    | in a row                    |        | passes in a row
//	   |                    +--------> unhealthy <--------+        |
//	   |                                   |                       |
//	   |  DeregistrationDelay              +-----------------------+
//	   +--------------------- draining <---- Deregister, from any state
//
// Checks of one target start at a fixed rate, however long each takes, and never two at a time for one registration. Each target
// has a place in the interval by the hash of its ID, different in every pool, so that neither the checks of a pool nor those of
// a fleet of pools come in bursts. The first check comes within MaxStartSpread of the registration; the target then moves to its
// place over some eight rounds, each at most an eighth shorter than Interval. Options.FastInterval settles doubt sooner, and
// SlowInterval spares what is dead for long. [Pool.CheckNow] does not wait for the next check.
//
// Run is one goroutine and one timer for the whole pool. A check that is under way has a goroutine; a target at rest has none,
// and costs about 430 bytes with a [Func].
//
// A check has one of three outcomes. Pass and Fail count; any of them sets the count of the other to zero. Unknown counts
// for nothing: it is what a check gets that was called off or broke for a reason on this side, such as no free file
// descriptor, which would otherwise turn every target unhealthy at once.
//
// The pool measures how late it is itself. A failure that overlaps with a delay of its own of more than a quarter of Timeout is
// Unknown, with [ErrOverloaded]; a pass counts, as no delay can make one up. As long as that goes on, the intervals stretch, to
// eight times their length at most, so that the load which may be the reason goes down. The event LocalDegraded and View.Local
// tell. Checks that wait because MaxInFlight others run have all of their time once they start, and so do count; that the pool is
// exhausted is told in the same way.
//
// Besides what checks say, people and programs decide: [Pool.Override] about a target, [Pool.Shift] about a zone, for a time.
// Neither is a state; the targets go on being checked, and Status and ZoneStatus show both.
//
// Targets come from [Pool.Register] and [Pool.Deregister], from a whole list by [Pool.Reconcile], or from a name by [DNS]. In each
// case one that stays as it is keeps its health.
//
// A [View] is the pool at one instant. Taking one costs the same for ten targets and for 50,000, and so does each change that a
// Wait looks at, unless its condition goes through all targets.
//
// # Options
//
// Zero options are those of a target group of an Application Load Balancer. The presets [ALB], [ALBGRPC], [NLBTCP], [NLBHTTP]
// and [GWLB] are options of New that set the defaults of each kind of target group, and Options.Limits, so that what AWS would
// refuse is refused here, in all fields at once:
//
//	pool, err := healthcheck.New(checker, healthcheck.ALB, func(o *healthcheck.Options) { o.Interval = 10 * time.Second })
//
// # Checkers
//
//   - [HTTP] asks over HTTP/1.1, with TLS or without, and looks at the code and, if asked to, for a text in the body.
//   - [TCP] connects, and with TLS completes the handshake.
//   - [GRPC] calls a method over HTTP/2 and looks at its status, or asks the health service.
//   - [Func] is a function of yours, and [All] several checkers in one.
//
// They look at targets as a load balancer does: a new connection for each check, which also finds a target that no longer
// accepts any; any certificate; no redirect and no proxy. Each of these is an option but the last two. Where to connect, what
// to ask for in the Host header and what name to ask for in TLS are three things: see [Target] and [TLSOptions]. HTTPOptions.Reuse
// keeps connections, which is what makes many targets cheap, those with TLS above all.
//
// Connections are reset rather than closed in order, so that checks do not use up the ports of this machine: see [CloseMode].
//
// What an answer may cost is bounded in time, by Options.Timeout, and in bytes, whatever a target sends, and no result has any
// part of a body in it.
//
// # Traffic
//
// [Pool.Pick] chooses the target of a request and hands out a [Lease], which ends with Done; [Pool.Transport] does both for an
// http.Client or an httputil.ReverseProxy. A pool that nobody picks from does not pay for it.
//
// Candidates are the healthy targets. When fewer than [Options.RoutingFailover] are healthy, by count or by percentage of the
// registered ones, the pool fails open, as a target group does: all registered targets are candidates, Initial and Unhealthy ones
// too, because checks that fail everywhere say more about the checks than about the targets. Lease.FailOpen, View.FailOpen,
// ZoneStatus.FailOpen and the event FailOpenChange tell. Targets that drain never get new traffic.
//
// With cross-zone load balancing, which is the default, all zones are counted and picked from together. Under Options.ZonalOnly
// each zone is counted by itself, and a pick is for one zone: that of the caller, while it is not below Options.ZoneFailover nor
// shifted, or else another one, as clients find it in DNS. A zonal shift takes new traffic away from a zone; it does not move the
// thresholds, and has no effect while the pool fails open or no other zone has a healthy target.
//
// Options.Algorithm chooses among the candidates: in turn, by outstanding requests, or at random by weight. What goes by
// outstanding requests is not drawn into a black hole, a target that has few of them because it fails at once: a request that
// fails sooner than good ones take counts on as outstanding for the rest of that time, on average.
//
// Options.SlowStart gives a target that has become healthy, or is back from an ejection, a share that grows from nothing in a
// straight line, if there is a healthy target beside it that is not in slow start.
//
// Options.Passive ejects targets for failures in a row that the requests have seen, beside the checks: for EjectionTime, longer
// each time, until a check passes. No more than MaxEjectPercent are out at a time, though one may always be; and none is ejected
// where that would change how a zone is routed: by failing open, by leaving too few, or by the end of a shift's effect. It counts
// in a row and not by rate, so that it needs no window and means the same at any traffic; a target that fails every other request is
// for the checks to find.
//
// A Pick reads one snapshot, which the first one after a change makes anew in time linear in the targets. Otherwise it takes no
// lock, and allocates nothing in the steady state: about 0.1 µs in turn or by two choices, and 1 to 3 ns more for each target
// with exact least outstanding.
//
// # Guarantees and failure modes
//
//   - A target that dies is Unhealthy within [Options.DetectionBound], whatever the other targets do, as long as the pool is not
//     degraded and results are not Unknown.
//   - A target that hangs delays no other, as long as there are fewer such than MaxInFlight.
//   - Thresholds are of consecutive results: a target that fails now and then stays as it is.
//   - Nothing is healthy before it has passed a check, and an address that changes begins anew.
//   - When Run returns, nothing of the pool is left: no goroutine, no timer, no connection. Checks that this calls off count as
//     nothing.
//   - A pool never waits for its observers. Events that a slow one loses are counted in Event.Dropped.
//   - A probe that ignores its context cannot be ended. It counts as one timeout for each interval, is never doubled, holds
//     one of MaxInFlight, and holds up the return of Run.
//   - When this process is starved of CPU, checks start and end late and may time out. That turns no target unhealthy; it does
//     delay the detection of those that are, and View.Degraded shows it.
//   - A zonal shift ends by its time even if who asked for it is gone, as long as Run runs.
//
// # AWS calls and IAM actions
//
// None. The package imports the standard library only.
//
// # Limits
//
// A check is one request: there are no scripts of several, and no UDP. Without Options.Limits, intervals may be from two ticks to a
// day and thresholds from 1 to 1000; a target group has intervals of 5 to 300 seconds, timeouts of 2 to 120, and thresholds of 2 to
// 10. Fast and slow intervals, jitter and passive checks with options are no settings of a target group.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (read 2026-11).
//
// # Errors
//
// New, HTTP, TCP, GRPC, NewDNS, Register, Reconcile and Shift report all mistakes at once, as [*FieldError] and [*RegisterError]
// values joined by errors.Join. The conditions to branch on are [ErrAlreadyRun], [ErrStopped], [ErrNotRegistered] of what is about
// one target, [ErrNoTargets] of Pick, and [ErrShiftActive] and [ErrNoOtherZone] of shifts. What goes wrong in a check is no error
// but a [Result].
//
// # Testing
//
// All time is that of package time, so that a pool runs in a testing/synctest bubble, where an hour of checks takes
// milliseconds; Dial in the options of a checker replaces the network, and [Func] the whole check. Package healthcheckmock has
// mocks of [Checker], [Probe], [Registrar] and [Source]; [NewView] and [ViewOptions] make the views that such a source returns.
package healthcheck
