package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// result is what the runs of a peer in a scenario have measured: medians, and of what is counted, sums.
type result struct {
	Scenario        string  `json:"scenario"`
	Peer            string  `json:"peer"`
	Rate            float64 `json:"msgs_per_s"` // deleted, from the first receive to the last delete
	CPUPer10k       float64 `json:"cpu_s_per_10k"`
	ResidentMiB     float64 `json:"resident_mib"` // at most
	CallsPerMessage float64 `json:"calls_per_message"`
	Deleted         int     `json:"deleted"`
	Duplicates      int     `json:"duplicates"` // handled once more
	Lost            int     `json:"lost"`       // deleted by somebody who did not handle it
	Left            int     `json:"left"`       // neither handled nor deleted within the patience; not counted when terminated
	ExtendCalls     int     `json:"extend_calls"`
	Refused         int     `json:"extensions_refused"`
	NotDeleted      int     `json:"handled_not_deleted"`
	Invisible       int     `json:"left_invisible"`
	ExitMS          float64 `json:"exit_ms"` // when terminated
}

// results are those of all runs.
type results struct {
	Runs []result `json:"runs"`
}

// String is a table for people.
func (all *results) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSCENARIO\tPEER\tMSGS/S\tCPU s/10k\tMiB\tCALLS/MSG\tDUPLICATES\tLOST\tLEFT\tEXTENDS\tREFUSED\tNOT DELETED\tINVISIBLE\tEXIT")
	for i := range all.Runs {
		r := &all.Runs[i]
		exit := ""
		if r.Scenario == termination {
			exit = fmt.Sprintf("%.0f ms", r.ExitMS)
		}
		fmt.Fprintf(w, "%s\t%s\t%.0f\t%.2f\t%.1f\t%.3f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Scenario, r.Peer, r.Rate, r.CPUPer10k,
			r.ResidentMiB, r.CallsPerMessage, r.Duplicates, r.Lost, r.Left, r.ExtendCalls, r.Refused, r.NotDeleted, r.Invisible, exit)
	}
	_ = w.Flush() // into memory
	all.compare(&b)
	return b.String()
}

// compare adds how queueworker stands to the bare loop.
func (all *results) compare(b *strings.Builder) {
	for i := range all.Runs {
		r := &all.Runs[i]
		at := slices.IndexFunc(all.Runs, func(o result) bool { return o.Scenario == r.Scenario && o.Peer == bare })
		if r.Peer != ours || at < 0 || r.Scenario == slowHandlers || r.Scenario == termination {
			continue
		}
		o := &all.Runs[at]
		fmt.Fprintf(b, "\n%s, queueworker to bare: %.2f of the rate, %.2f of the CPU time, %+.1f MiB", r.Scenario, r.Rate/o.Rate, r.CPUPer10k/o.CPUPer10k,
			r.ResidentMiB-o.ResidentMiB)
	}
	b.WriteByte('\n')
}

// median has the medians of what is measured, and the sums of what is counted.
func median(runs []result) result {
	m := runs[0]
	m.Rate = middle(runs, func(r *result) float64 { return r.Rate })
	m.CPUPer10k = middle(runs, func(r *result) float64 { return r.CPUPer10k })
	m.ResidentMiB = middle(runs, func(r *result) float64 { return r.ResidentMiB })
	m.CallsPerMessage = middle(runs, func(r *result) float64 { return r.CallsPerMessage })
	for i := range runs[1:] {
		r := &runs[i+1]
		m.Deleted += r.Deleted
		m.Duplicates += r.Duplicates
		m.Lost += r.Lost
		m.Left += r.Left
		m.ExtendCalls += r.ExtendCalls
		m.Refused += r.Refused
		m.NotDeleted += r.NotDeleted
		m.Invisible += r.Invisible
	}
	return m
}

func middle(runs []result, of func(*result) float64) float64 {
	values := make([]float64, len(runs))
	for i := range runs {
		values[i] = of(&runs[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
