package main

import (
	"container/heap"
	"context"
	"crypto/md5" //nolint:gosec // SQS tells the digests of bodies by MD5
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The process of the endpoint is told what to do in lines of JSON, and answers each with one.

// order is such a line.
type order struct {
	Fill *fill         // a fresh queue; answered by its URL
	Wait time.Duration // until everything is deleted, but not longer; answered by a report
}

// fill is what a queue is made of.
type fill struct {
	Messages   int
	Visibility time.Duration
	Delay      time.Duration // of each call, there and back
}

// report is what the queue saw.
type report struct {
	States  []byte         // of each message
	Calls   map[string]int // by action
	Refused int            // extensions
	Took    time.Duration  // from the first receive to the last delete
}

const (
	ready byte = iota
	inFlight
	deleted
)

// endpoint is one queue of SQS, as far as workers can tell, over the JSON protocol.
type endpoint struct {
	mu      sync.Mutex
	fill    fill
	stored  []stored
	queue   []int // those that are ready; a message stands in it once
	leases  leases
	left    int           // not deleted
	changed chan struct{} // closed when something has become ready
	empty   chan struct{} // closed when everything is deleted
	calls   map[string]int
	refused int
	first   time.Time
	last    time.Time
}

// stored is a message.
type stored struct {
	state    byte
	receives int
	until    time.Time // of the lease
}

// lease says that a message may become ready; it does so if it has not been extended or deleted.
type lease struct {
	message int
	at      time.Time
}

type leases []lease

func (l leases) Len() int           { return len(l) }
func (l leases) Less(i, j int) bool { return l[i].at.Before(l[j].at) }
func (l leases) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *leases) Push(x any)        { *l = append(*l, x.(lease)) } //nolint:forcetypeassert // of heap.Interface
func (l *leases) Pop() any {
	end := len(*l) - 1
	x := (*l)[end]
	*l = (*l)[:end]
	return x
}

// serveQueue does what it is told until its input ends.
func serveQueue(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e := &endpoint{}
	server := &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // until Close
	defer func() { _ = server.Close() }()
	in, out := json.NewDecoder(stdin), json.NewEncoder(stdout)
	for {
		var o order
		if err := in.Decode(&o); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		var answer any
		switch {
		case o.Fill != nil:
			e.refill(*o.Fill)
			answer = "http://" + listener.Addr().String() + "/000000000000/bench"
		default:
			answer = e.wait(o.Wait)
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}

func (e *endpoint) refill(f fill) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fill, e.stored, e.queue, e.left = f, make([]stored, f.Messages), make([]int, f.Messages), f.Messages
	for i := range e.queue {
		e.queue[i] = i
	}
	e.changed, e.empty, e.calls = make(chan struct{}), make(chan struct{}), map[string]int{}
}

func (e *endpoint) wait(patience time.Duration) report {
	e.mu.Lock()
	empty := e.empty
	e.mu.Unlock()
	select {
	case <-empty:
	case <-time.After(patience):
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.expireLocked(time.Now())
	r := report{States: make([]byte, len(e.stored)), Calls: map[string]int{}, Refused: e.refused, Took: e.last.Sub(e.first)}
	for i := range e.stored {
		r.States[i] = e.stored[i].state
	}
	maps.Copy(r.Calls, e.calls)
	return r
}

// request has what the calls say that matter here.
type request struct {
	MaxNumberOfMessages         *int
	WaitTimeSeconds             int
	VisibilityTimeout           *int
	MessageSystemAttributeNames []string
	AttributeNames              []string // of messages, as they were named once
	Entries                     []entry
	ReceiptHandle               string // of calls for one message
}

// systemAttributes returns which of those that every message here has are asked for.
func (r *request) systemAttributes() (names []string) {
	asked := slices.Concat(r.MessageSystemAttributeNames, r.AttributeNames)
	for _, name := range []string{"ApproximateReceiveCount", "SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		if slices.Contains(asked, name) || slices.Contains(asked, "All") {
			names = append(names, name)
		}
	}
	return names
}

type entry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout int
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	time.Sleep(e.fill.Delay / 2)
	e.mu.Lock()
	e.calls[action]++
	e.mu.Unlock()
	var answer []byte
	switch action {
	case "ReceiveMessage":
		answer = e.receive(r.Context(), &in)
	case "DeleteMessage":
		e.settle([]entry{{ReceiptHandle: in.ReceiptHandle}}, e.deleteLocked)
		answer = []byte("{}")
	case "DeleteMessageBatch":
		answer = e.settle(in.Entries, e.deleteLocked)
	case "ChangeMessageVisibility":
		one := entry{ReceiptHandle: in.ReceiptHandle}
		if in.VisibilityTimeout != nil {
			one.VisibilityTimeout = *in.VisibilityTimeout
		}
		e.settle([]entry{one}, e.changeLocked)
		answer = []byte("{}")
	case "ChangeMessageVisibilityBatch":
		answer = e.settle(in.Entries, e.changeLocked)
	case "GetQueueAttributes":
		answer = fmt.Appendf(nil, `{"Attributes":{"VisibilityTimeout":"%d","QueueArn":"arn:aws:sqs:us-east-1:000000000000:bench"}}`,
			e.fill.Visibility/time.Second)
	case "GetQueueUrl":
		answer = fmt.Appendf(nil, `{"QueueUrl":"http://%s/000000000000/bench"}`, r.Host)
	default:
		http.Error(w, `{"__type":"com.amazonaws.sqs#UnsupportedOperation"}`, http.StatusBadRequest)
		return
	}
	time.Sleep(e.fill.Delay - e.fill.Delay/2)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer) // to a caller that may have gone
}

// receive hands out what is ready, or waits for it.
func (e *endpoint) receive(ctx context.Context, in *request) []byte {
	limit := 1
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	visibility := e.fill.Visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	attributes := in.systemAttributes()
	end := time.Now().Add(time.Duration(in.WaitTimeSeconds) * time.Second)
	for {
		now := time.Now()
		e.mu.Lock()
		e.expireLocked(now)
		if n := min(limit, len(e.queue)); n > 0 {
			answer := e.handOutLocked(n, now, now.Add(visibility), attributes)
			e.mu.Unlock()
			return answer
		}
		changed, next := e.changed, end
		if len(e.leases) > 0 && e.leases[0].at.Before(next) {
			next = e.leases[0].at
		}
		e.mu.Unlock()
		if !now.Before(end) {
			return []byte("{}")
		}
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

func (e *endpoint) handOutLocked(n int, now, until time.Time, attributes []string) []byte {
	if e.first.IsZero() {
		e.first = now
	}
	answer := make([]byte, 0, 512*n)
	answer = append(answer, `{"Messages":[`...)
	for i, number := range e.queue[:n] {
		m := &e.stored[number]
		m.state, m.until = inFlight, until
		m.receives++
		heap.Push(&e.leases, lease{number, until})
		if i > 0 {
			answer = append(answer, ',')
		}
		body := bodyOf(number)
		digest := md5.Sum([]byte(body)) //nolint:gosec // as above
		answer = fmt.Appendf(answer, `{"MessageId":"00000000-0000-4000-8000-%012d","ReceiptHandle":"%d.%d","MD5OfBody":"%s","Body":"%s"`,
			number, number, m.receives, hex.EncodeToString(digest[:]), body)
		for k, name := range attributes {
			value := e.first.UnixMilli() // SentTimestamp
			switch name {
			case "ApproximateReceiveCount":
				value = int64(m.receives)
			case "ApproximateFirstReceiveTimestamp":
				value = now.UnixMilli()
			}
			lead := byte(',')
			if k == 0 {
				answer, lead = append(answer, `,"Attributes":`...), '{'
			}
			answer = fmt.Appendf(append(answer, lead), `"%s":"%d"`, name, value)
		}
		if len(attributes) > 0 {
			answer = append(answer, '}')
		}
		answer = append(answer, '}')
	}
	e.queue = e.queue[n:]
	return append(answer, "]}"...)
}

// bodyOf is 200 bytes that begin with the number.
func bodyOf(number int) string {
	return strconv.Itoa(number) + "." + strings.Repeat("x", 199-len(strconv.Itoa(number)))
}

// expireLocked makes ready what nobody has leased any more.
func (e *endpoint) expireLocked(now time.Time) {
	for len(e.leases) > 0 && !now.Before(e.leases[0].at) {
		l, _ := heap.Pop(&e.leases).(lease)
		switch m := &e.stored[l.message]; {
		case m.state != inFlight:
		case now.Before(m.until):
			heap.Push(&e.leases, lease{l.message, m.until})
		default:
			e.releaseLocked(l.message)
		}
	}
}

func (e *endpoint) releaseLocked(number int) {
	e.stored[number].state = ready
	e.queue = append(e.queue, number)
	close(e.changed)
	e.changed = make(chan struct{})
}

// settle does something to messages by their handles, and answers with those for which it could.
func (e *endpoint) settle(entries []entry, doLocked func(number int, latest bool, seconds int) bool) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.expireLocked(time.Now())
	var done, failed []string
	for _, one := range entries {
		message, receive, _ := strings.Cut(one.ReceiptHandle, ".")
		number, err := strconv.Atoi(message)
		known := err == nil && number >= 0 && number < len(e.stored)
		if known && doLocked(number, receive == strconv.Itoa(e.stored[number].receives), one.VisibilityTimeout) {
			done = append(done, fmt.Sprintf(`{"Id":%q}`, one.ID))
		} else {
			failed = append(failed, fmt.Sprintf(`{"Id":%q,"Code":"ReceiptHandleIsInvalid","SenderFault":true}`, one.ID))
		}
	}
	return fmt.Appendf(nil, `{"Successful":[%s],"Failed":[%s]}`, strings.Join(done, ","), strings.Join(failed, ","))
}

// deleteLocked takes the handle of an earlier receive, and does nothing with it, as standard queues may. The latest handle deletes,
// even if its lease is over, as long as nobody else has received the message.
func (e *endpoint) deleteLocked(number int, latest bool, _ int) bool {
	m := &e.stored[number]
	if !latest || m.state == deleted {
		return true
	}
	if m.state == ready {
		at := slices.Index(e.queue, number)
		e.queue = slices.Delete(e.queue, at, at+1)
	}
	m.state, e.last = deleted, time.Now()
	if e.left--; e.left == 0 {
		close(e.empty)
	}
	return true
}

func (e *endpoint) changeLocked(number int, latest bool, seconds int) bool {
	m := &e.stored[number]
	if !latest || m.state != inFlight {
		e.refused++
		return false
	}
	if seconds == 0 {
		e.releaseLocked(number)
		return true
	}
	m.until = time.Now().Add(time.Duration(seconds) * time.Second)
	// The entry in e.leases is looked at when it comes up; a lease that has become shorter needs one of its own.
	heap.Push(&e.leases, lease{number, m.until})
	return true
}
