package failover_test

import (
	"testing"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/storetest"
)

func TestMemoryStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	store := &failover.MemoryStore{}
	storetest.Run(t, func(*testing.T) failover.Store { return store })
}

func BenchmarkMemoryStorePut(b *testing.B) {
	b.ReportAllocs()
	store, version := &failover.MemoryStore{}, failover.Version("")
	value := []byte(`{"token": 7, "holder": "orders-use1-az1-20260102T1504Z", "ttl": "15s"}`)
	for b.Loop() {
		var err error
		if version, err = store.Put(b.Context(), "lease", "orders", value, version); err != nil {
			b.Fatal(err)
		}
	}
}
