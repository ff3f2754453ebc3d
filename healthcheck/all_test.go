package healthcheck_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/healthcheck"
)

// fixed is a checker whose probes always say the same, and write down what happens to them.
type fixed struct {
	name   string
	result healthcheck.Result
	log    *[]string
	open   error
	close  error
	nobody bool
}

func (f fixed) Open(healthcheck.Target) (healthcheck.Probe, error) {
	*f.log = append(*f.log, "open "+f.name)
	if f.open != nil || f.nobody {
		return nil, f.open
	}
	return f, nil
}

func (f fixed) Check(context.Context) healthcheck.Result {
	*f.log = append(*f.log, f.name)
	return f.result
}

func (f fixed) Close() error {
	*f.log = append(*f.log, "close "+f.name)
	return f.close
}

func TestAll(t *testing.T) {
	t.Parallel()
	const connect = time.Millisecond
	pass := healthcheck.Result{Outcome: healthcheck.Pass, Code: 200, HasCode: true, Connect: connect, RemoteAddr: "10.0.0.1:80"}
	pass2 := healthcheck.Result{Outcome: healthcheck.Pass, Reused: true}
	fail := healthcheck.Result{Outcome: healthcheck.Fail, Reason: mismatched, Code: 503, HasCode: true, Detail: "503", Err: errRefused, Connect: connect}
	fail2 := healthcheck.Result{Outcome: healthcheck.Fail, Reason: timeout}
	unknown := healthcheck.Result{Outcome: healthcheck.Unknown, Detail: "ours"}
	unknown2 := healthcheck.Result{Outcome: healthcheck.Unknown, Detail: "ours too"}
	with := func(r healthcheck.Result, connect time.Duration) healthcheck.Result {
		r.Connect = connect
		return r
	}
	for name, tt := range map[string]struct {
		results []healthcheck.Result
		want    healthcheck.Result
		asked   string
	}{
		"one passes":                     {[]healthcheck.Result{pass}, pass, "a"},
		"all pass":                       {[]healthcheck.Result{pass, pass, pass2}, with(pass2, 2*connect), "abc"},
		"the first fails":                {[]healthcheck.Result{fail, pass, fail2}, fail, "a"},
		"the last fails":                 {[]healthcheck.Result{pass, pass, fail}, with(fail, 3*connect), "abc"},
		"the first failure counts":       {[]healthcheck.Result{pass2, fail2, fail}, fail2, "ab"},
		"one does not know":              {[]healthcheck.Result{pass, unknown, pass}, with(unknown, 2*connect), "abc"},
		"the first of those counts":      {[]healthcheck.Result{unknown, unknown2, pass2}, unknown, "abc"},
		"one does not know, one fails":   {[]healthcheck.Result{unknown, pass2, fail2}, fail2, "abc"},
		"the last does not know":         {[]healthcheck.Result{pass2, unknown}, unknown, "ab"},
		"one that says nothing is no go": {[]healthcheck.Result{pass2, {}}, healthcheck.Result{}, "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log, want []string
			var checkers []healthcheck.Checker
			for i, r := range tt.results {
				f := fixed{name: string(rune('a' + i)), result: r, log: &log}
				checkers = append(checkers, f)
				want = append(want, "open "+f.name)
			}
			got := check(t, healthcheck.All(checkers...), "10.0.0.1:80", time.Second)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			want = append(want, strings.Split(tt.asked, "")...)
			for i := range tt.results {
				want = append(want, "close "+string(rune('a'+i)))
			}
			if diff := cmp.Diff(want, log); diff != "" {
				t.Errorf("what happened (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllSharesTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := healthcheck.Func(func(ctx context.Context, _ healthcheck.Target) error {
			select {
			case <-time.After(2 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		begin := time.Now()
		if r := check(t, healthcheck.All(slow, slow), "", 5*time.Second); r.Outcome != healthcheck.Pass || time.Since(begin) != 4*time.Second {
			t.Errorf("two: after %v: %+v", time.Since(begin), r)
		}
		begin = time.Now()
		if r := check(t, healthcheck.All(slow, slow, slow), "", 5*time.Second); r.Reason != timeout || time.Since(begin) != 5*time.Second {
			t.Errorf("three: after %v: %+v", time.Since(begin), r)
		}
	})
}

func TestAllThatCannotOpen(t *testing.T) {
	t.Parallel()
	var log []string
	errOpen, errClose := errors.New("no"), errors.New("still there")
	ok := fixed{name: "ok", log: &log, close: errClose}
	for name, tt := range map[string]struct {
		checkers []healthcheck.Checker
		want     string
		log      []string
	}{
		"none":          {nil, `healthcheck: All: "no checker" must be at least one`, nil},
		"nil":           {[]healthcheck.Checker{ok, nil}, `healthcheck: All[1]: "nil" must not be nil` + "\nstill there", []string{"open ok", "close ok"}},
		"without probe": {[]healthcheck.Checker{fixed{name: "x", log: &log, nobody: true}}, `healthcheck: All[0]: "nil" must open a probe`, []string{"open x"}},
		"all mistakes at once": {
			[]healthcheck.Checker{fixed{name: "x", log: &log, open: errOpen}, ok, newTCP(t)},
			"no\nhealthcheck: Target.Addr: \"\" must not be empty\nstill there", []string{"open x", "open ok", "close ok"},
		},
	} {
		log = nil
		probe, err := healthcheck.All(tt.checkers...).Open(healthcheck.Target{ID: "a"})
		if probe != nil || err == nil || err.Error() != tt.want || !slices.Equal(log, tt.log) {
			t.Errorf("%s: %v, %v after %v", name, probe, err, log)
		}
	}
	probe, err := healthcheck.All(ok, ok).Open(healthcheck.Target{ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := probe.Close(); !errors.Is(err, errClose) {
		t.Errorf("close: %v", err)
	}
}

type panickingClose struct{ fixed }

func (p panickingClose) Open(healthcheck.Target) (healthcheck.Probe, error) { return p, nil }

func (panickingClose) Close() error { panic("no") }

// TestAllClosesWhatComesAfterAPanic: a connection of a probe must not stay open because another one cannot close.
func TestAllClosesWhatComesAfterAPanic(t *testing.T) {
	t.Parallel()
	var log []string
	a, b := fixed{name: "a", log: &log}, fixed{name: "b", log: &log}
	probe, err := healthcheck.All(a, panickingClose{}, b).Open(healthcheck.Target{ID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		_ = probe.Close()
	}()
	if want := []string{"open a", "open b", "close a", "close b"}; !slices.Equal(log, want) {
		t.Errorf("%v, want %v", log, want)
	}
}
