package healthcheck_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/awsha/awsha/healthcheck"
)

func TestReadResponse(t *testing.T) {
	t.Parallel()
	const maxBody = 64
	long := strings.Repeat("x", 1000)
	tests := []struct {
		name, answer string
		head         bool
		code         int
		wantErr      bool
	}{
		{name: "with a length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", code: 200},
		{name: "with an equal length twice", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length:2\r\n\r\nok", code: 200},
		{name: "until close", answer: "HTTP/1.0 503 Service Unavailable\r\n\r\nsorry", code: 503},
		{name: "chunked", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nok\r\n1 \t\r\n!\r\n0\r\nTrailer: x\r\n\r\n", code: 200},
		{name: "chunked beats length", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n", code: 200},
		{name: "HTTP/1.0 has no chunks", answer: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone", code: 200},
		{name: "without a phrase", answer: "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", code: 404},
		{name: "with bare line feeds", answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", code: 200},
		{name: "after informational answers", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n", code: 204},
		{name: "switching protocols is final", answer: "HTTP/1.1 101 Switching Protocols\r\n\r\n", code: 101},
		{name: "not modified has no body", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", code: 304},
		{name: "HEAD has no body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", head: true, code: 200},
		{name: "a long body is not read to its end", answer: "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long, code: 200},
		{name: "nor long chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFfFfFf\r\n" + long, code: 200},
		{name: "nor a long extension", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + long, code: 200},
		{name: "nor endless trailers", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + long, code: 200},
		{name: "nor what ends with the connection", answer: "HTTP/1.1 200 OK\r\n\r\n" + long, code: 200},

		{name: "nothing", answer: "", wantErr: true},
		{name: "another protocol", answer: "SSH-2.0-OpenSSH_9.9\r\n", wantErr: true},
		{name: "HTTP/2", answer: "HTTP/2.0 200 OK\r\n\r\n", wantErr: true},
		{name: "an unknown minor version", answer: "HTTP/1.2 200 OK\r\n\r\n", wantErr: true},
		{name: "an empty line first", answer: "\r\nHTTP/1.1 200 OK\r\n\r\n", wantErr: true},
		{name: "a code of two digits", answer: "HTTP/1.1 20 OK\r\n\r\n", wantErr: true},
		{name: "a code of four digits", answer: "HTTP/1.1 2000 OK\r\n\r\n", wantErr: true},
		{name: "a signed code", answer: "HTTP/1.1 +20 OK\r\n\r\n", wantErr: true},
		{name: "a code below 100", answer: "HTTP/1.1 099 OK\r\n\r\n", wantErr: true},
		{name: "a header without a colon", answer: "HTTP/1.1 200 OK\r\nbad\r\n\r\n", wantErr: true},
		{name: "a header with a space before the colon", answer: "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", wantErr: true},
		{name: "a folded header", answer: "HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\n\r\n", wantErr: true},
		{name: "a control character in a header", answer: "HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n", wantErr: true},
		{name: "a negative length", answer: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", wantErr: true},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", wantErr: true},
		{name: "an unknown coding", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", wantErr: true},
		{name: "a header that does not end", answer: "HTTP/1.1 200 OK\r\nA: b\r\n", wantErr: true},
		{name: "a header that is too long", answer: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", healthcheck.MaxHead) + "\r\n\r\n", wantErr: true},
		{name: "too many informational answers", answer: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", healthcheck.MaxHead/25+1), wantErr: true},
		{name: "a body shorter than its length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", code: 200, wantErr: true},
		{name: "chunks that do not end", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", code: 200, wantErr: true},
		{name: "a chunk without a size", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", code: 200, wantErr: true},
		{name: "bare line feeds between chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n", code: 200, wantErr: true},
		{name: "a bare carriage return between chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\rx\r\n\r\n", code: 200, wantErr: true},
		{name: "a bare line feed behind an extension", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0;a=b\n\r\n", code: 200, wantErr: true},
		{name: "a chunk with two sizes", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 0\r\nok\r\n0\r\n\r\n", code: 200, wantErr: true},
		{name: "a chunk without an end", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nok\r\n0\r\n\r\n", code: 200, wantErr: true},
		{name: "a chunk of impossible size", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", code: 200, wantErr: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, src := range []io.Reader{strings.NewReader(tt.answer), iotest.OneByteReader(strings.NewReader(tt.answer))} {
				r, err := healthcheck.ReadResponse(src, tt.head, maxBody, "")
				if r.Code != tt.code || (err != nil) != tt.wantErr {
					t.Errorf("%+v, %v; want %d, error %v", r, err, tt.code, tt.wantErr)
				}
				if errors.Is(err, io.EOF) {
					t.Errorf("%v says that the answer ended in order", err)
				}
			}
		})
	}
}

// TestReadResponseKnowsWhetherTheConnectionLasts: it does not where the next answer could not be told from the rest of this one.
func TestReadResponseKnowsWhetherTheConnectionLasts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer string
		head   bool
		want   bool
	}{
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: true},
		{answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", want: true},
		{answer: "HTTP/1.1 204 No Content\r\n\r\n", want: true},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", head: true, want: true},
		{answer: "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", want: true},
		{answer: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", want: true},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + strings.Repeat("x", 64), want: true},

		{answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
		{answer: "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n"},
		{answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"},
		{answer: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{answer: "HTTP/1.1 200 OK\r\n\r\nok"},
		{answer: "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!"},
		{answer: "HTTP/1.1 204 No Content\r\n\r\nok"},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n" + strings.Repeat("x", 65)},
		{answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n"},
	} {
		r, err := healthcheck.ReadResponse(strings.NewReader(tt.answer), tt.head, 64, "")
		if err != nil || r.Lasts != tt.want {
			t.Errorf("%q: %+v, %v", tt.answer, r, err)
		}
	}
}

func TestReadResponseFindsText(t *testing.T) {
	t.Parallel()
	const maxBody = 20
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, tt := range map[string]struct {
		answer, text string
		want         bool
	}{
		"in a body with a length":          {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nall ok!", "ok", true},
		"in a body until close":            {"HTTP/1.1 200 OK\r\n\r\nall ok!", "all ok!", true},
		"in one chunk":                     {chunked + "7\r\nall ok!\r\n0\r\n\r\n", "ok", true},
		"over the border of chunks":        {chunked + "5\r\nall o\r\n2\r\nk!\r\n0\r\n\r\n", "ok!", true},
		"over a chunk for each byte":       {chunked + "1\r\no\r\n1;x=ok\r\nk\r\n0\r\n\r\n", "ok", true},
		"after a false start":              {"HTTP/1.1 200 OK\r\n\r\nababac", "abac", true},
		"in the last bytes that are read":  {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", maxBody-2) + "ok", "ok", true},
		"behind the bytes that are read":   {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", maxBody-1) + "ok", "ok", false},
		"in the header only":               {"HTTP/1.1 200 OK\r\nX: ok\r\nContent-Length: 1\r\n\r\nx", "ok", false},
		"in what is around chunks only":    {chunked + "1;a=ok\r\nx\r\n0\r\nok: ok\r\n\r\n", "ok", false},
		"in no body":                       {"HTTP/1.1 204 No Content\r\n\r\n", "ok", false},
		"in another case":                  {"HTTP/1.1 200 OK\r\n\r\nOK", "ok", false},
		"in what follows the body":         {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxok", "ok", false},
		"in a body that is cut short":      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "ok", false},
		"in a body whose end is malformed": {chunked + "2\r\nokX", "ok", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, src := range []io.Reader{strings.NewReader(tt.answer), iotest.OneByteReader(strings.NewReader(tt.answer))} {
				if r, err := healthcheck.ReadResponse(src, false, maxBody, tt.text); r.Found != tt.want {
					t.Errorf("%+v, %v", r, err)
				}
			}
		})
	}
}

// TestReadResponseOfPieces puts answers together at random from what makes up an answer, so that many of them are nearly right.
func TestReadResponseOfPieces(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 \n", "HTTP/1.1 204\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "Content-Length: 2\r\n", "Content-Length:\t0 \n",
		"Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "\r\n", "\n", "\r", " ", "\t", ";", ";a=b", "0", "2", "a", "1\r\no\r\n", "ok", "2\r\n", "0\r\n\r\n", ":",
	}
	starts := []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		answer := []byte(starts[random.IntN(len(starts))])
		for range random.IntN(8) {
			answer = append(answer, pieces[random.IntN(len(pieces))]...)
		}
		checkReadResponse(t, answer, random.IntN(8) == 0, []string{"", "o", "ok"}[random.IntN(3)])
	}
}

// FuzzReadResponse is the same with what nobody would think of.
func FuzzReadResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0 503 no\r\n\r\nbody",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n3\r\nkok\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\nA:b\r\n\r\n",
		"HTTP/1.1 304\nX: y\n\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
	} {
		f.Add([]byte(s), false, "ok")
	}
	f.Add([]byte("HTTP/1.1 200 \nTransfer-Encoding:Chunked\n\n0\r\n0\r\n\r\n"), false, "0") // a trailer that ends like the body
	f.Fuzz(checkReadResponse)
}

// checkReadResponse checks against net/http that no more is accepted and no other text found, and that it does not matter how an
// answer arrives.
func checkReadResponse(t *testing.T, answer []byte, isHead bool, text string) {
	const maxBody = 100
	if len(text) > maxBody {
		return
	}
	src := &counter{src: bytes.NewReader(answer)}
	got, err := healthcheck.ReadResponse(src, isHead, maxBody, text)
	if limit := healthcheck.MaxHead + 2*maxBody; src.n > limit {
		t.Fatalf("%q: read %d bytes, more than %d", answer, src.n, limit)
	}
	got1, err1 := healthcheck.ReadResponse(iotest.OneByteReader(bytes.NewReader(answer)), isHead, maxBody, text)
	got1.Lasts = got.Lasts // what follows the answer need not be here yet
	if got != got1 || (err == nil) != (err1 == nil) {
		t.Fatalf("%q: %+v, %v; byte by byte %+v, %v", answer, got, err, got1, err1)
	}
	if got.Code == 0 {
		return
	}
	method := "GET"
	if isHead {
		method = "HEAD"
	}
	r := bufio.NewReader(bytes.NewReader(answer))
	for {
		response, httpErr := http.ReadResponse(r, &http.Request{Method: method})
		if httpErr != nil {
			t.Fatalf("%q: accepted as %d, net/http: %v", answer, got.Code, httpErr)
		}
		if response.StatusCode < 200 && response.StatusCode != 101 {
			continue
		}
		if response.StatusCode != got.Code {
			t.Fatalf("%q: code %d, net/http: %d", answer, got.Code, response.StatusCode)
		}
		body, bodyErr := io.ReadAll(response.Body)
		if text != "" && response.StatusCode != 101 {
			found := bytes.Contains(body[:min(len(body), maxBody)], []byte(text))
			if got.Found && !found || found && err == nil && !got.Found && len(answer) < maxBody {
				t.Fatalf("%q: text found %v, in %q", answer, got.Found, body)
			}
		}
		// net/http also reads what trailers say, and we do not.
		_, malformed := errors.AsType[textproto.ProtocolError](bodyErr)
		trailers := malformed || len(response.TransferEncoding) > 0 && !bytes.HasSuffix(answer, []byte("0\r\n\r\n"))
		if bodyErr != nil && err == nil && len(answer) < maxBody && !trailers {
			t.Fatalf("%q: the body is accepted, net/http reads %q: %v", answer, body, bodyErr)
		}
		if got.Lasts && (response.Close || r.Buffered() > 0 && !trailers) {
			t.Fatalf("%q: the connection lasts; net/http: close %v, then %d bytes", answer, response.Close, r.Buffered())
		}
		return
	}
}

type counter struct {
	src io.Reader
	n   int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += n
	return n, err
}
