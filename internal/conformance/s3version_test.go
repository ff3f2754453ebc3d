package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html (read 2026-11)
var versionScenarios = []scenario{
	{
		name: "an object has versions",
		run: func(s *session) {
			b := s.bucket("b")
			status := func() string {
				out := must(s.s3.GetBucketVersioning(s.Context(), &s3.GetBucketVersioningInput{Bucket: &b}))(s)
				return fmt.Sprintf("%q", out.Status)
			}
			set := func(to types.BucketVersioningStatus) {
				s.Helper()
				s.accepted("setting "+string(to), versioned(s.Context(), s.s3, b, to))
			}
			s.is("versioning of a new bucket", status(), `""`)
			s.store(b, "key", "null")
			set("Enabled")
			s.shows("versioning", `"Enabled"`, status)
			first, second := s.store(b, "key", "first"), s.store(b, "key", "second")
			s.is("IDs", same(told(first.VersionId), told(second.VersionId)), "another")
			s.is("versions", s.objectVersions(b), "second first null")
			s.is("the null version", s.read(b, "key", func(in *s3.GetObjectInput) { in.VersionId = aws.String("null") }), "null")
			marker := must(s.s3.DeleteObject(s.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("key")}))(s)
			s.is("deleting", fmt.Sprint(aws.ToBool(marker.DeleteMarker)), "true")
			s.is("deleted", s.read(b, "key"), "NoSuchKey")
			s.is("the delete marker", s.read(b, "key", func(in *s3.GetObjectInput) { in.VersionId = marker.VersionId }), "MethodNotAllowed")
			_, err := s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key"), VersionId: marker.VersionId})
			s.refused("finding the delete marker", err, "MethodNotAllowed")
			gone := must(s.s3.DeleteObject(s.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("key"), VersionId: marker.VersionId}))(s)
			s.is("deleting the delete marker", fmt.Sprint(aws.ToBool(gone.DeleteMarker)), "true")
			s.is("then it is back", s.read(b, "key"), "second")
			s.accepted("deleting a version for good", s.remove(b, "key", *second.VersionId))
			s.is("then the one before is current", s.read(b, "key"), "first")
			s.is("reading what is gone", s.read(b, "key", func(in *s3.GetObjectInput) { in.VersionId = second.VersionId }), "NoSuchVersion")
			s.is("reading what is no version", s.read(b, "key", func(in *s3.GetObjectInput) { in.VersionId = aws.String("nonsense") }), "InvalidArgument")
			set("Suspended")
			out := s.store(b, "key", "again")
			s.is("ID while suspended", told(out.VersionId), "null")
			s.is("versions while suspended", s.objectVersions(b), "again first")
			s.store(b, "key", "and again")
			s.is("and once more", s.objectVersions(b), "and again first")
			s.accepted("deleting while suspended", s.remove(b, "key", ""))
			s.is("then", s.objectVersions(b), "marker first")
		},
		differs: []difference{
			{on: motoName, at: "the delete marker", does: "NoSuchVersion"},
			{on: motoName, at: "deleting the delete marker", does: "false"},
			{on: motoName, at: "reading what is no version", does: "NoSuchVersion"},
			{on: motoName, at: "ID while suspended", does: "none"},
			{on: motoName, at: "versions while suspended", does: "again"},
			{on: motoName, at: "and once more", does: "and again"},
			{on: motoName, at: "then", does: "nothing"},
		},
	},
	{
		name: "objects are listed",
		run: func(s *session) {
			b := s.bucket("b")
			for _, key := range []string{"a", "a/1", "a/2/x", "a/2/y", "b/1", "c"} {
				s.store(b, key, "text")
			}
			for _, c := range []struct {
				at   string
				in   s3.ListObjectsV2Input
				want string
			}{
				{"all", s3.ListObjectsV2Input{}, "a a/1 a/2/x a/2/y b/1 c"},
				{"two by two", s3.ListObjectsV2Input{MaxKeys: aws.Int32(2)}, "a a/1 a/2/x a/2/y b/1 c"},
				{"by a prefix", s3.ListObjectsV2Input{Prefix: aws.String("a/")}, "a/1 a/2/x a/2/y"},
				{"rolled up", s3.ListObjectsV2Input{Delimiter: aws.String("/")}, "a c (a/) (b/)"},
				{"rolled up, one by one", s3.ListObjectsV2Input{Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)}, "a (a/) (b/) c"},
				{"rolled up under a prefix", s3.ListObjectsV2Input{Prefix: aws.String("a/"), Delimiter: aws.String("/")}, "a/1 (a/2/)"},
				{"after a key", s3.ListObjectsV2Input{StartAfter: aws.String("a/2/x")}, "a/2/y b/1 c"},
				{"after a key that is rolled up", s3.ListObjectsV2Input{StartAfter: aws.String("a/1"), Delimiter: aws.String("/")}, "c (b/)"},
			} {
				in := c.in
				in.Bucket = &b
				var found []string
				pages := s3.NewListObjectsV2Paginator(s.s3, &in)
				for pages.HasMorePages() {
					out := must(pages.NextPage(s.Context()))(s)
					for i := range out.Contents {
						found = append(found, *out.Contents[i].Key)
					}
					for i := range out.CommonPrefixes {
						found = append(found, "("+*out.CommonPrefixes[i].Prefix+")")
					}
				}
				s.is(c.at, strings.Join(found, " "), c.want)
			}
			out := must(s.s3.ListObjectsV2(s.Context(), &s3.ListObjectsV2Input{Bucket: &b, MaxKeys: aws.Int32(4)}))(s)
			s.is("count", fmt.Sprint(aws.ToInt32(out.KeyCount), " ", aws.ToInt32(out.MaxKeys), " ", aws.ToBool(out.IsTruncated)), "4 4 true")
			o := out.Contents[0]
			s.is("what it says of one", fmt.Sprint(aws.ToInt64(o.Size), " ", o.StorageClass), "4 STANDARD")
			out = must(s.s3.ListObjectsV2(s.Context(), &s3.ListObjectsV2Input{Bucket: &b, MaxKeys: aws.Int32(0)}))(s)
			s.is("a page of none", fmt.Sprint(len(out.Contents), " ", aws.ToBool(out.IsTruncated)), "0 false")
			_, err := s.s3.ListObjectsV2(s.Context(), &s3.ListObjectsV2Input{Bucket: &b, ContinuationToken: aws.String("nonsense")})
			s.refused("after nonsense", err, "InvalidArgument")
			_, err = s.s3.ListObjectsV2(s.Context(), &s3.ListObjectsV2Input{Bucket: &b, MaxKeys: aws.Int32(-1)})
			s.refused("less than none", err, "InvalidArgument")
		},
		differs: []difference{
			{on: motoName, at: "after nonsense", does: "not implemented"},
			{on: motoName, at: "less than none", does: "accepted"},
		},
	},
	{
		name: "versions are listed",
		run: func(s *session) {
			b := s.bucket("b")
			must(versionedAs(s, b, types.BucketVersioningStatusEnabled))(s)
			s.store(b, "a/1", "a")
			for _, text := range []string{"one", "two", "three"} {
				s.store(b, "b", text)
			}
			s.store(b, "c", "c")
			list := func(in s3.ListObjectVersionsInput) string {
				in.Bucket = &b
				var found []string
				for {
					out, err := s.s3.ListObjectVersions(s.Context(), &in)
					if err != nil {
						return outcome(err)
					}
					for i := range out.Versions {
						v := &out.Versions[i]
						found = append(found, s.read(b, *v.Key, func(in *s3.GetObjectInput) { in.VersionId = v.VersionId }))
					}
					for i := range out.CommonPrefixes {
						found = append(found, "("+*out.CommonPrefixes[i].Prefix+")")
					}
					if !aws.ToBool(out.IsTruncated) || len(found) > 20 {
						return strings.Join(found, " ")
					}
					in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
				}
			}
			s.is("all", list(s3.ListObjectVersionsInput{}), "a three two one c")
			s.is("one by one", list(s3.ListObjectVersionsInput{MaxKeys: aws.Int32(1)}), "a three two one c")
			s.is("two by two", list(s3.ListObjectVersionsInput{MaxKeys: aws.Int32(2)}), "a three two one c")
			s.is("by a prefix", list(s3.ListObjectVersionsInput{Prefix: aws.String("b")}), "three two one")
			s.is("rolled up", list(s3.ListObjectVersionsInput{Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)}), "(a/) three two one c")
			s.is("after a key", list(s3.ListObjectVersionsInput{KeyMarker: aws.String("a/1")}), "three two one c")
			s.is("after a version without its key", list(s3.ListObjectVersionsInput{VersionIdMarker: aws.String("null")}), "InvalidArgument")
		},
		differs: []difference{
			{on: motoName, at: "after a version without its key", does: "a three two one c"},
		},
	},
	{
		name: "many objects are deleted",
		run: func(s *session) {
			b := s.bucket("b")
			etag := s.store(b, "a", "a").ETag
			s.store(b, "b", "b")
			s.store(b, "c", "c")
			remove := func(quiet bool, objects ...types.ObjectIdentifier) string {
				out, err := s.s3.DeleteObjects(s.Context(), &s3.DeleteObjectsInput{Bucket: &b, Delete: &types.Delete{Quiet: &quiet, Objects: objects}})
				if err != nil {
					return outcome(err)
				}
				var text []string
				for i := range out.Deleted {
					text = append(text, *out.Deleted[i].Key)
				}
				for i := range out.Errors {
					text = append(text, *out.Errors[i].Key+" "+*out.Errors[i].Code)
				}
				return strings.Join(text, ", ")
			}
			s.is("with a missing one", remove(false, types.ObjectIdentifier{Key: aws.String("b")}, types.ObjectIdentifier{Key: aws.String("missing")}), "b, missing")
			s.is("quietly", remove(true, types.ObjectIdentifier{Key: aws.String("c")}), "")
			s.is("what is left", s.objectVersions(b), "a")
			s.is("on a condition", remove(false, types.ObjectIdentifier{Key: aws.String("a"), ETag: aws.String(`"00000000000000000000000000000000"`)}), "a PreconditionFailed")
			s.is("on a condition that holds", remove(false, types.ObjectIdentifier{Key: aws.String("a"), ETag: etag}), "a")
			s.is("none", remove(false, []types.ObjectIdentifier{}...), "MalformedXML")
		},
		differs: []difference{
			{on: motoName, at: "on a condition", does: "a"},
			{on: motoName, at: "quietly", does: "c"},
		},
	},
	{
		name: "replication is configured",
		run: func(s *session) {
			if s.shared {
				s.Skip("needs a role that S3 may assume")
			}
			b, far := s.bucket("b"), s.farBucket("far")
			put := func(change ...func(*types.ReplicationRule)) error {
				r := replicationRule(far)
				for _, fn := range change {
					fn(&r)
				}
				return s.replicate(b, r)
			}
			get := func() string {
				out, err := s.s3.GetBucketReplication(s.Context(), &s3.GetBucketReplicationInput{Bucket: &b})
				if err != nil {
					return outcome(err)
				}
				r := out.ReplicationConfiguration.Rules[0]
				return fmt.Sprint(told(r.ID), " ", r.Status, " ", aws.ToInt32(r.Priority), " to ", told(r.Destination.Bucket))
			}
			s.refused("without versioning", put(), "InvalidRequest")
			must(versionedAs(s, b, types.BucketVersioningStatusEnabled))(s)
			s.refused("without versioning of the destination", put(), "InvalidRequest")
			must(far, versioned(s.Context(), s.farS3(), far, types.BucketVersioningStatusEnabled))(s)
			s.refused("to nowhere", put(func(r *types.ReplicationRule) {
				r.Destination = &types.Destination{Bucket: aws.String("arn:aws:s3:::" + s.bucketName("none"))}
			}), "InvalidRequest")
			s.refused("with a filter and without priority", put(func(r *types.ReplicationRule) { r.Priority = nil }), "InvalidRequest")
			s.refused("with a filter and without a word on delete markers", put(func(r *types.ReplicationRule) { r.DeleteMarkerReplication = nil }), "InvalidRequest")
			s.is("none yet", get(), "ReplicationConfigurationNotFoundError")
			s.accepted("putting", put())
			s.shows("shown", "all Enabled 1 to arn:aws:s3:::bucket far", get)
			s.refused("suspending versioning", versioned(s.Context(), s.s3, b, types.BucketVersioningStatusSuspended), "InvalidBucketState")
			_, err := s.s3.DeleteBucketReplication(s.Context(), &s3.DeleteBucketReplicationInput{Bucket: &b})
			s.accepted("deleting", err)
			s.shows("deleted", "ReplicationConfigurationNotFoundError", get)
		},
		differs: []difference{
			{on: motoName, at: "with a filter and without priority", does: "accepted"},
			{on: motoName, at: "without versioning of the destination", does: "accepted"},
			{on: motoName, at: "to nowhere", does: "accepted"},
			{on: motoName, at: "with a filter and without a word on delete markers", does: "accepted"},
			{on: motoName, at: "none yet", does: "all Enabled 1 to arn:aws:s3:::bucket far"},
			{on: motoName, at: "suspending versioning", does: "accepted"},
		},
	},
	{
		name: "a version is replicated",
		run: func(s *session) {
			if s.shared {
				s.Skip("needs a role that S3 may assume")
			}
			b, far := s.bucket("b"), s.farBucket("far")
			must(versionedAs(s, b, types.BucketVersioningStatusEnabled))(s)
			must(far, versioned(s.Context(), s.farS3(), far, types.BucketVersioningStatusEnabled))(s)
			s.store(b, "before", "text")
			must(b, s.replicate(b, replicationRule(far)))(s)
			put := s.store(b, "key", "text")
			head := func(client *s3.Client, bucket, key string) string {
				out, err := client.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
				if err != nil {
					return outcome(err)
				}
				return fmt.Sprint(out.ReplicationStatus, " ", same(*out.ETag, *put.ETag), " ", same(told(out.VersionId), told(put.VersionId)))
			}
			s.is("at once", head(s.s3, b, "key"), "PENDING the same the same")
			s.shows("the source", "COMPLETED the same the same", func() string { return head(s.s3, b, "key") })
			s.shows("the replica", "REPLICA the same the same", func() string { return head(s.farS3(), far, "key") })
			s.is("what was there before", head(s.farS3(), far, "before"), "NotFound")
			s.accepted("deleting", s.remove(b, "key", ""))
			s.shows("the replica then", "NotFound", func() string { return head(s.farS3(), far, "key") })
		},
		differs: []difference{
			{on: motoName, at: "at once", does: " the same the same"},
			{on: motoName, at: "the source", does: " the same the same"},
			{on: motoName, at: "the replica", does: "NotFound"},
		},
	},
}

// replicationRule replicates everything, delete markers included.
func replicationRule(to string) types.ReplicationRule {
	return types.ReplicationRule{
		ID: aws.String("all"), Status: types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1), Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
		DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusEnabled},
		Destination:             &types.Destination{Bucket: aws.String("arn:aws:s3:::" + to)},
	}
}

func (s *session) replicate(bucket string, rules ...types.ReplicationRule) error {
	_, err := s.s3.PutBucketReplication(s.Context(), &s3.PutBucketReplicationInput{
		Bucket: &bucket, ReplicationConfiguration: &types.ReplicationConfiguration{Role: aws.String("arn:aws:iam::123456789012:role/awsha"), Rules: rules},
	})
	return err
}

// objectVersions tells what the versions in a bucket hold, those of a key from the youngest to the oldest. Of delete markers it
// can be told only that there is a current one.
func (s *session) objectVersions(bucket string) string {
	out, err := s.s3.ListObjectVersions(s.Context(), &s3.ListObjectVersionsInput{Bucket: &bucket})
	if err != nil {
		return outcome(err)
	}
	var text []string
	for i := range out.DeleteMarkers {
		if aws.ToBool(out.DeleteMarkers[i].IsLatest) {
			text = append(text, "marker")
		}
	}
	for i := range out.Versions {
		v := &out.Versions[i]
		text = append(text, s.read(bucket, *v.Key, func(in *s3.GetObjectInput) { in.VersionId = v.VersionId }))
	}
	if len(text) == 0 {
		return "nothing"
	}
	return strings.Join(text, " ")
}
