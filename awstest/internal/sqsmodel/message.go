package sqsmodel

import (
	"crypto/md5" // what SQS answers with
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
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

// isText tells whether SQS takes a string as text: every character must be
// one that XML allows.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (read 2026-11)
func isText(s string) bool {
	for i, c := range s {
		switch {
		case c == '\t', c == '\n', c == '\r', c >= 0x20 && c <= 0xD7FF, c >= 0xE000 && c <= 0xFFFD, c >= 0x10000:
			if c == utf8.RuneError {
				if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

// isID tells whether a string can be a group ID, a deduplication ID or an
// attempt ID: letters, digits and punctuation of ASCII, at most 128.
func isID(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(s) <= 128
}

// maxAttributes is how many attributes a message can have.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html (read 2026-11)
const maxAttributes = 10

// checkAttributes holds the attributes of a message against the rules.
func checkAttributes(attributes []Attribute) error {
	if len(attributes) > maxAttributes {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(attributes), maxAttributes)
	}
	for i := range attributes {
		if err := checkAttribute(&attributes[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkAttribute(a *Attribute) error {
	bad := func(rule string) error { return invalid("Message (user) attribute '%s' %s", a.Name, rule) }
	if err := checkAttributeName(a.Name, bad); err != nil {
		return err
	}
	switch {
	case a.Type == "" || len(a.Type) > 256 || !isText(a.Type):
		return bad("must have a data type of at most 256 bytes.")
	case a.isBinary() && len(a.Binary) == 0, !a.isBinary() && a.Text == "":
		return bad("must contain a non-empty value of type '" + a.kind() + "'.")
	}
	switch a.kind() {
	case "Binary":
	case "String":
		if !isText(a.Text) {
			return bad("has a value with characters that are not allowed.")
		}
	case "Number":
		if _, err := strconv.ParseFloat(a.Text, 64); err != nil {
			return bad("must have a value that is a number.")
		}
	default:
		return bad("has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.")
	}
	return nil
}

func checkAttributeName(name string, bad func(string) error) error {
	lower := strings.ToLower(name)
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '-' && c != '.' {
			return bad("has a name with characters other than letters, digits, '_', '-' and '.'.")
		}
	}
	switch {
	case name == "" || utf8.RuneCountInString(name) > 256:
		return bad("must have a name of 1 to 256 characters.")
	case strings.HasPrefix(lower, "aws."), strings.HasPrefix(lower, "amazon."):
		return bad("must not have a name that begins with AWS. or Amazon.")
	case strings.HasPrefix(name, "."), strings.HasSuffix(name, "."), strings.Contains(name, ".."):
		return bad("must not have a name that begins or ends with a period, or has two in a row.")
	}
	return nil
}

// checkBody holds a message against the rules of its queue.
func (q *Queue) checkBody(e *Entry) error {
	switch {
	case e.Body == "":
		return awstest.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	case !isText(e.Body):
		return awstest.Errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	case e.Size() > q.set.MaxSize:
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.set.MaxSize)
	case e.Delay < 0 || time.Duration(e.Delay)*time.Second > MaxDelay:
		return invalidValue(e.Delay, "DelaySeconds", fmt.Sprintf("DelaySeconds must be >= 0 and <= %d.", MaxDelay/time.Second))
	}
	if err := checkAttributes(e.Attributes); err != nil {
		return err
	}
	if t := e.Trace; t != nil && (t.Type != "String" || t.Text == "" || !isText(t.Text)) {
		return invalid("The AWSTraceHeader must be a non-empty value of type 'String'.")
	}
	return nil
}
