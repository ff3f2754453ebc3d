package healthcheck

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
)

// maxHead bounds the status line and the headers of an answer, all informational answers before it included.
const maxHead = 32 << 10

// httpVersion is how every answer begins.
const httpVersion = "HTTP/1."

// malformed is an answer that is not HTTP/1.x as it should be.
type malformed string

func (m malformed) Error() string { return "malformed answer: " + string(m) }

// errEnough is not a failure: MaxBody has been read.
var errEnough = errors.New("healthcheck: read enough")

// bodyKind is how the end of a body is found.
type bodyKind uint8

const (
	noBody bodyKind = iota
	untilLength
	untilLastChunk
	untilClose
)

type body struct {
	kind   bodyKind
	length int64 // for untilLength
}

// responseReader reads one answer after the other in the same buffer. It does what a health check needs of HTTP/1.x and no
// more: it finds the code, and the end of the body. It is no more lenient than net/http, trailers aside, which it passes
// over; it keeps no headers, so that reading an answer allocates nothing, and this package does not link net/http.
type responseReader struct {
	src    io.Reader
	buf    []byte
	lo, hi int // what is buffered and not consumed
	budget int // how much more of the body may be consumed
}

// scratch returns the empty buffer, for a request that is sent before reset.
func (r *responseReader) scratch() []byte {
	if r.buf == nil {
		r.buf = make([]byte, 4<<10)
	}
	return r.buf[:0]
}

func (r *responseReader) reset(src io.Reader) {
	r.src, r.lo, r.hi, r.budget = src, 0, 0, 0
	r.buf = r.scratch()[:cap(r.buf)]
}

// head reads the final answer up to its body. Code is zero with an error.
func (r *responseReader) head(isHead bool) (code int, b body, err error) {
	for searched := r.lo; ; {
		end := endOfHead(r.buf[searched:r.hi])
		if end < 0 {
			if got := r.buf[r.lo:min(r.lo+len(httpVersion), r.hi)]; string(got) != httpVersion[:len(got)] {
				return 0, body{}, malformed("no HTTP/1.x status line")
			}
			searched = max(r.lo, r.hi-2) // an end may be half here
			if err := r.readMoreHead(); err != nil {
				return 0, body{}, err
			}
			continue
		}
		end += searched
		code, b, err = parseHead(r.buf[r.lo:end], isHead)
		if err != nil {
			return 0, body{}, err
		}
		r.lo, searched = end, end
		if code >= 200 || code == 101 {
			return code, b, nil
		}
	}
}

func (r *responseReader) readMoreHead() error {
	if r.hi == maxHead {
		return malformed("the header is too long")
	}
	if r.hi == len(r.buf) {
		r.buf = slices.Grow(r.buf, min(len(r.buf), maxHead-len(r.buf)))
		r.buf = r.buf[:cap(r.buf)]
	}
	n, err := r.src.Read(r.buf[r.hi:min(len(r.buf), maxHead)])
	r.hi += n
	if n > 0 {
		return nil
	}
	return noEOF(err)
}

// endOfHead returns the index behind the first empty line of b that follows a line, or -1.
func endOfHead(b []byte) int {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return -1
		}
		i += n + 1
		switch rest := b[i:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return i + 1
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return i + 2
		}
	}
}

// parseHead reads a status line and headers.
func parseHead(b []byte, isHead bool) (code int, framing body, err error) {
	line, rest := cutLine(b)
	code, http11, ok := parseStatusLine(line)
	if !ok {
		return 0, body{}, malformed("bad status line")
	}
	length, chunked := int64(-1), false
	for len(rest) > 0 {
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		value = bytes.Trim(value, " \t")
		if !ok || !isToken(name) || !isFieldValue(value) {
			return 0, body{}, malformed("bad header")
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			n, ok := parseLength(value)
			if !ok || length >= 0 && length != n {
				return 0, body{}, malformed("bad Content-Length")
			}
			length = n
		case bytes.EqualFold(name, []byte("Transfer-Encoding")) && http11:
			if chunked || !bytes.EqualFold(value, []byte("chunked")) {
				return 0, body{}, malformed("unsupported Transfer-Encoding")
			}
			chunked = true
		}
	}
	switch {
	case isHead || code < 200 || code == 204 || code == 304:
		return code, body{kind: noBody}, nil
	case chunked:
		return code, body{kind: untilLastChunk}, nil
	case length >= 0:
		return code, body{kind: untilLength, length: length}, nil
	default:
		return code, body{kind: untilClose}, nil
	}
}

// cutLine cuts b behind its first line, and the line end off that.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// parseStatusLine reads "HTTP/1.1 200 OK", the phrase being optional.
func parseStatusLine(b []byte) (code int, http11, ok bool) {
	const version = len(httpVersion) + 2 // with the minor one and a space
	if len(b) < version+3 || string(b[:len(httpVersion)]) != httpVersion || b[7] < '0' || b[7] > '1' || b[8] != ' ' {
		return 0, false, false
	}
	if len(b) > version+3 && b[version+3] != ' ' {
		return 0, false, false
	}
	code, ok = parseCode(string(b[version : version+3]))
	return code, b[7] == '1', ok && code >= 100
}

// parseLength reads digits only.
func parseLength(b []byte) (int64, bool) {
	n, err := strconv.ParseUint(string(b), 10, 63)
	return int64(n), err == nil
}

// isFieldValue reports whether b has no control character but tabs.
func isFieldValue(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// skip reads a body to its end, or as far as maxBody.
func (r *responseReader) skip(b body, maxBody int) error {
	r.budget = maxBody
	var err error
	switch b.kind {
	case noBody:
	case untilLength:
		err = r.discard(b.length)
	case untilLastChunk:
		err = r.skipChunks()
	case untilClose:
		for err == nil {
			r.budget -= r.hi - r.lo
			r.lo = r.hi
			err = r.fill()
		}
	}
	if errors.Is(err, errEnough) || b.kind == untilClose && errors.Is(err, io.EOF) {
		return nil
	}
	return noEOF(err)
}

// skipChunks reads a chunked body. Its lines end with CR LF and nothing less, and what trailers say is passed over.
func (r *responseReader) skipChunks() error {
	for {
		size, err := r.chunkSize()
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		if err := r.discard(size); err != nil {
			return err
		}
		if n, err := r.line(); err != nil {
			return err
		} else if n > 0 {
			return malformed("bad end of a chunk")
		}
	}
	for {
		n, err := r.line()
		if n == 0 || err != nil {
			return err
		}
	}
}

// chunkSize reads the line before a chunk. Extensions are passed over.
func (r *responseReader) chunkSize() (int64, error) {
	var size int64
	for digits := 0; ; digits++ {
		c, err := r.next()
		if err != nil {
			return 0, err
		}
		d := hexDigit(c)
		switch {
		case d >= 0 && digits < 15:
			size = size<<4 | int64(d)
		case digits > 0 && c == '\r':
			return size, r.lineFeed()
		case digits > 0 && (c == ';' || c == ' ' || c == '\t'):
			_, err := r.line()
			return size, err
		default:
			return 0, malformed("bad size of a chunk")
		}
	}
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return int(c - 'A' + 10)
	}
	return -1
}

// line passes over the rest of a line and returns its length without the line end.
func (r *responseReader) line() (int, error) {
	for n := 0; ; n++ {
		switch c, err := r.next(); {
		case err != nil:
			return n, err
		case c == '\r':
			return n, r.lineFeed()
		case c == '\n':
			return n, malformed("bare line feed in a chunked body")
		}
	}
}

func (r *responseReader) lineFeed() error {
	c, err := r.next()
	if err == nil && c != '\n' {
		return malformed("bare carriage return in a chunked body")
	}
	return err
}

// next consumes one byte of the body.
func (r *responseReader) next() (byte, error) {
	if r.budget == 0 {
		return 0, errEnough
	}
	if r.lo == r.hi {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	c := r.buf[r.lo]
	r.lo++
	r.budget--
	return c, nil
}

// discard consumes n bytes of the body.
func (r *responseReader) discard(n int64) error {
	for n > 0 {
		if r.lo == r.hi {
			if err := r.fill(); err != nil {
				return err
			}
		}
		k := int(min(n, int64(r.hi-r.lo), int64(r.budget)))
		r.lo += k
		r.budget -= k
		n -= int64(k)
		if r.budget == 0 && n > 0 {
			return errEnough
		}
	}
	return nil
}

// fill reads into the empty buffer, no more than the budget allows.
func (r *responseReader) fill() error {
	if r.budget <= 0 {
		return errEnough
	}
	n, err := r.src.Read(r.buf[:min(len(r.buf), r.budget)])
	r.lo, r.hi = 0, n
	if n > 0 {
		return nil
	}
	return err
}

// noEOF is for where an answer must not end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
