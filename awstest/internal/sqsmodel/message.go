package sqsmodel

import (
	"crypto/md5" // what SQS answers with
	"encoding/binary"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"time"
)

// Attribute is an attribute of a message.
type Attribute struct {
	Name, Type string
	Text       string
	Binary     []byte // in place of Text where the type is Binary; not to be changed
}

func (a *Attribute) isBinary() bool { return a.kind() == "Binary" }

// kind is the type without the label that users may add.
func (a *Attribute) kind() string {
	kind, _, _ := strings.Cut(a.Type, ".")
	return kind
}

func (a *Attribute) size() int {
	if a.isBinary() {
		return len(a.Name) + len(a.Type) + len(a.Binary)
	}
	return len(a.Name) + len(a.Type) + len(a.Text)
}

// Entry is a message that is to be sent.
type Entry struct {
	Body       string
	Attributes []Attribute // by name
	Trace      *Attribute  // the one system attribute that there is
	Delay      int32       // seconds; 0 is the queue's
	Group      string
	Dedup      string
	Sender     string
}

// Size returns the bytes that count towards the limits.
func (e *Entry) Size() int {
	n := len(e.Body)
	for i := range e.Attributes {
		n += e.Attributes[i].size()
	}
	return n
}

// Message is a message in a queue. What is exported does not change.
type Message struct {
	ID         string
	Body, MD5  string
	Attributes []Attribute // by name
	Trace      *Attribute
	Group      string
	Dedup      string
	Sender     string
	Sequence   string // of FIFO queues
	From       string // ARN of the queue that it was moved from, if any

	key  uint64    // in receipt handles
	sent time.Time // what its age counts from

	state state
	turn  uint64    // its place among those that wait
	until time.Time // of a delay or a lease
	since time.Time // when it last began to wait

	handle   string    // of the last receive
	receives int       // in all queues
	here     int       // in this queue
	first    time.Time // receive
	lease    uint32    // number of the last receive
	released bool      // that lease was given back with a timeout of zero
	version  int       // changes of the lease by its holder

	lane             *lane
	lanes, ages      links
	backAt, hiddenAt int // places in heaps
	elderAt          int
	elder            bool
}

type state uint8

const (
	gone state = iota
	waiting
	delayed
	leased
)

func endsBefore(a, b *Message) bool {
	if a.until.Equal(b.until) {
		return a.turn < b.turn
	}
	return a.until.Before(b.until)
}

func olderThan(a, b *Message) bool { return a.sent.Before(b.sent) }

func hasEarlierTurn(a, b *Message) bool { return a.turn < b.turn }

// Sent returns when the message was sent.
func (m *Message) Sent() time.Time { return m.sent }

// MD5 returns the digest that SQS gives of a body.
func MD5(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// SortAttributes sorts attributes by name, as they have to be in an [Entry].
func SortAttributes(attributes []Attribute) {
	slices.SortFunc(attributes, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
}

// MD5OfAttributes returns the digest that SQS gives of attributes, which are
// sorted, or "" if there are none.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html (read 2026-11)
func MD5OfAttributes(attributes []Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	h := md5.New()
	for i := range attributes {
		a := &attributes[i]
		digest(h, a.Name)
		digest(h, a.Type)
		if a.isBinary() {
			h.Write([]byte{2})
			digest(h, string(a.Binary))
		} else {
			h.Write([]byte{1})
			digest(h, a.Text)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digest(h hash.Hash, s string) {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(s)))
	h.Write(size[:])
	h.Write([]byte(s))
}
