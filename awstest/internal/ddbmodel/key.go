package ddbmodel

import (
	"encoding/binary"
	"hash/fnv"
	"math/bits"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

// How large keys may be.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const (
	maxHashKey = 2048
	maxSortKey = 1024
)

// Attribute is an attribute of a key: a string, a number or a binary.
type Attribute struct {
	Name string
	Kind ddbexpr.Kind
}

// Schema is how the items of a table are found: by a partition key alone, or
// by a partition key and a sort key.
type Schema struct {
	Hash Attribute
	Sort *Attribute // nil if there is none
}

// Attributes returns the attributes of the key, the partition key first.
func (s *Schema) Attributes() []Attribute {
	if s.Sort == nil {
		return []Attribute{s.Hash}
	}
	return []Attribute{s.Hash, *s.Sort}
}

// Has tells whether an attribute is part of the key.
func (s *Schema) Has(name string) bool {
	return name == s.Hash.Name || s.Sort != nil && name == s.Sort.Name
}

// Of returns the key attributes of an item.
func (s *Schema) Of(item ddbexpr.Map) ddbexpr.Map {
	key := ddbexpr.Map{}
	for _, a := range s.Attributes() {
		key[a.Name] = item[a.Name]
	}
	return key
}

// Key is the place of an item in its table. Keys sort as the items do.
type Key string

// ItemKey returns the key of an item that is to be stored.
func (s *Schema) ItemKey(item ddbexpr.Map) (Key, error) {
	for _, a := range s.Attributes() {
		v, ok := item[a.Name]
		switch {
		case !ok:
			return "", invalid("One or more parameter values were invalid: Missing the key %s in the item", a.Name)
		case v.Kind() != a.Kind:
			return "", invalid("One or more parameter values were invalid: Type mismatch for key %s expected: %v actual: %v", a.Name, a.Kind, v.Kind())
		}
	}
	return s.encode(item)
}

// Key returns the key that consists of these attributes and no others.
func (s *Schema) Key(attributes ddbexpr.Map) (Key, error) {
	all := s.Attributes()
	ok := len(attributes) == len(all)
	for _, a := range all {
		v, found := attributes[a.Name]
		ok = ok && found && v.Kind() == a.Kind
	}
	if !ok {
		return "", invalid("The provided key element does not match the schema")
	}
	return s.encode(attributes)
}

// encode checks the sizes as well.
func (s *Schema) encode(item ddbexpr.Map) (Key, error) {
	hash := encode(item[s.Hash.Name])
	if err := checkFilled(s.Hash, hash); err != nil {
		return "", err
	}
	if len(hash) > maxHashKey {
		return "", invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of%d bytes", maxHashKey)
	}
	if s.Sort == nil {
		return partition(hash), nil
	}
	sort := encode(item[s.Sort.Name])
	if err := checkFilled(*s.Sort, sort); err != nil {
		return "", err
	}
	if len(sort) > maxSortKey {
		return "", invalid("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes", maxSortKey)
	}
	return partition(hash) + Key(sort), nil
}

func checkFilled(a Attribute, encoded string) error {
	if encoded != "" {
		return nil
	}
	kind := "string"
	if a.Kind == ddbexpr.B {
		kind = "binary"
	}
	return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, a.Name)
}

// encode writes a value so that its bytes sort as the values do.
func encode(v ddbexpr.Value) string {
	switch v := v.(type) {
	case ddbexpr.String:
		return string(v)
	case ddbexpr.Binary:
		return string(v)
	case ddbexpr.Number:
		return v.Key()
	}
	return ""
}

// partition is what the keys of a partition begin with, and no others: a hash
// of the partition key, by which partitions are sorted, and the key with its
// length.
func partition(hashKey string) Key {
	h := fnv.New64a()
	_, _ = h.Write([]byte(hashKey))
	key := binary.BigEndian.AppendUint64(make([]byte, 0, 10+len(hashKey)+32), spread(h.Sum64()))
	key = binary.AppendUvarint(key, uint64(len(hashKey)))
	return Key(append(key, hashKey...))
}

// spread mixes the bits of a hash: short keys that differ in their last
// character differ little in the upper bits of FNV-1a, which segments go by.
func spread(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Stretch is the keys from From on and below To; an empty To is the end.
type Stretch struct{ From, To Key }

// Holds tells whether a key is in the stretch.
func (s Stretch) Holds(k Key) bool { return s.From <= k && (s.To == "" || k < s.To) }

// After returns the stretch behind a key, or, backwards, in front of it.
func (s Stretch) After(k Key, backwards bool) Stretch {
	if backwards {
		return Stretch{s.From, k}
	}
	return Stretch{next(k), s.To}
}

// Segment returns one of so many parts of a table, which have partitions in
// equal shares.
func Segment(number, of uint64) Stretch {
	edge := func(n uint64) Key {
		if n == 0 || n == of {
			return "" // the beginning, and the end
		}
		quotient, _ := bits.Div64(n, 0, of)
		return Key(binary.BigEndian.AppendUint64(nil, quotient))
	}
	return Stretch{edge(number), edge(number + 1)}
}

// Partition returns the items of a partition whose sort keys stand in a
// relation to values: =, <, <=, >, >=, BETWEEN and begins_with. The empty
// operator is all of them.
func (s *Schema) Partition(hash ddbexpr.Value, operator string, values ...ddbexpr.Value) Stretch {
	p := partition(encode(hash))
	whole := Stretch{p, past(p)}
	if operator == "" {
		return whole
	}
	first := p + Key(encode(values[0]))
	last := p + Key(encode(values[len(values)-1]))
	switch operator {
	case "<":
		return Stretch{whole.From, first}
	case "<=":
		return Stretch{whole.From, next(first)}
	case ">":
		return Stretch{next(first), whole.To}
	case ">=":
		return Stretch{first, whole.To}
	case "begins_with":
		return Stretch{first, past(first)}
	}
	return Stretch{first, next(last)} // = and BETWEEN
}

// next returns the smallest key that is more.
func next(k Key) Key { return k + "\x00" }

// past returns the smallest key that is more than all that begin with k, or
// the end.
func past(k Key) Key {
	b := []byte(k)
	for len(b) > 0 && b[len(b)-1] == 0xff {
		b = b[:len(b)-1]
	}
	if len(b) > 0 {
		b[len(b)-1]++
	}
	return Key(b)
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationException", format, args...)
}
