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
	lasts  bool  // the connection can serve for another request
}

// responseReader reads one answer after the other in the same buffer. It does what a health check needs of HTTP/1.x and no
// more: it finds the code, and the end of the body. It is no more lenient than net/http, trailers aside, which it passes
// over; it keeps no headers, so that reading an answer allocates nothing.
type responseReader struct {
	src    io.Reader
	buf    []byte
	lo, hi int // what is buffered and not consumed

	budget  int // how much more of the body may be consumed
	framing int // and of what is around its chunks
	search  search
}

// scratch returns the empty buffer, for a request that is sent before reset.
func (r *responseReader) scratch() []byte {
	if r.buf == nil {
		r.buf = make([]byte, 4<<10)
	}
	return r.buf[:0]
}

func (r *responseReader) reset(src io.Reader) {
	r.src, r.lo, r.hi = src, 0, 0
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
	length, chunked, closes, lasts := int64(-1), false, false, http11
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
		case bytes.EqualFold(name, []byte("Connection")):
			closes = closes || hasToken(value, "close")
			lasts = lasts || hasToken(value, "keep-alive")
		}
	}
	lasts = lasts && !closes
	switch {
	case code == 101: // no longer HTTP
		return code, body{kind: noBody}, nil
	case isHead || code < 200 || code == 204 || code == 304:
		return code, body{kind: noBody, lasts: lasts}, nil
	case chunked:
		return code, body{kind: untilLastChunk, lasts: lasts}, nil
	case length >= 0:
		return code, body{kind: untilLength, length: length, lasts: lasts}, nil
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

// hasToken reports whether a list such as "close, x" has a token.
func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var member []byte
		member, list, _ = bytes.Cut(list, []byte(","))
		if bytes.EqualFold(bytes.Trim(member, " \t"), []byte(token)) {
			return true
		}
	}
	return false
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

// noEOF is for where an answer must not end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
