package ec2svc

import (
	"strings"
	"testing"
	"time"
)

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "A", false},
		{"*", "", true},
		{"?", "", false},
		{"?", "é", true},
		{"??", "é", false},
		{"web-*", "web-1", true},
		{"*-*-*", "a-b", false},
		{"a*b*c", "aXbXbXc", true},
		{"*ab", "aab", true},
		{`\*amazon\?\\`, `*amazon?\`, true},
		{`\*amazon\?\\`, `xamazon?\`, false},
		{`a\`, `a\`, true}, // nothing follows the backslash
		{`\a`, "a", true},
	} {
		if got := compile(c.pattern).match(c.text); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

func TestPatternIsNotExponential(t *testing.T) {
	t.Parallel()
	p := compile(strings.Repeat("*a", 200) + "b")
	began := time.Now()
	if p.match(strings.Repeat("a", 2000)) {
		t.Error("it matches")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// matches is the definition of a pattern, one case for each kind of
// character. It may take exponential time.
func matches(pattern, text []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(text) == 0
	case pattern[0] == '*':
		return matches(pattern[1:], text) || (len(text) > 0 && matches(pattern, text[1:]))
	case len(text) == 0:
		return false
	case pattern[0] == '?':
		return matches(pattern[1:], text[1:])
	case pattern[0] == '\\' && len(pattern) > 1:
		return pattern[1] == text[0] && matches(pattern[2:], text[1:])
	}
	return pattern[0] == text[0] && matches(pattern[1:], text[1:])
}

func FuzzPattern(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add(`\*\?\\*`, `*?\`)
	f.Add("**a**", "é")
	f.Add(`*\`, `x\`)
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 16 {
			return // the definition takes too long
		}
		if got, want := compile(pattern).match(text), matches([]rune(pattern), []rune(text)); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, text, got, want)
		}
	})
}
