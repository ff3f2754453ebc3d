package s3svc

import (
	"bytes"
	"errors"
	"io"

	"github.com/awsha/awsha/awstest"
)

// errBodyClosed is what net/http answers to who reads a body that is closed.
var errBodyClosed = errors.New("http: read on closed response body")

// body is the stream of GetObject. Its bytes are those of the object, which
// nothing changes.
type body struct {
	rest   *bytes.Reader
	broken bool // the connection breaks at the end
	closed bool
}

func newBody(call *awstest.Call, data []byte) *body {
	b := &body{}
	for _, after := range awstest.Specials[cut](call) {
		if int64(after) < int64(len(data)) {
			data, b.broken = data[:after], true
		}
	}
	b.rest = bytes.NewReader(data)
	return b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.closed {
		return 0, errBodyClosed
	}
	n, err := b.rest.Read(p)
	if err == io.EOF && b.broken {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.closed = true
	return nil
}
