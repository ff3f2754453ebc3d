package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
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
func (p *process) ask(o order, answer any) error {
	if err := p.in.Encode(o); err != nil {
		return err
	}
	return p.out.Decode(answer)
}

func (p *process) pid() int { return p.command.Process.Pid }

func (p *process) stop() error { return errors.Join(p.stdin.Close(), p.command.Wait()) }

// checker is a process that checks, whatever it is.
type checker interface {
	pid() int
	stop() error
}

// result is what one run measured.
type result struct {
	Design            string  `json:"design"`
	Blackholed        bool    `json:"blackholed"`
	CPUMicrosPerCheck float64 `json:"cpu_us_per_check"` // by the checks that were due
	ChecksSeen        float64 `json:"checks_seen"`      // by the servers, in parts of those that were due there
	LateP50MS         float64 `json:"late_p50_ms"`
	LateP99MS         float64 `json:"late_p99_ms"`
	LateMaxMS         float64 `json:"late_max_ms"`
	DetectMeanMS      float64 `json:"detect_mean_ms"`
	DetectMaxMS       float64 `json:"detect_max_ms"`
	DetectBoundMS     float64 `json:"detect_bound_ms"` // fall x interval: a killed server refuses at once
	Undetected        int     `json:"undetected"`
}

// measure runs one design on fresh servers.
func measure(ctx context.Context, s settings, design string) (r result, err error) {
	r = result{Design: design, Blackholed: s.Blackhole > 0, DetectBoundMS: ms(time.Duration(s.Fall) * s.Interval)}
	servers, err := start(ctx, "servers")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	var addrs []string
	if err := servers.ask(order{Settings: &s}, &addrs); err != nil {
		return r, fmt.Errorf("start the servers: %w", err)
	}

	down := make(chan int, s.Targets)
	c, err := startChecker(ctx, s, design, addrs, down)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := pause(ctx, 10*s.Interval); err != nil { // blackholed targets are down, and ours have found their places
		return r, err
	}

	if err := servers.ask(order{Begin: true}, &struct{}{}); err != nil {
		return r, err
	}
	begin, before := time.Now(), cpuTime(c.pid())
	if err := pause(ctx, s.Length); err != nil {
		return r, err
	}
	used, took := cpuTime(c.pid())-before, time.Since(begin)
	var seen arrivals
	if err := servers.ask(order{Report: true}, &seen); err != nil {
		return r, err
	}
	due := float64(s.Targets) * float64(took) / float64(s.Interval)
	r.CPUMicrosPerCheck = round(float64(used.Microseconds()) / due)
	answering := 1.0
	if s.Blackhole > 0 {
		answering -= 1 / float64(s.Blackhole)
	}
	r.ChecksSeen = round(float64(seen.Checks) / (due * answering))
	r.LateP50MS, r.LateP99MS, r.LateMaxMS = seen.LateP50MS, seen.LateP99MS, seen.LateMaxMS
	if design != floorKept {
		err = r.kill(ctx, s, servers, down)
	}
	return r, err
}

// kill lets servers die, at moments of any phase of their checks, and waits until the checker says so.
func (r *result) kill(ctx context.Context, s settings, servers *process, down <-chan int) error {
	for drained := false; !drained; { // what fell before: the blackholed ones
		select {
		case <-down:
		default:
			drained = true
		}
	}
	patience := 2 * (time.Duration(s.Fall)*s.Interval + s.Timeout)
	var total time.Duration
	for n := range s.Kills {
		victim := n*(s.Targets/s.Kills) + 1
		if s.Blackhole > 0 && victim%s.Blackhole == 0 {
			victim++
		}
		if err := pause(ctx, rand.N(s.Interval)); err != nil {
			return err
		}
		killed := time.Now()
		if err := servers.ask(order{Kill: &victim}, &struct{}{}); err != nil {
			return err
		}
		timer := time.After(patience)
		for waiting := true; waiting; {
			select {
			case target := <-down:
				if target != victim {
					continue
				}
				took := time.Since(killed)
				total += took
				r.DetectMaxMS = max(r.DetectMaxMS, ms(took))
			case <-timer:
				r.Undetected++
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			waiting = false
		}
	}
	if found := s.Kills - r.Undetected; found > 0 {
		r.DetectMeanMS = ms(total / time.Duration(found))
	}
	return nil
}

func startChecker(ctx context.Context, s settings, design string, addrs []string, down chan<- int) (checker, error) {
	if design == haproxyNew {
		return startHAProxy(ctx, s, addrs, down)
	}
	p, err := start(ctx, design)
	if err != nil {
		return nil, err
	}
	if err := p.in.Encode(work{s, addrs}); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	go func() {
		for {
			var f fallen
			if p.out.Decode(&f) != nil {
				return // the process has ended
			}
			select {
			case down <- f.Target:
			default: // nobody waits for so many
			}
		}
	}()
	return p, nil
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

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func ms(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

func round(v float64) float64 { return math.Round(v*1000) / 1000 }
