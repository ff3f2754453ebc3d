package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/snapshot"
)

// report is what -json prints.
type report struct {
	Days       int            `json:"days,omitempty"`
	Volumes    int            `json:"volumes"`
	Took       float64        `json:"took_seconds,omitempty"` // of virtual time
	Create     int            `json:"create_calls"`
	Describe   int            `json:"describe_calls"`
	Copy       int            `json:"copy_calls"`
	Delete     int            `json:"delete_calls"`
	Duplicates int            `json:"duplicates"`
	Kept       int            `json:"kept"` // in the policy's region
	Copies     map[string]int `json:"copies"`
	RPO        float64        `json:"rpo_seconds"` // of the volume whose newest completed snapshot is the oldest
	Unsaved    int            `json:"unsaved"`     // targets that have no completed snapshot
	Missed     int            `json:"missed_slots"`
	Failed     int            `json:"failed_slots"` // of which a part was done by the next
	Restored   string         `json:"restored,omitempty"`

	plan *snapshot.Plan
}

func newReport(ctx context.Context, m *snapshot.Manager, p *snapshot.Policy) (*report, error) {
	r := &report{Copies: map[string]int{}}
	for operation, calls := range m.Calls() {
		switch {
		case strings.HasPrefix(operation, "Create") && operation != "CreateVolume":
			r.Create += calls
		case strings.HasPrefix(operation, "Describe"):
			r.Describe += calls
		case strings.HasPrefix(operation, "Copy"):
			r.Copy += calls
		case operation == "DeleteSnapshot", operation == "DeregisterImage":
			r.Delete += calls
		}
	}
	ages, err := m.Ages(ctx, p)
	if err != nil {
		return nil, err
	}
	targets, err := m.Targets(ctx, p)
	if err != nil {
		return nil, err
	}
	for i := range targets {
		age := ages[targets[i].Series]
		if r.RPO = max(r.RPO, age.Seconds()); age < 0 {
			r.Unsaved++
		}
	}
	if r.plan, err = m.Plan(ctx, p); err != nil {
		return nil, err
	}
	for i, region := range r.plan.Regions {
		for _, d := range region.Decisions {
			switch {
			case d.Item.Duplicate:
				r.Duplicates++
			case d.Action == snapshot.Delete:
			case i == 0:
				r.Kept++
			default:
				r.Copies[region.Region]++
			}
		}
	}
	return r, nil
}

// row is a line of the table: what was decided of several snapshots of one night.
type row struct {
	at     string
	action snapshot.Action
	why    string
}

// String is the report to people.
func (r *report) String() string {
	var b strings.Builder
	for _, region := range r.plan.Regions {
		fmt.Fprintf(&b, "\n%s\n", region.Region)
		count := map[row]int{}
		for i := range region.Decisions {
			d := &region.Decisions[i]
			count[row{d.Item.Time.UTC().Format("2006-01-02 15:04"), d.Action, d.Why()}]++
		}
		rows := slices.SortedFunc(maps.Keys(count), func(a, b row) int {
			return strings.Compare(b.at+b.action.String()+b.why, a.at+a.action.String()+a.why)
		})
		for _, one := range rows {
			fmt.Fprintf(&b, "  %s  %-6s  %d  %s\n", one.at, one.action, count[one], one.why)
		}
	}
	fmt.Fprintf(&b, "\n%d snapshots are kept", r.Kept)
	for _, region := range slices.Sorted(maps.Keys(r.Copies)) {
		fmt.Fprintf(&b, ", and %d copies in %s", r.Copies[region], region)
	}
	fmt.Fprintf(&b, "; %d duplicates\n", r.Duplicates)
	fmt.Fprintf(&b, "calls: %d creates, %d describes, %d copies, %d deletes\n", r.Create, r.Describe, r.Copy, r.Delete)
	fmt.Fprintf(&b, "what would be lost now: %v of data at most\n", time.Duration(r.RPO*float64(time.Second)).Round(time.Second))
	if r.Unsaved > 0 {
		fmt.Fprintf(&b, "and all of %d targets that have no completed snapshot\n", r.Unsaved)
	}
	if r.Days > 0 {
		fmt.Fprintf(&b, "%d slots were missed, and %d not done in full at once\n", r.Missed, r.Failed)
	}
	if r.Took > 0 {
		fmt.Fprintf(&b, "the slot took %v of virtual time\n", time.Duration(r.Took*float64(time.Second)).Round(time.Second))
	}
	if r.Restored != "" {
		fmt.Fprintf(&b, "restored: %s\n", r.Restored)
	}
	return b.String()
}
