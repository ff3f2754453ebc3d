package healthcheck_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

func TestMatcher(t *testing.T) {
	t.Parallel()
	valid := map[string][]int{
		"200":             {200},
		"200,202":         {200, 202},
		"200-203":         {200, 201, 202, 203},
		"200-201,301,201": {200, 201, 301},
		"599":             {599},
		"204-204":         {204},
	}
	for s, want := range valid {
		got, ok := healthcheck.ParseMatcher(s, 200, 599)
		if !ok {
			t.Errorf("%q is refused", s)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q lists other codes (-want +got):\n%s", s, diff)
		}
	}
	for _, s := range []string{
		"", ",", "200,", ",200", "-", "200-", "-200", "200-100", "299-200", "200--299", "200-299-300", "2xx", "+200", "-1",
		" 200", "200, 202", "0200", "199", "600", "200-600", "٢٠٠", "200;202",
	} {
		if codes, ok := healthcheck.ParseMatcher(s, 200, 599); ok || codes != nil {
			t.Errorf("%q is accepted as %v", s, codes)
		}
	}
}

func FuzzMatcher(f *testing.F) {
	for _, s := range []string{"200", "200,202", "200-299,302", "0-99", "299-200", "+1", ",", "1-2-3"} {
		f.Add(s)
	}
	grammar := regexp.MustCompile(`^[0-9]{1,3}(-[0-9]{1,3})?(,[0-9]{1,3}(-[0-9]{1,3})?)*$`)
	f.Fuzz(func(t *testing.T, s string) {
		codes, ok := healthcheck.ParseMatcher(s, 0, 599)
		if !ok {
			if codes != nil {
				t.Fatalf("%q is refused, yet matches %v", s, codes)
			}
			return
		}
		if !grammar.MatchString(s) {
			t.Fatalf("%q is accepted", s)
		}
		var want []int
		for part := range strings.SplitSeq(s, ",") {
			first, last, isRange := strings.Cut(part, "-")
			if !isRange {
				last = first
			}
			lo, _ := strconv.Atoi(first)
			hi, _ := strconv.Atoi(last)
			for code := lo; code <= hi; code++ {
				want = append(want, code)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(slices.Compact(want), codes); diff != "" {
			t.Fatalf("%q lists other codes (-want +got):\n%s", s, diff)
		}
	})
}
