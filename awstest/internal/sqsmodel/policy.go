package sqsmodel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/awsha/awsha/awstest"
)

// maxReceives is the largest maxReceiveCount of a redrive policy.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue.html (read 2026-11)
const maxReceives = 1000

// Redrive is the redrive policy of a queue.
type Redrive struct {
	Target      string // ARN of the dead-letter queue
	MaxReceives int
}

// Allow is what a dead-letter queue says of its sources.
type Allow struct {
	None    bool
	Sources []string // ARNs; nil allows all, unless None
}

// setRedrive reads a redrive policy; an empty one takes it away.
func (s *Settings) setRedrive(v string) error {
	s.Redrive, s.redrive = nil, ""
	if v == "" {
		return nil
	}
	var p struct {
		Target   *string `json:"deadLetterTargetArn"`
		Receives any     `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(v), &p); err != nil {
		return invalidValue(v, "RedrivePolicy", "Redrive policy is not a valid JSON map.")
	}
	n, err := strconv.Atoi(fmt.Sprint(p.Receives)) // a number, or a string as templates send it
	switch {
	case p.Target == nil:
		return invalidValue(v, "RedrivePolicy", "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case p.Receives == nil:
		return invalidValue(v, "RedrivePolicy", "Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	case err != nil || n < 1 || n > maxReceives:
		return invalidValue(v, "RedrivePolicy", fmt.Sprintf("Invalid value for maxReceiveCount: %v, valid values are from 1 to %d both inclusive.", p.Receives, maxReceives))
	}
	s.Redrive = &Redrive{Target: *p.Target, MaxReceives: n}
	s.redrive = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, *p.Target, n)
	return nil
}

// setAllow reads a redrive allow policy; an empty one takes it away.
func (s *Settings) setAllow(v string) error {
	s.Allow, s.allow = nil, ""
	if v == "" {
		return nil
	}
	var p struct {
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns"`
	}
	bad := func(reason string) error { return invalidValue(v, "RedriveAllowPolicy", reason) }
	if err := json.Unmarshal([]byte(v), &p); err != nil {
		return bad("Redrive allow policy is not a valid JSON map.")
	}
	switch {
	case p.Permission != "byQueue" && p.Sources != nil:
		return bad("sourceQueueArns needs the permission byQueue.")
	case p.Permission == "allowAll":
		s.Allow = &Allow{}
	case p.Permission == "denyAll":
		s.Allow = &Allow{None: true}
	case p.Permission != "byQueue":
		return bad("redrivePermission must be allowAll, denyAll or byQueue.")
	case len(p.Sources) < 1 || len(p.Sources) > 10:
		return bad("sourceQueueArns must name from 1 to 10 queues.")
	default:
		s.Allow = &Allow{Sources: p.Sources}
	}
	s.allow = v
	return nil
}

// allows tells whether a queue may have this one as its dead-letter queue.
func (s *Settings) allows(source string) bool {
	a := s.Allow
	return a == nil || !a.None && (a.Sources == nil || slices.Contains(a.Sources, source))
}

// checkRedrive holds the redrive policy that a queue is to have against the
// dead-letter queue. A policy that has not changed is not looked at again: the
// dead-letter queue may have gone since.
func (r *Region) checkRedrive(tx *awstest.Tx, source string, before, s *Settings) error {
	if s.Redrive == nil || before != nil && before.redrive == s.redrive {
		return nil
	}
	refuse := func(reason string) error { return invalidValue(s.redrive, "RedrivePolicy", reason) }
	if !isARN(s.Redrive.Target) {
		return refuse("Invalid value for deadLetterTargetArn.")
	}
	target, ok := r.withARN(tx, s.Redrive.Target)
	switch {
	case !ok:
		return refuse("Dead letter target does not exist.")
	case target.set.FIFO != s.FIFO:
		return refuse("Dead-letter queue must be same type of queue as the source.")
	case !target.set.allows(source):
		// AWS documents that it is refused, and not in which words.
		return refuse("Dead letter target does not allow this queue as a source.")
	}
	return nil
}
