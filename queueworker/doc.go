// Package queueworker handles the messages of an Amazon SQS queue, each at least once: nothing is lost, and nothing is handled
// twice that could have been avoided.
//
//	handler := queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
//		return ship(ctx, m.Body)
//	})
//
// # Outcomes
//
// What a handler returns decides what becomes of its message: nil deletes it; [RetryAfter], [Release], [Drop] and [DeadLetter] say
// what else to do, wherever in the error they are found; any other error, and a panic, has it tried again after what a
// [RetryPolicy] says, which is [Backoff] by default.
package queueworker
