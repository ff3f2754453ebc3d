package snapshot_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/snapshot"
)

const whole = `{
  "name": "orders",
  "region": "us-east-1",
  "targets": {
    "volumes": {"ids": ["vol-0123456789abcdef0"], "tags": {"backup": "*"}},
    "instances": {"tags": {"app": "orders"}},
    "images": {"ids": ["i-01234567"]},
    "databases": {"ids": ["orders-1"]},
    "clusters": {"tags": {"app": "orders"}},
    "exclude": {"ids": ["vol-01234567"], "tags": {"cost centre": "none"}},
    "exclude_boot": true,
    "reboot": true
  },
  "schedule": {"cron": "0 */6 * * *", "zone": "Europe/Berlin"},
  "catch_up": "12h",
  "retain": {"last": 4, "hourly": 24, "daily": 7, "weekly": 5, "monthly": 12, "yearly": -1, "within": "2d", "max_age": "53w",
             "from_now": true, "min_keep": 2, "failed_after": "90m", "zone": "Europe/Berlin"},
  "copies": [
    {"region": "us-west-2", "kms_key": "alias/backup", "retain": {"daily": 14}, "completion": "1h", "latest_only": true},
    {"region": "eu-central-1"}
  ],
  "tags": {"team": "orders"},
  "copy_tags": ["app", "cost-*"]
}`

func TestAPolicyGoesThroughJSON(t *testing.T) {
	t.Parallel()
	p, err := snapshot.ParsePolicy([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	berlin := zone(t, "Europe/Berlin")
	want := &snapshot.Policy{
		Name: "orders", Region: "us-east-1",
		Targets: snapshot.Targets{
			Volumes:     snapshot.Selector{IDs: []string{"vol-0123456789abcdef0"}, Tags: map[string]string{"backup": "*"}},
			Instances:   snapshot.Selector{Tags: map[string]string{"app": "orders"}},
			Images:      snapshot.Selector{IDs: []string{"i-01234567"}},
			Databases:   snapshot.Selector{IDs: []string{"orders-1"}},
			Clusters:    snapshot.Selector{Tags: map[string]string{"app": "orders"}},
			Exclude:     snapshot.Selector{IDs: []string{"vol-01234567"}, Tags: map[string]string{"cost centre": "none"}},
			ExcludeBoot: true, Reboot: true,
		},
		Schedule: snapshot.Schedule{Cron: "0 */6 * * *", Location: berlin},
		CatchUp:  12 * time.Hour,
		Retain: snapshot.Retention{
			Last: 4, Hourly: 24, Daily: 7, Weekly: 5, Monthly: 12, Yearly: snapshot.Unlimited, Within: 48 * time.Hour, MaxAge: 53 * 7 * 24 * time.Hour,
			FromNow: true, MinKeep: 2, FailedAfter: 90 * time.Minute, Location: berlin,
		},
		Copies: []snapshot.CopyRule{
			{Region: "us-west-2", KMSKeyID: "alias/backup", Retain: snapshot.Retention{Daily: 14}, Completion: time.Hour, LatestOnly: true},
			{Region: "eu-central-1"},
		},
		Tags:     map[string]string{"team": "orders"},
		CopyTags: []string{"app", "cost-*"},
	}
	sameZone := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })
	if diff := cmp.Diff(want, p, sameZone); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	data, err := json.Marshal(*p)
	if err != nil {
		t.Fatal(err)
	}
	var again snapshot.Policy
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	if diff := cmp.Diff(want, &again, sameZone); diff != "" {
		t.Errorf("written and read again (-want +got):\n%s", diff)
	}
	if p.Fingerprint() != again.Fingerprint() || len(p.Fingerprint()) != 16 {
		t.Errorf("fingerprints %q and %q", p.Fingerprint(), again.Fingerprint())
	}
	again.Copies[1].LatestOnly = true
	if p.Fingerprint() == again.Fingerprint() {
		t.Error("a change leaves the fingerprint as it was")
	}
}

// A policy is refused whole, with each fault by its path.
func TestEachFaultOfAPolicyIsNamed(t *testing.T) {
	t.Parallel()
	const valid = `"name":"a","region":"us-east-1","targets":{"volumes":{"ids":["vol-01234567"]}}`
	tests := []struct {
		name, policy string
		want         []string // fields
	}{
		{"not JSON", `{"name":`, []string{"name"}},
		{"no object", `[]`, []string{""}},
		{"nothing", ``, []string{""}},
		{"more after it", `{` + valid + `} {}`, []string{""}},
		{"text that is not UTF-8", "{\"name\":\"\xff\"}", []string{""}},
		{"too deep", strings.Repeat("[", 100), []string{strings.Repeat("[0]", 17)}},
		{"empty", `{}`, []string{"name", "region", "targets"}},
		{"unknown and repeated names", `{` + valid + `,"retian":{},"name":"b","targets":{"volumes":{"id":["vol-01234567"]}}}`,
			[]string{"name", "targets"}},
		{"unknown names", `{` + valid + `,"retian":{},"retain":{"dayly":7},"copies":[{"region":"eu-west-1","key":"k"}]}`,
			[]string{"copies[0].key", "retain.dayly", "retian"}},
		{"other types", `{"name":1,"region":null,"targets":[],"schedule":"daily","catch_up":6,"retain":{"daily":"7","last":1.5,"from_now":"yes"},` +
			`"copies":{},"tags":{"a":1},"copy_tags":["a",2]}`,
			[]string{"catch_up", "copies", "copy_tags[1]", "name", "region", "retain.daily", "retain.from_now", "retain.last", "schedule", "tags.a", "targets"}},
		{"values that break rules", `{"name":"A b","region":"Mars","targets":{"volumes":{"ids":["vol-1","vol-01234567"]},"instances":{"ids":["vol-01234567"]},` +
			`"databases":{"ids":["Orders"]},"exclude":{"tags":{"":"x"}}},"schedule":{"cron":"61 * * * *","every":"1s"},"catch_up":"-1h",` +
			`"retain":{"daily":-2,"max_age":"-1h"},"copies":[{"region":"eu-west-1","completion":"20m"},{"region":"eu-west-1"}],` +
			`"tags":{"aws:x":"y"},"copy_tags":["a*b"]}`,
			[]string{
				"catch_up", "copies[0].completion", "copies[1].region", "copy_tags[0]", "name", "region", "retain.daily", "retain.max_age", "schedule",
				"schedule.cron", "schedule.every", `tags["aws:x"]`, "targets.databases.ids[0]", `targets.exclude.tags[""]`, "targets.instances.ids[0]",
				"targets.volumes.ids[0]",
			}},
		{"durations and zones", `{` + valid + `,"catch_up":"1 day","schedule":{"every":"1h","zone":"Local"},"retain":{"within":"99999999999d","zone":"Mars/Olympus"}}`,
			[]string{"catch_up", "retain.within", "retain.zone", "schedule.zone"}},
		{"a copy to where it is", `{` + valid + `,"copies":[{"region":"us-east-1"}]}`, []string{"copies[0].region"}},
		{"an impossible date", `{` + valid + `,"schedule":{"cron":"0 0 31 2 *"}}`, []string{"schedule.cron"}},
		{"nothing to take", `{"name":"a","region":"us-east-1","targets":{"exclude":{"ids":["vol-01234567"]}}}`, []string{"targets"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, err := snapshot.ParsePolicy([]byte(test.policy))
			if p != nil {
				t.Error("there is a policy")
			}
			if diff := cmp.Diff(test.want, fieldsOf(err)); diff != "" {
				t.Errorf("fields (-want +got):\n%s\n%v", diff, err)
			}
			into := snapshot.Policy{Name: "before"}
			if err := json.Unmarshal([]byte(test.policy), &into); err == nil || into.Name != "before" {
				t.Errorf("unmarshalled to %+v: %v", into, err)
			}
		})
	}
}

// fieldsOf returns the fields that an error names, in order.
func fieldsOf(err error) (fields []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			fields = append(fields, fieldsOf(e)...)
		}
		return fields
	}
	if e, ok := errors.AsType[*snapshot.FieldError](err); ok {
		return []string{e.Field}
	}
	return nil
}

type weekly struct{}

func (weekly) Next(t time.Time) time.Time { return t.Add(7 * 24 * time.Hour) }

func TestACustomScheduleHasNoFormInJSON(t *testing.T) {
	t.Parallel()
	p := snapshot.Policy{
		Name: "a", Region: "us-east-1", Targets: snapshot.Targets{Volumes: snapshot.Selector{IDs: []string{"vol-01234567"}}},
		Schedule: snapshot.Schedule{Custom: weekly{}},
	}
	if err := p.Validate(); err != nil {
		t.Error(err)
	}
	if _, err := json.Marshal(p); err == nil || !strings.Contains(err.Error(), "schedule") {
		t.Errorf("it was marshalled: %v", err)
	}
	with := p.Fingerprint()
	if p.Schedule.Custom = nil; p.Fingerprint() == with {
		t.Error("a custom schedule is not in the fingerprint")
	}
	p.Schedule = snapshot.Schedule{Custom: weekly{}, Every: time.Hour}
	if got := fieldsOf(p.Validate()); !slices.Equal(got, []string{"schedule"}) {
		t.Errorf("two schedules: %q", got)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(whole)
	f.Add(`{"name":"a","region":"us-east-1","targets":{"volumes":{"ids":["vol-01234567"]}},"schedule":{"every":"90s"}}`)
	f.Add(`{"name":"a","name":"b","copies":[null,{"retain":{"within":"1h1s"}}],"tags":{"\u0000":"\\"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := snapshot.ParsePolicy([]byte(text))
		if err != nil {
			if p != nil || len(fieldsOf(err)) == 0 {
				t.Fatalf("%v names no field, or there is a policy: %v", err, p)
			}
			return
		}
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := snapshot.ParsePolicy(data)
		if err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		if p.Fingerprint() != again.Fingerprint() {
			t.Fatalf("%s is another policy", data)
		}
	})
}
