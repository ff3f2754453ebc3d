package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/awsha/awsha/internal/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	clientAddr = &net.TCPAddr{IP: net.IPv4(198, 51, 100, 7), Port: 40000}
	serverAddr = &net.TCPAddr{IP: net.IPv4(203, 0, 113, 10), Port: 80}
)

func pipe() (client, server *memnet.Conn) { return memnet.Pipe(clientAddr, serverAddr, nil) }

func mustWrite(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatalf("write %q: %v", s, err)
	}
}

func mustRead(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

func readErr(c net.Conn) error {
	_, err := c.Read(make([]byte, 1))
	return err
}

func TestPeerMaySpeakFirst(t *testing.T) {
	t.Parallel()
	client, server := pipe()
	mustWrite(t, server, "220 ready\r\n")
	mustRead(t, client, "220 ready\r\n")
}

func TestCloseDeliversWhatWasWrittenThenEOF(t *testing.T) {
	t.Parallel()
	client, server := pipe()
	mustWrite(t, server, "bye")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	mustRead(t, client, "bye")
	if err := readErr(client); err != io.EOF {
		t.Fatalf("after close: %v, want EOF", err)
	}
	// As on Linux, the first write is taken and the second one learns of it.
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatalf("first write to a closed peer: %v", err)
	}
	if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("second write to a closed peer: %v, want EPIPE", err)
	}
	if err := readErr(server); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("read after own close: %v, want net.ErrClosed", err)
	}
}

func TestHalfCloseLeavesTheOtherDirectionOpen(t *testing.T) {
	t.Parallel()
	client, server := pipe()
	mustWrite(t, client, "question")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	mustRead(t, server, "question")
	if err := readErr(server); err != io.EOF {
		t.Fatalf("got %v, want EOF", err)
	}
	mustWrite(t, server, "answer")
	mustRead(t, client, "answer")
	if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("write after CloseWrite: %v, want EPIPE", err)
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	client, server := pipe()
	mustWrite(t, server, "lost by the reset")
	server.Reset()
	for name, c := range map[string]net.Conn{"client": client, "server": server} {
		if err := readErr(c); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: got %v, want ECONNRESET", name, err)
		}
	}
}

// A reply that was cut short must never look complete.
func TestAbortedReplyNeverEndsWell(t *testing.T) {
	t.Parallel()
	for name, abort := range map[string]func(server *memnet.Conn){
		"closed without linger": func(server *memnet.Conn) { server.SetLinger(0); server.Close() },
		"vanished, then closed": func(server *memnet.Conn) { server.Vanish(); server.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, server := pipe()
				client.SetPath(memnet.Blackhole)
				mustWrite(t, server, "half of a repl")
				abort(server)
				client.SetPath(memnet.Open)
				client.SetReadDeadline(time.Now().Add(time.Minute))
				if got, err := io.ReadAll(client); err == nil {
					t.Errorf("read %q and a good end", got)
				}
			})
		})
	}
}

func TestAbortiveClose(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(client, server *memnet.Conn){
		"SetLinger(0) and Close": func(_, server *memnet.Conn) { server.SetLinger(0); server.Close() },
		"Close with unread input": func(client, server *memnet.Conn) {
			client.Write([]byte("never read"))
			server.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := pipe()
			mustWrite(t, server, "arrived before")
			breakIt(client, server)
			mustRead(t, client, "arrived before")
			if err := readErr(client); !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("got %v, want ECONNRESET", err)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, _ := pipe()
		start := time.Now()
		client.SetReadDeadline(start.Add(3 * time.Second))
		err := readErr(client)
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Fatalf("timed out after %v", took)
		}

		// A writer that meets a full window waits for its own deadline.
		client.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := client.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n != 64<<10 {
			t.Fatalf("wrote %d, %v; want the window and a timeout", n, err)
		}

		// Moving the deadline wakes who already waits.
		client.SetDeadline(time.Time{})
		failed := make(chan error)
		go func() { failed <- readErr(client) }()
		synctest.Wait()
		client.SetReadDeadline(time.Now())
		if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
	})
}

func TestFullWindowWaitsForTheReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
		go func() {
			client.Write(sent)
			client.Close()
		}()
		got, err := io.ReadAll(server)
		if err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("got %d bytes, %v; want %d", len(got), err, len(sent))
		}
	})
}

func TestBlackholeKeepsBytesUntilThePathOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		mustWrite(t, client, "before")
		client.SetPath(memnet.Blackhole)
		mustWrite(t, client, "after")
		mustRead(t, server, "before")
		server.SetReadDeadline(time.Now().Add(time.Hour))
		if err := readErr(server); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want nothing to arrive", err)
		}
		server.SetReadDeadline(time.Time{})
		client.Close() // the FIN does not arrive either
		server.SetPath(memnet.Open)
		mustRead(t, server, "after")
		if err := readErr(server); err != io.EOF {
			t.Fatalf("got %v, want EOF", err)
		}
	})
}

func TestVanishedEndIsSilentUntilReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		client, server := memnet.Pipe(clientAddr, serverAddr, func() { ended++ })
		server.Vanish()
		if err := readErr(server); !errors.Is(err, syscall.ECONNABORTED) {
			t.Fatalf("vanished end: %v", err)
		}
		client.SetReadDeadline(time.Now().Add(time.Minute))
		if err := readErr(client); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want silence", err)
		}
		client.Reset()
		if err := readErr(client); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("got %v, want ECONNRESET", err)
		}
		client.Close()
		server.Close()
		if ended != 1 {
			t.Fatalf("done was called %d times, want once", ended)
		}
	})
}

func TestListener(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := memnet.NewListener(serverAddr)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				io.Copy(conn, conn)
				conn.Close()
			}
		}()
		conn, err := l.Dial(t.Context(), clientAddr)
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, conn, "echo")
		mustRead(t, conn, "echo")
		conn.Close()

		l.Close()
		if _, err := l.Dial(t.Context(), clientAddr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial after close: %v, want ECONNREFUSED", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("accept after close: %v", err)
		}
	})
}

func TestCloseResetsWhatNobodyAccepted(t *testing.T) {
	t.Parallel()
	l := memnet.NewListener(serverAddr)
	conn, err := l.Dial(t.Context(), clientAddr)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := readErr(conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("got %v, want ECONNRESET", err)
	}
}

func TestFullBacklogWaitsForTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := memnet.NewListener(serverAddr)
		defer l.Close()
		for range 4096 {
			if _, err := l.Dial(t.Context(), clientAddr); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := l.Dial(ctx, clientAddr)
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Fatalf("got %v, want a timeout", err)
		}
	})
}

func TestServesHTTP(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := memnet.NewListener(serverAddr)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // HTTP/1 servers are not full duplex
			w.Write(body)
		})}
		go server.Serve(l)
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return l.Dial(ctx, clientAddr)
		}}
		client := &http.Client{Transport: transport}
		for range 3 { // over one kept connection
			resp, err := client.Post("http://203.0.113.10/", "text/plain", bytes.NewReader(make([]byte, 200_000)))
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if n != 200_000 || err != nil {
				t.Fatalf("got %d bytes, %v", n, err)
			}
		}
		transport.CloseIdleConnections()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
