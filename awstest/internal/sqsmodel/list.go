package sqsmodel

// list is a row of messages that are linked by themselves: to add at the end
// and to take out anywhere takes constant time.
type list struct {
	first, last *Message
	of          func(*Message) *links
}

type links struct{ prev, next *Message }

// Two rows that a message can be in.
func inLane(m *Message) *links              { return &m.lanes }
func byAge(m *Message) *links               { return &m.ages }
func newList(of func(*Message) *links) list { return list{of: of} }

func (l *list) append(m *Message) {
	at := l.of(m)
	at.prev, at.next = l.last, nil
	if l.last == nil {
		l.first = m
	} else {
		l.of(l.last).next = m
	}
	l.last = m
}

func (l *list) remove(m *Message) {
	at := l.of(m)
	if at.prev == nil {
		l.first = at.next
	} else {
		l.of(at.prev).next = at.next
	}
	if at.next == nil {
		l.last = at.prev
	} else {
		l.of(at.next).prev = at.prev
	}
	*at = links{}
}
