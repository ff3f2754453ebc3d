package eventbridgesvc

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
)

// failEntries is what the effect says to the handlers.
type failEntries struct {
	code string
	pick func(i int) bool
}

// FailEntries makes entries of a request fail, which have no effect; the call
// itself succeeds, and only its FailedEntryCount tells. It strikes PutEvents,
// PutTargets and RemoveTargets.
//
// The function picks the entries by their place in the request, from 0; nil
// picks all. It must not call the cloud. The code is one such as
// "InternalFailure" of PutEvents, or "ConcurrentModificationException" of the
// others.
func FailEntries(code string, pick func(i int) bool) awstest.Effect {
	return awstest.Special(eventbridge.ServiceID, []string{"PutEvents", "PutTargets", "RemoveTargets"}, failEntries{code, pick})
}

const entryFailed = "The entry was made to fail."

// failsEntry tells whether an entry is to fail, and with which code.
func failsEntry(call *awstest.Call, i int) (code string, fails bool) {
	for _, f := range awstest.Specials[failEntries](call) {
		if f.pick == nil || f.pick(i) {
			return f.code, true
		}
	}
	return "", false
}

// Deliveries selects deliveries of events to targets, for [Drop] and
// [Duplicate]. A field that is empty selects all.
type Deliveries struct {
	Region, Rule       string // names
	Source, DetailType string
	Text               string // anywhere in the event, in JSON: an instance ID, a state

	// Skip lets that many deliveries pass first; Times ends it after that many
	// have been struck. Zero Times strikes until heal is called.
	Skip, Times int
}

// Drop loses deliveries until heal is called: AWS's own events are sent as well
// as can be, and no more is promised. Of Drop and Duplicate that select one
// delivery, the one that was asked for first counts.
//
// A mistake is a [*awstest.FieldError].
func Drop(cloud *awstest.Cloud, which Deliveries) (heal func(), err error) {
	return disturb(cloud, which, 0)
}

// Duplicate makes deliveries happen twice until heal is called, each with a
// delay of its own. Both copies have the ID of the event. A FIFO queue takes one
// of them.
//
// A mistake is a [*awstest.FieldError].
func Duplicate(cloud *awstest.Cloud, which Deliveries) (heal func(), err error) {
	return disturb(cloud, which, 2)
}

func disturb(cloud *awstest.Cloud, which Deliveries, copies int) (heal func(), err error) {
	if which.Skip < 0 || which.Times < 0 {
		return nil, &awstest.FieldError{Field: "eventbridgesvc.Deliveries", Value: fmt.Sprintf("Skip %d, Times %d", which.Skip, which.Times), Rule: "must not be negative"}
	}
	if which.Region != "" {
		if _, err := cloud.Region(which.Region); err != nil {
			return nil, err
		}
	}
	var end func(*awstest.Tx)
	cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[ebmodel.Model](tx)
		if !ok {
			err = &awstest.FieldError{Field: "cloud", Value: "the cloud", Rule: "must have EventBridge"}
			return
		}
		end = m.Disturb(ebmodel.Deliveries(which), copies)
	})
	if err != nil {
		return nil, err
	}
	return func() { cloud.Update(end) }, nil
}
