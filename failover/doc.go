// Package failover executes failover plans: steps in the order that their needs allow, in parallel, under a lease with a
// fencing token, with a journal from which another controller can go on. It imports no AWS service; steps do.
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
// # How it works
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
// that a resumed plan has it too.
//
// # Guarantees and failure modes
//
//   - At most one execution of a service acts at a time. The holder stops a margin before a rival may take over, judged by the
//     monotonic clock and the moment at which its last successful renewal was sent.
//   - A holder that has been replaced cannot write to the journal, and [Env.Valid] tells its steps to make no effect. A
//     request that was checked and sent, and hangs for longer than the margin, can still arrive late: only a condition in the
//     request itself (an ETag, an expected value, a ClientToken) closes that gap.
//   - After a crash at any point, executing the same incident again completes it with each effect once, provided that
//     Check sees an effect within [Options.ReadLag], or that the service honours [Env.ClientToken].
//   - A failed step stops the steps that need it and no others. Cancellation, a spent budget and a lost lease stop everything;
//     outcomes that are known by then are still recorded, for up to 5 s.
//   - A panic in a step is a permanent error with its stack. A step that ignores the end of its context delays Execute: it is
//     waited for, since a call that nobody waits for could still have an effect.
//   - Execute gives up where the lease or the journal cannot be opened or replayed; their stores retry by themselves. An append that
//     fails is retried until the step's time is up.
//
// # AWS calls and IAM actions
//
// None of its own. Steps, lockers and journals name theirs.
//
// # Limits
//
// All ready steps run at once. Plans are meant for tens to hundreds of steps; validation and scheduling are linear in
// steps and needs. [MemoryLocker] and [MemoryJournal] end with the process.
//
// # Errors
//
// Mistakes in options and plans are reported all at once ([FieldError], [PlanError]). An [ExecuteError] holds a
// [StepError] for each step that began and did not get done, the steps that never began, and the cause if the whole was stopped.
//
// # Testing
//
// All time is package time's, so that plans run in [testing/synctest] bubbles; [MemoryLocker.Cut] takes the store away
// from a lease's holder. Package failovermock has mocks of the interfaces.
package failover
