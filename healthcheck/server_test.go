package healthcheck_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// serverEnv makes the test binary the server of a benchmark, so that its CPU is not that of the checks. It is where to listen.
const serverEnv = "HEALTHCHECK_TEST_SERVER"

// serveBenchmark answers every request with the same bytes, in the clear and over TLS, until standard input ends.
func serveBenchmark() {
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	config := &tls.Config{Certificates: cert.TLS.Certificates} //nolint:gosec // the defaults are the subject
	for _, wrap := range []func(net.Conn) net.Conn{
		func(conn net.Conn) net.Conn { return conn },
		func(conn net.Conn) net.Conn { return tls.Server(conn, config) },
	} {
		l, err := net.Listen("tcp4", os.Getenv(serverEnv))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(l.Addr())
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					over := wrap(conn)
					request, reply := make([]byte, 1024), []byte(ok200)
					for {
						if _, err := over.Read(request); err != nil {
							return
						}
						if _, err := over.Write(reply); err != nil {
							return
						}
					}
				}()
			}
		}()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// startServer runs serveBenchmark in a process of its own until the test ends.
func startServer(tb testing.TB) (plain, secure string) {
	tb.Helper()
	return startServerAt(tb, "127.0.0.1:0")
}

func startServerAt(tb testing.TB, listen string) (plain, secure string) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	server := exec.CommandContext(tb.Context(), self)
	server.Env = append(os.Environ(), serverEnv+"="+listen, "GOMAXPROCS=1")
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := server.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close()
		_ = server.Wait()
	})
	lines := bufio.NewReader(stdout)
	var addrs [2]string
	for i := range addrs {
		line, err := lines.ReadString('\n')
		if err != nil {
			tb.Fatal(err)
		}
		addrs[i] = strings.TrimSpace(line)
	}
	return addrs[0], addrs[1]
}
