package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (read 2026-11)
var bucketScenarios = []scenario{
	{
		name: "a bucket is made, found and deleted",
		run: func(s *session) {
			b := s.bucket("a")
			_, err := s.s3.HeadBucket(s.Context(), &s3.HeadBucketInput{Bucket: &b})
			s.accepted("finding it", err)
			s.shows("in the list", "bucket a", func() string {
				out := must(s.s3.ListBuckets(s.Context(), &s3.ListBucketsInput{Prefix: &b}))(s)
				var names []string
				for i := range out.Buckets {
					names = append(names, *out.Buckets[i].Name)
				}
				return s.set(names)
			})
			location := must(s.s3.GetBucketLocation(s.Context(), &s3.GetBucketLocationInput{Bucket: &b}))(s)
			s.is("constraint", fmt.Sprintf("%q", location.LocationConstraint), fmt.Sprintf("%q", constraintOf(s.regions[0])))
			s.store(b, "key", "text")
			_, err = s.s3.DeleteBucket(s.Context(), &s3.DeleteBucketInput{Bucket: &b})
			s.refused("deleting it with an object", err, "BucketNotEmpty")
			s.accepted("deleting the object", s.remove(b, "key", ""))
			_, err = s.s3.DeleteBucket(s.Context(), &s3.DeleteBucketInput{Bucket: &b})
			s.accepted("deleting it", err)
			s.shows("finding it then", "NotFound", func() string {
				_, err := s.s3.HeadBucket(s.Context(), &s3.HeadBucketInput{Bucket: &b})
				return outcome(err)
			})
			_, err = s.s3.DeleteBucket(s.Context(), &s3.DeleteBucketInput{Bucket: &b})
			s.refused("deleting it again", err, "NoSuchBucket")
			s.is("reading from it", s.read(b, "key"), "NoSuchBucket")
		},
	},
	{
		name: "the name of a bucket is taken by oneself",
		run: func(s *session) {
			far := s.farBucket("far")
			_, err := s.farS3().CreateBucket(s.Context(), s.bucketInput(far, s.regions[1]))
			s.refused("in its region", err, "BucketAlreadyOwnedByYou")
			_, err = s.s3.CreateBucket(s.Context(), s.bucketInput(far, s.regions[0]))
			s.refused("in another region", err, "BucketAlreadyOwnedByYou")
			if s.regions[0] == globalRegion {
				b := s.bucket("b")
				s.store(b, "key", "text")
				_, err := s.s3.CreateBucket(s.Context(), s.bucketInput(b, globalRegion))
				s.accepted("in the region of legacy", err)
				s.is("what it holds then", s.read(b, "key"), "text")
			}
		},
	},
	{
		name: "the name of a bucket is refused",
		run: func(s *session) {
			for what, name := range map[string]string{
				"too long": strings.Repeat("a", 64), "capitals": "Awsha-" + s.mark, "an underscore": "awsha_" + s.mark,
				"a hyphen in front": "-awsha-" + s.mark, "two dots": "awsha.." + s.mark, "an address": "192.168.5.4",
				"a reserved prefix": "xn--" + s.mark, "another reserved prefix": "sthree-" + s.mark, "a reserved suffix": s.mark + "-s3alias",
			} {
				_, err := s.s3.CreateBucket(s.Context(), s.bucketInput(name, s.regions[0]))
				s.refused(what, err, "InvalidBucketName")
			}
		},
		differs: []difference{
			{on: motoName, at: "capitals", does: "accepted"},
			{on: motoName, at: "an underscore", does: "accepted"},
			{on: motoName, at: "a hyphen in front", does: "accepted"},
			{on: motoName, at: "two dots", does: "accepted"},
			{on: motoName, at: "an address", does: "accepted"},
			{on: motoName, at: "a reserved prefix", does: "accepted"},
			{on: motoName, at: "another reserved prefix", does: "accepted"},
			{on: motoName, at: "a reserved suffix", does: "accepted"},
		},
	},
	{
		name: "a bucket has a region",
		run: func(s *session) {
			create := func(client *s3.Client, constraint string) error {
				name := s.bucketName("refused" + constraint)
				in := &s3.CreateBucketInput{Bucket: &name}
				if constraint != "" {
					in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(constraint)}
				}
				_, err := client.CreateBucket(s.Context(), in)
				if err == nil {
					s.emptied(s.config(s.regions[0]), name)
				}
				return err
			}
			s.refused("without a constraint, elsewhere", create(s.farS3(), ""), "IllegalLocationConstraintException")
			s.refused("by the constraint of another region, elsewhere", create(s.farS3(), "ap-south-1"), "IllegalLocationConstraintException")
			s.refused("by the name of the global region", create(s.s3, globalRegion), "InvalidLocationConstraint")
			s.refused("by a name that no region has", create(s.s3, "mars-1"), "InvalidLocationConstraint")
			far := s.farBucket("far")
			head := must(s.farS3().HeadBucket(s.Context(), &s3.HeadBucketInput{Bucket: &far}))(s)
			s.is("region", told(head.BucketRegion), s.regions[1])
			_, err := s.s3.HeadBucket(s.Context(), &s3.HeadBucketInput{Bucket: &far})
			s.refused("finding it from another region", err, "MovedPermanently")
			s.is("reading from another region", s.read(far, "key"), "PermanentRedirect")
			location := must(s.s3.GetBucketLocation(s.Context(), &s3.GetBucketLocationInput{Bucket: &far}))(s)
			s.is("constraint, from another region", string(location.LocationConstraint), constraintOf(s.regions[1]))
		},
		differs: []difference{
			{on: motoName, at: "by a name that no region has", does: "accepted"},
			{on: motoName, at: "finding it from another region", does: "accepted"},
			{on: motoName, at: "reading from another region", does: "NoSuchKey"},
		},
	},
}

// globalRegion is where a bucket is if nothing is said.
const globalRegion = "us-east-1"

func constraintOf(region string) string {
	if region == globalRegion {
		return ""
	}
	return region
}

func (s *session) bucketName(name string) string { return "awsha-" + s.mark + "-" + name }

func (s *session) bucketInput(name, region string) *s3.CreateBucketInput {
	in := &s3.CreateBucketInput{Bucket: &name}
	if c := constraintOf(region); c != "" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(c)}
	}
	return in
}

// farS3 is the client of the second region.
func (s *session) farS3() *s3.Client {
	return s3.NewFromConfig(s.config(s.regions[1]), func(o *s3.Options) { o.UsePathStyle = true })
}

// bucket makes a bucket, and empties and deletes it in the end. Its name is its own in the world.
func (s *session) bucket(name string) string {
	s.Helper()
	return s.bucketIn(s.s3, s.regions[0], name)
}

func (s *session) farBucket(name string) string {
	s.Helper()
	return s.bucketIn(s.farS3(), s.regions[1], name)
}

func (s *session) bucketIn(client *s3.Client, region, name string) string {
	s.Helper()
	full := s.bucketName(name)
	must(client.CreateBucket(s.Context(), s.bucketInput(full, region)))(s)
	s.call(full, "bucket "+name)
	s.emptied(s.config(region), full)
	return full
}

// emptied deletes a bucket in the end, with all that it holds.
func (s *session) emptied(cfg aws.Config, bucket string) {
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	s.cleanly(bucket, func(ctx context.Context) error {
		uploads, err := client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			return unless(err, "NoSuchBucket")
		}
		for i := range uploads.Uploads {
			u := &uploads.Uploads[i]
			if _, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: u.Key, UploadId: u.UploadId}); err != nil {
				return err
			}
		}
		versions, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket})
		if err != nil {
			return err
		}
		all := &types.Delete{Quiet: aws.Bool(true)}
		for i := range versions.Versions {
			all.Objects = append(all.Objects, types.ObjectIdentifier{Key: versions.Versions[i].Key, VersionId: versions.Versions[i].VersionId})
		}
		for i := range versions.DeleteMarkers {
			all.Objects = append(all.Objects, types.ObjectIdentifier{Key: versions.DeleteMarkers[i].Key, VersionId: versions.DeleteMarkers[i].VersionId})
		}
		if len(all.Objects) > 0 {
			if _, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: all}); err != nil {
				return err
			}
		}
		_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket})
		return err
	})
}

func putText(bucket, key, text string, change ...func(*s3.PutObjectInput)) *s3.PutObjectInput {
	in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)}
	for _, fn := range change {
		fn(in)
	}
	return in
}

func (s *session) store(bucket, key, text string, change ...func(*s3.PutObjectInput)) *s3.PutObjectOutput {
	s.Helper()
	return must(s.s3.PutObject(s.Context(), putText(bucket, key, text, change...)))(s)
}

// read tells what an object holds, or how much.
func (s *session) read(bucket, key string, change ...func(*s3.GetObjectInput)) string {
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	for _, fn := range change {
		fn(in)
	}
	out, err := s.s3.GetObject(s.Context(), in)
	var api smithy.APIError
	var re *awshttp.ResponseError
	switch {
	case errors.As(err, &re) && !errors.As(err, &api): // with a body that is not S3's
		return fmt.Sprint("HTTP ", re.HTTPStatusCode())
	case err != nil:
		return outcome(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil {
		return err.Error()
	}
	const longest = 20
	if len(text) > longest {
		return fmt.Sprint(len(text), " bytes")
	}
	return string(text)
}

func (s *session) remove(bucket, key, version string) error {
	in := &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	_, err := s.s3.DeleteObject(s.Context(), in)
	return err
}

// versioned sets the versioning of a bucket.
func versioned(ctx context.Context, client *s3.Client, bucket string, status types.BucketVersioningStatus) error {
	_, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	return err
}
