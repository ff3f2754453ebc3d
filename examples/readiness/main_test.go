package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheReport(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.html")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-html", page}, &out, &out); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"stable: without use1-az2", "NOT STABLE: without use1-az3", "nothing is reserved for 2", "critical path: launch, attach-1, register-1, healthy-1, deregister-1",
		"ec2:StopInstances i-00000000000000005: permitted", "no capacity is reserved for it",
	} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is not in\n%s", text, out.String())
		}
	}
	html, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(html, []byte("Forecast of orders")) || !bytes.Contains(html, []byte("NOT STABLE")) {
		t.Errorf("%s, %v", html, err)
	}
	out.Reset()
	if err := run(t.Context(), []string{"-json"}, &out, &out); err != nil {
		t.Fatal(err)
	}
	var r struct {
		RTO       int `json:"rto_ms"`
		Stability struct {
			Stable bool `json:"stable"`
		} `json:"stability"`
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.RTO != 67_000 || r.Stability.Stable {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWrongFlagsAndSites(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), "site.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"-x"}, []string{"flags: "}},
		{[]string{"x"}, []string{"is an argument"}},
		{[]string{"-aws"}, []string{"-site goes with"}},
		{[]string{"-aws", "-endpoint", "http://"}, []string{"-endpoint must be a URL", "-aws does not go with -endpoint", "-site goes with"}},
		{[]string{"-endpoint", "http://127.0.0.1:1", "-site", "/nowhere"}, []string{"-site: "}},
		{[]string{"-endpoint", "http://127.0.0.1:1", "-site", write("{")}, []string{"the site: "}},
		{[]string{"-endpoint", "http://127.0.0.1:1", "-site", write(`{"regoin": "x"}`)}, []string{`unknown field "regoin"`}},
		{[]string{"-endpoint", "http://127.0.0.1:1", "-site", write(`{"fleets": [{"needed": -1}]}`)}, []string{
			"region must", "service must", "fleets[0].name", "fleets[0].tags", "fleets[0].needed", "single.instance",
		}},
		{[]string{"-endpoint", "http://127.0.0.1:1", "-site", write(`{"region": "us-east-1", "service": "orders", "single": {"instance": "i-1"}}`)}, []string{
			"the site makes no plan", "Types", "Subnets",
		}},
		{[]string{"-html", "/nowhere/x.html"}, []string{"-html: "}},
	} {
		var out bytes.Buffer
		err := run(t.Context(), c.args, &out, &out)
		if !errors.As(err, new(*usageError)) {
			t.Errorf("%v: %v", c.args, err)
			continue
		}
		for _, text := range c.want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%v: %q is not in %v", c.args, text, err)
			}
		}
	}
}

func TestTheDescriptionIsOne(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-describe"}, &out, &out); err != nil {
		t.Fatal(err)
	}
	if s, err := read(out.Bytes()); err != nil || s.Service != "orders" {
		t.Errorf("%+v, %v", s, err)
	}
}
