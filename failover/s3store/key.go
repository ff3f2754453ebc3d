package s3store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Limits of keys. A segment is a group or a name as it stands in a key: two of them, a slash and the longest prefix are less than the 1,024
// bytes that S3 allows.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html (read 2026-11)
const (
	maxPrefix  = 500
	maxSegment = 250
	maxPart    = 1024 // bytes of a group or a name
)

// key is where an entry is: prefix, group, slash, name. Neither part has a slash when it is escaped, so that no group is within another
// and nothing is outside of the prefix.
func (s *Store) key(group, name string) string { return s.folder(group) + segment(name) }

func (s *Store) folder(group string) string { return s.opts.Prefix + segment(group) + "/" }

// segment writes a group or a name with the characters that S3 calls safe. What is not among them is an exclamation mark and two
// hexadecimal digits for each byte; a leading dot is escaped too, since clients take "." and ".." for directions. A long one is cut, and two
// exclamation marks and a hash of the whole stand for the rest, which no short one has: it reads less well, and the object tells its
// full name.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html (read 2026-11)
func segment(part string) string {
	var b strings.Builder
	for i := range len(part) {
		c := part[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "!%02X", c)
		}
	}
	if b.Len() <= maxSegment {
		return b.String()
	}
	sum := sha256.Sum256([]byte(part))
	rest := "!!" + hex.EncodeToString(sum[:])
	return b.String()[:maxSegment-len(rest)] + rest
}
