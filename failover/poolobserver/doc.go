// Package poolobserver makes a pool of package healthcheck an observer of a failover controller: the pool checks the targets of a service, and its view of
// them is the observer's vote.
//
//	observer, err := poolobserver.New(pool, "canary@use1-az2", "use1-az2", func(o *poolobserver.Options) {
//		o.Select = func(s healthcheck.Status) bool { return s.Target.ID == primary }
//	})
//	go observer.Watch(ctx, controller.Wake)
//
// # When to use it
//
// Use it where a pool checks the service already, or should: it brings the thresholds, the jitter and the care for an overloaded process of a load balancer's checks.
// For one request along one way, [failover.NewObserver] with a function is enough.
//
// Give each controller a pool of its own, in its own zone: votes of one pool are one vote.
//
// # How it works
//
// Of the targets that Options.Select takes, those count that are healthy or unhealthy by their checks, or by what a person has decided about them ([healthcheck.Override]).
// Draining targets do not count: they leave on purpose.
//
//	enough are healthy (MinHealthy, MinPercent)          healthy
//	too few, and those not checked yet might be enough   unknown
//	too few, while the pool is behind its schedule       unknown: it suspects itself
//	too few                                              failed
//	none is selected, or no check told anything for MaxAge  unknown
//
// The evidence is the count and why the first targets are unhealthy. The zone is that of the unhealthy ones, if it is one.
//
// # Guarantees and failure modes
//
// Observe makes no check and waits for nothing: what it says is as old as the pool's last checks, which are Interval apart. Add that, and the pool's thresholds, to the time of
// detection; [Observer.Watch] takes the wait for the controller's next look away. The pool's UnhealthyThreshold and the quorum's Fall both count: one of them may be 1.
//
// # AWS calls and IAM actions
//
// None.
//
// # Testing
//
// [healthcheck.Source] has a mock in healthcheckmock.
package poolobserver
