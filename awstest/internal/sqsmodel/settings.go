package sqsmodel

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Settings are the attributes of a queue that can be set. They do not change:
// a queue gets others.
type Settings struct {
	FIFO          bool
	Visibility    time.Duration
	Retention     time.Duration
	Delay         time.Duration
	Wait          time.Duration
	MaxSize       int
	ContentDedup  bool // bodies make deduplication IDs
	DedupPerGroup bool // deduplication looks at the group
	PerGroup      bool // the throughput limit; without effect
	Redrive       *Redrive
	Allow         *Allow

	redrive, allow string // as they are shown
	policy, key    string
	keyReuse       time.Duration
	managedSSE     bool
	sseSet         bool // managedSSE was asked for
}

// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html (read 2026-11)
const (
	// MaxVisibility is the longest visibility timeout, and how long a message
	// can be in flight after one receive.
	MaxVisibility = 12 * time.Hour
	// MaxWait is the longest poll.
	MaxWait = 20 * time.Second
	// MaxDelay is the longest delay of a message.
	MaxDelay = 15 * time.Minute
	// MaxMessage is the largest message, and the largest batch, in bytes.
	MaxMessage = 1 << 20
)

func defaults(fifo bool) *Settings {
	return &Settings{
		FIFO: fifo, Visibility: 30 * time.Second, Retention: 4 * 24 * time.Hour, MaxSize: MaxMessage,
		keyReuse: 5 * time.Minute, managedSSE: true,
	}
}

// attribute is an attribute of queues that can be set.
type attribute struct {
	fifo bool                                  // of FIFO queues only
	set  func(s *Settings, value string) error // errValue, or an error that says more
	show func(s *Settings) string              // "" if there is nothing to show
}

// errValue is a value that an attribute cannot have.
var errValue = errors.New("invalid value")

// settable are the attributes that can be set, by name.
var settable = map[string]attribute{
	"VisibilityTimeout":             seconds(0, MaxVisibility, func(s *Settings) *time.Duration { return &s.Visibility }),
	"MessageRetentionPeriod":        seconds(time.Minute, 14*24*time.Hour, func(s *Settings) *time.Duration { return &s.Retention }),
	"DelaySeconds":                  seconds(0, MaxDelay, func(s *Settings) *time.Duration { return &s.Delay }),
	"ReceiveMessageWaitTimeSeconds": seconds(0, MaxWait, func(s *Settings) *time.Duration { return &s.Wait }),
	"MaximumMessageSize": {
		set: func(s *Settings, v string) error {
			n, err := strconv.Atoi(v)
			s.MaxSize = n
			return valid(err == nil && n >= 1024 && n <= MaxMessage)
		},
		show: func(s *Settings) string { return strconv.Itoa(s.MaxSize) },
	},
	"Policy": {
		set:  func(s *Settings, v string) error { s.policy = v; return nil },
		show: func(s *Settings) string { return s.policy },
	},
	"RedrivePolicy":      {set: (*Settings).setRedrive, show: func(s *Settings) string { return s.redrive }},
	"RedriveAllowPolicy": {set: (*Settings).setAllow, show: func(s *Settings) string { return s.allow }},
	"KmsMasterKeyId": {
		set:  func(s *Settings, v string) error { s.key = v; return nil },
		show: func(s *Settings) string { return s.key },
	},
	"KmsDataKeyReusePeriodSeconds": {
		set: seconds(time.Minute, 24*time.Hour, func(s *Settings) *time.Duration { return &s.keyReuse }).set,
		show: func(s *Settings) string {
			if s.key == "" {
				return ""
			}
			return inSeconds(s.keyReuse)
		},
	},
	"SqsManagedSseEnabled": {
		set:  func(s *Settings, v string) error { s.sseSet = true; return choose(&s.managedSSE, v, "false", "true") },
		show: func(s *Settings) string { return strconv.FormatBool(s.managedSSE) },
	},
	"FifoQueue":                 choice("false", "true", func(s *Settings) *bool { return &s.FIFO }),
	"ContentBasedDeduplication": choice("false", "true", func(s *Settings) *bool { return &s.ContentDedup }),
	"DeduplicationScope":        choice("queue", "messageGroup", func(s *Settings) *bool { return &s.DedupPerGroup }),
	"FifoThroughputLimit":       choice("perQueue", "perMessageGroupId", func(s *Settings) *bool { return &s.PerGroup }),
}

func valid(ok bool) error {
	if !ok {
		return errValue
	}
	return nil
}

func inSeconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func seconds(low, high time.Duration, of func(*Settings) *time.Duration) attribute {
	return attribute{
		set: func(s *Settings, v string) error {
			n, err := strconv.ParseUint(v, 10, 31)
			d := time.Duration(n) * time.Second
			*of(s) = d
			return valid(err == nil && d >= low && d <= high)
		},
		show: func(s *Settings) string { return inSeconds(*of(s)) },
	}
}

// choice is an attribute of FIFO queues with two values.
func choice(off, on string, of func(*Settings) *bool) attribute {
	return attribute{
		fifo: true,
		set:  func(s *Settings, v string) error { return choose(of(s), v, off, on) },
		show: func(s *Settings) string {
			if *of(s) {
				return on
			}
			return off
		},
	}
}

func choose(to *bool, v, off, on string) error {
	*to = v == on
	return valid(v == on || v == off)
}

// with returns the settings with some of them changed.
func (s *Settings) with(changes map[string]string) (*Settings, error) {
	changed := *s
	changed.sseSet = false
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		a, known := settable[name]
		if !known || a.fifo && !s.FIFO {
			return nil, awstest.Errorf("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		err := a.set(&changed, changes[name])
		if errors.Is(err, errValue) {
			err = awstest.Errorf("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
		}
		if err != nil {
			return nil, err
		}
	}
	if changed.key != s.key && changed.key != "" && !changed.sseSet {
		changed.managedSSE = false // a key takes the place of SQS's own
	}
	switch {
	case changed.FIFO != s.FIFO:
		return nil, awstest.Errorf("InvalidAttributeValue", "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
	case changed.key != "" && changed.managedSSE:
		return nil, awstest.Errorf("InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	case changed.PerGroup && !changed.DedupPerGroup:
		return nil, awstest.Errorf("InvalidAttributeValue", "Invalid value for the parameter FifoThroughputLimit.")
	}
	return &changed, nil
}

// value returns what an attribute is, "" if it is not there, and whether
// queues have one of that name.
func (s *Settings) value(name string) (value string, known bool) {
	a, known := settable[name]
	if !known || a.fifo && !s.FIFO {
		return "", known
	}
	return a.show(s), true
}
