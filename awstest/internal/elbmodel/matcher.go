package elbmodel

import (
	"strconv"
	"strings"
)

// matcher is the HTTP codes by which a check passes.
type matcher []codeRange

type codeRange struct{ first, last int }

// parseMatcher reads "200", "200,202" or "200-299,301". Every code must be
// from 200 to last.
func parseMatcher(text string, last int) (matcher, bool) {
	var m matcher
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, b := code(from), code(to)
		if a < 200 || b > last || b < a {
			return nil, false
		}
		m = append(m, codeRange{a, b})
	}
	return m, true
}

// code reads a code of three digits; anything else is -1.
func code(text string) int {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || len(text) != 3 {
		return -1
	}
	return int(n)
}

func (m matcher) matches(status int) bool {
	for _, r := range m {
		if r.first <= status && status <= r.last {
			return true
		}
	}
	return false
}
