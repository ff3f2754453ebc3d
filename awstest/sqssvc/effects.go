package sqssvc

import (
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
)

// What the effects of this package say to the handlers.
type (
	failEntries struct {
		code        string
		senderFault bool
		pick        func(i int, id string) bool
	}
	duplicate struct{}
	corrupt   struct{}
	resurrect struct{}
	miss      struct{}
)

// FailEntries makes entries of a batch fail, which have no effect; the call
// itself succeeds. It strikes SendMessageBatch, DeleteMessageBatch and
// ChangeMessageVisibilityBatch.
//
// The function picks the entries by their place in the batch, from 0, and
// their ID; nil picks all. It must not call the cloud. The code is one such as
// "InternalError"; senderFault tells whether the entry says that it is to
// blame on its sender.
func FailEntries(code string, senderFault bool, pick func(i int, id string) bool) awstest.Effect {
	return awstest.Special(sqs.ServiceID, []string{"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}, failEntries{code, senderFault, pick})
}

// Duplicate makes a ReceiveMessage of a standard queue leave the messages that
// it gets visible: the next receive gets them once more, at once. A FIFO queue
// has no duplicates, and the effect none there.
func Duplicate() awstest.Effect {
	return awstest.Special(sqs.ServiceID, []string{"ReceiveMessage"}, duplicate{})
}

// CorruptBody changes the body of the first message of a ReceiveMessage on its
// way, so that it does not match its digest. The SDK then fails the call, and
// the other messages are lost with it.
func CorruptBody() awstest.Effect {
	return awstest.Special(sqs.ServiceID, []string{"ReceiveMessage"}, corrupt{})
}

// Resurrect makes a DeleteMessage or DeleteMessageBatch of a standard queue
// succeed while a copy of each message survives, as one on a server that
// was out of reach: it comes back once, when its visibility timeout ends. A
// FIFO queue has no such copies, and the effect none there.
func Resurrect() awstest.Effect {
	return awstest.Special(sqs.ServiceID, []string{"DeleteMessage", "DeleteMessageBatch"}, resurrect{})
}

// MissMessages makes a ReceiveMessage that does not wait find nothing, as
// short polls may, since they ask some of SQS's servers only. A long poll asks
// all of them, and is not affected.
func MissMessages() awstest.Effect {
	return awstest.Special(sqs.ServiceID, []string{"ReceiveMessage"}, miss{})
}

// struckBy tells whether an effect strikes a call.
func struckBy[T any](call *awstest.Call) bool { return len(awstest.Specials[T](call)) > 0 }
