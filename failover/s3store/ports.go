package s3store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../failovermock/s3store.go -pkg failovermock . API:S3StoreAPIMock

// API is what the package calls of S3; *s3.Client is one. Implementations are safe for concurrent use, end a call when its context ends, and
// return errors in the SDK's form.
type API interface {
	// GetObject needs s3:GetObject, and s3:ListBucket to be told that an object does not exist. It is called once by Store.Get, for each
	// entry by Store.List, and by Store.Put when it was refused.
	GetObject(ctx context.Context, params *s3.GetObjectInput, optFns ...func(*s3.Options)) (*s3.GetObjectOutput, error)

	// PutObject needs s3:PutObject. It is called once by Store.Put, always with a condition.
	PutObject(ctx context.Context, params *s3.PutObjectInput, optFns ...func(*s3.Options)) (*s3.PutObjectOutput, error)

	// ListObjectsV2 needs s3:ListBucket. It is called by Store.List, once for each 1,000 entries.
	ListObjectsV2(ctx context.Context, params *s3.ListObjectsV2Input, optFns ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

var _ API = (*s3.Client)(nil)
