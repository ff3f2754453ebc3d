package healthcheck

import (
	"errors"
	"io"
	"math"
)

// errEnough is not a failure: MaxBody has been read.
var errEnough = errors.New("healthcheck: read enough")

// skip reads a body to its end, or as far as maxBody of it and, around its chunks, as much again. It looks for text, which is
// empty or fits in maxBody, and reports whether it is there, and whether that was all, with nothing behind it.
func (r *responseReader) skip(b body, maxBody int, text *needle) (found, all bool, err error) {
	r.budget, r.framing = maxBody, maxBody
	r.search = search{needle: text}
	switch b.kind {
	case noBody:
	case untilLength:
		err = r.discard(b.length)
	case untilLastChunk:
		err = r.skipChunks()
	case untilClose:
		err = r.discard(math.MaxInt64)
	}
	found = r.search.found()
	if errors.Is(err, errEnough) || b.kind == untilClose && errors.Is(err, io.EOF) {
		return found, false, nil
	}
	return found, err == nil && r.lo == r.hi, noEOF(err)
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

// chunkSize reads the line before a chunk. Extensions are passed over, and so is white space that ends the line.
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
		case digits > 0 && c == ';':
			_, err := r.line()
			return size, err
		case digits > 0 && (c == ' ' || c == '\t'):
			return size, r.blank()
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

// blank passes over the rest of a line that is white space.
func (r *responseReader) blank() error {
	for {
		switch c, err := r.next(); {
		case err != nil:
			return err
		case c == '\r':
			return r.lineFeed()
		case c != ' ' && c != '\t':
			return malformed("bad size of a chunk")
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

// next consumes one byte around the chunks.
func (r *responseReader) next() (byte, error) {
	if r.framing == 0 {
		return 0, errEnough
	}
	if r.lo == r.hi {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	c := r.buf[r.lo]
	r.lo++
	r.framing--
	return c, nil
}

// discard consumes n bytes of the body.
func (r *responseReader) discard(n int64) error {
	for n > 0 {
		if r.budget == 0 {
			return errEnough
		}
		if r.lo == r.hi {
			if err := r.fill(); err != nil {
				return err
			}
		}
		k := int(min(n, int64(r.hi-r.lo), int64(r.budget)))
		r.search.feed(r.buf[r.lo : r.lo+k])
		r.lo += k
		r.budget -= k
		n -= int64(k)
	}
	return nil
}

// fill reads into the empty buffer, no more than may be consumed.
func (r *responseReader) fill() error {
	n, err := r.src.Read(r.buf[:min(len(r.buf), r.budget+r.framing)])
	r.lo, r.hi = 0, n
	if n > 0 {
		return nil
	}
	return err
}
