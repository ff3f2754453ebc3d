package queueworker

import (
	"crypto/md5" //nolint:gosec // what SQS gives
	"encoding/hex"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var (
	errDigest     = errors.New("queueworker: the body does not match its digest")
	errIncomplete = errors.New("queueworker: the message has no ID or no receipt handle")
)

// checkDigest compares a body with the digest that SQS has made of it. Attributes have one as well, which nobody checks, nor does the SDK.
func checkDigest(m *types.Message) error {
	if m.Body == nil || m.MD5OfBody == nil {
		return nil
	}
	sum := md5.Sum([]byte(*m.Body)) //nolint:gosec // see above
	var text [2 * md5.Size]byte
	hex.Encode(text[:], sum[:])
	if string(text[:]) != *m.MD5OfBody {
		return errDigest
	}
	return nil
}
