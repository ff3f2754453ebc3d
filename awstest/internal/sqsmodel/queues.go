package sqsmodel

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// recently is for how long the name of a deleted queue cannot be used, and
// how long passes between two purges.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html (read 2026-11)
const recently = 60 * time.Second

// maxTags is how many tags a queue can have.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html (read 2026-11)
const maxTags = 50

const fifoSuffix = ".fifo"

// Create makes a queue, or returns the one of that name if it has every
// attribute that is asked for.
func (r *Region) Create(tx *awstest.Tx, name string, attributes, tags map[string]string) (*Queue, error) {
	fifo := strings.HasSuffix(name, fifoSuffix)
	if err := checkName(name, fifo, attributes["FifoQueue"]); err != nil {
		return nil, err
	}
	if q, ok := r.byName[name]; ok {
		if err := q.sameAs(attributes); err != nil {
			return nil, err
		}
		return q, nil
	}
	if at, ok := r.gone[name]; ok && tx.Now().Sub(at) < recently {
		return nil, awstest.Errorf("AWS.SimpleQueueService.QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	s, err := defaults(fifo).with(attributes)
	if err != nil {
		return nil, err
	}
	if err := r.checkRedrive(tx, r.arnOf(name), nil, s); err != nil {
		return nil, err
	}
	if err := checkTags(tags, len(tags)); err != nil {
		return nil, err
	}
	q := newQueue(r, name, s, tx.Now())
	q.tags = maps.Clone(tags)
	r.byName[name], r.byURL[q.url] = q, q
	delete(r.gone, name)
	q.publish(tx)
	return q, nil
}

// checkName holds the name of a queue against the rules. The type of a queue
// and the end of its name must agree.
func checkName(name string, fifo bool, fifoQueue string) error {
	word := strings.TrimSuffix(name, fifoSuffix)
	ok := word != "" && len(name) <= 80
	for _, c := range word {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_')
	}
	switch {
	case fifo && fifoQueue != "true", ok && !fifo && fifoQueue == "true":
		return invalid("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case !ok:
		return invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// sameAs refuses a request for a queue that is there and has another value
// for an attribute that is asked for.
func (q *Queue) sameAs(attributes map[string]string) error {
	asked, err := q.set.with(attributes)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a, _ := asked.value(name)
		if is, _ := q.set.value(name); a != is {
			return awstest.Errorf("QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return nil
}

// Remove takes a queue away, with its messages. Receives that wait at it are
// told that it is gone.
func (q *Queue) Remove(tx *awstest.Tx) {
	r := q.region
	delete(r.byName, q.name)
	delete(r.byURL, q.url)
	r.gone[q.name] = tx.Now()
	r.views.Delete(tx.Now(), q.name)
	q.deleted = true
	q.clear()
	for w := range q.waiters.all() {
		w.Answer(tx, nil, noQueue())
	}
	q.waiters.clear()
	q.schedule(tx)
}

// Set changes attributes of a queue.
func (q *Queue) Set(tx *awstest.Tx, attributes map[string]string) error {
	s, err := q.set.with(attributes)
	if err != nil {
		return err
	}
	if err := q.region.checkRedrive(tx, q.arn, q.set, s); err != nil {
		return err
	}
	before := q.set
	q.set, q.modified = s, tx.Now()
	if s.FIFO && s.Delay != before.Delay {
		q.delayAnew(tx.Now())
	}
	q.publish(tx)
	q.touch() // the retention or the delay may be shorter
	return nil
}

// delayAnew gives the messages of a FIFO queue that are delayed the delay of
// its new settings, from when they came. Those of a standard queue keep theirs.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html (read 2026-11)
func (q *Queue) delayAnew(now time.Time) {
	for _, m := range slices.Clone(q.hidden.items) {
		if m.state == delayed {
			m.until = m.sent.Add(q.set.Delay)
			if m.until.Before(now) {
				m.until = now // it begins to wait now
			}
			q.hidden.fix(m)
		}
	}
}

// Tag adds tags to a queue.
func (q *Queue) Tag(tx *awstest.Tx, tags map[string]string) error {
	all := maps.Clone(q.tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	if err := checkTags(tags, len(all)); err != nil {
		return err
	}
	q.tags = all
	q.publish(tx)
	return nil
}

// Untag takes tags of a queue away; those that it does not have are passed
// over.
func (q *Queue) Untag(tx *awstest.Tx, keys []string) {
	q.tags = maps.Clone(q.tags)
	for _, k := range keys {
		delete(q.tags, k)
	}
	q.publish(tx)
}

func checkTags(tags map[string]string, total int) error {
	for k, v := range tags {
		if k == "" || len([]rune(k)) > 128 || len([]rune(v)) > 256 || strings.HasPrefix(strings.ToLower(k), "aws:") {
			return invalid("Tag keys must be between 1 and 128 characters in length and not begin with aws:, tag values at most 256.")
		}
	}
	if total > maxTags {
		return invalid("Too many tags added for queue.")
	}
	return nil
}

// Purge takes all messages away, with what deduplication remembers.
func (q *Queue) Purge(tx *awstest.Tx) error {
	if !q.purged.IsZero() && tx.Now().Sub(q.purged) < recently {
		return &awstest.APIError{Code: "AWS.SimpleQueueService.PurgeQueueInProgress", Message: "Only one PurgeQueue operation on " + q.name + " is allowed every 60 seconds.", Status: 403}
	}
	q.purged = tx.Now()
	q.clear()
	q.note(tx.Now())
	q.touch()
	return nil
}

// publish makes the settings and the tags of a queue seen by later reads.
func (q *Queue) publish(tx *awstest.Tx) {
	q.region.views.Put(tx.Now(), q.name, View{Queue: q, Settings: q.set, Tags: q.tags, modified: q.modified})
}

// Attributes returns the attributes of the names given, as the view has them
// and as of at for the numbers of messages; of a name that no queue has, an
// error. "All" is every one.
func (v View) Attributes(tx *awstest.Tx, at time.Time, names []string) (map[string]string, error) {
	read := v.readOnly(tx, at)
	found := map[string]string{}
	for _, name := range names {
		value, known := v.Settings.value(name)
		if fn, ok := read[name]; ok {
			value, known = fn(), true
		}
		switch {
		case name == "All":
			for name, fn := range read {
				found[name] = fn()
			}
			for name := range settable {
				if value, _ := v.Settings.value(name); value != "" {
					found[name] = value
				}
			}
		case !known:
			return nil, awstest.Errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
		case value != "":
			found[name] = value
		}
	}
	return found, nil
}

// readOnly are the attributes that cannot be set.
func (v View) readOnly(tx *awstest.Tx, at time.Time) map[string]func() string {
	counts := func(of func(Counts) int) func() string {
		return func() string { return strconv.Itoa(of(v.CountsAt(tx, at))) }
	}
	unix := func(t time.Time) func() string {
		return func() string { return strconv.FormatInt(t.Unix(), 10) }
	}
	return map[string]func() string{
		"ApproximateNumberOfMessages":           counts(func(c Counts) int { return c.Waiting }),
		"ApproximateNumberOfMessagesNotVisible": counts(func(c Counts) int { return c.InFlight }),
		"ApproximateNumberOfMessagesDelayed":    counts(func(c Counts) int { return c.Delayed }),
		"CreatedTimestamp":                      unix(v.created),
		"LastModifiedTimestamp":                 unix(v.modified),
		"QueueArn":                              func() string { return v.arn },
	}
}
