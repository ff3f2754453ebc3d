package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// haproxy is an HAProxy that does nothing but check. It tells over syslog which servers are down.
type haproxy struct {
	command *exec.Cmd
	said    bytes.Buffer // read once it has ended
	log     net.PacketConn
	dir     string
}

func startHAProxy(ctx context.Context, s settings, addrs []string, down chan<- int) (*haproxy, error) {
	log, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &haproxy{log: log}
	if h.dir, err = os.MkdirTemp("", "bench-haproxy-"); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	file := filepath.Join(h.dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(haproxyConfig(s, log.LocalAddr().String(), filepath.Join(h.dir, "socket"), addrs)), 0o600); err != nil {
		return nil, errors.Join(err, h.clean())
	}
	h.command = exec.CommandContext(ctx, "haproxy", "-db", "-q", "-f", file)
	h.command.Stderr = &h.said
	if err := h.command.Start(); err != nil {
		return nil, errors.Join(err, h.clean())
	}
	go h.listen(down)
	return h, nil
}

// haproxyConfig sets what the other checkers have too: the same interval, timeout and threshold, a new connection for each
// check. There is a frontend only because HAProxy does not start without.
func haproxyConfig(s settings, log, socket string, addrs []string) string {
	var b strings.Builder
	millis := func(d interface{ Milliseconds() int64 }) int64 { return d.Milliseconds() }
	fmt.Fprintf(&b, `global
  log %s local0
  maxconn 100
defaults
  mode http
  log global
  timeout connect %dms
  timeout check %dms
  timeout client 5s
  timeout server 5s
frontend none
  bind unix@%s
  default_backend pool
backend pool
  option httpchk
  http-check send meth GET uri / ver HTTP/1.1 hdr Host pool
  http-check expect status 200
  default-server check inter %dms fall %d rise 2
`, log, millis(s.Timeout), millis(s.Timeout), socket, millis(s.Interval), s.Fall)
	for i, addr := range addrs {
		fmt.Fprintf(&b, "  server s%d %s\n", i, addr)
	}
	return b.String()
}

var isDown = regexp.MustCompile(`Server pool/s(\d+) is DOWN`)

func (h *haproxy) listen(down chan<- int) {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := h.log.ReadFrom(buf)
		if err != nil {
			return // closed
		}
		if m := isDown.FindSubmatch(buf[:n]); m != nil {
			target, _ := strconv.Atoi(string(m[1]))
			select {
			case down <- target:
			default:
			}
		}
	}
}

func (h *haproxy) pid() int { return h.command.Process.Pid }

func (h *haproxy) stop() error {
	err := h.command.Process.Signal(syscall.SIGTERM)
	_ = h.command.Wait() // an error would say that it was terminated
	status, ok := h.command.ProcessState.Sys().(syscall.WaitStatus)
	if err != nil || !ok || status.Exited() && status.ExitStatus() != 0 {
		err = fmt.Errorf("haproxy ended early: %s", h.said.String())
	}
	return errors.Join(err, h.clean())
}

func (h *haproxy) clean() error { return errors.Join(h.log.Close(), os.RemoveAll(h.dir)) }
