package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStoryIsToldOnOneScreen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out, stderr bytes.Buffer
		if err := run(t.Context(), nil, &out, &stderr); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) > 30 || stderr.Len() > 0 {
			t.Errorf("%d lines, and on stderr %q", len(lines), &stderr)
		}
		var labels []string
		for _, line := range lines {
			if len(line) > 130 || strings.TrimRight(line, " ") != line {
				t.Errorf("%d columns: %q", len(line), line)
			}
			if label, _, _ := strings.Cut(line, "  "); label != "" {
				labels = append(labels, label)
			}
		}
		want := []string{"primary", "standby", "denied", "ready", "dry run", "move", "again", "conflict", "claim"}
		if diff := cmp.Diff(want, labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		for _, pattern := range []string{
			`denied +missing ec2:AssociateAddress +0 changes`,
			`dry run +would end eipassoc-\S+ then .* 0 changes`,
			`again +unchanged +eni-`,
		} {
			if !regexp.MustCompile(pattern).Match(out.Bytes()) {
				t.Errorf("nothing says %q in:\n%s", pattern, &out)
			}
		}
	})
}

func TestJSONIsOneObjectAboutTheStrictMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-json"}, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(&out)
		dec.DisallowUnknownFields()
		var o outcome
		if err := dec.Decode(&o); err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(new(any)); err != io.EOF {
			t.Errorf("more than one object: %v", err)
		}
		calls := []int{o.DisassociateCalls, o.AssociateCalls, o.DescribeCalls, o.InspectCalls}
		if diff := cmp.Diff([]int{1, 1, 1, 0}, calls); diff != "" || !o.Changed || o.TookMS <= 0 {
			t.Errorf("changed %t in %v ms, calls (-want +got):\n%s", o.Changed, o.TookMS, diff)
		}
		if o.Conflict == nil || o.Conflict.Owner != o.After || o.After.ID == "" || o.After == o.Before {
			t.Errorf("before %v, after %v, conflict %v", o.Before, o.After, o.Conflict)
		}
		if len(o.Ready) == 0 || o.Would == "" || cmp.Diff([]string{"ec2:AssociateAddress"}, o.Denied) != "" {
			t.Errorf("ready %v, would %q, denied %q", o.Ready, o.Would, o.Denied)
		}
		owners := map[string]int{}
		for _, c := range o.Claims {
			owners[c.AllocationID]++
			if (c.AllocationID == "") != (c.Error != "") {
				t.Errorf("claim %+v", c)
			}
		}
		if empty := owners[""]; len(o.Claims) != 5 || len(owners) != 4 || empty != 2 {
			t.Errorf("claims %+v", o.Claims)
		}
	})
}

func TestWrongUsageNamesTheFlag(t *testing.T) {
	t.Parallel()
	const named = " -allocation eipalloc-1 -target eni-1"
	for args, want := range map[string][]string{
		"story":                   {`"story"`},
		"-bogus":                  {"-bogus"},
		"-apply":                  {"-apply"},
		"-region eu-west-1":       {"-region"},
		"-timeout 0":              {"-timeout"},
		"-endpoint localhost":     {"-endpoint"},
		"-endpoint=":              {"-endpoint"},
		"-target eni-1":           {"-target"},
		"-n":                      {"-n"},
		"-dry-run -displace":      {"-dry-run", "-displace"},
		"-aws":                    {"-allocation"},
		"-aws -endpoint http://x": {"-endpoint", "-allocation"},
		"-allocation eipalloc-1":  {"-endpoint or -aws", "-target"},
		"-aws -allocation 203.0.113.10 -target eni-1": {"-allocation", "eipalloc-"},
		"-aws -allocation eipalloc-1 -target eipa-1":  {"-target", "eni- or i-"},
		"-aws -allocation eipalloc-1 -target eni-":    {"-target"},
		"-aws -allocation eipalloc-1 -target ENI-1":   {"-target"},
		"-aws -expect eni-1" + named:                  {"-expect", "eipassoc-"},
		"-aws -guard lease" + named:                   {"-guard", "strict or free"},
		"-aws -guard free -expect eipassoc-1" + named: {"-expect"},
		"-aws -private-ip ::1" + named:                {"-private-ip"},
		"-aws -private-ip here" + named:               {"-private-ip"},
		"-aws -apply -n" + named:                      {"-apply"},
	} {
		var out, stderr bytes.Buffer
		err := run(t.Context(), strings.Fields(args), &out, &stderr)
		if exitCode(err) != 2 || out.Len()+stderr.Len() > 0 {
			t.Errorf("%s: exit status %d of %v, output %q and %q", args, exitCode(err), err, &out, &stderr)
			continue
		}
		for _, name := range want {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%s: nothing says %s: %v", args, name, err)
			}
		}
	}
}

func TestHelpTellsTheExitStatus(t *testing.T) {
	t.Parallel()
	var out, stderr bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &out, &stderr); !errors.Is(err, flag.ErrHelp) || exitCode(err) != 0 {
		t.Errorf("got %v", err)
	}
	if out.Len() > 0 || !strings.Contains(stderr.String(), "3 somebody else") {
		t.Errorf("output %q and %q", &out, &stderr)
	}
}

func TestTimeoutEndsTheStory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		err := run(t.Context(), []string{"-json", "-timeout", "100ms"}, &out, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "-timeout") || exitCode(err) != 1 {
			t.Errorf("got %v", err)
		}
		var o outcome
		if json.Unmarshal(out.Bytes(), &o) != nil || o.Error != err.Error() || o.Changed {
			t.Errorf("printed %s", &out)
		}
	})
}
