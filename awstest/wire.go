package awstest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strings"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// wire is what of a request is known in HTTP only.
type wire struct {
	data   []byte // the body, of an operation of HandleBody
	header http.Header
}

// receive reads what was sent. What cannot be sought in, such as a pipe, may
// keep its reader waiting: that ends with the caller's context or the cloud,
// and who reads is left behind, as net/http leaves it.
func (c *Cloud) receive(ctx context.Context, op *operation, in any, request *smithyhttp.Request) (w wire, err error) {
	if !op.waits(in) {
		w, err = op.read(in, request)
	} else {
		read := make(chan struct{})
		var sent wire
		var broken error
		go func() {
			sent, broken = op.read(in, request)
			close(read)
		}()
		if err := c.await(ctx, read); err != nil {
			return w, err
		}
		w, err = sent, broken
	}
	if err != nil {
		return w, &smithyhttp.RequestSendError{Err: err}
	}
	return w, nil
}

// waits tells whether reading the body may take its time.
func (op *operation) waits(in any) bool {
	if op.body == nil {
		return false
	}
	body := op.body(in)
	_, seekable := body.(io.Seeker)
	return body != nil && !seekable
}

// read reads what was sent. A body that the SDK has put into chunks, with a
// checksum at the end, is read in this form: the SDK wants to see that.
func (op *operation) read(in any, request *smithyhttp.Request) (w wire, err error) {
	if request != nil {
		w.header = request.Header
	}
	if op.body == nil {
		return w, nil
	}
	body := op.body(in)
	if strings.Contains(strings.Join(w.header.Values("Content-Encoding"), ","), "aws-chunked") {
		var trailer http.Header
		w.data, trailer, err = unchunk(request.GetStream())
		w.header = w.header.Clone()
		maps.Copy(w.header, trailer)
		return w, err
	}
	if body != nil {
		w.data, err = io.ReadAll(body)
	}
	return w, err
}

// unchunk reads a body in chunks, and what follows it.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html (read 2026-11)
func unchunk(stream io.Reader) (data []byte, trailer http.Header, err error) {
	r := bufio.NewReader(stream)
	if data, err = io.ReadAll(httputil.NewChunkedReader(r)); err != nil {
		return nil, nil, err
	}
	lines, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return nil, nil, fmt.Errorf("read the trailer: %w", err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("the body goes on after its trailer: %w", err)
	}
	return data, http.Header(lines), nil
}
