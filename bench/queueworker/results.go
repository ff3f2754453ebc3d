package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// result is what one run measured.
type result struct {
	Scenario        string  `json:"scenario"`
	Peer            string  `json:"peer"`
	Rate            float64 `json:"msgs_per_s"` // deleted, from the first receive to the last delete
	CPUPer10k       float64 `json:"cpu_s_per_10k"`
	ResidentMiB     float64 `json:"resident_mib"` // at most
	CallsPerMessage float64 `json:"calls_per_message"`
	Deleted         int     `json:"deleted"`
	Duplicates      int     `json:"duplicates"` // handled once more
	Lost            int     `json:"lost"`       // not handled; when terminated: deleted and not handled
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
	fmt.Fprintln(w, "\nSCENARIO\tPEER\tMSGS/S\tCPU s/10k\tMiB\tCALLS/MSG\tDUPLICATES\tLOST\tEXTENDS\tREFUSED\tNOT DELETED\tINVISIBLE\tEXIT")
	for i := range all.Runs {
		r := &all.Runs[i]
		exit := ""
		if r.Scenario == termination {
			exit = fmt.Sprintf("%.0f ms", r.ExitMS)
		}
		fmt.Fprintf(w, "%s\t%s\t%.0f\t%.2f\t%.1f\t%.3f\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Scenario, r.Peer, r.Rate, r.CPUPer10k,
			r.ResidentMiB, r.CallsPerMessage, r.Duplicates, r.Lost, r.ExtendCalls, r.Refused, r.NotDeleted, r.Invisible, exit)
	}
	_ = w.Flush() // into memory
	return b.String()
}
