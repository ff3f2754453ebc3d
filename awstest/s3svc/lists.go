package s3svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addLists(e *awstest.Endpoint) {
	awstest.Handle(e, s.listObjectsV2, "Bucket", "Prefix", "Delimiter", "StartAfter", "ContinuationToken", "MaxKeys", "FetchOwner", "ExpectedBucketOwner",
		// Accepted and without effect here:
		"RequestPayer")
	awstest.Handle(e, s.listObjectVersions, "Bucket", "Prefix", "Delimiter", "KeyMarker", "VersionIdMarker", "MaxKeys", "ExpectedBucketOwner",
		// Accepted and without effect here:
		"RequestPayer")
}

// maxKeys is how many results a page may have, and has if nothing is said.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (read 2026-11)
const maxKeys = 1000

// limit returns how many results a page may have; more than the most is the
// most.
func limit(asked *int32, parameter string) (int, error) {
	switch {
	case asked == nil:
		return maxKeys, nil
	case *asked < 0:
		return 0, s3model.InvalidArgument("Argument %s must be an integer between 0 and 2147483647", parameter)
	}
	return min(int(*asked), maxKeys), nil
}

func (s *service) listObjectsV2(tx *awstest.Tx, call *awstest.Call, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	q := s3model.Query{Prefix: aws.ToString(in.Prefix), Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.StartAfter)}
	if q.Max, err = limit(in.MaxKeys, "max-keys"); err != nil {
		return nil, err
	}
	if in.ContinuationToken != nil { // it outweighs StartAfter
		if q.After, err = readToken(in.ContinuationToken); err != nil {
			return nil, err
		}
	}
	page := b.List(q)
	out := &s3.ListObjectsV2Output{
		Name: aws.String(b.Name), Prefix: aws.String(q.Prefix), Delimiter: text(q.Delimiter), StartAfter: text(aws.ToString(in.StartAfter)),
		MaxKeys: aws.Int32(int32(q.Max)), KeyCount: aws.Int32(int32(len(page.Items) + len(page.Prefixes))),
		ContinuationToken: text(aws.ToString(in.ContinuationToken)), IsTruncated: aws.Bool(page.Truncated), CommonPrefixes: prefixes(page.Prefixes),
	}
	if page.Truncated {
		out.NextContinuationToken = writeToken(page.Next)
	}
	for _, v := range page.Items {
		shown := types.Object{
			Key: aws.String(v.Key), ETag: aws.String(v.Object.ETag), Size: aws.Int64(v.Object.Size()), LastModified: aws.Time(v.Modified),
			StorageClass: types.ObjectStorageClass(v.Object.StorageClass), ChecksumType: types.ChecksumType(v.Object.Checksum.Type),
			ChecksumAlgorithm: []types.ChecksumAlgorithm{types.ChecksumAlgorithm(v.Object.Checksum.Algorithm)},
		}
		if aws.ToBool(in.FetchOwner) {
			shown.Owner = s.owner()
		}
		out.Contents = append(out.Contents, shown)
	}
	return out, nil
}

func (s *service) listObjectVersions(tx *awstest.Tx, call *awstest.Call, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.VersionIdMarker) != "" && aws.ToString(in.KeyMarker) == "" {
		return nil, s3model.InvalidArgument("A version-id marker cannot be specified without a key marker.")
	}
	q := s3model.Query{Prefix: aws.ToString(in.Prefix), Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.KeyMarker)}
	if q.Max, err = limit(in.MaxKeys, "max-keys"); err != nil {
		return nil, err
	}
	page := b.ListVersions(q, aws.ToString(in.VersionIdMarker))
	out := &s3.ListObjectVersionsOutput{
		Name: aws.String(b.Name), Prefix: aws.String(q.Prefix), Delimiter: text(q.Delimiter), MaxKeys: aws.Int32(int32(q.Max)),
		KeyMarker: aws.String(q.After), VersionIdMarker: aws.String(aws.ToString(in.VersionIdMarker)),
		IsTruncated: aws.Bool(page.Truncated), CommonPrefixes: prefixes(page.Prefixes),
	}
	if page.Truncated {
		out.NextKeyMarker, out.NextVersionIdMarker = aws.String(page.Next), text(page.NextVersion)
	}
	for _, v := range page.Items {
		if v.IsMarker() {
			out.DeleteMarkers = append(out.DeleteMarkers, types.DeleteMarkerEntry{
				Key: aws.String(v.Key), VersionId: aws.String(v.ID), IsLatest: aws.Bool(v.IsLatest), LastModified: aws.Time(v.Modified), Owner: s.owner(),
			})
			continue
		}
		out.Versions = append(out.Versions, types.ObjectVersion{
			Key: aws.String(v.Key), VersionId: aws.String(v.ID), IsLatest: aws.Bool(v.IsLatest), LastModified: aws.Time(v.Modified), Owner: s.owner(),
			ETag: aws.String(v.Object.ETag), Size: aws.Int64(v.Object.Size()), StorageClass: types.ObjectVersionStorageClass(v.Object.StorageClass),
			ChecksumType:      types.ChecksumType(v.Object.Checksum.Type),
			ChecksumAlgorithm: []types.ChecksumAlgorithm{types.ChecksumAlgorithm(v.Object.Checksum.Algorithm)},
		})
	}
	return out, nil
}

func prefixes(list []string) (shown []types.CommonPrefix) {
	for _, p := range list {
		shown = append(shown, types.CommonPrefix{Prefix: aws.String(p)})
	}
	return shown
}
