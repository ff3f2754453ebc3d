package dynamodbsvc

import (
	"reflect"
	"time"
)

// tokenLife is how long a transaction is known by its token.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html (read 2026-11)
const tokenLife = 10 * time.Minute

// tokens are the transactions that were done under a token. One that was
// cancelled is not among them: AWS documents the token for calls that
// succeeded.
type tokens struct {
	done  map[string][]write
	queue []spent
}

type spent struct {
	token string
	at    time.Time
}

// find returns what was done under a token.
func (t *tokens) find(now time.Time, token string) ([]write, bool) {
	n := 0
	for n < len(t.queue) && now.Sub(t.queue[n].at) >= tokenLife {
		delete(t.done, t.queue[n].token)
		n++
	}
	t.queue = t.queue[n:]
	writes, ok := t.done[token]
	return writes, ok
}

// note remembers a transaction; the empty token is none.
func (t *tokens) note(now time.Time, token string, steps []*step) {
	if token == "" {
		return
	}
	if t.done == nil {
		t.done = map[string][]write{}
	}
	writes := make([]write, len(steps))
	for i, st := range steps {
		writes[i] = *st.write
	}
	t.done[token] = writes
	t.queue = append(t.queue, spent{token, now})
}

// sameWrites tells whether a transaction is the one that was done before:
// other consumed capacity may be asked for, and nothing else may differ.
func sameWrites(earlier []write, steps []*step) bool {
	if len(earlier) != len(steps) {
		return false
	}
	for i, st := range steps {
		if !reflect.DeepEqual(earlier[i], *st.write) {
			return false
		}
	}
	return true
}
