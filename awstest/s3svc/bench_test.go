package s3svc_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func quick(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 1 }

// BenchmarkList lists a page of 100 keys in the middle of a hundred and of a
// hundred thousand: the cost is to be the same, and no more than twice. Of the
// keys of the last one, all but the page are rolled up in a prefix.
func BenchmarkList(b *testing.B) {
	for _, c := range []struct {
		keys   int
		rolled bool
	}{{100, false}, {100_000, false}, {100_000, true}} {
		b.Run(fmt.Sprintf("keys=%d/rolled=%v", c.keys, c.rolled), func(b *testing.B) {
			w := newWorld(b, quick)
			defer w.close()
			w.bucket(name)
			in := &s3.ListObjectsV2Input{Bucket: aws.String(name), MaxKeys: aws.Int32(100)}
			want := 100
			for i := range c.keys {
				key := fmt.Sprintf("%06d", i)
				if c.rolled && i >= 99 {
					key = "rolled/" + key
				}
				w.put(key, "")
			}
			switch {
			case c.rolled:
				in.Delimiter = aws.String("/")
			case c.keys > 100:
				in.StartAfter = aws.String(fmt.Sprintf("%06d", c.keys/2))
			}
			b.ReportAllocs()
			for b.Loop() {
				if out := svctest.Must(w.ListObjectsV2(b.Context(), in))(b); int(*out.KeyCount) != want {
					b.Fatalf("%d keys", *out.KeyCount)
				}
			}
		})
	}
}

// BenchmarkPut writes into a bucket of ten thousand keys.
func BenchmarkPut(b *testing.B) {
	w := newWorld(b, quick)
	defer w.close()
	w.bucket(name)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		w.put(fmt.Sprintf("%06d", n*7919%10_000), "text")
		n++
	}
}

// BenchmarkGet reads an object of a mebibyte without copying it.
func BenchmarkGet(b *testing.B) {
	w := newWorld(b, quick)
	defer w.close()
	w.bucket(name)
	w.put("key", string(blob(mebi)))
	b.ReportAllocs()
	for b.Loop() {
		svctest.Must(w.GetObject(b.Context(), getInput("key")))(b)
	}
}
