package s3model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Upload is a multipart upload that is under way.
type Upload struct {
	Key, ID   string
	Initiated time.Time // in whole seconds
	Attributes

	// Algorithm and Type of the checksum that was asked for; empty if none
	// was.
	Algorithm Algorithm
	Type      string

	tags  []Tag
	parts []Part // by number
}

// Part is a part of an upload, or of the object that it became.
type Part struct {
	Number   int
	Size     int64
	ETag     string
	Checksum Checksum
	Modified time.Time

	data []byte // while the upload is under way
}

// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html (read 2026-11)
const (
	maxParts    = 10_000
	minPartSize = 5 << 20 // but for the last one
)

// Begin begins a multipart upload.
func (b *Bucket) Begin(tx *awstest.Tx, u Upload, tags []Tag) (*Upload, error) {
	if err := u.complete(); err != nil {
		return nil, err
	}
	if err := u.checkType(); err != nil {
		return nil, err
	}
	b.model.uploads++
	u.ID = fmt.Sprintf("upload%026x", b.model.uploads)
	u.Initiated = tx.Now().UTC().Truncate(time.Second)
	u.tags = tags
	same, _ := b.pending.Get(u.Key)
	b.pending.Put(u.Key, append(same, &u))
	return &u, nil
}

// checkType fills in the type of the checksum that an algorithm has by
// default, and refuses one that it cannot have.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html (read 2026-11)
func (u *Upload) checkType() error {
	full := u.Algorithm == CRC32 || u.Algorithm == CRC32C || u.Algorithm == CRC64NVME
	switch {
	case u.Algorithm == "" && u.Type != "":
		return Invalid("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	case u.Algorithm == CRC64NVME && u.Type == Composite, u.Algorithm != "" && !full && u.Type == FullObject:
		return Invalid("The %s checksum type cannot be used with the %s checksum algorithm.", u.Type, strings.ToLower(string(u.Algorithm)))
	case u.Algorithm == CRC64NVME:
		u.Type = FullObject
	case u.Algorithm != "" && u.Type == "":
		u.Type = Composite
	}
	return nil
}

// Upload returns an upload that is under way.
func (b *Bucket) Upload(key, id string) (*Upload, error) {
	same, _ := b.pending.Get(key)
	for _, u := range same {
		if u.ID == id {
			return u, nil
		}
	}
	return nil, noSuchUpload()
}

// End forgets an upload and its parts.
func (b *Bucket) End(u *Upload) {
	same, _ := b.pending.Get(u.Key)
	rest := slices.DeleteFunc(slices.Clone(same), func(v *Upload) bool { return v == u })
	if len(rest) == 0 {
		b.pending.Delete(u.Key)
		return
	}
	b.pending.Put(u.Key, rest)
}

// PutPart adds a part, or replaces the one of the same number.
func (u *Upload) PutPart(tx *awstest.Tx, number int, p Payload) (Part, error) {
	if number < 1 || number > maxParts {
		return Part{}, InvalidArgument("Part number must be an integer between 1 and %d, inclusive", maxParts)
	}
	sum, digest, err := p.verify()
	if err != nil {
		return Part{}, err
	}
	if u.Algorithm != "" && sum.Algorithm != u.Algorithm {
		return Part{}, Invalid("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			strings.ToLower(string(u.Algorithm)), cmp.Or(strings.ToLower(string(sum.Algorithm)), "null"))
	}
	part := Part{Number: number, Size: int64(len(p.Data)), ETag: etag(digest), Checksum: sum, Modified: tx.Now().UTC().Truncate(time.Second), data: p.Data}
	i, found := u.find(number)
	if found {
		u.parts[i] = part
	} else {
		u.parts = slices.Insert(u.parts, i, part)
	}
	return part, nil
}

func (u *Upload) find(number int) (int, bool) {
	return slices.BinarySearchFunc(u.parts, number, func(p Part, n int) int { return p.Number - n })
}

// Parts returns the parts with greater numbers, at most limit, and whether
// there are more.
func (u *Upload) Parts(after, limit int) (parts []Part, more bool) {
	if limit <= 0 {
		return nil, false // as of the other lists
	}
	i, _ := u.find(after + 1)
	end := min(len(u.parts), i+limit)
	return u.parts[i:end], end < len(u.parts)
}

// Completion asks for the object that the parts of an upload make.
type Completion struct {
	Parts     []Part // with number, ETag and checksum as the client has them
	Condition Condition
	Given     Checksum // of the object, if the client told one
	Size      *int64   // of the object, if the client told it
}

// Complete makes the object. The upload is over then; one that is refused
// goes on.
func (b *Bucket) Complete(tx *awstest.Tx, u *Upload, c Completion) (*Version, error) {
	parts, err := u.chosen(c.Parts)
	if err != nil {
		return nil, err
	}
	o := u.assemble(parts)
	if c.Size != nil && *c.Size != o.Size() {
		return nil, Invalid("The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *c.Size, o.Size())
	}
	switch {
	case c.Given.Type != "" && c.Given.Type != o.Checksum.Type:
		return nil, badDigest("checksum type")
	case c.Given.Algorithm == "":
	case c.Given.Algorithm != o.Checksum.Algorithm, !sameSum(c.Given.Value, o.Checksum.Value):
		return nil, badDigest(string(c.Given.Algorithm))
	}
	if err := b.Check(u.Key, c.Condition); err != nil {
		return nil, err
	}
	b.End(u)
	// The date of the object is that of the beginning.
	// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html (read 2026-11)
	return b.add(tx, &Version{Key: u.Key, Object: o, Tags: u.tags, Modified: u.Initiated}), nil
}

// sameSum compares the checksum of an object; the number of parts may be left
// out.
func sameSum(given, sum string) bool {
	bare, _, _ := strings.Cut(sum, "-")
	return given == sum || given == bare
}

// chosen returns the parts that a completion names.
func (u *Upload) chosen(named []Part) (parts []Part, err error) {
	if len(named) == 0 {
		return nil, awstest.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	for i, n := range named {
		if i > 0 && n.Number <= named[i-1].Number || u.Type == Composite && n.Number != i+1 {
			return nil, awstest.Errorf("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
		at, found := u.find(n.Number)
		if !found || !sameETag(n.ETag, u.parts[at].ETag) {
			return nil, invalidPart()
		}
		p := u.parts[at]
		switch {
		case n.Checksum.Algorithm != "" && n.Checksum != (Checksum{p.Checksum.Algorithm, p.Checksum.Value, n.Checksum.Type}):
			return nil, invalidPart()
		case n.Checksum.Algorithm == "" && u.Type == Composite:
			return nil, Invalid("The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.",
				strings.ToLower(string(u.Algorithm)), n.Number)
		}
		parts = append(parts, p)
	}
	for _, p := range parts[:len(parts)-1] {
		if p.Size < minPartSize {
			return nil, awstest.Errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
	}
	return parts, nil
}

func invalidPart() error {
	return awstest.Errorf("InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
}

// assemble makes the object of parts. If no checksum was asked for, S3 makes
// one of its own.
func (u *Upload) assemble(parts []Part) *Object {
	size := int64(0)
	for _, p := range parts {
		size += p.Size
	}
	o := &Object{Attributes: u.Attributes, Data: make([]byte, 0, size), ETag: multipartETag(parts), Parts: slices.Clone(parts)}
	for i, p := range parts {
		o.Data = append(o.Data, p.data...)
		o.Parts[i].data = nil
		if p.Checksum.Algorithm != u.Algorithm {
			o.Parts[i].Checksum = Checksum{}
		}
	}
	switch {
	case u.Algorithm == "":
		o.Checksum = CRC64NVME.whole(o.Data)
	case u.Type == Composite:
		o.Checksum = u.Algorithm.composite(parts)
	default:
		o.Checksum = u.Algorithm.whole(o.Data)
	}
	return o
}

// ListUploads lists the uploads that are under way, those of a key in the order
// of their beginning. With afterID the page begins with younger uploads of the
// key q.After.
func (b *Bucket) ListUploads(q Query, afterID string) (p Page[*Upload], nextID string) {
	if q.Max <= 0 {
		return p, ""
	}
	uploads := func(same []*Upload) bool {
		for _, u := range same {
			if p.full(q) {
				p.Truncated = true
				return false
			}
			p.Items = append(p.Items, u)
			p.Next, nextID = u.Key, u.ID
		}
		return true
	}
	if same, ok := b.pending.Get(q.After); ok && afterID != "" && strings.HasPrefix(q.After, q.Prefix) {
		i := slices.IndexFunc(same, func(u *Upload) bool { return u.ID > afterID }) // IDs count up
		if _, rolled := q.group(q.After); i >= 0 && !rolled && !uploads(same[i:]) {
			return p, nextID
		}
	}
	walk(&b.pending, q, func(s step[[]*Upload]) bool {
		if s.prefix == "" {
			return uploads(s.value)
		}
		if p.full(q) {
			p.Truncated = true
			return false
		}
		p.Prefixes = append(p.Prefixes, s.prefix)
		p.Next, nextID = s.prefix, ""
		return true
	})
	return p, nextID
}
