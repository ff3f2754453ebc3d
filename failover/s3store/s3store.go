package s3store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/onecall"
)

// Store is a [failover.Store] in an S3 bucket. It is safe for concurrent use.
type Store struct {
	api    API
	bucket string
	opts   Options
}

var _ failover.Store = (*Store)(nil)

// New returns a store that uses a bucket, given by its name, or by the alias or ARN of an access point to it. It calls nothing. Mistakes are
// reported all at once, each a [*failover.FieldError]. A Multi-Region Access Point is one: it leads to several buckets.
func New(api API, bucket string, optFns ...func(*Options)) (*Store, error) {
	s := &Store{api: api, bucket: bucket}
	for _, fn := range optFns {
		fn(&s.opts)
	}
	var errs []error
	if api == nil {
		errs = append(errs, &failover.FieldError{Field: "api", Value: api, Rule: "must not be nil"})
	}
	switch {
	case bucket == "":
		errs = append(errs, &failover.FieldError{Field: "bucket", Value: bucket, Rule: "must be the name of a bucket"})
	case strings.HasSuffix(bucket, ".mrap"):
		errs = append(errs, &failover.FieldError{
			Field: "bucket", Value: bucket, Rule: "must be one bucket, not a Multi-Region Access Point to several",
		})
	}
	if err := errors.Join(append(errs, s.opts.complete())...); err != nil {
		return nil, err
	}
	return s, nil
}

// Get implements [failover.Store] by one GetObject.
//
// Its errors, and those of List and Put, name the request and have that of the SDK within. If ctx ended, they match its cause.
func (s *Store) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	what := s.what("get", name, group)
	if err := s.begin(ctx, what, group, name); err != nil {
		return failover.Entry{}, err
	}
	o, version, err := s.read(ctx, what, s.key(group, name))
	if err != nil || o == nil {
		return failover.Entry{Name: name}, err
	}
	if o.group != group || o.name != name {
		return failover.Entry{}, fmt.Errorf("%s: %w: it says it is %q of %q", what, errObject, o.name, o.group)
	}
	return failover.Entry{Name: name, Value: o.value, Version: version}, nil
}

// List implements [failover.Store] by one ListObjectsV2 for each 1,000 entries and one GetObject for each entry, of which Options.Parallel
// are under way at once. Objects that do not belong to the group, such as those that stand for folders, are passed over if their keys show
// it, and are errors else.
func (s *Store) List(ctx context.Context, group string) ([]failover.Entry, error) {
	what := fmt.Sprintf("s3store: list %q in %s", group, s.bucket)
	if err := s.begin(ctx, what, group, "any"); err != nil {
		return nil, err
	}
	keys, err := s.keys(ctx, what, s.folder(group))
	if err != nil {
		return nil, err
	}
	found := make([]failover.Entry, len(keys))
	readers, rctx := errgroup.WithContext(ctx)
	readers.SetLimit(s.opts.Parallel)
	for i, key := range keys {
		readers.Go(func() error {
			what := fmt.Sprintf("%s: read %s", what, key)
			o, version, err := s.read(rctx, what, key)
			if err != nil || o == nil { // deleted by hand since it was listed
				return err
			}
			if s.key(o.group, o.name) != key || o.group != group {
				return fmt.Errorf("%s: %w: it says it is %q of %q", what, errObject, o.name, o.group)
			}
			found[i] = failover.Entry{Name: o.name, Value: o.value, Version: version}
			return nil
		})
	}
	if err := readers.Wait(); err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(e failover.Entry) bool { return e.Version == "" })
	slices.SortFunc(found, func(a, b failover.Entry) int { return cmp.Compare(a.Name, b.Name) }) // S3 has the order of the escaped ones, if any
	return found, nil
}

// keys lists the objects of a group.
func (s *Store) keys(ctx context.Context, what, folder string) ([]string, error) {
	in := &s3.ListObjectsV2Input{
		Bucket: &s.bucket, Prefix: &folder, ExpectedBucketOwner: s.owner(),
		Delimiter: aws.String("/"), // rolls up what is deeper, such as the entries of a store with a longer prefix
	}
	var keys []string
	for {
		var out *s3.ListObjectsV2Output
		err := s.call(ctx, what, func(ctx context.Context, tap func(*s3.Options)) (err error) {
			out, err = s.api.ListObjectsV2(ctx, in, tap)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, o := range out.Contents {
			if key := aws.ToString(o.Key); key != folder {
				keys = append(keys, key)
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return keys, nil
		}
		if aws.ToString(out.NextContinuationToken) == "" {
			return nil, fmt.Errorf("%s: the list is not complete, and has no token for the rest", what)
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

// Put implements [failover.Store] by one conditional PutObject. If S3 refuses it because of the condition, a GetObject finds out whether that
// was for an earlier try of the same request, whose reply was lost: Put succeeds then. [ErrBusy] besides the errors of Get.
func (s *Store) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	what := s.what("put", name, group)
	if err := failover.CheckValue(value); err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if err := s.begin(ctx, what, group, name); err != nil {
		return "", err
	}
	if strings.ContainsFunc(string(old), func(r rune) bool { return r <= ' ' || r == '*' || r == ',' }) { // a header that says more than one ETag
		return "", fmt.Errorf("%s: %w: %q is no version of this store", what, failover.ErrChanged, old)
	}
	o := &object{write: rand.Text(), group: group, name: name, value: value}
	key, body := s.key(group, name), o.body()
	in := &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))), ExpectedBucketOwner: s.owner(),
		ContentType: aws.String("application/octet-stream"), IfNoneMatch: aws.String("*"),
	}
	if old != "" {
		in.IfNoneMatch, in.IfMatch = nil, aws.String(string(old))
	}
	var out *s3.PutObjectOutput
	err := s.call(ctx, what, func(ctx context.Context, tap func(*s3.Options)) (err error) {
		out, err = s.api.PutObject(ctx, in, tap)
		return err
	})
	class := awserr.Of(err)
	switch {
	case err == nil && aws.ToString(out.ETag) == "":
		return "", fmt.Errorf("%s: the reply has no ETag", what)
	case err == nil:
		return failover.Version(*out.ETag), nil
	case errors.As(err, new(*onecall.CutError)): // whatever was answered before, the last try may have been stored
		return "", err
	case class == awserr.Conflict:
		return s.refused(ctx, err, key, o.write, old)
	case class == awserr.NotFound && awserr.Missing(err) == awserr.Object: // the condition was on an object that was deleted
		return "", fmt.Errorf("%w: over version %q: %w", err, old, failover.ErrChanged)
	case class == awserr.Busy:
		return "", fmt.Errorf("%w: %w", err, ErrBusy)
	default:
		return "", err
	}
}

// refused settles a condition that did not hold by reading the object. If it cannot be read, what S3 said stands.
func (s *Store) refused(ctx context.Context, err error, key, write string, old failover.Version) (failover.Version, error) {
	found, version, rerr := s.read(ctx, "read "+key, key)
	switch {
	case rerr != nil:
		return "", fmt.Errorf("%w: over version %q: %w: %w", err, old, failover.ErrChanged, rerr)
	case found != nil && found.write == write:
		return version, nil // an earlier try of this request: nobody else has its write
	default:
		return "", fmt.Errorf("%w: over version %q: %w: it is %q", err, old, failover.ErrChanged, version)
	}
}

// read gets an object; nil if there is none.
func (s *Store) read(ctx context.Context, what, key string) (*object, failover.Version, error) {
	var body []byte
	var version string
	err := s.call(ctx, what, func(ctx context.Context, tap func(*s3.Options)) error {
		out, err := s.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, ExpectedBucketOwner: s.owner()}, tap)
		if err != nil {
			return err
		}
		version = aws.ToString(out.ETag)
		body, err = io.ReadAll(io.LimitReader(out.Body, maxObject+1))
		return errors.Join(err, out.Body.Close())
	})
	switch {
	case awserr.Of(err) == awserr.NotFound && awserr.Missing(err) == awserr.Object && !errors.As(err, new(*onecall.CutError)):
		return nil, "", nil
	case err != nil:
		return nil, "", err
	case version == "":
		return nil, "", fmt.Errorf("%s: the reply has no ETag", what)
	}
	o, err := parseObject(body)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", what, err)
	}
	return o, failover.Version(version), nil
}

// begin refuses what cannot be stored.
func (s *Store) begin(ctx context.Context, what, group, name string) error {
	err := context.Cause(ctx)
	if err == nil {
		err = errors.Join(checkPart("group", group), checkPart("name", name))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func checkPart(field, value string) error {
	if value == "" || len(value) > maxPart {
		return &failover.FieldError{Field: field, Value: value, Rule: fmt.Sprintf("must have 1 to %d bytes", maxPart)}
	}
	return nil
}

// call makes one request within the timeout. An error says what was asked for, and why there was no success in time.
func (s *Store) call(ctx context.Context, what string, request func(context.Context, func(*s3.Options)) error) error {
	err := onecall.Do(ctx, s.opts.Timeout, func(ctx context.Context, tap onecall.Tap) error {
		return request(ctx, func(o *s3.Options) { o.Retryer = tap(o.Retryer) })
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (s *Store) what(verb, name, group string) string {
	return fmt.Sprintf("s3store: %s %q of %q in %s", verb, name, group, s.bucket)
}

// owner is the account that the bucket must be of, nil if any will do.
func (s *Store) owner() *string {
	if s.opts.ExpectedOwner == "" {
		return nil
	}
	return &s.opts.ExpectedOwner
}
