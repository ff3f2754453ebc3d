package sqsmodel

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/awsha/awsha/awstest"
)

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
		if !isNumber(a.Text) {
			return bad("must have a value that is a number.")
		}
	default:
		return bad("has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.")
	}
	return nil
}

// isNumber tells whether SQS takes a string as a number: decimal digits, and no
// more than the largest.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html (read 2026-11)
func isNumber(s string) bool {
	const largest = 1e126
	if strings.Trim(s, "+-.0123456789eE") != "" { // such as NaN, or 0x10
		return false
	}
	n, err := strconv.ParseFloat(s, 64)
	return err == nil && -largest <= n && n <= largest
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
