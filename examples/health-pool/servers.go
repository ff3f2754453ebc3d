package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// serveVariable in the environment makes this program the servers of a load test.
const serveVariable = "AWSHA_HEALTH_POOL_SERVE"

// How many servers there are. One address has 28,000 ports for connections to it.
const loadServers = 16

// serve runs the servers of a load test, prints their addresses as a line of JSON, and ends with its input: when the parent
// is gone, however that happened, so is this.
func serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	var addrs []string
	for range loadServers {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		addrs = append(addrs, listener.Addr().String())
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(listener) }() // until the process ends
	}
	if err := json.NewEncoder(stdout).Encode(addrs); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, stdin)
	return err
}

// servers is the process that runs serve.
type servers struct {
	addrs   []string
	command *exec.Cmd
	stdin   io.Closer
}

func startServers(ctx context.Context) (*servers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &servers{command: exec.CommandContext(ctx, self)}
	s.command.Env = append(os.Environ(), serveVariable+"=1")
	s.command.Stderr = os.Stderr
	stdin, err := s.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("start the servers: %w", err)
	}
	s.stdin = stdin
	if err := json.NewDecoder(stdout).Decode(&s.addrs); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, errors.Join(fmt.Errorf("read the addresses of the servers: %w", err), s.stop(ctx))
	}
	return s, nil
}

// stop ends the process and waits for it. If ctx has ended that has killed it, and how it ended is no news.
func (s *servers) stop(ctx context.Context) error {
	err := s.stdin.Close()
	if ended := s.command.Wait(); ended != nil && ctx.Err() == nil {
		err = errors.Join(err, fmt.Errorf("the process of the servers: %w", ended))
	}
	return err
}
