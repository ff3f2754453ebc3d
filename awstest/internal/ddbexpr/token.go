package ddbexpr

import "strings"

type tokenKind uint8

const (
	end     tokenKind = iota
	word              // a name, a keyword or a function
	nameRef           // #name
	valRef            // :value
	number            // an index
	symbol            // an operator or a bracket
	illegal           // a character that no expression has
)

type token struct {
	kind     tokenKind
	text     string
	from, to int // its place in the expression
}

// is tells whether the token is that keyword, in whatever case, or symbol.
func (t token) is(text string) bool {
	switch t.kind {
	case word:
		return strings.EqualFold(t.text, text)
	case symbol:
		return t.text == text
	}
	return false
}

// symbols has the longer ones first.
var symbols = []string{"<=", ">=", "<>", "=", "<", ">", "(", ")", "[", "]", ",", ".", "+", "-"}

// tokens takes an expression apart. The last token is the end.
func tokens(text string) []token {
	list := make([]token, 0, len(text)/3+1)
	for i := 0; i < len(text); {
		c := text[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			i++
			continue
		}
		t := token{from: i, to: i + 1, kind: illegal}
		switch {
		case isLetter(c): // a name that is written out does not begin with _ or a digit
			t.kind, t.to = word, i+run(text[i:], isNamePart)
		case isDigit(c):
			t.kind, t.to = number, i+run(text[i:], isDigit)
		case c == '#' || c == ':':
			if n := run(text[i+1:], isNamePart); n > 0 {
				t.kind, t.to = nameRef, i+1+n
				if c == ':' {
					t.kind = valRef
				}
			}
		default:
			for _, s := range symbols {
				if strings.HasPrefix(text[i:], s) {
					t.kind, t.to = symbol, i+len(s)
					break
				}
			}
		}
		t.text = text[t.from:t.to]
		list = append(list, t)
		i = t.to
	}
	return append(list, token{kind: end, text: "<EOF>", from: len(text), to: len(text)})
}

func isLetter(c byte) bool   { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isNamePart(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// run returns how many bytes at the beginning are of a kind.
func run(text string, is func(byte) bool) int {
	n := 0
	for n < len(text) && is(text[n]) {
		n++
	}
	return n
}
