package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/examples/internal/virtual"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func bubble(t *testing.T) virtual.Bubble {
	return func(tell func()) { synctest.Test(t, func(*testing.T) { tell() }) }
}

func TestNoAcknowledgedWriteIsLost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		args    []string
		effects map[string]int
	}{
		{"RDS does it by itself", nil, nil},
		{"RDS is asked", []string{"-planned"}, map[string]int{"database-orders": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			page := filepath.Join(t.TempDir(), "page.html")
			var out bytes.Buffer
			if err := run(t.Context(), append([]string{"-json", "-html", page}, tt.args...), &out, os.Stderr, bubble(t)); err != nil {
				t.Fatal(err)
			}
			var r struct {
				Verdict   string         `json:"verdict"`
				RTO       float64        `json:"rto_ms"`
				Detection float64        `json:"detection_ms"`
				Critical  float64        `json:"critical_path_ms"`
				RPO       *float64       `json:"rpo_seconds"`
				Written   int            `json:"writes_acknowledged"`
				Lost      *int           `json:"writes_lost"`
				Requests  int            `json:"requests"`
				Failed    int            `json:"failed"`
				Late      int            `json:"failed_after_recovery"`
				Effects   map[string]int `json:"effects_per_step"`
			}
			d := json.NewDecoder(&out)
			d.DisallowUnknownFields()
			if err := d.Decode(&r); err != nil {
				t.Fatal(err)
			}
			forecast := r.Detection + r.Critical
			if r.Verdict != "pass" || r.RTO < 0.98*forecast || r.RTO > 1.02*forecast {
				t.Errorf("%+v", r)
			}
			if r.RPO == nil || *r.RPO != 0 || r.Lost == nil || *r.Lost != 0 || r.Written < 800 || r.Failed < 100 || r.Late != 0 {
				t.Errorf("%+v", r)
			}
			if diff := cmp.Diff(tt.effects, r.Effects); diff != "" {
				t.Error(diff)
			}
			if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte("database-orders")) {
				t.Errorf("page of %d bytes: %v", len(text), err)
			}
		})
	}
}

func TestTheStoryForPeople(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-speed", "0"}, &out, os.Stderr, bubble(t)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"inject power loss", "detected", "step done database-orders", "verdict    PASS", "0 are lost", "RDS did it by itself"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not in\n%s", text, &out)
		}
	}
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"-no"}, []string{"-no"}},
		{[]string{"more"}, []string{`"more"`}},
		{[]string{"-aws"}, []string{"-database"}},
		{[]string{"-database", "orders"}, []string{"-database", "-away"}},
		{[]string{"-aws", "-endpoint", "x", "-database", "orders", "-away", "use1-az1", "-planned"}, []string{"-aws", "-endpoint", "-planned"}},
		{[]string{"-aws", "-database", "orders", "-away", "use1-az1", "-apply", "checkout"}, []string{"-apply"}},
		{[]string{"-apply", "", "-region", "", "-speed", "-1"}, []string{"-apply", "-region", "-speed"}},
	} {
		var out bytes.Buffer
		err := run(t.Context(), tt.args, &out, &out, nil)
		if err == nil || exitCode(err) != 2 {
			t.Errorf("%q: %v", tt.args, err)
			continue
		}
		for _, text := range tt.want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q: %q is not in %v", tt.args, text, err)
			}
		}
	}
	if err := run(t.Context(), []string{"-h"}, new(bytes.Buffer), new(bytes.Buffer), nil); !errors.Is(err, flag.ErrHelp) || exitCode(err) != 0 {
		t.Error(err)
	}
}
