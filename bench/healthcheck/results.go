package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// pairs are the designs that are compared.
var pairs = [][2]string{{oursNew, haproxyNew}, {oursNew, goNew}, {oursKept, haproxyNew}, {oursKept, goKept}, {oursKept, floorKept}}

// results are those of all runs.
type results struct {
	Runs   []result           `json:"runs"`
	Ratios map[string]float64 `json:"cpu_ratios"` // of ours to another
}

// compare fills in the ratios of CPU per check.
func (all *results) compare() {
	all.Ratios = map[string]float64{}
	for _, blackholed := range []bool{false, true} {
		cpu := map[string]float64{}
		for _, r := range all.Runs {
			if r.Blackholed == blackholed {
				cpu[r.Design] = r.CPUMicrosPerCheck
			}
		}
		suffix := ""
		if blackholed {
			suffix = ", a fifth blackholed"
		}
		for _, pair := range pairs {
			if cpu[pair[1]] > 0 {
				all.Ratios[pair[0]+" / "+pair[1]+suffix] = round(cpu[pair[0]] / cpu[pair[1]])
			}
		}
	}
}

// String is a table for people.
func (all *results) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nCHECKER\tBLACKHOLES\tCPU/CHECK\tSEEN\tLATE p50\tp99\tMAX\tDETECTED mean\tMAX\tBOUND\tMISSED")
	for _, r := range all.Runs {
		holes := "none"
		if r.Blackholed {
			holes = "a fifth"
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f µs\t%.1f %%\t%.1f ms\t%.1f\t%.1f\t", r.Design, holes,
			r.CPUMicrosPerCheck, 100*r.ChecksSeen, r.LateP50MS, r.LateP99MS, r.LateMaxMS)
		if r.Design == floorKept { // finds nothing out
			fmt.Fprintln(w, "\t\t\t")
			continue
		}
		fmt.Fprintf(w, "%.0f ms\t%.0f\t%.0f\t%d\n", r.DetectMeanMS, r.DetectMaxMS, r.DetectBoundMS, r.Undetected)
	}
	_ = w.Flush() // into memory
	b.WriteString("\nCPU per check, ours to another:\n")
	for _, blackholed := range []string{"", ", a fifth blackholed"} {
		for _, pair := range pairs {
			name := pair[0] + " / " + pair[1] + blackholed
			if v, ok := all.Ratios[name]; ok {
				fmt.Fprintf(&b, "  %.2f  %s\n", v, name)
			}
		}
	}
	return b.String()
}
