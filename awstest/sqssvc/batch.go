package sqssvc

import (
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
)

// maxBatch is how many entries a batch may have.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html (read 2026-11)
const maxBatch = 10

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkBatch holds the entries of a batch against the rules that refuse all
// of it.
func checkBatch[E any](entries []E, id func(*E) *string) error {
	switch {
	case len(entries) == 0:
		return awstest.Errorf("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(entries) > maxBatch:
		return awstest.Errorf("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(entries))
	}
	for i := range entries {
		if !entryID.MatchString(*id(&entries[i])) {
			return awstest.Errorf("AWS.SimpleQueueService.InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		for j := range i {
			if twice := *id(&entries[i]); *id(&entries[j]) == twice {
				return awstest.Errorf("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id %s repeated.", twice)
			}
		}
	}
	return nil
}

// failed tells of an entry that did not succeed.
func failed(id *string, err error) types.BatchResultErrorEntry {
	e := forEntry(err)
	return types.BatchResultErrorEntry{
		Id: aws.String(*id), Code: &e.Code, Message: &e.Message,
		SenderFault: e.Status < http.StatusInternalServerError,
	}
}

// injected returns the error that a fault of [FailEntries] has for an entry.
func injected(faults []failEntries, i int, id *string) error {
	for _, f := range faults {
		if f.pick == nil || f.pick(i, *id) {
			e := &awstest.APIError{Code: f.code, Message: "The entry was made to fail.", Status: http.StatusBadRequest}
			if !f.senderFault {
				e.Status = http.StatusInternalServerError
			}
			return e
		}
	}
	return nil
}
