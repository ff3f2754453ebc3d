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
// Do not use it to find out what a load balancer thinks: it has checks of its own, from other places. Nor does it route: it
// says how targets are and leaves the choice to you.
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
// Checks of one target start at a fixed rate, however long each takes, and never two at a time for one
// registration. Each target has a place in the
// interval by the hash of its ID, different in every pool, so that neither the checks of a pool nor those of a fleet of pools
// come in bursts. The first check comes within MaxStartSpread of the registration; the target then moves to its place over
// some eight rounds, each at most an eighth shorter than Interval.
//
// Run is one goroutine and one timer for the whole pool. A check that is under way has a goroutine; a target at rest has
// none, and costs about 430 bytes.
//
// A check has one of three outcomes. Pass and Fail count; any of them sets the count of the other to zero. Unknown counts
// for nothing: it is what a check gets that was called off or broke for a reason on this side, such as no free file
// descriptor, which would otherwise turn every target unhealthy at once.
//
// # Guarantees and failure modes
//
//   - A target that dies is Unhealthy within [Options.DetectionBound], whatever the other targets do, as long as
//     checks start and their results are not Unknown.
//   - A target that hangs delays no other, as long as there are fewer such than MaxInFlight.
//   - Thresholds are of consecutive results: a target that fails now and then stays as it is.
//   - Nothing is healthy before it has passed a check, and an address that changes begins anew.
//   - When Run returns, nothing of the pool is left: no goroutine, no timer, no connection. Checks that this calls off count as
//     nothing.
//   - A pool never waits for its observers. Events that a slow one loses are counted in Event.Dropped.
//   - A probe that ignores its context cannot be ended. It counts as one timeout for each interval, is never doubled, holds
//     one of MaxInFlight, and holds up the return of Run.
//   - When this process is starved of CPU, checks start and end late and may time out. Result.Lag shows it.
//
// # AWS calls and IAM actions
//
// None. The package imports the standard library only.
//
// # Limits
//
// The checkers speak HTTP/1.x and TCP, without TLS. Each check makes a new connection, as those of Elastic Load Balancing do,
// which also finds a target that no longer accepts any. About the ranges that AWS allows for options, Elastic Load Balancing
// is stricter: intervals of 5 to 300 seconds, timeouts of 2 to 120, thresholds of 2 to 10.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (read 2026-11).
//
// # Errors
//
// New, HTTP, TCP and Register report all mistakes at once, as [*FieldError] and [*RegisterError] values joined by errors.Join.
// [ErrAlreadyRun] and [ErrStopped] are the conditions to branch on. What goes wrong in a check is no error but a [Result].
//
// # Testing
//
// All time is that of package time, so that a pool runs in a testing/synctest bubble, where an hour of checks takes
// milliseconds; Dial in the options of a checker replaces the network, and [Func] the whole check. Package healthcheckmock has
// mocks of [Checker], [Probe], [Registrar] and [Source], and [NewView] makes the view that such a source returns.
package healthcheck
