package healthcheck

// needle is a text to be looked for in what comes in pieces, by the algorithm of Knuth, Morris and Pratt: it needs no part of
// the text again, so that it finds what goes over the border of chunks or reads.
type needle struct {
	text string
	next []int // how much of the text its first i+1 bytes end with, other than all of them
}

func newNeedle(text string) *needle {
	n := &needle{text: text, next: make([]int, len(text))}
	k := 0
	for i := 1; i < len(text); i++ {
		for k > 0 && text[i] != text[k] {
			k = n.next[k-1]
		}
		if text[i] == text[k] {
			k++
		}
		n.next[i] = k
	}
	return n
}

// search is one search for a needle. The zero search, for none, has found it.
type search struct {
	*needle
	matched int // how much of the text the latest bytes are
}

// feed looks at more bytes.
func (s *search) feed(b []byte) {
	if s.found() {
		return
	}
	for _, c := range b {
		for s.matched > 0 && c != s.text[s.matched] {
			s.matched = s.next[s.matched-1]
		}
		if c == s.text[s.matched] {
			s.matched++
		}
		if s.found() {
			return
		}
	}
}

func (s *search) found() bool { return s.needle == nil || s.matched == len(s.text) }
