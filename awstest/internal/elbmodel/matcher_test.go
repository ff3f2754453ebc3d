package elbmodel

import (
	"fmt"
	"strings"
	"testing"
)

func TestMatcher(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		ok       bool
		yes, not []int
	}{
		"200":            {true, []int{200}, []int{0, 199, 201}},
		"200,202":        {true, []int{200, 202}, []int{201}},
		"200-299":        {true, []int{200, 250, 299}, []int{199, 300}},
		"200-201,404":    {true, []int{200, 201, 404}, []int{202, 403}},
		"499,200-200":    {true, []int{200, 499}, []int{201, 498}},
		"":               {},
		",":              {},
		"200,":           {},
		"-":              {},
		"200-":           {},
		"-200":           {},
		"200-210-220":    {},
		"200, 202":       {},
		"+200":           {},
		"0200":           {},
		"2e2":            {},
		"199":            {},
		"500":            {},
		"300-200":        {},
		"200-500":        {},
		"200\u2013299":   {},
		"99999999999999": {},
	} {
		m, ok := parseMatcher(text, 499)
		if ok != c.ok {
			t.Errorf("%q: %v", text, ok)
		}
		for _, code := range c.yes {
			if !m.matches(code) {
				t.Errorf("%q does not match %d", text, code)
			}
		}
		for _, code := range c.not {
			if m.matches(code) {
				t.Errorf("%q matches %d", text, code)
			}
		}
	}
}

func FuzzMatcher(f *testing.F) {
	for _, seed := range []string{"200", "200,202", "200-299", "200-299,301", "", "+200", "200-", "299-200", "1-2-3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := parseMatcher(text, 499)
		if !ok {
			return
		}
		if strings.Trim(text, "0123456789,-") != "" {
			t.Errorf("%q is accepted", text)
		}
		var parts []string
		for _, r := range m {
			if !m.matches(r.first) || !m.matches(r.last) {
				t.Errorf("%q does not match its own %v", text, r)
			}
			parts = append(parts, fmt.Sprintf("%d-%d", r.first, r.last))
		}
		again, ok := parseMatcher(strings.Join(parts, ","), 499)
		for code := range 1000 {
			if hit := m.matches(code); hit != again.matches(code) || hit && (code < 200 || code > 499) || !ok {
				t.Errorf("%q: %d is matched: %v", text, code, hit)
			}
		}
	})
}
