package main

import (
	"crypto/rand"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tally is what has become of the messages.
type tally struct {
	run string // in the body of each of its messages

	mu          sync.Mutex
	sent        int
	done        map[int]struct{} // numbers of messages that were handled to the end
	ids         map[string]struct{}
	duplicates  int                 // times that a message was handled to the end once more
	redelivered int                 // deliveries to a handler that were not the message's first
	foreign     int                 // deliveries of messages that are not of this run
	awaited     map[string]struct{} // IDs that a killed worker had handled, and perhaps not deleted
	last        time.Time           // when a message was last handled
}

// bodyPrefix is how the messages of this program begin.
const bodyPrefix = "awsha-queue-workers "

func newRun() string { return strings.ToLower(rand.Text()[:8]) }

func newTally() *tally {
	return &tally{run: newRun(), done: map[int]struct{}{}, ids: map[string]struct{}{}, awaited: map[string]struct{}{}, last: time.Now()}
}

// body returns the body of message n.
func (t *tally) body(n int) string { return bodyPrefix + t.run + " " + strconv.Itoa(n) }

// number returns which message of this run a body is.
func (t *tally) number(body string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(body, bodyPrefix+t.run+" ")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

func (t *tally) addSent(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent += n
}

// begin notes a delivery to a handler.
func (t *tally) begin(attempt int, ours bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !ours:
		t.foreign++
	case attempt > 1:
		t.redelivered++
	}
}

// finish notes that a message was handled to the end.
func (t *tally) finish(n int, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, again := t.ids[id]; again {
		t.duplicates++
	}
	t.ids[id] = struct{}{}
	t.done[n] = struct{}{}
	delete(t.awaited, id)
	t.last = time.Now()
}

// await notes messages that are likely to be handled once more.
func (t *tally) await(ids map[string]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range ids {
		t.awaited[id] = struct{}{}
	}
}

// counts are the numbers of a tally.
type counts struct {
	sent, done, duplicates, redelivered, foreign, awaited int
	last                                                  time.Time
}

func (t *tally) counts() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return counts{
		sent: t.sent, done: len(t.done), duplicates: t.duplicates, redelivered: t.redelivered, foreign: t.foreign,
		awaited: len(t.awaited), last: t.last,
	}
}
