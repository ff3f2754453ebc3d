// Package sqsmodel is Amazon SQS of awstest without its SDK client: queues
// with messages, leases, FIFO groups, redrive and long polls. Its errors are
// the service's own.
//
// Every function that changes something takes the cloud's lock in the form of
// a *awstest.Tx, and [Model.Settle] follows it once: it hands messages that
// have become available to the receives that wait. Reads of queues name the
// moment as of which they are served; messages are always looked at as of now.
package sqsmodel

import (
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Options are the limits of SQS and what it is free to do.
type Options struct {
	// InFlight and InFlightFIFO are how many messages of a queue can be in
	// flight.
	InFlight, InFlightFIFO int

	// CounterLag is how far the approximate numbers of messages stand behind.
	CounterLag time.Duration

	// Disconnect is how long SQS takes to notice that a receive's caller has
	// gone.
	Disconnect time.Duration

	// ReleasedHead lets a group go on with a message that was released while
	// a later one of the group is in flight.
	ReleasedHead bool
}

// Model is SQS in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	opts    Options
	regions map[*awstest.Region]*Region

	queues   uint32 // how many were made, for receipt handles
	messages uint64 // how many were sent, for their IDs
	tasks    uint64 // likewise
	touched  []*Queue
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		return &Model{
			cloud: c,
			// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html (read 2026-11)
			// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-fifo.html (read 2026-11)
			opts:    Options{InFlight: 120_000, InFlightFIFO: 120_000, Disconnect: MaxWait},
			regions: map[*awstest.Region]*Region{},
		}
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Settle answers the receives that wait for what has become available, in
// the queue that was changed and in those that messages have moved to.
func (m *Model) Settle(tx *awstest.Tx) {
	for len(m.touched) > 0 {
		q := m.touched[0]
		m.touched = m.touched[1:]
		q.touched = false
		q.serve(tx)
	}
	m.touched = nil
}

// Region is SQS in a region.
type Region struct {
	model  *Model
	region *awstest.Region
	byURL  map[string]*Queue
	byName map[string]*Queue
	views  *history.Table[string, View] // by name
	gone   map[string]time.Time         // when queues were deleted
}

// View is a queue as it was at a moment.
type View struct {
	*Queue
	Settings *Settings
	Tags     map[string]string // not to be changed
	modified time.Time
}

// Region returns SQS in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		byURL: map[string]*Queue{}, byName: map[string]*Queue{},
		views: history.NewTable[string, View](awstest.Memory),
		gone:  map[string]time.Time{},
	}
	m.regions[r] = region
	return region
}

// Queue returns the queue of a URL, as it is now.
func (r *Region) Queue(tx *awstest.Tx, url string) (*Queue, error) {
	q, ok := r.byURL[url] // as it was given out
	if !ok {
		name, err := r.nameIn(url)
		if err != nil {
			return nil, err
		}
		if q, ok = r.byName[name]; !ok {
			return nil, noQueue()
		}
	}
	q.advance(tx.Now())
	return q, nil
}

// View returns the queue of a URL as it was at a moment.
func (r *Region) View(at time.Time, url string) (View, error) {
	name, err := r.nameIn(url)
	if err != nil {
		return View{}, err
	}
	return r.Named(at, name)
}

// Named returns the queue of a name as it was at a moment.
func (r *Region) Named(at time.Time, name string) (View, error) {
	v, ok := r.views.Get(at, name)
	if !ok {
		return View{}, noQueue()
	}
	return v, nil
}

// All yields the queues as they were at a moment, in the order in which their
// names were first used.
func (r *Region) All(at time.Time) iter.Seq[View] {
	return func(yield func(View) bool) {
		for _, v := range r.views.All(at) {
			if !yield(v) {
				return
			}
		}
	}
}

// nameIn returns the name in a queue URL. SQS looks at the path, and takes a
// name by itself, too. A URL of another region leads to no queue.
func (r *Region) nameIn(url string) (string, error) {
	_, rest, absolute := strings.Cut(url, "://")
	if !absolute && !strings.Contains(url, "/") && url != "" {
		return url, nil
	}
	host, path, _ := strings.Cut(rest, "/")
	account, name, ok := strings.Cut(path, "/")
	if !ok || account == "" || name == "" || strings.Contains(name, "/") {
		return "", &awstest.APIError{Code: "InvalidAddress", Message: fmt.Sprintf("The address %s is not valid for this endpoint.", url), Status: http.StatusNotFound}
	}
	if account != r.model.cloud.AccountID() {
		return "", noQueue()
	}
	if label, ok := strings.CutPrefix(host, "sqs."); ok && strings.HasSuffix(host, ".amazonaws.com") && label != r.region.Name()+".amazonaws.com" {
		return "", noQueue()
	}
	return name, nil
}

func (r *Region) urlOf(name string) string {
	return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", r.region.Name(), r.model.cloud.AccountID(), name)
}

func (r *Region) arnOf(name string) string {
	return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", r.region.Name(), r.model.cloud.AccountID(), name)
}

// withARN returns the queue of an ARN, if it is there.
func (r *Region) withARN(tx *awstest.Tx, arn string) (*Queue, bool) {
	name, ok := strings.CutPrefix(arn, r.arnOf(""))
	if !ok {
		return nil, false
	}
	q, ok := r.byName[name]
	if ok {
		q.advance(tx.Now())
	}
	return q, ok
}

func noQueue() error {
	return awstest.Errorf("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
}

func invalid(format string, args ...any) *awstest.APIError {
	return awstest.Errorf("InvalidParameterValue", format, args...)
}

// invalidValue refuses the value of a parameter.
func invalidValue(value any, parameter, reason string) *awstest.APIError {
	return invalid("Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}
