// Package statuspage shows what package failover does, as pages for people and JSON for programs: the timeline of a failover as a chart and a table, and what a
// running controller knows.
//
//	err := statuspage.WriteTimeline(file, timeline)     // a page that is a file of its own
//	mux.Handle("/failover", statuspage.Handler(controller)) // the status; ?timeline=SERVICE shows that of its incident
//
// # When to use it
//
// Use the page of a timeline after each drill and each failover: it is what a review begins with. Use the handler where operators are; it tells of addresses and
// errors of the inside, and asks for no password.
//
// # How it works
//
// A page is one answer without scripts, images or fonts from elsewhere; it reads on a telephone, prints, and follows the reader's scheme of colours. Colours say nothing
// that words do not. The chart has a bar for each time without an answer, as the caller's probes saw it ([failover.Timeline.Downtime]), for the detection, the wait for the lease
// and each step; marks of the caller are lines. The table has every event, with AWS calls and their request IDs.
// [TimelineOptions].Lines stand above all, such as the verdict of a drill.
//
// # Guarantees and failure modes
//
// Names, errors and details are shown as they are, whoever has written them: what is invisible, or would move what stands beside it, is shown as an escape, names are
// cut to 128 characters, and reasons to 512. A timeline of any length makes a page of bounded size, and so do a controller's services, votes and steps, as JSON too: it says how much was left out. Asking changes nothing and waits for nothing.
//
// # AWS calls and IAM actions
//
// None.
//
// # Testing
//
// Source is one method; failovermock has a mock of it.
package statuspage
