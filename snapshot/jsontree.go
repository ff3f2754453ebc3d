package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"
)

// A JSON value is nil, bool, string, json.Number, []any or *object.
type object struct {
	names  []string
	values map[string]any
}

// maxDepth is how deep values may be nested: more than a policy ever is.
const maxDepth = 16

// parseJSON reads one value. It adds a mistake for each name that is there twice; the package's own reading of JSON is for these, which
// encoding/json accepts in silence, and for the paths.
func parseJSON(data []byte, m *mistakes) any {
	if !utf8.Valid(data) {
		m.require(false, "", nil, "is not UTF-8")
		return nil
	}
	p := treeParser{from: json.NewDecoder(bytes.NewReader(data)), mistakes: m}
	p.from.UseNumber()
	tree, err := p.value("", 0)
	if err == nil {
		if _, err = p.from.Token(); errors.Is(err, io.EOF) {
			return tree
		}
		err = errors.New("there is more after the value")
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	m.require(false, p.at, nil, fmt.Sprintf("is not JSON at byte %d: %v", p.from.InputOffset(), err))
	return nil
}

type treeParser struct {
	from     *json.Decoder
	mistakes *mistakes
	at       string // the path of what is being read
}

func (p *treeParser) value(path string, depth int) (any, error) {
	p.at = path
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	token, err := p.from.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return p.object(path, depth)
	case json.Delim('['):
		return p.list(path, depth)
	}
	return token, nil
}

func (p *treeParser) object(path string, depth int) (*object, error) {
	o := &object{values: make(map[string]any)}
	for p.from.More() {
		token, err := p.from.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // as the decoder has made sure
		v, err := p.value(join(path, name), depth+1)
		if err != nil {
			return nil, err
		}
		_, twice := o.values[name]
		p.mistakes.require(!twice, join(path, name), nil, "is there twice")
		o.names, o.values[name] = append(o.names, name), v
		p.at = path
	}
	_, err := p.from.Token()
	return o, err
}

func (p *treeParser) list(path string, depth int) ([]any, error) {
	list := []any{}
	for p.from.More() {
		v, err := p.value(fmt.Sprintf("%s[%d]", path, len(list)), depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		p.at = path
	}
	_, err := p.from.Token()
	return list, err
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// join appends a name to a path: "tags.team", or `tags["cost centre"]` if it needs quotes.
func join(path, name string) string {
	switch {
	case !plainName.MatchString(name):
		return fmt.Sprintf("%s[%q]", path, name)
	case path == "":
		return name
	}
	return path + "." + name
}
