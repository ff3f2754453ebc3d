package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is a child that speaks lines of JSON.
type process struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	in      *json.Encoder
	out     *json.Decoder
}

func start(ctx context.Context, role string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.CommandContext(ctx, self)}
	p.command.Env = append(os.Environ(), roleVariable+"="+role)
	p.command.Stderr = os.Stderr
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = json.NewEncoder(p.stdin), json.NewDecoder(stdout)
	return p, p.command.Start()
}

// ask gives an order and reads the answer to it.
func (p *process) ask(order, answer any) error {
	if err := p.in.Encode(order); err != nil {
		return err
	}
	return p.out.Decode(answer)
}

// stop ends the process, whatever it does.
func (p *process) stop() error {
	err := p.stdin.Close()
	_ = p.command.Process.Kill() // has ended, or ends by this
	_ = p.command.Wait()         // killed
	return err
}

// notice is what a worker is told after its task: to say what it has handled, or to stop first.
type notice struct{ Stop bool }

// tally is how often each message was handled.
type tally struct {
	Runs  []byte
	Error string
}

// work is the process of a worker: it says that it is there, gets a task, and answers two notices at most.
func work(ctx context.Context, role string, stdin io.Reader, stdout io.Writer) error {
	in, out := json.NewDecoder(stdin), json.NewEncoder(stdout)
	if err := out.Encode(struct{}{}); err != nil {
		return err
	}
	var t task
	if err := in.Decode(&t); err != nil {
		return err
	}
	if t.Profile != "" {
		file, err := os.Create(t.Profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var mu sync.Mutex
	runs := make([]byte, t.Messages)
	handle := func(body string) {
		if t.Handler > 0 {
			time.Sleep(t.Handler)
		}
		number, _, _ := strings.Cut(body, ".")
		n, err := strconv.Atoi(number)
		if err != nil {
			return // counts as not handled
		}
		mu.Lock()
		runs[n]++
		mu.Unlock()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- peers[role](ctx, config(t), t, handle) }()
	var n notice
	if err := in.Decode(&n); err != nil {
		return err
	}
	var answer tally
	if n.Stop {
		stop()
		if err := <-ended; err != nil {
			answer.Error = err.Error()
		}
	} else {
		select {
		case err := <-ended:
			answer.Error = fmt.Sprint("ended too early: ", err)
		default:
		}
	}
	if t.Profile != "" {
		pprof.StopCPUProfile()
	}
	mu.Lock()
	answer.Runs = append([]byte(nil), runs...)
	mu.Unlock()
	if err := out.Encode(answer); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, stdin) // until the end
	return nil
}

// measure lets a peer go through a scenario with a fresh endpoint.
func measure(ctx context.Context, s *settings, name, peer string) (r result, err error) {
	r = result{Scenario: name, Peer: peer}
	sc := s.scenarios()[name]
	server, err := start(ctx, "endpoint")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	t := task{Messages: sc.messages, Slots: sc.slots, Handler: sc.handler, Visibility: sc.visibility}
	if s.Profile != "" {
		t.Profile = s.Profile + name + "-" + peer + ".pprof"
	}
	if err := server.ask(order{Fill: &fill{sc.messages, sc.visibility, s.Delay}}, &t.URL); err != nil {
		return r, fmt.Errorf("fill the queue: %w", err)
	}
	worker, err := start(ctx, peer)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	if err := worker.out.Decode(&struct{}{}); err != nil {
		return r, fmt.Errorf("start the worker: %w", err)
	}
	before := cpuTime(worker.command.Process.Pid)
	if err := worker.in.Encode(t); err != nil {
		return r, err
	}
	patience := s.Patience
	if sc.stopAfter > 0 {
		patience = sc.stopAfter
	}
	var seen report
	if err := server.ask(order{Wait: patience}, &seen); err != nil {
		return r, err
	}
	r.CPUPer10k = float64(cpuTime(worker.command.Process.Pid)-before) / float64(time.Second)
	r.ResidentMiB = peakMemory(worker.command.Process.Pid)
	var handled tally
	asked := time.Now()
	if err := worker.ask(notice{Stop: sc.stopAfter > 0}, &handled); err != nil {
		return r, fmt.Errorf("ask the worker: %w", err)
	}
	if handled.Error != "" {
		return r, errors.New(handled.Error)
	}
	if sc.stopAfter > 0 {
		r.ExitMS = ms(time.Since(asked))
		if err := server.ask(order{}, &seen); err != nil { // as it is after the end
			return r, err
		}
	}
	r.count(seen, handled, sc.stopAfter > 0)
	return r, nil
}

// count compares what the queue saw with what was handled.
func (r *result) count(seen report, handled tally, stopped bool) {
	calls, gone := 0, 0
	for action, n := range seen.Calls {
		calls += n
		if strings.HasPrefix(action, "ChangeMessageVisibility") {
			r.ExtendCalls += n
		}
	}
	for i, state := range seen.States {
		n := int(handled.Runs[i])
		r.Duplicates += max(n-1, 0)
		switch {
		case state == deleted:
			gone++
			if n == 0 {
				r.Lost++ // deleted by somebody who did not handle it
			}
		case n > 0:
			r.NotDeleted++
		case !stopped:
			r.Left++
		}
		if state == inFlight {
			r.Invisible++
		}
	}
	r.Refused = seen.Refused
	r.Deleted = gone
	if gone > 0 {
		r.Rate = math.Round(float64(gone) / seen.Took.Seconds())
		r.CallsPerMessage = round(float64(calls) / float64(gone))
		r.CPUPer10k = round(r.CPUPer10k / float64(gone) * 10_000)
	}
}

// cpuTime is the user and system time that a process has used, as the kernel counts it, in hundredths of a second.
func cpuTime(pid int) time.Duration {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// Fields are counted after the name in parentheses, which may hold anything: utime and stime are the 14th and 15th.
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// peakMemory is the most memory that a process has had resident, in MiB. Unlike ru_maxrss, it begins anew with the program.
func peakMemory(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(fields[0], 64)
	return round(kib / 1024)
}

func ms(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

func round(v float64) float64 { return math.Round(v*1000) / 1000 }
