package queueworker

import (
	"crypto/md5" //nolint:gosec // what SQS gives
	"encoding/hex"
	"errors"
	"hash"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var (
	errDigest     = errors.New("queueworker: the body does not match its digest")
	errIncomplete = errors.New("queueworker: the message has no ID or no receipt handle")
)

// digester makes digests of one body after the other. It spares each body the copy that md5.Sum would need: a message is allocated for
// about as much as its body has.
type digester struct {
	hash  hash.Hash
	piece [512]byte
	sum   [md5.Size]byte
	text  [2 * md5.Size]byte
}

func newDigester() *digester { return &digester{hash: md5.New()} } //nolint:gosec // see above

// check compares a body with the digest that SQS has made of it. Attributes have one as well, which nobody checks, nor does the SDK.
func (d *digester) check(m *types.Message) error {
	if m.Body == nil || m.MD5OfBody == nil {
		return nil
	}
	d.hash.Reset()
	for rest := *m.Body; rest != ""; {
		n := copy(d.piece[:], rest)
		d.hash.Write(d.piece[:n])
		rest = rest[n:]
	}
	hex.Encode(d.text[:], d.hash.Sum(d.sum[:0]))
	if string(d.text[:]) != *m.MD5OfBody {
		return errDigest
	}
	return nil
}
