package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reader takes the fields of an object, each into its place, and collects what is wrong with them. A field that is left out leaves its place
// as it is.
type reader struct {
	mistakes *mistakes
	path     string
	from     *object
	known    []string
}

// newReader returns the reader of a value that is to be an object.
func newReader(m *mistakes, path string, value any) *reader {
	o, ok := value.(*object)
	if !ok {
		m.require(false, path, nil, "must be an object, and is "+typeOf(value))
		o = &object{}
	}
	return &reader{mistakes: m, path: path, from: o}
}

func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}

// end adds a mistake for each field that nobody has asked for.
func (r *reader) end() {
	for _, name := range r.from.names {
		r.mistakes.require(slices.Contains(r.known, name), join(r.path, name), nil, "is not known; here may be "+strings.Join(r.known, ", "))
	}
}

// field returns a field, which must be a T; ok is false if it is not there, or something else.
func fieldOf[T any](r *reader, name, want string) (v T, ok bool) {
	r.known = append(r.known, name)
	value, there := r.from.values[name]
	if !there {
		return v, false
	}
	return as[T](r.mistakes, join(r.path, name), value, want)
}

func as[T any](m *mistakes, path string, value any, want string) (v T, ok bool) {
	if v, ok = value.(T); !ok {
		m.require(false, path, nil, "must be "+want+", and is "+typeOf(value))
	}
	return v, ok
}

func (r *reader) text(name string, to *string) {
	if v, ok := fieldOf[string](r, name, "a string"); ok {
		*to = v
	}
}

func (r *reader) boolean(name string, to *bool) {
	if v, ok := fieldOf[bool](r, name, "true or false"); ok {
		*to = v
	}
}

func (r *reader) integer(name string, to *int) {
	v, ok := fieldOf[json.Number](r, name, "a number")
	if !ok {
		return
	}
	n, err := strconv.ParseInt(string(v), 10, 32)
	r.mistakes.require(err == nil, join(r.path, name), v, "must be a whole number")
	*to = int(n)
}

func (r *reader) duration(name string, to *time.Duration) {
	v, ok := fieldOf[string](r, name, `a duration in quotes, such as "36h"`)
	if !ok {
		return
	}
	d, err := parseDuration(v)
	r.mistakes.require(err == nil, join(r.path, name), v, `must be a duration, such as "90m", "36h", "30d" or "2w"`)
	*to = d
}

func (r *reader) zone(name string, to **time.Location) {
	v, ok := fieldOf[string](r, name, "a string")
	if !ok {
		return
	}
	// Local would be another zone on each machine.
	location, err := time.LoadLocation(v)
	known := err == nil && v != "Local" && v != ""
	r.mistakes.require(known, join(r.path, name), v, `must be a zone that this machine knows, such as "Europe/Berlin"`)
	if known {
		*to = location
	}
}

func (r *reader) texts(name string, to *[]string) {
	list, _ := fieldOf[[]any](r, name, "an array")
	for i, value := range list {
		if v, ok := as[string](r.mistakes, fmt.Sprintf("%s[%d]", join(r.path, name), i), value, "a string"); ok {
			*to = append(*to, v)
		}
	}
}

func (r *reader) tags(name string) map[string]string {
	o, _ := fieldOf[*object](r, name, "an object")
	if o == nil || len(o.names) == 0 {
		return nil
	}
	tags := make(map[string]string, len(o.names))
	for key, value := range o.values {
		if v, ok := as[string](r.mistakes, join(join(r.path, name), key), value, "a string"); ok {
			tags[key] = v
		}
	}
	return tags
}

// object reads the fields of an object.
func (r *reader) object(name string, read func(*reader)) {
	o, ok := fieldOf[*object](r, name, "an object")
	if !ok {
		return
	}
	inner := &reader{mistakes: r.mistakes, path: join(r.path, name), from: o}
	read(inner)
	inner.end()
}

// list reads the objects of an array.
func (r *reader) list(name string, size func(int), read func(int, *reader)) {
	list, _ := fieldOf[[]any](r, name, "an array")
	size(len(list))
	for i, value := range list {
		inner := newReader(r.mistakes, fmt.Sprintf("%s[%d]", join(r.path, name), i), value)
		read(i, inner)
		inner.end()
	}
}
