package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// The process of the servers is told what to do in lines of JSON, and answers each with one.

// order is such a line.
type order struct {
	Settings *settings // start the servers; answered by their addresses
	Begin    bool      // measure from now on; answered by nothing to see
	Kill     *int      // a server; answered by nothing to see
	Report   bool      // answered by arrivals
}

// arrivals are what the servers saw of the checks.
type arrivals struct {
	Checks    int
	LateP50MS float64 // later than one interval after the one before
	LateP99MS float64
	LateMaxMS float64
	Error     string
}

// yard is all servers.
type yard struct {
	mu        sync.Mutex
	interval  time.Duration
	servers   []*server
	measuring bool
	checks    int
	late      []time.Duration
}

// server answers every request at once, and knows when the last one came.
type server struct {
	yard     *yard
	listener net.Listener
	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	dead     bool
	last     time.Time // guarded by yard.mu
}

// serve does what it is told until its input ends.
func serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	y := &yard{}
	in, out := json.NewDecoder(stdin), json.NewEncoder(stdout)
	for {
		var o order
		if err := in.Decode(&o); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		answer, err := y.obey(ctx, o)
		if err != nil {
			return err
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}

func (y *yard) obey(ctx context.Context, o order) (any, error) {
	switch {
	case o.Settings != nil:
		return y.open(ctx, o.Settings)
	case o.Begin:
		y.mu.Lock()
		defer y.mu.Unlock()
		y.measuring, y.checks, y.late = true, 0, nil
		return struct{}{}, nil
	case o.Kill != nil:
		y.servers[*o.Kill].kill()
		return struct{}{}, nil
	case o.Report:
		return y.report(), nil
	default:
		return nil, errors.New("an empty order")
	}
}

func (y *yard) open(ctx context.Context, s *settings) ([]string, error) {
	y.interval = s.Interval
	addrs := make([]string, s.Targets)
	y.servers = make([]*server, s.Targets)
	for i := range s.Targets {
		if s.Blackhole > 0 && i%s.Blackhole == 0 {
			addr, err := blackhole()
			if err != nil {
				return nil, err
			}
			addrs[i] = addr
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		addrs[i] = listener.Addr().String()
		y.servers[i] = &server{yard: y, listener: listener, conns: map[net.Conn]struct{}{}}
		go y.servers[i].accept()
	}
	return addrs, nil
}

// blackhole is an address that answers no connection request: of a listener whose queue is full, and which accepts nobody.
// The kernel then drops what comes.
func blackhole() (string, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", os.NewSyscallError("socket", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", os.NewSyscallError("bind", err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		return "", os.NewSyscallError("listen", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return "", os.NewSyscallError("getsockname", err)
	}
	local, ok := name.(*syscall.SockaddrInet4)
	if !ok {
		return "", fmt.Errorf("getsockname: %T", name)
	}
	// A queue of length zero holds one connection. It is never closed: it ends with the process.
	filler, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", os.NewSyscallError("socket", err)
	}
	if err := syscall.Connect(filler, local); err != nil {
		return "", os.NewSyscallError("connect", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", local.Port), nil
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // killed, or the process has no more descriptors, which the report shows as checks that are missing
		}
		s.mu.Lock()
		dead := s.dead
		if !dead {
			s.conns[conn] = struct{}{}
		}
		s.mu.Unlock()
		if dead {
			_ = conn.Close()
			return
		}
		go s.answer(conn)
	}
}

var reply = []byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")

// answer reads requests without a body and replies to each.
func (s *server) answer(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	r := bufio.NewReaderSize(conn, 512)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		s.yard.arrived(s, time.Now())
		for len(line) > 2 { // up to the empty one
			if line, err = r.ReadSlice('\n'); err != nil {
				return
			}
		}
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}

func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	_ = s.listener.Close()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

func (y *yard) arrived(s *server, now time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.measuring {
		y.checks++
		if !s.last.IsZero() {
			y.late = append(y.late, max(now.Sub(s.last)-y.interval, 0))
		}
	}
	s.last = now
}

func (y *yard) report() arrivals {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.measuring = false
	a := arrivals{Checks: y.checks}
	if slices.Sort(y.late); len(y.late) > 0 {
		at := func(percent int) float64 { return ms(y.late[(len(y.late)-1)*percent/100]) }
		a.LateP50MS, a.LateP99MS, a.LateMaxMS = at(50), at(99), at(100)
	}
	return a
}
