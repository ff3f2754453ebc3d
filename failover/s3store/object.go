package s3store

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/awsha/awsha/failover"
)

// object is what the body of an S3 object holds: a line, and then the value.
//
//	awsha-failover-entry 1 KZ2SKGLWAVBRVH6FNQQPYB5SHE "leases" "orders"
//
// The third word is the request's own. It makes two objects of the same value different, so that their ETags are: in
// most buckets an ETag is the MD5 of the body, does not change with metadata, and would return with the value. It also tells a
// write that was repeated from one of somebody else. The names are there because a key does not hold long ones, and to find out objects that
// were copied to where they do not belong.
type object struct {
	write, group, name string
	value              []byte
}

const (
	magic     = "awsha-failover-entry 1 "
	maxObject = failover.MaxValue + 16<<10 // more than the names take if every byte of them is quoted
)

func (o *object) body() []byte {
	line := magic + o.write + " " + strconv.Quote(o.group) + " " + strconv.Quote(o.name) + "\n"
	return append([]byte(line), o.value...)
}

var errObject = errors.New("the bucket holds an object under the key that is not this package's")

func parseObject(body []byte) (*object, error) {
	line, value, ok := bytes.Cut(body, []byte("\n"))
	text, magical := strings.CutPrefix(string(line), magic)
	write, text, spaced := strings.Cut(text, " ")
	if !ok || !magical || !spaced || write == "" || len(body) > maxObject {
		return nil, errObject
	}
	group, text, err := unquote(text)
	if err != nil || !strings.HasPrefix(text, " ") {
		return nil, errObject
	}
	name, text, err := unquote(text[1:])
	if err != nil || text != "" {
		return nil, errObject
	}
	return &object{write: write, group: group, name: name, value: value}, nil
}

// unquote reads what strconv.Quote wrote at the beginning of text.
func unquote(text string) (value, rest string, err error) {
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", err
	}
	value, err = strconv.Unquote(quoted)
	return value, text[len(quoted):], err
}
