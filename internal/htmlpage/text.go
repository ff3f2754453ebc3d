package htmlpage

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxText is how many characters Visible leaves of a text, and MaxReason how many Reason does.
const (
	MaxText   = 128
	MaxReason = 512
)

// Visible returns a text that looks like what it is: what cannot be seen, or moves what stands beside it as the overrides of
// the direction of writing do, is shown as an escape, and so are what is no UTF-8 and spaces
// that a browser would drop. It is cut to 128 characters.
func Visible(s string) string { return visible(s, MaxText) }

// Reason is [Visible] for texts of which the end matters as much, such as errors: it is cut to 512 characters.
func Reason(s string) string { return visible(s, MaxReason) }

func visible(s string, most int) string {
	var b strings.Builder
	before := ' '
	for n := 0; s != ""; n++ {
		if n == most {
			b.WriteString("…")
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == ' ' && (before == ' ' || size == len(s)): // at an end or after another, where a browser shows none
			b.WriteString(`\u0020`)
		case isBlank(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		case unicode.IsPrint(r) && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Me, r):
			b.WriteString(s[:size])
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default: // marks too, which pile up over the lines above
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		before, s = r, s[size:]
	}
	return b.String()
}

// isBlank reports whether a letter or symbol shows nothing, such as the fillers of Hangul.
func isBlank(r rune) bool {
	return r <= 0xffff && unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r == '\u2800' // the braille pattern without dots
}

// Span is a length of time for people, to two units: "4d 3h", "5m 12s", "12.3 ms".
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd %dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	case d >= time.Second:
		return fmt.Sprintf("%d s", d/time.Second)
	default:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	}
}

// ErrorText is the text of an error, which is code of somebody else: a panic in it is recovered. That of nil is empty.
func ErrorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "the error has no text: it panicked"
		}
	}()
	if err == nil {
		return ""
	}
	return err.Error()
}
