package ec2model

import "strings"

// Tags are the tags of a resource, in the order in which they were set. They
// are not changed in place.
type Tags []Tag

// Tag is a key with a value.
type Tag struct{ Key, Value string }

// With returns the tags with one set.
func (t Tags) With(tag Tag) Tags { return append(t.Without(tag.Key, nil), tag) }

// Without returns the tags without a key; if value is not nil, only where the
// tag has that value.
func (t Tags) Without(key string, value *string) Tags {
	out := make(Tags, 0, len(t)+1)
	for _, old := range t {
		if old.Key != key || (value != nil && old.Value != *value) {
			out = append(out, old)
		}
	}
	return out
}

// Reserved tells whether a key is one of those that only AWS sets.
func Reserved(key string) bool { return strings.HasPrefix(strings.ToLower(key), "aws:") }

// Reserved returns the tags that AWS has set.
func (t Tags) Reserved() (list Tags) {
	for _, tag := range t {
		if Reserved(tag.Key) {
			list = append(list, tag)
		}
	}
	return list
}
