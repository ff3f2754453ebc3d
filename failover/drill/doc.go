// Package drill rehearses a failover and measures it: it breaks something on purpose, watches the service with the eyes of its clients, has
// a plan executed or a controller act, takes the fault back, and says whether the targets were kept.
//
//	d, err := drill.New(injector, drill.Fault{Kind: "power loss", Target: "use1-az1"},
//		drill.Response{Plan: plan, Engine: engine, Detect: noticed},
//		[]drill.Probe{{Name: "client", Client: drill.HTTP(drill.HTTPSpec{URL: "https://orders.example.com/healthz"})}},
//		func(o *drill.Options) { o.Confirm, o.Targets = "orders", drill.Targets{RTO: time.Minute} })
//	report, err := d.Run(ctx)
//
// # When to use it
//
// Use it on AWS in memory (awstest/faultinjector) in the tests of every plan, and on a real system by appointment: a plan that has never
// been executed does not work. For what would happen, without an effect, there is [failover.Engine.Readiness].
//
// A drill breaks things. On any injector that is not a [Simulator] it needs the service's name once more, in [Options].Confirm. It is no
// substitute for the stop conditions of AWS FIS, which hold when the machine that drills is lost too: use both.
//
// # How it works
//
//	steady state   every probe has good answers for Options.Steady, the plan is ready; or *NotSteadyError: nothing was broken
//	inject         Injector.Inject, then Injection.State until FaultActive
//	detection      Response.Detect returns, or a controller tells KindDetected; without either, none is measured
//	plan           Response.Engine executes it, or a controller tells that it has ended
//	recovery       every probe has good answers for Options.Steady
//	end            Injection.End, then State until FaultEnded: also after errors, panics, cancellation and Options.Limit
//	after          every probe has good answers for Options.Steady
//	failback       Response.HomeReady returns, Engine executes Response.Failback, and every probe is well again
//	report         [Report]: text, JSON, and a page by [Report.WriteHTML]
//
// The probes ask from the beginning to the end, each its own way ([HTTP], [TCP], [DNS], [WriteRead], or a function), and what is reported
// of the service is what they were answered. Nothing is inferred from what the plan did. A request that fails counts from when it was sent,
// a good one when its answer came.
//
//	RTO         of a probe: from the fault to the first good answer of those that then go on for Options.Steady; 0 if no request failed
//	detection   from the fault until it was noticed
//	RPO         of a probe that writes and reads: what was acknowledged and is gone, in writes, and in time since the last that is left
//
// The fault began when the injector said so, or when the first request after Inject failed, whichever was first. A downtime and an RTO may
// be off by the probe's Interval + Timeout ([ProbeReport].Bound): use short ones.
//
// # Controllers
//
// A drill that watches executes nothing: it hears what a running controller and its engine tell ([Events]), so that detection, brakes and
// leases are rehearsed too. A controller takes the drill for what it is, an incident: its brakes count it. Acknowledge the incident
// afterwards ([failover.Board.Acknowledge]), or the cooldown holds the failover of the next real one. A plan that the brakes hold waits for
// a person, for as long as Options.Limit is.
//
// # Injectors
//
// An [Injector] takes a [Fault], and returns how to end it. One for AWS FIS takes an experiment template's ID as Target and is three calls:
//
//	Inject  fis:StartExperiment with the ID as ClientToken, so that a repetition starts nothing
//	State   fis:GetExperiment: pending and initiating are FaultPending, running is FaultActive, stopping is FaultEnding,
//	        completed, stopped and cancelled are FaultEnded, failed is FaultFailed
//	End     fis:StopExperiment; an experiment that has ended already is no error
//
// Source: https://docs.aws.amazon.com/fis/latest/APIReference/API_ExperimentState.html (read 2026-11). Whether what an action broke is
// whole again when its experiment has ended depends on the action: State says FaultEnding until it is. StartExperiment whose reply was lost
// is repeated with the same token, to learn the experiment's ID; as long as that is not known, Inject fails with its context, and the drill
// says so.
//
// # Guarantees and failure modes
//
//   - Nothing is broken before every probe was well and the plan was ready, unless Options.BeginAnyway.
//   - The fault is ended exactly once by Run, whatever happens: on success, after each error, a panic of any part, cancellation and the
//     limit. The end of ctx does not cut that short: Options.EndTimeout does. When ctx or the limit ends, it begins at once, and does not
//     wait for a step that is slow to stop.
//   - A fault that could not be ended, or of which nobody knows whether it is there, is an [*UnendedError], before all others, the first
//     miss, and an error in the log. If the process dies, nobody ends it: give the fault a duration of its own where the injector can.
//   - A fault that ends by itself before the service is well is a miss: the RTO would be its.
//   - A failed plan is not rolled back, and nobody fails back after it: the fault is ended, and a person has to look. Executing the
//     incident again resumes it.
//   - An injector that ignores the end of its context is left behind after 5 s, with its goroutine; an injection that comes late is ended.
//     Everything else is waited for.
//   - Probes keep what they saw in memory: 40 bytes for each request.
//
// # AWS calls and IAM actions
//
// None of its own.
//
// # Limits
//
// One fault at a time, and one drill for each [Events]. A probe sees from where it stands: one inside the zone that fails sees nothing.
//
// # Errors
//
// Mistakes are told all at once by [New] ([failover.FieldError]). Run's errors are named there; that a target was missed is no error of Run
// but of [Report.Err].
//
// # Testing
//
// All time is package time's, so that a drill of an hour runs in a [testing/synctest] bubble at once, with awstest for AWS. Package
// failovermock has mocks of the interfaces.
package drill
