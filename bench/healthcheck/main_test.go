package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
)

// TestMain is one of the processes of a run as well, when a run starts this binary.
func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	serveOrCheck := func() error {
		if role == "servers" {
			return serve(context.Background(), os.Stdin, os.Stdout)
		}
		return check(context.Background(), role, os.Stdin, os.Stdout)
	}
	if serveOrCheck() != nil {
		os.Exit(1)
	}
}

// A run that is too short to compare anything, but long enough to see that each part does its work.
func TestEachCheckerChecksAndFindsTheDead(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	args := []string{"-targets", "20", "-interval", "200ms", "-timeout", "100ms", "-for", "1s", "-kills", "1", "-without-haproxy", "-json"}
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var got results
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Runs) != 9 || len(got.Ratios) != 5 {
		t.Fatalf("%d runs and %d ratios, want 9 and 5", len(got.Runs), len(got.Ratios))
	}
	for _, r := range got.Runs {
		if r.ChecksSeen < 0.5 || r.ChecksSeen > 1.5 {
			t.Errorf("%s: the servers saw %.2f of the checks that were due", r.Design, r.ChecksSeen)
		}
		if r.Undetected > 0 {
			t.Errorf("%s: a killed server was not found out", r.Design)
		}
	}
}

func TestWrongFlagsAreAllNamed(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{"-targets", "1", "-interval", "1ms", "-timeout", "1ms", "-for", "1ms", "-kills", "0", "-without-haproxy"}, io.Discard, io.Discard)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"-targets", "-interval", "-timeout", "-for", "-kills"} {
		if !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
}

func TestHAProxyIsSetAsTheOthers(t *testing.T) {
	t.Parallel()
	s := settings{Targets: 2, Interval: 1500e6, Timeout: 500e6, Fall: 2}
	got := haproxyConfig(s, "127.0.0.1:514", "/run/socket", []string{"127.0.0.1:1", "127.0.0.1:2"})
	for _, want := range []string{
		"log 127.0.0.1:514 local0\n", "timeout check 500ms\n", "timeout connect 500ms\n", "bind unix@/run/socket\n",
		"default-server check inter 1500ms fall 2 rise 2\n", "server s0 127.0.0.1:1\n", "server s1 127.0.0.1:2\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
