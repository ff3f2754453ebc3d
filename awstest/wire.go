package awstest

import (
	"bufio"
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

// receive reads what was sent. A body that the SDK has put into chunks, with a
// checksum at the end, is read in this form: the SDK wants to see that.
func (op *operation) receive(in any, request *smithyhttp.Request) (w wire, err error) {
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
