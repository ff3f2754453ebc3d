package dynamodbsvc

import (
	"container/heap"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

func (s *service) addTimeToLive(e *awstest.Endpoint) {
	awstest.Handle(e, s.updateTimeToLive, "TableName", "TimeToLiveSpecification")
	awstest.Handle(e, s.describeTimeToLive, "TableName")
}

// timeToLive is the setting of a table. Enabling and disabling take a while.
type timeToLive struct {
	attribute string
	enabled   bool
	settled   time.Time // when the last change was complete, or will be
}

func (t timeToLive) status(at time.Time) types.TimeToLiveStatus {
	under := at.Before(t.settled)
	switch {
	case t.enabled && under:
		return types.TimeToLiveStatusEnabling
	case t.enabled:
		return types.TimeToLiveStatusEnabled
	case under:
		return types.TimeToLiveStatusDisabling
	}
	return types.TimeToLiveStatusDisabled
}

func (s *service) updateTimeToLive(tx *awstest.Tx, call *awstest.Call, in *dynamodb.UpdateTimeToLiveInput) (*dynamodb.UpdateTimeToLiveOutput, error) {
	r := s.region(call)
	t, err := r.find(tx.Now(), tx, in.TableName)
	if err != nil {
		return nil, err
	}
	attribute, enable := aws.ToString(in.TimeToLiveSpecification.AttributeName), aws.ToBool(in.TimeToLiveSpecification.Enabled)
	if attribute == "" || len(attribute) > 255 {
		return nil, member(attribute, "timeToLiveSpecification.attributeName", "have length from 1 to 255")
	}
	switch {
	case t.status != types.TableStatusActive:
		return nil, t.busy()
	case tx.Now().Before(t.ttl.settled):
		return nil, invalid("Time to live has been modified multiple times within a fixed interval")
	case enable && t.ttl.enabled && attribute == t.ttl.attribute:
		return nil, invalid("TimeToLive is already enabled")
	case !enable && !t.ttl.enabled:
		return nil, invalid("TimeToLive is already disabled")
	case t.ttl.enabled && attribute != t.ttl.attribute:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.ttl.attribute)
	}
	t = r.change(tx, t, func(t *table) {
		t.ttl = timeToLive{attribute: attribute, enabled: enable, settled: tx.Now().Add(s.opts.TimeToLiveChange)}
	})
	t.content.expiries = expiries{}
	if enable {
		for k, item := range t.content.In(tx.Now(), ddbmodel.Stretch{}, false) {
			s.age(t, tx.Now(), k, item)
		}
	}
	return &dynamodb.UpdateTimeToLiveOutput{TimeToLiveSpecification: &types.TimeToLiveSpecification{
		AttributeName: aws.String(attribute), Enabled: aws.Bool(enable),
	}}, nil
}

func (s *service) describeTimeToLive(tx *awstest.Tx, call *awstest.Call, in *dynamodb.DescribeTimeToLiveInput) (*dynamodb.DescribeTimeToLiveOutput, error) {
	t, err := s.region(call).find(call.At, tx, in.TableName)
	if err != nil {
		return nil, err
	}
	d := &types.TimeToLiveDescription{TimeToLiveStatus: t.ttl.status(call.At)}
	if d.TimeToLiveStatus != types.TimeToLiveStatusDisabled {
		d.AttributeName = aws.String(t.ttl.attribute)
	}
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: d}, nil
}

// tooOld is how far back an item may have expired: one that names a time
// before that is left alone.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html (read 2026-11)
const tooOld = 5 * 365 * 24 * time.Hour

// age notes when an item will be deleted that was written now. It is not
// before time to live is enabled, and not before the item has been there for
// as long as expired items stay.
func (s *service) age(t *table, now time.Time, k ddbmodel.Key, item ddbexpr.Map) {
	expires, ok := t.ttl.expires(item)
	if !ok || expires.Before(now.Add(-tooOld)) {
		t.content.expiries.forget(k)
		return
	}
	for _, earliest := range []time.Time{now, t.ttl.settled} {
		if expires.Before(earliest) {
			expires = earliest
		}
	}
	t.content.expiries.note(k, expires.Add(s.opts.Expiry))
}

// expires returns the moment that an item names: a number of seconds.
func (t timeToLive) expires(item ddbexpr.Map) (time.Time, bool) {
	n, ok := item[t.attribute].(ddbexpr.Number)
	if !ok || !t.enabled {
		return time.Time{}, false
	}
	seconds, ok := n.Int64()
	const far = 1 << 40 // thirty thousand years; what is later never comes
	return time.Unix(seconds, 0), ok && seconds > 0 && seconds < far
}

// expire deletes what has been expired for long enough. It comes before
// whatever looks at a table, so that nothing has to happen by itself.
func (c *content) expire(now time.Time) {
	for {
		next, ok := c.expiries.due(now)
		if !ok {
			return
		}
		c.look(next.at)
		c.Delete(next.at, next.key)
	}
}

// expiries are the moments at which items are to be deleted.
type expiries struct {
	queue expiryQueue
	at    map[ddbmodel.Key]time.Time // the entries of the queue that hold
}

type expiry struct {
	key ddbmodel.Key
	at  time.Time
}

// note replaces what was noted for the key before. A lease that is renewed is
// noted over and over: when most of the queue does not hold any more, it is made
// anew.
func (e *expiries) note(k ddbmodel.Key, at time.Time) {
	if e.at == nil {
		e.at = map[ddbmodel.Key]time.Time{}
	}
	e.at[k] = at
	heap.Push(&e.queue, expiry{k, at})
	const few = 64
	if len(e.queue) <= few+2*len(e.at) {
		return
	}
	e.queue = e.queue[:0]
	for k, at := range e.at {
		e.queue = append(e.queue, expiry{k, at})
	}
	heap.Init(&e.queue)
}

func (e *expiries) forget(k ddbmodel.Key) { delete(e.at, k) }

// due takes out the first moment that has come.
func (e *expiries) due(now time.Time) (expiry, bool) {
	for len(e.queue) > 0 && !e.queue[0].at.After(now) {
		next := heap.Pop(&e.queue).(expiry)
		if at, ok := e.at[next.key]; ok && at.Equal(next.at) {
			delete(e.at, next.key)
			return next, true
		}
	}
	return expiry{}, false
}

// expiryQueue is a heap by time, then by key.
type expiryQueue []expiry

func (q expiryQueue) Len() int { return len(q) }

func (q expiryQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].key < q[j].key
	}
	return q[i].at.Before(q[j].at)
}

func (q expiryQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *expiryQueue) Push(x any)   { *q = append(*q, x.(expiry)) }

func (q *expiryQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
