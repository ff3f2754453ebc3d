package healthcheck

import (
	"strconv"
	"strings"
)

// The codes that a matcher may list. An Application Load Balancer takes 200 to 499, a Network Load Balancer 200 to 599.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html (read 2026-11).
const (
	minHTTPCode = 200
	maxHTTPCode = 599
)

// matcher is a set of status codes, one bit each. It knows the codes 0 to 639.
type matcher [10]uint64

// parseMatcher reads codes and ranges joined by commas, such as "200", "200,202" or "200-299,302", without spaces.
// Ranges include both ends. It reports false for anything else, and for a code outside of lo to hi.
func parseMatcher(s string, lo, hi int) (m matcher, ok bool) {
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, ok1 := parseCode(first)
		to, ok2 := parseCode(last)
		if !ok1 || !ok2 || from < lo || to > hi || from > to {
			return matcher{}, false
		}
		for code := from; code <= to; code++ {
			m[code/64] |= 1 << (code % 64)
		}
	}
	return m, true
}

// parseCode reads one to three digits; strconv.Atoi alone would take a sign.
func parseCode(s string) (int, bool) {
	if len(s) < 1 || len(s) > 3 || s[0] == '+' || s[0] == '-' {
		return 0, false
	}
	code, err := strconv.Atoi(s)
	return code, err == nil
}

// matches reports whether the set holds code.
func (m *matcher) matches(code int) bool {
	return code >= 0 && code < 64*len(m) && m[code/64]>>(code%64)&1 == 1
}
