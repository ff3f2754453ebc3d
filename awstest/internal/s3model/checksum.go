package s3model

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // what ETags are made of
	"crypto/sha1" //nolint:gosec // one of S3's checksums
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"strings"

	"github.com/awsha/awsha/awstest"
)

// Algorithm is a checksum algorithm, by the name that S3 gives it.
type Algorithm string

// The algorithms that are modelled. S3 has XXHASH3, XXHASH64 and XXHASH128
// besides, which the standard library has not.
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	MD5       Algorithm = "MD5"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
	SHA512    Algorithm = "SHA512"
)

// The types of a checksum: of all bytes, or of the checksums of the parts.
const (
	FullObject = "FULL_OBJECT"
	Composite  = "COMPOSITE"
)

// Checksum is the checksum of an object or a part. The zero value is none.
type Checksum struct {
	Algorithm Algorithm
	Value     string // in base64; of a composite one with the number of parts
	Type      string
}

// nvme is the polynomial of CRC64NVME, reversed.
// Source: NVM Express NVM Command Set Specification, 64b CRC (read 2026-11)
const nvme = 0x9a6c9329ac4bc9b5

// Modelled tells whether checksums of the algorithm can be made.
func (a Algorithm) Modelled() bool { return a.new() != nil }

func (a Algorithm) new() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64.New(crc64.MakeTable(nvme))
	case MD5:
		return md5.New() //nolint:gosec // as above
	case SHA1:
		return sha1.New() //nolint:gosec // as above
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	}
	return nil
}

func (a Algorithm) sum(data []byte) []byte {
	h := a.new()
	h.Write(data)
	return h.Sum(nil)
}

// whole makes the checksum of all bytes.
func (a Algorithm) whole(data []byte) Checksum {
	return Checksum{a, base64.StdEncoding.EncodeToString(a.sum(data)), FullObject}
}

// check holds a checksum that was given against the bytes that arrived.
func (a Algorithm) check(given string, data []byte) error {
	sum := a.sum(data)
	raw, err := base64.StdEncoding.DecodeString(given)
	if err != nil || len(raw) != len(sum) {
		return Invalid("Value for x-amz-checksum-%s header is invalid.", strings.ToLower(string(a)))
	}
	if !bytes.Equal(raw, sum) {
		return badDigest(string(a))
	}
	return nil
}

func badDigest(what string) error {
	return awstest.Errorf("BadDigest", "The %s you specified did not match the calculated checksum.", what)
}

// Payload is what came with a request that carries data, and what the client
// says about it.
type Payload struct {
	Data []byte

	// Algorithm that the client names, if it does.
	Algorithm Algorithm
	// Given is the checksum that came with the bytes, if one did; its type is
	// not looked at.
	Given Checksum
	// ContentMD5 is the digest that the client made, if it told one.
	ContentMD5 string
}

// verify holds the payload against what the client says, and returns its
// checksum, if it is to have one, and its MD5 digest.
func (p *Payload) verify() (Checksum, []byte, error) {
	digest := md5.Sum(p.Data) //nolint:gosec // as above
	if p.ContentMD5 != "" {
		raw, err := base64.StdEncoding.DecodeString(p.ContentMD5)
		switch {
		case err != nil || len(raw) != len(digest):
			return Checksum{}, nil, awstest.Errorf("InvalidDigest", "The Content-MD5 you specified was invalid.")
		case !bytes.Equal(raw, digest[:]):
			return Checksum{}, nil, awstest.Errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
		}
	}
	algorithm := p.Algorithm
	if p.Given.Algorithm != "" {
		// Source: the SDK's comment on PutObjectInput.ChecksumAlgorithm (read 2026-11)
		if algorithm != "" && algorithm != p.Given.Algorithm {
			return Checksum{}, nil, badDigest(string(p.Given.Algorithm))
		}
		algorithm = p.Given.Algorithm
		if err := algorithm.check(p.Given.Value, p.Data); err != nil {
			return Checksum{}, nil, err
		}
	}
	if algorithm == "" {
		return Checksum{}, digest[:], nil
	}
	return algorithm.whole(p.Data), digest[:], nil
}

// composite makes the checksum of the checksums of parts.
func (a Algorithm) composite(parts []Part) Checksum {
	h := a.new()
	for _, p := range parts {
		raw, _ := base64.StdEncoding.DecodeString(p.Checksum.Value)
		h.Write(raw)
	}
	return Checksum{a, fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts)), Composite}
}

// etag is the entity tag of bytes that came in one piece, in its quotes.
func etag(digest []byte) string { return `"` + hex.EncodeToString(digest) + `"` }

// multipartETag is the entity tag of an object that came in parts.
func multipartETag(parts []Part) string {
	h := md5.New() //nolint:gosec // as above
	for _, p := range parts {
		raw, _ := hex.DecodeString(strings.Trim(p.ETag, `"`))
		h.Write(raw)
	}
	return fmt.Sprintf(`"%x-%d"`, h.Sum(nil), len(parts))
}

// sameETag compares entity tags; S3 does not care for the quotes.
func sameETag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }
