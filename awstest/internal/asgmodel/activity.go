package asgmodel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// The states of an activity.
const (
	PreInService       = "PreInService"
	InProgress         = "InProgress"
	WaitingForDraining = "WaitingForELBConnectionDraining"
	MidLifecycleAction = "MidLifecycleAction"
	Successful         = "Successful"
	Failed             = "Failed"
	Cancelled          = "Cancelled"
)

// Activity is a scaling activity. Its texts are made like those that AWS's
// guide shows; nobody promises their words.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-verify-scaling-activity.html (read 2026-11)
type Activity struct {
	ID, Group, ARN     string // ARN of the group
	Instance           string // ID; empty of a launch that has made none
	Description, Cause string
	Details            string
	Status, Message    string
	Progress           int
	Start              time.Time
	End                time.Time // zero while it is in progress
	number             uint64
}

// at begins a sentence of a cause.
func (c *control) at(tx *awstest.Tx, format string, args ...any) string {
	return "At " + tx.Now().UTC().Format(time.RFC3339) + " " + fmt.Sprintf(format, args...)
}

// because notes why the desired capacity has changed, for the activities that
// follow from it. What is too long ago to be told is forgotten.
func (c *control) because(tx *awstest.Tx, format string, args ...any) {
	c.reasons = recent(append(c.reasons, c.at(tx, format, args...)))
}

// causes returns a cause with what led to it.
func (c *control) causes(sentences ...string) string {
	return strings.Join(recent(append(slices.Clone(c.reasons), sentences...)), "  ")
}

// maxCause is how long a cause can be.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html (read 2026-11)
const maxCause = 1023

// recent returns the last sentences that make a cause together.
func recent(sentences []string) []string {
	first, length := len(sentences), 0
	for first > 0 && length+len(sentences[first-1])+2 <= maxCause {
		first--
		length += len(sentences[first]) + 2
	}
	return sentences[first:]
}

// begin begins an activity that is about an instance, or about a place.
func (c *control) begin(tx *awstest.Tx, description, cause string, m *member, status string, progress int) string {
	return c.record(tx, Activity{
		Instance: m.ID, Description: description, Cause: cause, Status: status, Progress: progress,
		Details: fmt.Sprintf(`{"Subnet ID":%q,"Availability Zone":%q}`, m.Subnet.ID, m.Zone.Name()),
	})
}

func (c *control) record(tx *awstest.Tx, a Activity) string {
	g, _ := c.group(tx)
	c.region.recorded++
	a.ID, a.Group, a.ARN, a.Start, a.number = newUUID(tx, "activity"), c.name, g.ARN, tx.Now(), c.region.recorded
	c.region.activities.Put(tx.Now(), a.ID, a)
	return a.ID
}

// note shows how far an activity is.
func (c *control) note(tx *awstest.Tx, id, status string, progress int) {
	c.edit(tx, id, func(a *Activity) { a.Status, a.Progress = status, progress })
}

// end ends an activity that has not ended; no ID is none. A cooldown begins
// with what has been launched or terminated, not with what has failed.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scaling-cooldowns.html (read 2026-11)
func (c *control) end(tx *awstest.Tx, id, status, message string) {
	c.edit(tx, id, func(a *Activity) {
		a.Status, a.Message, a.Progress, a.End = status, message, 100, tx.Now()
		if status != Successful && message != "" {
			a.Description += ".  Status Reason: " + message
		}
		if status == Successful {
			c.lastEnd = tx.Now()
		}
		c.region.tellOf(tx, *a)
	})
}

func (c *control) edit(tx *awstest.Tx, id string, edit func(*Activity)) {
	if a, ok := c.region.activities.Get(tx.Now(), id); ok && a.End.IsZero() {
		edit(&a)
		c.region.activities.Put(tx.Now(), id, a)
	}
}

// inProgress returns an activity of the group that has not ended.
func (c *control) inProgress() (id string, found bool) {
	for _, m := range c.members {
		if id := cmp.Or(m.launching, m.ending); id != "" {
			return id, true
		}
	}
	return "", false
}

// Activity returns an activity by its ID.
func (r *Region) Activity(at time.Time, id string) (Activity, bool) { return r.activities.Get(at, id) }

// Activities returns the activities: those in progress first, then by their
// start, the youngest first.
func (r *Region) Activities(at time.Time) []Activity {
	var list []Activity
	for _, a := range r.activities.All(at) {
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b Activity) int {
		if x, y := a.End.IsZero(), b.End.IsZero(); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Or(b.Start.Compare(a.Start), cmp.Compare(b.number, a.number))
	})
	return list
}
