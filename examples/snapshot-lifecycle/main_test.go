package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/kmssvc"
	"github.com/awsha/awsha/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tell runs the program in memory.
func tell(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out, io.Discard, func(story func()) {
		synctest.Test(t, func(*testing.T) { story() })
	})
	return out.String(), err
}

// reportOf returns what -json says.
func reportOf(t *testing.T, args ...string) report {
	t.Helper()
	text, err := tell(t, append(args, "-json")...)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(new(any)); err != io.EOF {
		t.Errorf("more than one object: %v", err)
	}
	return r
}

func policyFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestThePolicyIsKeptInWhateverGoesWrong(t *testing.T) {
	r := reportOf(t, "-days", "200")
	// Of seven volumes 3+7+5+7 nights at most, some of which are the same; of the deleted one what there was.
	if r.Duplicates != 0 || r.Kept < 7*17 || r.Kept > 8*22 || r.Volumes != 7 || r.Restored == "" {
		t.Errorf("%+v", r)
	}
	if copies := r.Copies["us-west-2"]; copies < 7*7 || copies > 8*9 {
		t.Errorf("%d copies", copies)
	}
	if r.RPO <= 0 || r.RPO > 3600 {
		t.Errorf("%v s of data would be lost", r.RPO)
	}
	if r.Create < 200*5 || r.Create > 200*6*105/100 { // two instances and four volumes, of which one goes; some calls are lost
		t.Errorf("%d creates", r.Create)
	}
}

func TestWithoutFaultsEachNightIsTakenOnce(t *testing.T) {
	r := reportOf(t, "-days", "30", "-faults=false")
	if r.Create != 31*6 || r.Duplicates != 0 || r.Failed != 0 || r.Missed != 0 || r.Volumes != 8 {
		t.Errorf("%+v", r)
	}
}

func TestOneSlotOfManyVolumes(t *testing.T) {
	r := reportOf(t, "-volumes", "1000")
	if r.Create != 250 || r.Describe > 30 || r.Kept != 1000 || r.Took > 10*60+60+60 { // ten minutes, a minute to notice, one to begin 250
		t.Errorf("%+v", r)
	}
}

func TestImagesOfAPolicyOfOnesOwn(t *testing.T) {
	file := policyFile(t, `{"name": "web", "region": "eu-west-1", "targets": {"images": {"tags": {"role": "web"}}}, "schedule": {"every": "12h"},
		"retain": {"last": 4}}`)
	if r := reportOf(t, "-days", "10", "-policy", file); r.Kept != 2*4 || r.Create < 40 {
		t.Errorf("%+v", r)
	}
}

func TestTheTableSaysWhy(t *testing.T) {
	text, err := tell(t, "-days", "20")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"us-west-2 is down for a night", "last 1 of 3, daily 1 of 7", "no rule keeps it", "0 duplicates", "restored: vol-"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestTheCalendarIsADocument(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kept.html")
	if _, err := tell(t, "-days", "60", "-html", file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	strips := strings.Split(string(data), "<svg")[1:]
	if len(strips) != 2 {
		t.Fatalf("%d strips", len(strips))
	}
	for _, strip := range strips {
		strip, _, _ = strings.Cut("<svg"+strip, "</svg>")
		count := map[string]int{}
		dec := xml.NewDecoder(strings.NewReader(strip + "</svg>"))
		for {
			token, err := dec.Token()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
				count[e.Attr[0].Value]++
			}
		}
		if all := count["no"] + count["yes"] + count["some"] + count["held"] + count["goes"]; all < 60 || count["yes"]+count["some"] < 5 {
			t.Errorf("squares: %v", count)
		}
	}
}

func TestElsewhereNothingIsChangedWithoutApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New([]awstest.Service{kmssvc.New(), ec2svc.New()})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{cloud: cloud}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		policy, err := snapshot.ParsePolicy([]byte(`{"name": "here", "region": "us-east-1", "targets": {"instances": {"tags": {"app": "orders"}}},
			"schedule": {"cron": "0 3 * * *"}}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.launch(t.Context(), policy, 2, 3); err != nil {
			t.Fatal(err)
		}
		for _, apply := range []bool{false, true, true} {
			var out bytes.Buffer
			if err := elsewhere(t.Context(), &flags{policy: policy, apply: apply}, cloud.Config, &out); err != nil {
				t.Fatal(err)
			}
			want := "and all of 2 targets that have no completed snapshot\nnothing was changed; -apply takes, copies and deletes"
			if apply {
				want = "running the slot of "
			}
			if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "would take  instance/i-") {
				t.Errorf("apply %v:\n%s", apply, out.String())
			}
			if calls := cloud.Count("EC2", "CreateSnapshots"); !apply && calls != 0 || apply && calls != 2 { // the same slot is taken once
				t.Errorf("apply %v: %d calls", apply, calls)
			}
		}
		list, err := ec2.NewFromConfig(cloud.Config("us-east-1")).DescribeSnapshots(t.Context(), &ec2.DescribeSnapshotsInput{})
		if err != nil || len(list.Snapshots) != 6 {
			t.Errorf("%d snapshots: %v", len(list.Snapshots), err)
		}
	})
}

func TestWrongFlagsAreAllNamed(t *testing.T) {
	t.Parallel()
	byID := policyFile(t, `{"name": "x", "region": "us-east-1", "targets": {"volumes": {"ids": ["vol-12345678"]}}}`)
	wrong := policyFile(t, `{"name": "X", "targets": {}}`)
	for line, want := range map[string][]string{
		"-volumes 5 -days 0 extra":                    {"-volumes", "-days", `"extra"`},
		"-aws -endpoint ftp://x -days 3":              {"-endpoint", "-policy", "-days"},
		"-apply":                                      {"-apply"},
		"-dry-run=false -endpoint http://127.0.0.1:1": {"-dry-run", "-policy"},
		"-aws -apply -dry-run -policy " + byID:        {"-apply"},
		"-policy " + byID:                             {"by tags", "schedule"},
		"-policy " + wrong:                            {"name", "region", "targets"},
		"-policy /none":                               {"-policy"},
		"-nonsense":                                   {"-nonsense"},
		"-volumes 8 -html x":                          {"-html"},
	} {
		_, err := tell(t, strings.Fields(line)...)
		if !errors.Is(err, errUsage) || exitCode(err) != 2 {
			t.Errorf("%s: exit %d, %v", line, exitCode(err), err)
			continue
		}
		for _, text := range want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %q does not name %s", line, err, text)
			}
		}
	}
	if _, err := tell(t, "-h"); !errors.Is(err, flag.ErrHelp) || exitCode(err) != 0 {
		t.Errorf("-h: %v", err)
	}
}

func TestASignalEndsTheStory(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	err := run(ctx, []string{"-json"}, io.Discard, io.Discard, func(story func()) { synctest.Test(t, func(*testing.T) { story() }) })
	if !errors.Is(err, context.DeadlineExceeded) || exitCode(err) != 1 {
		t.Errorf("%v", err)
	}
}
