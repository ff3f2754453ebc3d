package s3svc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/s3svc"
)

var putting = awstest.Match{Service: s3.ServiceID, Operation: "PutObject"}

// Every effect does to a write what it says.
func TestEffectsOnAWrite(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		effect   awstest.Effect
		code     string // of a client that does not retry
		written  bool
		takes    time.Duration
		attempts int // of one that does
	}{
		"rejected":              {awstest.Reject(awstest.APIError{Code: "InternalError", Message: "We encountered an internal error.", Status: 500}), "InternalError", false, 0, 2},
		"throttled":             {awstest.Throttle(), "SlowDown", false, 0, 2},
		"unavailable":           {awstest.Unavailable(), "ServiceUnavailable", false, 0, 2},
		"denied":                {awstest.Deny(), "AccessDenied", false, 0, 1},
		"applied, reply lost":   {awstest.LoseReply(), "lost", true, 0, 2},
		"applied, and rejected": {awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Message: "x", Status: 500}), "InternalError", true, 0, 2},
		"slow":                  {awstest.Delay(time.Minute), "", true, time.Minute, 1},
		"answered late":         {awstest.DelayReply(time.Minute), "", true, time.Minute, 1},
		"stale":                 {awstest.Stale(time.Minute), "", true, 0, 1},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				match := putting
				match.Times = 1
				svctest.Must(w.cloud.Inject(match, c.effect))(w)
				once := s3.NewFromConfig(w.cloud.Config(here), func(o *s3.Options) { o.Retryer = aws.NopRetryer{} })
				start := time.Now()
				_, err := once.PutObject(w.Context(), putInput("key", "text"))
				took := time.Since(start)
				var lost *smithyhttp.RequestSendError
				if got := code(err); got != c.code && (c.code != "lost" || !errors.As(err, &lost)) {
					w.Errorf("got %v, want %q", err, c.code)
				}
				if got := w.read("key"); (got == "text") != c.written {
					w.Errorf("it holds %q", got)
				}
				if took < c.takes || took > c.takes+time.Second {
					w.Errorf("it took %v", took)
				}

				svctest.Must(w.cloud.Inject(match, c.effect))(w)
				before := w.cloud.Count(s3.ServiceID, "PutObject")
				_, err = w.PutObject(w.Context(), putInput("again", "text"))
				if n := w.cloud.Count(s3.ServiceID, "PutObject") - before; n != c.attempts || (err == nil) != (c.code != "AccessDenied") {
					w.Errorf("%d attempts, %v", n, err)
				}
			})
		})
	}
}

func TestHangingCallGoesOnWhenItIsHealed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		heal := svctest.Must(w.cloud.Inject(putting, awstest.Hang()))(w)
		ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
		defer cancel()
		if _, err := w.PutObject(ctx, putInput("given up", "text")); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("got %v", err)
		}
		time.AfterFunc(time.Minute, heal)
		w.put("healed", "text")
		if w.read("given up") != "NoSuchKey" || w.read("healed") != "text" {
			w.Errorf("%s, %s", w.read("given up"), w.read("healed"))
		}
	})
}

func TestServiceOfARegionIsDown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.abroad("far")
		heal := svctest.Must(w.cloud.FailService(s3.ServiceID, there))(w)
		_, err := w.elsewhere.PutObject(w.Context(), &s3.PutObjectInput{Bucket: aws.String("far"), Key: aws.String("key")})
		svctest.WantCode(w, err, "ServiceUnavailable")
		svctest.WantStatus(w, err, 503)
		_, err = w.elsewhere.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String("far"), Key: aws.String("key")})
		svctest.WantCode(w, err, "ServiceUnavailable")
		w.put("key", "text") // here it is not
		heal()
		svctest.Must(w.elsewhere.PutObject(w.Context(), &s3.PutObjectInput{Bucket: aws.String("far"), Key: aws.String("key")}))(w)
	})
}

// S3 is in no zone: who can call it finds it, and an instance of the zone
// cannot call.
func TestZonesDoNotTouchS3(t *testing.T) {
	t.Parallel()
	for _, fault := range []awstest.Fault{awstest.PowerLoss, awstest.NetworkLoss} {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				region := svctest.Must(w.cloud.Region(here))(w)
				var inst *awstest.Instance
				w.cloud.Update(func(tx *awstest.Tx) {
					inst = tx.NewInstance(awstest.InstanceSpec{ID: "i-1", Zone: region.Zones()[0]})
					tx.Route(region, netip.MustParseAddr("172.31.0.10"), inst)
					tx.PowerOn(inst)
				})
				inside := s3.NewFromConfig(inst.Config(), func(o *s3.Options) { o.Retryer = aws.NopRetryer{} })
				svctest.Must(inside.PutObject(w.Context(), putInput("key", "before")))(w)
				for _, z := range region.Zones() {
					z.Fail(fault)
				}
				w.put("key", "meanwhile")
				if got := w.read("key"); got != "meanwhile" {
					w.Errorf("got %q", got)
				}
				_, err := inside.PutObject(w.Context(), putInput("key", "from inside"))
				var unreachable *smithyhttp.RequestSendError
				if !errors.As(err, &unreachable) || w.read("key") != "meanwhile" {
					w.Errorf("from inside: %v", err)
				}
			})
		})
	}
}

// A read whose connection breaks is not the end: the rest is read by a range.
func TestDownloadGoesOnAfterACut(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		text := string(blob(1000))
		w.put("key", text)
		svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID, Operation: "GetObject"}, awstest.Stale(time.Minute)))(w)
		var got strings.Builder
		for tries := 0; got.Len() < len(text) && tries < 10; tries++ {
			match := awstest.Match{Service: s3.ServiceID, Operation: "GetObject", Times: 1}
			svctest.Must(w.cloud.Inject(match, s3svc.CutBody(300)))(w)
			from := fmt.Sprintf("bytes=%d-", got.Len())
			out := svctest.Must(w.GetObject(w.Context(), getInput("key", func(in *s3.GetObjectInput) { in.Range = &from })))(w)
			_, err := io.Copy(&got, out.Body)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				w.Fatal(err)
			}
		}
		if got.String() != text {
			w.Errorf("%d bytes", got.Len())
		}
	})
}

// A body that keeps its reader waiting does not keep the caller beyond the
// context, and nothing of it is stored.
func TestBodyThatWaits(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, end := range []time.Duration{time.Minute, time.Hour} {
			body, sender := io.Pipe()
			go func() {
				_, _ = sender.Write([]byte("te"))
				time.Sleep(30 * time.Minute)
				_, _ = sender.Write([]byte("xt"))
				_ = sender.Close()
			}()
			ctx, cancel := context.WithTimeout(w.Context(), end)
			start := time.Now()
			_, err := w.PutObject(ctx, putInput("key", "", func(in *s3.PutObjectInput) { in.Body, in.ContentLength = body, aws.Int64(4) }))
			cancel()
			took := time.Since(start)
			switch {
			case end == time.Hour && (err != nil || w.read("key") != "text"):
				w.Errorf("got %v and %q", err, w.read("key"))
			case end == time.Minute && (!errors.Is(err, context.DeadlineExceeded) || took != end || w.read("key") != "NoSuchKey"):
				w.Errorf("got %v after %v, and %q", err, took, w.read("key"))
			}
			time.Sleep(time.Hour) // whoever still reads comes to the end
		}
	})
}
