package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParsePolicy reads a policy in JSON:
//
//	{
//	  "name": "orders",
//	  "region": "us-east-1",
//	  "targets": {
//	    "instances": {"tags": {"app": "orders"}},
//	    "databases": {"ids": ["orders"]},
//	    "exclude": {"tags": {"scratch": "yes"}}
//	  },
//	  "schedule": {"cron": "0 */6 * * *", "zone": "Europe/Berlin"},
//	  "catch_up": "12h",
//	  "retain": {"last": 4, "daily": 7, "weekly": 5, "monthly": 12, "zone": "Europe/Berlin"},
//	  "copies": [{"region": "us-west-2", "kms_key": "alias/backup", "retain": {"daily": 14}}],
//	  "tags": {"team": "orders"},
//	  "copy_tags": ["app", "cost-*"]
//	}
//
// Durations are such as "90m", "36h", "30d" and "2w". Anything else is refused, and all of it at once: names that are not known or are there
// twice, values of another type, values that break a rule. The error joins a [*FieldError] for each, whose Field is the path.
func ParsePolicy(data []byte) (*Policy, error) {
	var m, broken mistakes
	tree := parseJSON(data, &m)
	if len(m) > 0 {
		return nil, m.err()
	}
	var p Policy
	p.read(newReader(&m, "", tree))
	p.check(&broken)
	for _, e := range broken {
		m.require(m.has(e.Field), e.Field, e.Value, e.Rule)
	}
	if err := m.err(); err != nil {
		return nil, err
	}
	return &p, nil
}

// UnmarshalJSON does as [ParsePolicy].
func (p *Policy) UnmarshalJSON(data []byte) error {
	parsed, err := ParsePolicy(data)
	if err == nil {
		*p = *parsed
	}
	return err
}

func (p *Policy) read(r *reader) {
	r.text("name", &p.Name)
	r.text("region", &p.Region)
	r.object("targets", func(r *reader) {
		p.Targets.each(func(name string, s *Selector) { r.object(name, s.read) })
		r.boolean("exclude_boot", &p.Targets.ExcludeBoot)
		r.boolean("reboot", &p.Targets.Reboot)
		r.duration("deprecate_after", &p.Targets.DeprecateAfter)
	})
	r.object("schedule", func(r *reader) {
		r.text("cron", &p.Schedule.Cron)
		r.duration("every", &p.Schedule.Every)
		r.zone("zone", &p.Schedule.Location)
	})
	r.duration("catch_up", &p.CatchUp)
	r.object("retain", p.Retain.read)
	r.list("copies", func(n int) { p.Copies = make([]CopyRule, n) }, func(i int, r *reader) {
		c := &p.Copies[i]
		r.text("region", &c.Region)
		r.text("kms_key", &c.KMSKeyID)
		r.object("retain", c.Retain.read)
		r.duration("completion", &c.Completion)
		r.boolean("latest_only", &c.LatestOnly)
	})
	p.Tags = r.tags("tags")
	r.texts("copy_tags", &p.CopyTags)
	r.end()
}

// each calls f for each selector, with its name in JSON.
func (t *Targets) each(f func(name string, s *Selector)) {
	f("volumes", &t.Volumes)
	f("instances", &t.Instances)
	f("images", &t.Images)
	f("databases", &t.Databases)
	f("clusters", &t.Clusters)
	f("exclude", &t.Exclude)
}

func (s *Selector) read(r *reader) {
	r.texts("ids", &s.IDs)
	s.Tags = r.tags("tags")
}

func (r *Retention) read(from *reader) {
	r.counts(func(name string, count *int) { from.integer(name, count) })
	from.duration("within", &r.Within)
	from.duration("max_age", &r.MaxAge)
	from.boolean("from_now", &r.FromNow)
	from.integer("min_keep", &r.MinKeep)
	from.duration("failed_after", &r.FailedAfter)
	from.zone("zone", &r.Location)
}

// counts calls f for each count, with its name in JSON.
func (r *Retention) counts(f func(name string, count *int)) {
	f("last", &r.Last)
	f("hourly", &r.Hourly)
	f("daily", &r.Daily)
	f("weekly", &r.Weekly)
	f("monthly", &r.Monthly)
	f("yearly", &r.Yearly)
}

// The forms of a policy that are written: fields in their order, without those that are zero.
type (
	policyForm struct {
		Name     string            `json:"name"`
		Region   string            `json:"region"`
		Targets  targetsForm       `json:"targets"`
		Schedule scheduleForm      `json:"schedule,omitzero"`
		CatchUp  duration          `json:"catch_up,omitzero"`
		Retain   retentionForm     `json:"retain,omitzero"`
		Copies   []copyForm        `json:"copies,omitempty"`
		Tags     map[string]string `json:"tags,omitempty"`
		CopyTags []string          `json:"copy_tags,omitempty"`
	}
	targetsForm struct {
		Volumes     *selectorForm `json:"volumes,omitempty"`
		Instances   *selectorForm `json:"instances,omitempty"`
		Images      *selectorForm `json:"images,omitempty"`
		Databases   *selectorForm `json:"databases,omitempty"`
		Clusters    *selectorForm `json:"clusters,omitempty"`
		Exclude     *selectorForm `json:"exclude,omitempty"`
		ExcludeBoot bool          `json:"exclude_boot,omitempty"`
		Reboot      bool          `json:"reboot,omitempty"`
		Deprecate   duration      `json:"deprecate_after,omitzero"`
	}
	selectorForm struct {
		IDs  []string          `json:"ids,omitempty"`
		Tags map[string]string `json:"tags,omitempty"`
	}
	scheduleForm struct {
		Cron  string   `json:"cron,omitempty"`
		Every duration `json:"every,omitzero"`
		Zone  string   `json:"zone,omitempty"`
	}
	retentionForm struct {
		Last        int      `json:"last,omitempty"`
		Hourly      int      `json:"hourly,omitempty"`
		Daily       int      `json:"daily,omitempty"`
		Weekly      int      `json:"weekly,omitempty"`
		Monthly     int      `json:"monthly,omitempty"`
		Yearly      int      `json:"yearly,omitempty"`
		Within      duration `json:"within,omitzero"`
		MaxAge      duration `json:"max_age,omitzero"`
		FromNow     bool     `json:"from_now,omitempty"`
		MinKeep     int      `json:"min_keep,omitempty"`
		FailedAfter duration `json:"failed_after,omitzero"`
		Zone        string   `json:"zone,omitempty"`
	}
	copyForm struct {
		Region     string        `json:"region"`
		KMSKey     string        `json:"kms_key,omitempty"`
		Retain     retentionForm `json:"retain,omitzero"`
		Completion duration      `json:"completion,omitzero"`
		LatestOnly bool          `json:"latest_only,omitempty"`
	}
)

// MarshalJSON writes the form that [ParsePolicy] reads. A custom schedule has none, and is an error.
func (p Policy) MarshalJSON() ([]byte, error) {
	if p.Schedule.Custom != nil {
		return nil, &FieldError{Field: "schedule", Rule: "is a custom one, which has no form in JSON"}
	}
	return json.Marshal(p.form())
}

func (p *Policy) form() *policyForm {
	t := &p.Targets
	f := &policyForm{
		Name: p.Name, Region: p.Region, CatchUp: duration(p.CatchUp), Retain: p.Retain.form(), Tags: p.Tags, CopyTags: p.CopyTags,
		Targets: targetsForm{
			Volumes: t.Volumes.form(), Instances: t.Instances.form(), Images: t.Images.form(), Databases: t.Databases.form(),
			Clusters: t.Clusters.form(), Exclude: t.Exclude.form(), ExcludeBoot: t.ExcludeBoot, Reboot: t.Reboot,
			Deprecate: duration(t.DeprecateAfter),
		},
		Schedule: scheduleForm{Cron: p.Schedule.Cron, Every: duration(p.Schedule.Every), Zone: zoneName(p.Schedule.Location)},
	}
	for i := range p.Copies {
		c := &p.Copies[i]
		f.Copies = append(f.Copies, copyForm{c.Region, c.KMSKeyID, c.Retain.form(), duration(c.Completion), c.LatestOnly})
	}
	return f
}

func (s *Selector) form() *selectorForm {
	if s.IsZero() {
		return nil
	}
	return (*selectorForm)(s)
}

func (r *Retention) form() retentionForm {
	return retentionForm{
		r.Last, r.Hourly, r.Daily, r.Weekly, r.Monthly, r.Yearly, duration(r.Within), duration(r.MaxAge), r.FromNow, r.MinKeep,
		duration(r.FailedAfter), zoneName(r.Location),
	}
}

func zoneName(l *time.Location) string {
	if l == nil {
		return ""
	}
	return l.String()
}

// Fingerprint is 16 hexadecimal digits that change when the policy does. Policies of one meaning and different text, such as "60m" and "1h",
// have the same. It tells custom schedules apart only by the name of their type.
func (p *Policy) Fingerprint() string {
	h := sha256.New()
	data, err := json.Marshal(p.form())
	if err != nil { // a policy of text and numbers always has a form
		fmt.Fprint(h, err)
	}
	h.Write(data)
	fmt.Fprintf(h, "%T", p.Schedule.Custom)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// duration is one in the form of policies.
type duration time.Duration

const day, week = 24 * time.Hour, 7 * 24 * time.Hour

// MarshalText writes "2w", "30d", "36h", "90m" or "1h0m5s".
func (d duration) MarshalText() ([]byte, error) {
	whole := time.Duration(d)
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{week, "w"}, {day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if whole != 0 && whole%unit.of == 0 {
			return []byte(strconv.FormatInt(int64(whole/unit.of), 10) + unit.name), nil
		}
	}
	return []byte(whole.String()), nil
}

// parseDuration reads what time.ParseDuration does, and whole days and weeks.
func parseDuration(text string) (time.Duration, error) {
	for suffix, unit := range map[string]time.Duration{"d": day, "w": week} {
		if digits, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.ParseInt(digits, 10, 32)
			if err != nil || n > int64((1<<63-1)/unit) {
				return 0, fmt.Errorf("%q is no duration", text)
			}
			return time.Duration(n) * unit, nil
		}
	}
	return time.ParseDuration(text)
}
