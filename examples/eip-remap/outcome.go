package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/awsha/awsha/eip"
)

// outcome is what -json prints; the comment of the package describes it.
type outcome struct {
	AllocationID      string      `json:"allocation_id"`
	PublicIP          netip.Addr  `json:"public_ip"`
	Changed           bool        `json:"changed"`
	Before            association `json:"before"`
	After             association `json:"after"`
	AssociateCalls    int         `json:"associate_calls"`
	DisassociateCalls int         `json:"disassociate_calls"`
	DescribeCalls     int         `json:"describe_calls"`
	InspectCalls      int         `json:"inspect_calls"`
	TookMS            float64     `json:"took_ms"`
	Ready             []check     `json:"ready"`
	Would             string      `json:"would"`
	Conflict          *conflict   `json:"conflict"`
	Denied            []string    `json:"denied,omitempty"`
	Claims            []claim     `json:"claims,omitempty"`
	Error             string      `json:"error,omitempty"`
}

type association struct { // an eip.Association
	ID                 string     `json:"association_id"`
	NetworkInterfaceID string     `json:"network_interface_id"`
	InstanceID         string     `json:"instance_id"`
	PrivateIP          netip.Addr `json:"private_ip"`
}

type check struct { // an eip.Check
	Name    eip.CheckName `json:"name"`
	Verdict eip.Verdict   `json:"verdict"`
	Action  string        `json:"action"`
	Detail  string        `json:"detail"`
	Err     error         `json:"-"`
}

type conflict struct {
	Owner association `json:"owner"`
	Error string      `json:"error"`
}

type claim struct {
	InstanceID   string     `json:"instance_id"`
	AllocationID string     `json:"allocation_id"`
	PublicIP     netip.Addr `json:"public_ip"`
	Error        string     `json:"error"`
}

func newOutcome(ready *eip.Report, res *eip.Result, err error) outcome {
	o := outcome{
		AllocationID: res.AllocationID, PublicIP: res.PublicIP, Changed: res.Changed,
		Before: association(res.Before), After: association(res.After),
		AssociateCalls: res.Calls.Associate, DisassociateCalls: res.Calls.Disassociate,
		DescribeCalls: res.Calls.Describe, InspectCalls: res.Calls.Inspect,
		TookMS: float64(res.Took.Microseconds()) / 1000,
		Ready:  []check{}, Would: would(ready), Conflict: conflictOf(err),
	}
	for _, c := range ready.Checks {
		o.Ready = append(o.Ready, check(c))
	}
	return o
}

// conflictOf returns who has the address, if that is what err is about.
func conflictOf(err error) *conflict {
	var failure *eip.RemapError
	if !errors.Is(err, eip.ErrConflict) || !errors.As(err, &failure) {
		return nil
	}
	return &conflict{association(failure.Owner), err.Error()}
}

// would says what a move does that finds everything as the report has it.
func would(ready *eip.Report) string {
	from, to := ready.Owner, ready.Target
	switch {
	case ready.Err() != nil:
		return ""
	case from == eip.Association{}:
		return fmt.Sprintf("associate with %s", to)
	case from.NetworkInterfaceID == to.NetworkInterfaceID && (!to.PrivateIP.IsValid() || from.PrivateIP == to.PrivateIP):
		return "leave it there"
	}
	return fmt.Sprintf("end %s, then associate with %s", from.ID, to)
}

// screen prints rows of cells, aligned within a block.
type screen struct{ *tabwriter.Writer }

func newScreen(w io.Writer) *screen { return &screen{tabwriter.NewWriter(w, 10, 0, 2, ' ', 0)} }

// block prints rows, each after the label of the first or space.
func (s *screen) block(label string, rows ...[]string) {
	for _, cells := range rows {
		fmt.Fprintln(s, label+"\t"+strings.Join(cells, "\t"))
		label = ""
	}
	s.Flush()
}

func (s *screen) checks(ready *eip.Report) {
	var rows [][]string
	for _, c := range ready.Checks {
		rows = append(rows, []string{string(c.Name), string(c.Verdict), c.Detail})
	}
	s.block("ready", rows...)
}

func (s *screen) move(label string, res *eip.Result) {
	c := res.Calls
	rows := [][]string{{"unchanged", res.After.String()}}
	if res.Changed {
		rows = [][]string{{"from", res.Before.String()}, {"to", res.After.String()}}
	}
	s.block(label, append(rows, []string{"calls", fmt.Sprintf("%d disassociate, %d associate, %d describe, %d inspect; took %v",
		c.Disassociate, c.Associate, c.Describe, c.Inspect, res.Took.Round(100*time.Microsecond))})...)
}
