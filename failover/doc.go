// Package failover notices that a service has failed, decides, and executes a plan: steps in the order that their needs allow, in parallel, under a
// lease with a fencing token, with a journal from which another controller can go on. It imports no AWS service; steps and stores do.
//
//	plan := failover.Plan{Service: "orders", Steps: []failover.Step{stopOldPrimary, promoteReplica, remapAddress}}
//	timeline, err := engine.Execute(ctx, "orders-use1-az1-20260102T1504Z", plan)
//
// # When to use it
//
// Use it where several effects have to happen in an order, a crash in the middle must not repeat or lose one, and two
// controllers must never act at once. To move one address, package eip alone is enough. It is no workflow engine for
// daily work: a plan should be small, rehearsed and short.
//
// Before a plan, look for something better: a service that is scaled for the loss of a zone and load balanced needs none, and a switch of a data plane,
// such as a zonal shift, less of one. [Plan.WorstPlane] says on what a plan depends on the day of the failure.
//
// # How it works
//
// There are two floors. An [Engine] executes a plan when it is told to, by a person or a program. A [Controller] watches services by
// [Observer] values and tells an engine itself; any number of controllers stand in different zones on one [Store], and the one that holds the
// lease leads.
//
// [Engine.Execute] validates the plan, waits for the lease of the plan's service, opens the incident's journal under the
// lease's token and replays it. Then each step starts the moment the last step that it needs is done, so that the whole takes as
// long as the critical path ([Plan.CriticalPath]). One step goes through these states:
//
//	         Done                                    nil
//	Check ----------> skipped      intent ---> Do ---------> done
//	  |   NotDone                    ^          |
//	  +------------------------------+          | ErrInProgress, any other error, or a crash
//	  |   InProgress                 |          v
//	  +--------------> poll Check    +------ in doubt: poll Check until it answers Done,
//	  |   Impossible             NotDone     or NotDone for longer than Options.ReadLag
//	  +--------------> failed
//
// The intent is in the journal before Do is called, and the fence is checked between the two. What came of it is in the
// journal before any step that needs it starts. A step in doubt is never repeated blindly: Check decides.
//
// What a step learns that others need, such as the ID of what it launched, it puts with [Env.Put]; the journal keeps it, so
// that a resumed plan has it too. What must be cleaned up whatever happens is a step of its own ([Finalizer]): it is in the journal like all others.
// [Engine.Rollback] takes an incident back, in the reverse order. [Engine.Readiness] asks every step whether it would work now, and forecasts the
// timeline, without an effect.
//
// A controller goes round like this:
//
//	all:     observe, once per Interval, or RetryInterval while something is suspect; put the votes up, read those of others
//	         failed:  Quorum.Need of Quorum.Of observers in Quorum.MinZones zones, each after Quorum.Fall looks in a row
//	         suspect: less than that. Whoever cannot tell abstains; votes that are not repeated expire
//	leader:  goes on with what was left open; watches only, for WarmUp
//	         failed: Prepare (the facts) -> Plan -> Brakes -> the service's lease -> verdict and Brakes again -> Execute, and Resume until done or given up
//	         stands in the failed zone itself, or fails its own check: hands over to one that does not
//
// # Stores
//
// Leases ([NewLocker]), journals ([NewJournal]), votes and orders ([NewBoard]) are built on a [Store] of three methods: in DynamoDB (package dynamostore), in S3
// (s3store) or in memory. A journal can be a directory of files as well ([NewFileJournal]). Two stores never stand in for each other by themselves: that
// would be two leaders. To move, give every locker of the new store a higher [LockerOptions.Epoch], which makes all of its tokens newer.
//
// # Guarantees and failure modes
//
//   - At most one execution of a service acts at a time. The holder stops a margin before a rival may take over, judged by the
//     monotonic clock and the moment at which its last successful renewal was sent. Clocks may run by a third of the lease faster or slower than each other.
//     Wall clocks decide no lease; how long ago an incident was, which a leader has not seen itself, they do.
//   - A holder that has been replaced cannot write to the journal, and [Env.Valid] tells its steps to make no effect. A
//     request that was checked and sent, and hangs for longer than the margin, can still arrive late: only a condition in the
//     request itself (an ETag, an expected value, a ClientToken) closes that gap. A call that returned after the lease had ended is told ([KindOverrun]).
//   - After a crash at any point, executing the same incident again completes it with each effect once, provided that
//     Check sees an effect within [Options.ReadLag], or that the service honours [Env.ClientToken].
//   - A failed step stops the steps that need it and no others. Cancellation, a spent budget and a lost lease stop everything;
//     outcomes that are known by then are still recorded, for up to 5 s.
//   - A panic in a step is a permanent error with its stack. A step that ignores the end of its context delays Execute: it is
//     waited for, since a call that nobody waits for could still have an effect.
//   - While the store does not answer, nobody can lead, and nothing begins: an outage of the store is no reason to act, and a failover waits for it. Put the store where the
//     failure is not: in another Region, or in a table of several (package dynamostore says which).
//   - A dead leader costs the TTL of its lease and one look: 17 s by default. With a proof of death ([LeaseOptions.Dead]) it costs one look.
//   - A controller never acts on what a single observer says (unless there is only one), on votes that have expired, in its first moments, while more
//     has failed than [Brakes.MaxFailedShare], or without a person where the plan reaches another Region or loses data.
//
// # AWS calls and IAM actions
//
// None of its own. Steps and stores name theirs; [StoreLocker], [StoreJournal] and [Board] say how many reads and writes of the store they cost. Idle, a controller
// lists the votes once per Interval and writes its own three times per TTL, and the leader renews one lease.
//
// # Limits
//
// Plans are meant for tens to hundreds of steps; validation and scheduling are linear in steps and needs. [Options.Limits] says how many steps may call
// an API at once. [MemoryStore] and [MemoryJournal] end with the process.
//
// # Errors
//
// Mistakes in options and plans are reported all at once ([FieldError], [PlanError]). An [ExecuteError] holds a
// [StepError] for each step that began and did not get done, the steps that never began, and the cause if the whole was stopped. A [KeptError] says what a rollback could
// not take back, a [CorruptError] which record of a file is damaged, and [ErrNewer] that a newer version of this package has written what was read.
//
// # Testing
//
// All time is package time's, so that plans and controllers run in [testing/synctest] bubbles, with awstest for AWS. Package failovermock has mocks of the
// interfaces, and storetest the tests of a store of your own. Package drill rehearses a plan or a controller against a fault, and measures it.
package failover
