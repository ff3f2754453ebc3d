package healthcheck

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

var errBodyTaken = errors.New("healthcheck: the body of the request was read, and cannot be sent again")

// bodySource hands the body of a request to one attempt after the other, and sees to it that it is closed in the end.
//
// A body that cannot be got again can still go to the next attempt, if the one before has not read from it: so a request that a
// proxy passes on can be sent elsewhere when a connection is refused. A base closes a body that it was given, in its own time and
// also when it has failed, which must not close it for the next attempt. Hence each attempt gets a handle.
type bodySource struct {
	req  *http.Request
	sent *sentBody // the handle that is out; nil when none is
	done bool      // req.Body has been read from, or is closed
}

func (s *bodySource) empty() bool { return s.req.Body == nil || s.req.Body == http.NoBody }

// replayable reports whether take will give a body once more.
func (s *bodySource) replayable() bool {
	return s.empty() || s.req.GetBody != nil || !s.done && (s.sent == nil || !s.sent.isRead())
}

// take returns the body for an attempt, and cuts the one before off from it.
func (s *bodySource) take() (io.ReadCloser, error) {
	if s.empty() {
		return s.req.Body, nil
	}
	if s.sent != nil && !s.sent.cutOff() {
		s.sent.end(true)
		s.done = true
	}
	s.sent = nil
	switch {
	case !s.done:
		s.sent = &sentBody{body: s.req.Body}
		return s.sent, nil
	case s.req.GetBody != nil:
		return s.req.GetBody()
	}
	return nil, errBodyTaken
}

// end is called when there will be no further attempt. With a response, the base may still be sending, and closes the body
// itself.
func (s *bodySource) end(failed bool) {
	switch {
	case s.empty() || s.done:
	case s.sent == nil:
		_ = s.req.Body.Close()
	default:
		s.sent.end(failed)
	}
	s.done = true
}

// sentBody is the handle of one attempt.
type sentBody struct {
	body io.ReadCloser

	mu     sync.Mutex
	read   bool // the attempt has read from it
	cut    bool // another attempt has it now
	last   bool // no other one will
	closed bool // by the base
	ended  bool // body.Close has been called
}

func (b *sentBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.cut || b.closed {
		b.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	b.read = true
	b.mu.Unlock()
	return b.body.Read(p)
}

// Close closes the body for good if no other attempt can want it.
func (b *sentBody) Close() error {
	return b.closeIf(func() bool { b.closed = true; return b.read || b.last })
}

// end lets Close close the body, and closes it now if the base has, or if it must be.
func (b *sentBody) end(must bool) {
	_ = b.closeIf(func() bool { b.last = true; return b.closed || must })
}

func (b *sentBody) closeIf(wanted func() bool) error {
	b.mu.Lock()
	now := wanted() && !b.cut && !b.ended
	b.ended = b.ended || now
	b.mu.Unlock()
	if !now {
		return nil
	}
	return b.body.Close()
}

func (b *sentBody) isRead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read
}

// cutOff takes the body away from the attempt, unless that has read from it.
func (b *sentBody) cutOff() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = !b.read
	return b.cut
}
