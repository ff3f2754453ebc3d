package awstest_test

import (
	"errors"
	"slices"
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

func TestLocalZoneIsFoundButIsNoAvailabilityZone(t *testing.T) {
	t.Parallel()
	var zone *awstest.Zone
	var mistakes int
	add := func(r *awstest.Registry) (err error) {
		for _, name := range []string{"us-east-1a", "us-east-1-bos-1", "mars-east-1-bos-1a", "eu-west-1-lon-1a"} {
			var fe *awstest.FieldError
			if _, err := r.AddLocalZone(name); errors.As(err, &fe) && fe.Field == "zone" {
				mistakes++
			}
		}
		if zone, err = r.AddLocalZone("us-west-2-lax-1b"); err != nil {
			return err
		}
		_, err = r.AddLocalZone("us-west-2-lax-1b")
		if err != nil {
			mistakes++
		}
		return nil
	}
	cloud, err := awstest.New([]awstest.Service{add}, func(o *awstest.Options) { o.Regions = []string{"us-east-1", "us-west-2"} })
	if err != nil {
		t.Fatal(err)
	}
	if mistakes != 5 {
		t.Errorf("%d mistakes, want 5", mistakes)
	}
	found, err := cloud.Zone("usw2-lax1-az2")
	if err != nil || found != zone || zone.Name() != "us-west-2-lax-1b" || zone.Region().Name() != "us-west-2" {
		t.Errorf("found %v, %v", found, err)
	}
	if zones := zone.Region().Zones(); len(zones) != 4 || slices.Contains(zones, zone) {
		t.Errorf("%d Availability Zones, the Local Zone among them: %v", len(zones), slices.Contains(zones, zone))
	}
	heal := zone.Fail(awstest.PowerLoss)
	if !zone.Down() {
		t.Error("it does not fail")
	}
	heal()
}

func TestCloudTellsWhatItModels(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if got := f.cloud.Services(); !slices.Equal(got, []string{"STS"}) {
		t.Errorf("services %q", got)
	}
	if got := f.cloud.Operations("STS"); !slices.Equal(got, []string{"AssumeRole", "GetCallerIdentity"}) {
		t.Errorf("operations %q", got)
	}
	if got := f.cloud.Operations("SQS"); got != nil {
		t.Errorf("operations of a service that is not there: %q", got)
	}
}
