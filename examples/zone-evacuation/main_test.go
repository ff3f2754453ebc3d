package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/examples/internal/virtual"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func bubble(t *testing.T) virtual.Bubble {
	return func(tell func()) { synctest.Test(t, func(*testing.T) { tell() }) }
}

func TestTheZoneIsLeft(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.html")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-json", "-html", page}, &out, os.Stderr, bubble(t)); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Verdict      string         `json:"verdict"`
		RTO          float64        `json:"rto_ms"`
		Detection    float64        `json:"detection_ms"`
		Bound        float64        `json:"detection_bound_ms"`
		Critical     float64        `json:"critical_path_ms"`
		RPO          float64        `json:"rpo_seconds"`
		WritesLost   int            `json:"writes_lost"`
		MessagesLost *int           `json:"messages_lost"`
		Requests     int            `json:"requests"`
		Failed       int            `json:"failed"`
		Late         int            `json:"failed_after_recovery"`
		Customers    float64        `json:"customers_rto_ms"`
		Effects      map[string]int `json:"effects_per_step"`
	}
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if r.Verdict != "pass" || r.Detection <= 0 || r.Detection > r.Bound {
		t.Errorf("%+v", r)
	}
	if forecast := r.Detection + r.Critical; r.RTO < forecast || r.RTO > 1.02*forecast {
		t.Errorf("RTO %v ms, and detection and critical path are %v", r.RTO, forecast)
	}
	// The last backup is of 25 seconds before the fault, up to when the fault was in force.
	if r.RPO < 24 || r.RPO > 26 || r.WritesLost < 200 || r.MessagesLost == nil || *r.MessagesLost != 0 {
		t.Errorf("RPO %v s, %d writes and %v orders lost", r.RPO, r.WritesLost, r.MessagesLost)
	}
	if r.Requests < 5000 || r.Failed == 0 || r.Failed > 1000 || r.Late != 0 || r.Customers > r.Detection+1000 {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff(map[string]int{
		"shift-1": 1, "orders-web-suspend": 1, "orders-web-launch": 1, "orders-web-resume": 1,
		"ledger-fence": 1, "ledger-launch": 1, "ledger-restore-1": 1, "ledger-attach-1": 1, "ledger-address-1": 2, // disassociate, associate
	}, r.Effects); diff != "" {
		t.Error(diff)
	}
	text, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(text, []byte("ledger-restore-1")) {
		t.Errorf("page of %d bytes: %v", len(text), err)
	}
}

func TestTheStoryForPeople(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-speed", "0"}, &out, os.Stderr, bubble(t)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"inject power loss", "detected", "step done ledger-address-1", "verdict        PASS", "RPO            25.0 s", "1 of ledger-attach-1"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not in\n%s", text, &out)
		}
	}
}

func TestAnInterruptEndsTheStory(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := errors.New("interrupted")
	cancel(interrupt)
	var out bytes.Buffer
	err := run(ctx, []string{"-speed", "0"}, &out, os.Stderr, bubble(t))
	if !errors.Is(err, interrupt) || strings.Contains(out.String(), "in force") || exitCode(err) != 1 {
		t.Errorf("%v after\n%s", err, &out)
	}
}

func TestWrongFlagsAndSites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	site := file("site.json", `{"region":"us-east-1","service":"orders","zone":"use1-az1","groups":[{"name":"web","count":0}]}`)
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"-no"}, []string{"-no"}},
		{[]string{"more"}, []string{`"more"`}},
		{[]string{"-endpoint", "localhost", "-speed", "-1"}, []string{"-endpoint", "-speed is of the story", "-speed must not be negative"}},
		{[]string{"-aws", "-endpoint", "http://127.0.0.1:1"}, []string{"-aws", "-site"}},
		{[]string{"-apply", "orders", "-region", "eu-west-1"}, []string{"-apply needs -aws", "-table", "-region"}},
		{[]string{"-incident", "x"}, []string{"-incident needs -apply"}},
		{[]string{"-aws", "-site", filepath.Join(dir, "none")}, []string{"-site"}},
		{[]string{"-aws", "-site", file("text", "{")}, []string{"the site"}},
		{[]string{"-aws", "-site", file("more", `{"colour":1}`)}, []string{"colour"}},
		{[]string{"-aws", "-site", file("empty", `{"singles":[{"volumes":[{"max_age":"-1h"}]}]}`)}, []string{"region", "service", "zone", "singles[0].volumes[0].max_age", "policy"}},
		{[]string{"-aws", "-site", site}, []string{"the site makes no plan", "Count", "Zones"}},
		{[]string{"-aws", "-site", site, "-apply", "checkout", "-table", "t"}, []string{"-apply", `"orders"`}},
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

func TestTheDescriptionIsOne(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-describe"}, &out, os.Stderr, nil); err != nil {
		t.Fatal(err)
	}
	s, err := read(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.plan(aws.Config{Region: s.Region}).Validate(); err != nil {
		t.Error(err)
	}
}
