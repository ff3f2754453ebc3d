package s3svc_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/s3svc"
)

// tag is the ETag of a text.
func tag(w *world, text string) string {
	w.Helper()
	out := w.put("tag of "+text, text)
	w.remove("tag of "+text, "")
	return *out.ETag
}

// A write with a condition, in each of the three ways in which there is one.
var writes = map[string]func(w *world, ifMatch, ifNoneMatch *string) error{
	"PutObject": func(w *world, ifMatch, ifNoneMatch *string) error {
		_, err := w.PutObject(w.Context(), putInput("key", "mine", func(in *s3.PutObjectInput) { in.IfMatch, in.IfNoneMatch = ifMatch, ifNoneMatch }))
		return err
	},
	"CopyObject": func(w *world, ifMatch, ifNoneMatch *string) error {
		w.put("source", "mine")
		_, err := w.CopyObject(w.Context(), &s3.CopyObjectInput{
			Bucket: aws.String(name), Key: aws.String("key"), CopySource: aws.String(name + "/source"), IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
		})
		return err
	},
	"CompleteMultipartUpload": func(w *world, ifMatch, ifNoneMatch *string) error {
		u := w.begin("key")
		part := w.part(u, 1, []byte("mine"))
		_, err := w.CompleteMultipartUpload(w.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: aws.String(name), Key: aws.String("key"), UploadId: u.UploadId, IfMatch: ifMatch, IfNoneMatch: ifNoneMatch,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{part}},
		})
		return err
	},
}

func TestConditionalWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                 string
		before               func(*world)
		ifMatch, ifNoneMatch func(*world) string
		code                 string
		status               int
	}{
		{name: "if none, and there is none", ifNoneMatch: anything},
		{name: "if none, and there is one", before: theirs, ifNoneMatch: anything, code: "PreconditionFailed", status: 412},
		{name: "if none, and it was deleted", before: gone, ifNoneMatch: anything},
		{name: "if none, and a delete marker is current", before: marked, ifNoneMatch: anything},
		{name: "if it is theirs, and it is", before: theirs, ifMatch: theirTag},
		{name: "if it is theirs, without quotes", before: theirs, ifMatch: func(w *world) string { return theirTag(w)[1:33] }},
		{name: "if it is theirs, and it is another", before: theirs, ifMatch: func(w *world) string { return tag(w, "another") }, code: "PreconditionFailed", status: 412},
		{name: "if it is theirs, and there is none", ifMatch: theirTag, code: "NoSuchKey", status: 404},
		{name: "if it is theirs, and a delete marker is current", before: marked, ifMatch: theirTag, code: "NoSuchKey", status: 404},
		{name: "if none like it", before: theirs, ifNoneMatch: theirTag, code: "NotImplemented", status: 501},
		{name: "if anything is there", before: theirs, ifMatch: anything, code: "NotImplemented", status: 501},
		{name: "both", before: theirs, ifMatch: theirTag, ifNoneMatch: anything, code: "NotImplemented", status: 501},
	} {
		for how, write := range writes {
			t.Run(how+" "+c.name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					if c.before != nil {
						c.before(w)
					}
					was := w.read("key")
					var ifMatch, ifNoneMatch *string
					if c.ifMatch != nil {
						ifMatch = aws.String(c.ifMatch(w))
					}
					if c.ifNoneMatch != nil {
						ifNoneMatch = aws.String(c.ifNoneMatch(w))
					}
					err := write(w, ifMatch, ifNoneMatch)
					if code(err) != c.code {
						w.Fatalf("got %v, want %q", err, c.code)
					}
					if err != nil {
						svctest.WantStatus(w, err, c.status)
						if got := w.read("key"); got != was {
							w.Errorf("refused, and it holds %q", got)
						}
						return
					}
					if got := w.read("key"); got != "mine" {
						w.Errorf("it holds %q", got)
					}
				})
			})
		}
	}
}

func anything(*world) string            { return "*" }
func theirs(w *world)                   { w.put("key", "theirs") }
func theirTag(w *world) string          { return tag(w, "theirs") }
func gone(w *world)                     { theirs(w); w.remove("key", "") }
func marked(w *world)                   { w.versioning("Enabled"); theirs(w); w.remove("key", "") }
func holds(w *world, key string) string { return w.read(key) }

func TestConditionalDeletes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		before  func(*world)
		ifMatch func(*world) string
		code    string
		status  int
	}{
		{name: "of theirs", before: theirs, ifMatch: theirTag},
		{name: "of anything", before: theirs, ifMatch: anything},
		{name: "of theirs, and it is another", before: theirs, ifMatch: func(w *world) string { return tag(w, "another") }, code: "PreconditionFailed", status: 412},
		{name: "of theirs, and there is none", ifMatch: theirTag, code: "NoSuchKey", status: 404},
		{name: "of anything, and there is none", ifMatch: anything, code: "NoSuchKey", status: 404},
		{name: "of anything, and a delete marker is current", before: marked, ifMatch: anything, code: "NoSuchKey", status: 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if c.before != nil {
					c.before(w)
				}
				was := holds(w, "key")
				match := aws.String(c.ifMatch(w))
				_, err := w.DeleteObject(w.Context(), &s3.DeleteObjectInput{Bucket: aws.String(name), Key: aws.String("key"), IfMatch: match})
				if code(err) != c.code {
					w.Fatalf("got %v, want %q", err, c.code)
				}
				want := "NoSuchKey"
				if err != nil {
					svctest.WantStatus(w, err, c.status)
					want = was
				}
				if got := holds(w, "key"); got != want {
					w.Errorf("it holds %q, want %q", got, want)
				}
				// The same in a batch, beside one without condition.
				if c.before != nil {
					c.before(w)
				}
				w.put("other", "text")
				out := svctest.Must(w.DeleteObjects(w.Context(), &s3.DeleteObjectsInput{Bucket: aws.String(name), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
					{Key: aws.String("key"), ETag: match}, {Key: aws.String("other")},
				}}}))(w)
				switch {
				case c.code == "" && (len(out.Errors) > 0 || len(out.Deleted) != 2):
					w.Errorf("%d deleted, errors %v", len(out.Deleted), out.Errors)
				case c.code != "" && (len(out.Errors) != 1 || *out.Errors[0].Code != c.code || len(out.Deleted) != 1):
					w.Errorf("%d deleted, errors %v", len(out.Deleted), out.Errors)
				}
				if got := holds(w, "other"); got != "NoSuchKey" {
					w.Errorf("the other holds %q", got)
				}
			})
		})
	}
}

func TestConflictStrikesConditionalWrites(t *testing.T) {
	t.Parallel()
	for how, write := range writes {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID, Operation: how}, s3svc.Conflict()))(w)
				before := w.cloud.Count(s3.ServiceID, how)
				err := write(w, nil, aws.String("*"))
				svctest.WantCode(w, err, "ConditionalRequestConflict")
				svctest.WantStatus(w, err, 409)
				if n := w.cloud.Count(s3.ServiceID, how) - before; n != 1 {
					w.Errorf("%d attempts", n)
				}
				if got := w.read("key"); got != "NoSuchKey" {
					w.Errorf("it holds %q", got)
				}
				if err := write(w, nil, nil); err != nil {
					w.Errorf("without a condition: %v", err)
				}
				w.remove("key", "")
				heal()
				if err := write(w, nil, aws.String("*")); err != nil {
					w.Errorf("healed: %v", err)
				}
			})
		})
	}
	inBubble(t, func(w *world) {
		theirs(w)
		svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID, Operation: "DeleteObject"}, s3svc.Conflict()))(w)
		_, err := w.DeleteObject(w.Context(), &s3.DeleteObjectInput{Bucket: aws.String(name), Key: aws.String("key"), IfMatch: aws.String("*")})
		svctest.WantCode(w, err, "ConditionalRequestConflict")
		if got := w.read("key"); got != "theirs" {
			w.Errorf("it holds %q", got)
		}
		w.remove("key", "")
		_, err = w.cloud.Inject(awstest.Match{Service: s3.ServiceID, Operation: "GetObject"}, s3svc.Conflict())
		var fe *awstest.FieldError
		if !errors.As(err, &fe) {
			w.Errorf("for reads: %v", err)
		}
	})
}

// Of many that write an entry of a journal at once, one does.
func TestOneOfManyWritesAnEntry(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		const writers = 20
		var wins sync.Map
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				_, err := w.PutObject(w.Context(), putInput("entry", fmt.Sprint(i), func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }))
				if err == nil {
					wins.Store(i, true)
				} else if code(err) != "PreconditionFailed" {
					w.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		wins.Range(func(k, _ any) bool {
			n++
			if got := w.read("entry"); got != fmt.Sprint(k) {
				w.Errorf("%d won, and it holds %s", k, got)
			}
			return true
		})
		if n != 1 {
			w.Errorf("%d have written it", n)
		}
	})
}

// A write whose reply is lost is repeated by the SDK, and then meets itself.
func TestLostReplyOfAConditionalWriteMeetsItself(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.cloud.LoseReply(s3.ServiceID, "PutObject", 1))(w)
		_, err := w.PutObject(w.Context(), putInput("entry", "mine", func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }))
		svctest.WantCode(w, err, "PreconditionFailed")
		if got := w.read("entry"); got != "mine" {
			w.Errorf("it holds %q", got)
		}
	})
}

// Somebody else takes the lease between the read and the write.
func TestLeaseIsLostToWhoCameBetween(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		first := w.put("lease", "a")
		svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID, Operation: "PutObject", Times: 1}, awstest.Before(func(context.Context, awstest.Record) {
			w.put("lease", "b")
		})))(w)
		renew := func(etag *string) error {
			_, err := w.PutObject(w.Context(), putInput("lease", "a again", func(in *s3.PutObjectInput) { in.IfMatch = etag }))
			return err
		}
		svctest.WantCode(w, renew(first.ETag), "PreconditionFailed")
		if got := w.read("lease"); got != "b" {
			w.Errorf("it holds %q", got)
		}
		if err := renew(w.head("lease").ETag); err != nil {
			w.Error(err)
		}
	})
}
