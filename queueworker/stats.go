package queueworker

import "time"

// Stats are the numbers of a worker. Counters begin at New and never go down.
//
// Each message of Received is in hand, or counts once by its outcome or as DeletedAgain, Corrupt, Duplicates or Unstarted; those of
// TriedHere count once more by outcome.
type Stats struct {
	Received     uint64 // messages, those that came twice included
	Completed    uint64 // by outcome, as handlers returned it
	Retried      uint64
	Released     uint64
	Dropped      uint64
	DeadLettered uint64
	TriedHere    uint64 // tries of messages that were not given back after the one before: of FIFO queues
	LeasesLost   uint64 // before their handlers began, while they ran, or before the delete
	DeletedAgain uint64 // came back after they had been handled, and were deleted unseen
	Corrupt      uint64 // did not match their digest, or had no ID or no receipt handle
	Duplicates   uint64 // came again while they were in hand
	Unstarted    uint64 // went back before a handler began: in a drain, lost, held for too long, or behind another one of their group

	Receives, EmptyReceives uint64 // calls that succeeded, and those of them that found nothing
	DeleteCalls             uint64
	ExtendCalls             uint64 // that extended leases; those that set delays are RetryCalls
	RetryCalls              uint64 // that gave messages back, at once or after a delay
	DeadLetterCalls         uint64
	FailedCalls             uint64 // that failed as a whole, those of GetQueueAttributes included

	Running  int // handlers, now
	Buffered int // messages whose handler has not started, now
	Pollers  int // receives under way, now
	Slots    int // the concurrency, now

	// MeanHandler is the moving average of how long a handler takes, by the last hundred or so. Zero before the first.
	MeanHandler time.Duration
	// Rate is the moving average of the messages handled a second, over some ten seconds.
	Rate float64
}
