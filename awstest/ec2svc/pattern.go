package ec2svc

// pattern is the value of a filter: * is any text, ? any one character, and a
// backslash takes the character after it as it is.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html (read 2026-11)
type pattern []token

type token struct {
	kind tokenKind
	char rune // of a literal
}

type tokenKind uint8

const (
	literal tokenKind = iota
	anyChar
	anyText
)

func compile(text string) pattern {
	var p pattern
	chars := []rune(text)
	for i := 0; i < len(chars); i++ {
		switch {
		case chars[i] == '*':
			p = append(p, token{kind: anyText})
		case chars[i] == '?':
			p = append(p, token{kind: anyChar})
		case chars[i] == '\\' && i+1 < len(chars):
			i++
			fallthrough
		default:
			p = append(p, token{char: chars[i]})
		}
	}
	return p
}

// match tells whether the whole of a text has the form of the pattern. When a
// part after a star does not fit, it goes on one character further from that
// star: at most len(p) times len(text) steps.
func (p pattern) match(text string) bool {
	chars := []rune(text)
	at, star, retry := 0, -1, 0
	for i := 0; i < len(chars); {
		switch {
		case at < len(p) && p[at].kind == anyText:
			star, retry = at, i
			at++
		case at < len(p) && (p[at].kind == anyChar || p[at].char == chars[i]):
			at++
			i++
		case star < 0:
			return false
		default:
			retry++
			at, i = star+1, retry
		}
	}
	for at < len(p) && p[at].kind == anyText {
		at++
	}
	return at == len(p)
}
