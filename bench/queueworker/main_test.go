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
	if play(context.Background(), role) != nil {
		os.Exit(1)
	}
}

func measured(t *testing.T, args ...string) []result {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), append(args, "-json"), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var got results
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got.Runs
}

// A run that is too short to compare anything, but long enough to see that each worker does its work.
func TestEachWorkerEmptiesTheQueue(t *testing.T) {
	t.Parallel()
	got := measured(t, "-messages", "200", "-rounds", "2", "-scenarios", "50x5ms,50x0", "-delay", "1ms", "-patience", "20s")
	if len(got) != 8 {
		t.Fatalf("%d runs, want 8", len(got))
	}
	for i := range got {
		r := &got[i]
		if r.Deleted != 400 || r.Lost+r.Left != 0 || r.Duplicates != 0 || r.NotDeleted != 0 || r.Invisible != 0 {
			t.Errorf("%+v: want each of 200 messages of two rounds handled once and deleted", *r)
		}
		if r.Rate <= 0 || r.ResidentMiB <= 0 || r.CallsPerMessage < 0.2 {
			t.Errorf("%+v: not measured", *r)
		}
	}
}

func TestLeasesRunOutUnlessTheyAreExtended(t *testing.T) {
	t.Parallel()
	got := measured(t, "-slow-messages", "2", "-slow-handler", "2500ms", "-scenarios", "slow", "-peers", "queueworker,bare", "-delay", "1ms", "-patience", "7s")
	if r := got[0]; r.Deleted != 2 || r.Duplicates != 0 || r.Refused != 0 || r.ExtendCalls == 0 {
		t.Errorf("%+v: want no lease to run out", r)
	}
	if r := got[1]; r.Deleted == 2 && r.Duplicates == 0 {
		t.Errorf("%+v: the endpoint does not end leases", r)
	}
}

func TestTerminationIsSeen(t *testing.T) {
	t.Parallel()
	got := measured(t, "-scenarios", "termination", "-peers", "queueworker,bare", "-delay", "1ms")
	if r := got[0]; r.NotDeleted != 0 || r.Invisible != 0 || r.ExitMS <= 0 {
		t.Errorf("%+v: want a clean drain", r)
	}
	if r := got[1]; r.Invisible == 0 {
		t.Errorf("%+v: want what was received and dropped to be invisible", r)
	}
}

func TestWrongFlagsAreAllNamed(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), []string{
		"-peers", "x", "-scenarios", "x", "-messages", "1", "-rounds", "0", "-slow-messages", "0", "-slow-handler", "0", "-delay", "-1s", "-patience", "0", "x",
	}, io.Discard, io.Discard)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"-peers", "-scenarios", "-messages", "-rounds", "-slow-messages", "-slow-handler", "-delay", "-patience"} {
		if !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s is not named in %v", name, err)
		}
	}
	if n := strings.Count(err.Error(), "-messages: "); n != 3 { // of it, of arguments, and of -slow-messages
		t.Errorf("-messages is named %d times in %v", n, err)
	}
}
