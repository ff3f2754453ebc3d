package s3svc

import (
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addBuckets(e *awstest.Endpoint) {
	awstest.Handle(e, s.createBucket, "Bucket", "CreateBucketConfiguration")
	awstest.Handle(e, s.deleteBucket, "Bucket", "ExpectedBucketOwner")
	awstest.Handle(e, s.headBucket, "Bucket", "ExpectedBucketOwner")
	awstest.Handle(e, s.listBuckets, "BucketRegion", "ContinuationToken", "MaxBuckets", "Prefix")
	awstest.Handle(e, s.getBucketLocation, "Bucket", "ExpectedBucketOwner")
	awstest.Handle(e, s.putBucketVersioning, "Bucket", "VersioningConfiguration", "ExpectedBucketOwner",
		// The bytes that they are about are those of HTTP:
		"ChecksumAlgorithm", "ContentMD5")
	awstest.Handle(e, s.getBucketVersioning, "Bucket", "ExpectedBucketOwner")
}

func (s *service) createBucket(tx *awstest.Tx, call *awstest.Call, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	if err := s.addressable(call, in.Bucket); err != nil {
		return nil, err
	}
	constraint := ""
	if c := in.CreateBucketConfiguration; c != nil {
		if c.Bucket != nil || c.Location != nil || len(c.Tags) > 0 {
			return nil, call.NotModelled("a configuration other than a location constraint")
		}
		constraint = string(c.LocationConstraint)
	}
	b, err := s.model.CreateBucket(tx, call.Region, *in.Bucket, constraint)
	if err != nil {
		return nil, err
	}
	location := "/" + b.Name
	if b.Constraint != "" {
		location = "http://" + b.Name + ".s3.amazonaws.com/"
	}
	return &s3.CreateBucketOutput{Location: aws.String(location)}, nil
}

func (s *service) deleteBucket(tx *awstest.Tx, call *awstest.Call, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.DeleteBucketOutput{}, b.Delete(tx)
}

// seen returns a bucket as it was when reads of settings are served.
func (s *service) seen(call *awstest.Call, name *string) (*s3model.Bucket, error) {
	if err := s.addressable(call, name); err != nil {
		return nil, err
	}
	return s.model.Bucket(call.At, *name)
}

// settings returns the settings of a bucket, likewise.
func (s *service) settings(call *awstest.Call, name, owner *string) (s3model.Settings, error) {
	b, err := s.seen(call, name)
	if err == nil {
		err = s.reached(call, b, owner)
	}
	if err != nil {
		return s3model.Settings{}, err
	}
	return b.Settings(call.At), nil
}

func (s *service) headBucket(_ *awstest.Tx, call *awstest.Call, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	b, err := s.seen(call, in.Bucket)
	if err == nil {
		err = s.reached(call, b, in.ExpectedBucketOwner)
	}
	if err != nil {
		return nil, bare(call, err)
	}
	return &s3.HeadBucketOutput{BucketRegion: aws.String(b.Region.Name()), AccessPointAlias: aws.Bool(false)}, nil
}

// getBucketLocation answers in every region.
func (s *service) getBucketLocation(_ *awstest.Tx, call *awstest.Call, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	b, err := s.seen(call, in.Bucket)
	if err == nil {
		err = s.owned(in.ExpectedBucketOwner)
	}
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketLocationOutput{LocationConstraint: types.BucketLocationConstraint(b.Constraint)}, nil
}

// maxBuckets is how many buckets a page may have, and has if nothing is said.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html (read 2026-11)
const maxBuckets = 10_000

func (s *service) listBuckets(_ *awstest.Tx, call *awstest.Call, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	limit := maxBuckets
	if in.MaxBuckets != nil {
		if limit = int(*in.MaxBuckets); limit < 1 || limit > maxBuckets {
			return nil, s3model.InvalidArgument("Argument max-buckets must be an integer between 1 and %d", maxBuckets)
		}
	}
	if in.BucketRegion != nil && *in.BucketRegion != call.Region.Name() {
		return nil, s3model.InvalidArgument("Argument value %s is not a valid AWS Region for this endpoint", *in.BucketRegion)
	}
	after, err := readToken(in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	out := &s3.ListBucketsOutput{Owner: s.owner(), Prefix: text(aws.ToString(in.Prefix))}
	for _, b := range s.model.Buckets(call.At) {
		if b.Name <= after || !strings.HasPrefix(b.Name, aws.ToString(in.Prefix)) || in.BucketRegion != nil && b.Region != call.Region {
			continue
		}
		if len(out.Buckets) == limit {
			out.ContinuationToken = writeToken(*out.Buckets[limit-1].Name)
			break
		}
		shown := types.Bucket{Name: aws.String(b.Name), CreationDate: aws.Time(b.Created)}
		if in.BucketRegion != nil || in.Prefix != nil || in.MaxBuckets != nil || in.ContinuationToken != nil {
			shown.BucketRegion = aws.String(b.Region.Name())
		}
		out.Buckets = append(out.Buckets, shown)
	}
	return out, nil
}

func (s *service) owner() *types.Owner { return &types.Owner{ID: aws.String(s.model.OwnerID())} }

func (s *service) putBucketVersioning(tx *awstest.Tx, call *awstest.Call, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	c := in.VersioningConfiguration
	switch {
	case c.MFADelete != "":
		return nil, call.NotModelled("deletion with multi-factor authentication")
	case c.Status == types.BucketVersioningStatusEnabled, c.Status == types.BucketVersioningStatusSuspended:
		return &s3.PutBucketVersioningOutput{}, b.SetVersioning(tx, s3model.Versioning(c.Status))
	case c.Status == "":
		return nil, awstest.Errorf("IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	return nil, malformed()
}

func malformed() error {
	return awstest.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func (s *service) getBucketVersioning(_ *awstest.Tx, call *awstest.Call, in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	settings, err := s.settings(call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketVersioningOutput{Status: types.BucketVersioningStatus(settings.Versioning)}, nil
}

// tokenPrefix marks what continues a listing.
const tokenPrefix = "after "

// writeToken makes the token for what comes after a name.
func writeToken(after string) *string {
	return aws.String(base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + after)))
}

func readToken(token *string) (after string, err error) {
	if token == nil {
		return "", nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(*token)
	after, ok := strings.CutPrefix(string(text), tokenPrefix)
	if err != nil || !ok {
		return "", s3model.InvalidArgument("The continuation token provided is incorrect")
	}
	return after, nil
}
