package s3model

import (
	"strings"
)

// A Query asks for a part of the keys of a bucket.
type Query struct {
	Prefix    string
	Delimiter string

	// After is where the page begins: with what is greater, prefixes that
	// keys are rolled up in included.
	After string

	Max int // at most this many keys and rolled-up prefixes
}

// step is a key of a listing, or a prefix that keys are rolled up in.
type step[V any] struct {
	key    string
	value  V
	prefix string // of several keys; then there is no key
}

// name is where the next page begins.
func (s *step[V]) name() string { return s.key + s.prefix }

// walk goes over the keys that a query asks for, in order, until yield has
// enough. It skips what is rolled up without looking at it, so that its cost
// is a matter of what it yields.
func walk[V any](o *Ordered[V], q Query, yield func(step[V]) bool) {
	from := max(q.Prefix, q.After)
	for more := true; more; {
		more = false
		for key, v := range o.From(from) {
			if !strings.HasPrefix(key, q.Prefix) {
				return
			}
			if key == q.After && q.After != "" {
				continue
			}
			group, ok := q.group(key)
			if !ok {
				if !yield(step[V]{key: key, value: v}) {
					return
				}
				continue
			}
			if group > q.After && !yield(step[V]{prefix: group}) {
				return
			}
			from, more = beyond(group), true
			break
		}
	}
}

// group returns the prefix that a key is rolled up in.
func (q *Query) group(key string) (string, bool) {
	if q.Delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(q.Prefix):], q.Delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(q.Prefix)+i+len(q.Delimiter)], true
}

// beyond returns the least string that is greater than all that begin with a
// prefix of a key. Keys are UTF-8, which has no byte 0xff.
func beyond(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string([]byte{prefix[last] + 1})
}

// Page is a page of a listing.
type Page[T any] struct {
	Items    []T
	Prefixes []string

	Truncated bool
	Next      string // After of the next page, if it is truncated
}

func (p *Page[T]) full(q Query) bool { return len(p.Items)+len(p.Prefixes) >= q.Max }

// List lists the objects that are current versions.
func (b *Bucket) List(q Query) (p Page[*Version]) {
	if q.Max <= 0 {
		return p
	}
	walk(&b.current, q, func(s step[*Version]) bool {
		if p.full(q) {
			p.Truncated = true
			return false
		}
		if p.Next = s.name(); s.prefix != "" {
			p.Prefixes = append(p.Prefixes, s.prefix)
		} else {
			p.Items = append(p.Items, s.value)
		}
		return true
	})
	return p
}

// Listed is a version in a listing.
type Listed struct {
	*Version
	IsLatest bool
}

// VersionPage is a page of a listing of versions.
type VersionPage struct {
	Page[Listed]
	NextVersion string // with Next: the last version on the page
}

// ListVersions lists all versions and delete markers, those of a key from the
// youngest to the oldest. With afterVersion the page begins with older versions
// of the key q.After. One that is not there any more means all versions of the
// key.
func (b *Bucket) ListVersions(q Query, afterVersion string) (p VersionPage) {
	if q.Max <= 0 {
		return p
	}
	versions := func(s *stack, from int) bool {
		for i, v := range s.versions[from:] {
			if p.full(q) {
				p.Truncated = true
				return false
			}
			p.Items = append(p.Items, Listed{v, from+i == 0})
			p.Next, p.NextVersion = v.Key, v.ID
		}
		return true
	}
	if s, ok := b.keys.Get(q.After); ok && afterVersion != "" && strings.HasPrefix(q.After, q.Prefix) {
		if _, rolled := q.group(q.After); !rolled && !versions(s, s.index(afterVersion)+1) {
			return p
		}
	}
	walk(&b.keys, q, func(s step[*stack]) bool {
		if s.prefix == "" {
			return versions(s.value, 0)
		}
		if p.full(q) {
			p.Truncated = true
			return false
		}
		p.Prefixes = append(p.Prefixes, s.prefix)
		p.Next, p.NextVersion = s.prefix, ""
		return true
	})
	return p
}
