package eventbridgesvc

import (
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
)

func (s *service) addEvents(e *awstest.Endpoint) {
	awstest.Handle(e, s.putEvents, "Entries")
}

// The limits of events.
// Source: PutEventsInput and PutEventsRequestEntry of the SDK; https://docs.aws.amazon.com/AmazonCloudWatch/latest/events/CalculatePutEventsEntrySize.html (read 2026-11)
const (
	maxRequest    = 1 << 20
	sizeOfTime    = 14
	maxDetailType = 128
)

func (s *service) putEvents(tx *awstest.Tx, call *awstest.Call, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if err := ebmodel.CheckEntries("entries", len(in.Entries)); err != nil {
		return nil, err
	}
	size, complete := 0, false
	for i := range in.Entries {
		e := &in.Entries[i]
		if err := s.bus(call, e.EventBusName); err != nil {
			return nil, err
		}
		if e.TraceHeader != nil {
			return nil, call.NotModelled("TraceHeader of an entry")
		}
		size += sizeOf(e)
		complete = complete || lacks(e) == ""
	}
	switch {
	case size >= maxRequest:
		return nil, invalid("Total size of the entries in the request is over the limit.")
	case !complete:
		return nil, invalid("No entry has a Source, a DetailType and a Detail.")
	}
	out := &eventbridge.PutEventsOutput{}
	for i := range in.Entries {
		e := &in.Entries[i]
		code, message := check(e)
		if failing, fails := failsEntry(call, i); fails {
			code, message = failing, entryFailed
		}
		if code != "" {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &message})
			continue
		}
		id := s.region(call).Emit(tx, ebmodel.Event{
			Source: *e.Source, DetailType: *e.DetailType, Detail: *e.Detail, Resources: e.Resources, Time: aws.ToTime(e.Time),
		})
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: &id})
	}
	return out, nil
}

func sizeOf(e *types.PutEventsRequestEntry) int {
	n := len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail))
	for _, r := range e.Resources {
		n += len(r)
	}
	if e.Time != nil {
		n += sizeOfTime
	}
	return n
}

// lacks names what an entry needs and does not have.
func lacks(e *types.PutEventsRequestEntry) string {
	switch {
	case aws.ToString(e.Source) == "":
		return "Source"
	case aws.ToString(e.DetailType) == "":
		return "DetailType"
	case aws.ToString(e.Detail) == "":
		return "Detail"
	}
	return ""
}

// check returns what is wrong with an entry. The codes are those of the
// reference, the words are not.
// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html (read 2026-11)
func check(e *types.PutEventsRequestEntry) (code, message string) {
	missing := lacks(e)
	switch {
	case missing != "":
		return "InvalidArgument", "Parameter " + missing + " is not valid. Reason: " + missing + " is a required argument."
	case utf8.RuneCountInString(*e.DetailType) > maxDetailType:
		return "InvalidArgument", "Parameter DetailType is not valid. Reason: it has more than 128 characters."
	case strings.HasPrefix(*e.Source, "aws."):
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	case !ebmodel.IsObject(*e.Detail):
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}
