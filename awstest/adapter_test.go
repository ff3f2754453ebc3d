package awstest_test

import (
	"testing"

	"github.com/awsha/awsha/awstest"
)

func TestLookupFindsWhatServicesShare(t *testing.T) {
	t.Parallel()
	type shared struct{ cloud *awstest.Cloud }
	type other struct{}
	share := func(r *awstest.Registry) error {
		awstest.Shared(r, func(c *awstest.Cloud) *shared { return &shared{c} })
		return nil
	}
	cloud, err := awstest.New([]awstest.Service{share})
	if err != nil {
		t.Fatal(err)
	}
	cloud.Update(func(tx *awstest.Tx) {
		if v, ok := awstest.Lookup[shared](tx); !ok || v.cloud != cloud {
			t.Errorf("got %v %v", v, ok)
		}
		if v, ok := awstest.Lookup[other](tx); ok || v != nil {
			t.Errorf("found %v, which nobody shares", v)
		}
	})
}
