// Package selfhealth answers, inside a server, the question that load balancers and orchestrators ask it: are you alive, and
// should you get traffic?
//
//	health, err := selfhealth.New()
//	...
//	loop := selfhealth.NewHeartbeat() // the loop calls loop.Beat()
//	_, err = health.Register(
//		selfhealth.Check{Name: "loop", Kind: selfhealth.Live, Func: loop.Within(time.Minute)},
//		selfhealth.Check{Name: "disk", Kind: selfhealth.Local, Func: diskHasRoom},
//		selfhealth.Check{Name: "db", Kind: selfhealth.Soft, Func: db.PingContext},
//	)
//	...
//	go health.Run(ctx)
//	mux.Handle("/readyz", health.Readyz()) // for the target group
//	mux.Handle("/livez", health.Livez())   // for the supervisor
//	...
//	err = health.Drain(ctx, selfhealth.DrainTime(30*time.Second, 2)) // after SIGTERM; then server.Shutdown
//
// # When to use it
//
// Use it in a process behind a load balancer, under Kubernetes, ECS or an Auto Scaling group. Use package healthcheck, its
// counterpart, to check other processes.
//
// # How it works
//
// All checks run in the background under Run, each at its own interval, and requests read what is known. A check has one
// goroutine, so that it never runs twice at a time. What its failure means is its [Kind]:
//
//	         /livez   /readyz                        for
//	Live     503      503                            the process is stuck; a restart helps
//	Local    200      503                            disk, pools, certificates of this process
//	Hard     200      503, or 200 by a Guard         a dependency without which nothing works
//	Soft     200      200 "degraded"                 a dependency without which something works
//	Guard    200      200                            says whether Hard checks may take this process out
//
// The process is Starting until every Local, Hard and Guard check has a verdict, and Draining from Drain to its end.
//
// # Shared dependencies
//
// A dependency that all instances share, such as the database, must not decide whether they get traffic. When it fails, it
// fails for all of them at once: every instance leaves, Elastic Load Balancing fails open and sends the traffic anyway, but
// Auto Scaling replaces every instance that its health checks call unhealthy, and what is half out of service overloads the
// rest. So there is no default among Soft and Hard, Soft is the advice, and a Hard check can be given Guards: while the fleet
// cannot spare this instance, and for Options.GuardHold after that, the process fails open.
//
// A Guard sees the fleet as it was. Instances whose checks fail in the same moment can all leave before the next round of
// Guards calls them back, at most once in GuardHold. A load balancer hears of that only if it lasts for as many of its checks
// as its unhealthy threshold: give Guards a shorter Interval than that. Behind the Guards stands Elastic Load Balancing's own
// fail-open.
//
// # Guarantees and failure modes
//
//   - An answer takes no lock that is held across a check and allocates nothing; it is the same while every check hangs.
//   - A check that hangs fails from its Timeout on, and holds one goroutine, whoever takes its name over.
//   - A result counts for MaxAge: without Run, or when this process is starved of CPU, checks fail as stale.
//   - A check that panics, or ends its goroutine, fails and runs again.
//   - Requests cannot make checks run. A dependency that is slow is asked less often.
//   - When Run returns, no goroutine of the Health is left. A Func that ignores its context holds up the return of Run.
//   - A process that is starved so that it cannot answer gets no chance to say so: who asks needs a timeout.
//
// # AWS calls and IAM actions
//
// None. The package imports the standard library only.
//
// # Errors
//
// Register reports all mistakes at once, as [*FieldError] values joined by errors.Join. [ErrAlreadyRun] and [ErrStopped] are
// the conditions to branch on. [ErrTimeout], [ErrStale] and [ErrPanic] are in CheckStatus.Err.
//
// # Testing
//
// All time is that of package time, so that it runs in a testing/synctest bubble.
package selfhealth
