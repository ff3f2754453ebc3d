package s3model

import (
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Object is the content of a version, with what was said about it. Nothing of
// it ever changes: versions, copies and replicas share it.
type Object struct {
	Attributes
	Data     []byte
	ETag     string // in its quotes
	Checksum Checksum
	Parts    []Part // in which it came; nil if it came in one piece
}

// Attributes are what a client says of an object.
type Attributes struct {
	ContentType, ContentEncoding, ContentLanguage string
	ContentDisposition, CacheControl              string
	Redirect                                      string // location of a website
	Expires                                       time.Time
	Metadata                                      map[string]string // of the user; keys in lower case
	StorageClass                                  string
}

// defaultStorageClass is not shown in the headers of an object.
const defaultStorageClass = "STANDARD"

// IsDefault tells whether an object is in the storage class that all are in
// if nothing is said.
func (a *Attributes) IsDefault() bool { return a.StorageClass == defaultStorageClass }

// complete fills in what was not said, and checks the rest.
func (a *Attributes) complete() error {
	if a.ContentType == "" {
		a.ContentType = "binary/octet-stream"
	}
	if a.StorageClass == "" {
		a.StorageClass = defaultStorageClass
	}
	// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html (read 2026-11)
	const most = 2 << 10
	size := 0
	lower := make(map[string]string, len(a.Metadata))
	for k, v := range a.Metadata {
		size += len(k) + len(v)
		lower[strings.ToLower(k)] = v
	}
	if size > most {
		return awstest.Errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	a.Metadata = lower
	return nil
}

// NewObject makes an object of what came in one piece. If no checksum came
// with it, S3 makes one of its own.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html (read 2026-11)
func NewObject(p Payload, a Attributes) (*Object, error) {
	if err := a.complete(); err != nil {
		return nil, err
	}
	sum, digest, err := p.verify()
	if err != nil {
		return nil, err
	}
	if sum.Algorithm == "" {
		sum = CRC64NVME.whole(p.Data)
	}
	return &Object{Attributes: a, Data: p.Data, ETag: etag(digest), Checksum: sum}, nil
}

// Copy makes the object that a copy is: in one piece, with a checksum of the
// same algorithm or of another.
func (o *Object) Copy(a Attributes, algorithm Algorithm) (*Object, error) {
	if algorithm == "" {
		algorithm = o.Checksum.Algorithm
	}
	return NewObject(Payload{Data: o.Data, Algorithm: algorithm}, a)
}

// Size returns the number of bytes.
func (o *Object) Size() int64 { return int64(len(o.Data)) }
