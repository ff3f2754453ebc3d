package conformance_test

import (
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
	"github.com/awsha/awsha/failover/s3store"
	"github.com/awsha/awsha/failover/storetest"
)

// TestEndpointStores holds the stores of package failover to their contract where TestEndpoint runs: that a conditional write is refused
// when it has to be is what leases are made of. On awstest, their own tests do it.
func TestEndpointStores(t *testing.T) {
	set, err := readSettings(os.Environ())
	switch {
	case err != nil:
		t.Fatal(err)
	case !set.anywhere():
		t.Skipf("%sENDPOINT is not set", prefix)
	}
	for name, open := range map[string]func(*session) failover.Store{
		"dynamostore": func(s *session) failover.Store {
			return must[failover.Store](dynamostore.New(s.dynamodb, s.table("stores", types.ScalarAttributeTypeS), func(o *dynamostore.Options) {
				o.GroupAttribute, o.NameAttribute, o.Timeout = "pk", "sk", time.Minute
			}))(s)
		},
		"s3store": func(s *session) failover.Store {
			return must[failover.Store](s3store.New(s.s3, s.bucket("stores"), func(o *s3store.Options) { o.Prefix, o.Timeout = "fleet/", time.Minute }))(s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := overHTTP(t, &set)
			if p.forgets {
				set.reset(t)
			}
			sc := scenario{name: name, run: func(s *session) {
				store := open(s)
				storetest.Run(t, func(*testing.T) failover.Store { return store })
			}}
			sc.play(t, p)
		})
	}
}
