package awstest

import (
	"slices"
	"time"
)

// Record is one call in the ledger: one attempt of the SDK.
type Record struct {
	Seq       int // from 1, in the order in which calls arrived
	Service   string
	Operation string
	Region    string
	Caller    string // ID of the instance that called; "" for others
	RequestID string

	Input  any   // a copy of the typed input, such as *ec2.AssociateAddressInput
	Output any   // the typed output, nil on error; not to be changed
	Err    error // as the caller got it

	Start time.Time
	End   time.Time // zero while the call is under way

	// Applied tells that the handler ran and succeeded, even if the caller
	// was told otherwise because the reply was lost.
	Applied bool
}

// answer notes what the caller is told. The caller's output is not shared: the
// SDK writes into it.
func (r *Record) answer(at time.Time, op *operation, out any, err error) {
	r.End, r.Output, r.Err = at, nil, err
	if out != nil {
		r.Output = op.copyOut(out)
	}
}

// ledger keeps the last calls and counts all of them. It is guarded by the
// cloud's lock.
type ledger struct {
	limit   int
	seq     int
	records []*Record
	counts  map[opKey]int
}

type opKey struct{ service, operation string }

func (l *ledger) init(limit int) {
	l.limit = limit
	l.counts = map[opKey]int{}
}

func (l *ledger) add(r *Record) {
	l.seq++
	r.Seq = l.seq
	l.counts[opKey{r.Service, r.Operation}]++
	if len(l.records) >= 2*l.limit {
		l.records = slices.Clone(l.records[len(l.records)-l.limit:])
	}
	l.records = append(l.records, r)
}

// Calls returns the calls that match, oldest first. Of m only Service,
// Operation, Region, Resource and Caller are looked at; the zero Match is
// every call. The last Options.CallLog calls are remembered.
func (c *Cloud) Calls(m Match) []Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	records := c.calls.records
	if extra := len(records) - c.calls.limit; extra > 0 {
		records = records[extra:]
	}
	var found []Record
	for _, r := range records {
		if m.selects(r) {
			found = append(found, *r)
		}
	}
	return found
}

// Count returns how often an operation was called since the cloud was made;
// an empty operation counts all of the service.
func (c *Cloud) Count(service, operation string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if operation != "" {
		return c.calls.counts[opKey{service, operation}]
	}
	n := 0
	for k, v := range c.calls.counts {
		if k.service == service {
			n += v
		}
	}
	return n
}
