package s3store_test

import (
	"testing"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/failover"
)

// BenchmarkPut renews a lease on S3 in memory: what it takes is the SDK's and awstest's, but for a few microseconds.
func BenchmarkPut(b *testing.B) {
	_, client := newCloud(b, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
	s, version := newStore(b, client), failover.Version("")
	value := []byte(`{"token": 7, "holder": "orders-use1-az1-20260102T1504Z", "ttl": "15s"}`)
	b.ReportAllocs()
	for b.Loop() {
		version = put(b, s, "leases", "orders", string(value), version)
	}
}
