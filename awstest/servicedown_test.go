package awstest_test

import (
	"testing"

	"github.com/awsha/awsha/awstest"
)

func TestServiceDownIsToldToModels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		match  awstest.Match
		effect awstest.Effect
		down   []string
	}{
		"a service of a region":       {awstest.Match{Service: "STS", Region: "us-east-1"}, awstest.Unavailable(), []string{"us-east-1"}},
		"a service everywhere":        {awstest.Match{Service: "STS"}, awstest.Unavailable(), []string{"us-east-1", "eu-west-1"}},
		"all services of a region":    {awstest.Match{Region: "eu-west-1"}, awstest.Unavailable(), []string{"eu-west-1"}},
		"an operation only":           {awstest.Match{Service: "STS", Operation: "AssumeRole"}, awstest.Unavailable(), nil},
		"a number of calls":           {awstest.Match{Service: "STS", Times: 1}, awstest.Unavailable(), nil},
		"some calls":                  {awstest.Match{Service: "STS", Probability: 0.5}, awstest.Unavailable(), nil},
		"one caller":                  {awstest.Match{Service: "STS", Caller: "i-1"}, awstest.Unavailable(), nil},
		"from the second call on":     {awstest.Match{Service: "STS", Skip: 1}, awstest.Unavailable(), nil},
		"every call is refused a way": {awstest.Match{Service: "STS"}, awstest.Deny(), nil},
		"every call is lost":          {awstest.Match{Service: "STS"}, awstest.LoseReply(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			look := func(service string) (down []string) {
				for _, name := range []string{"us-east-1", "eu-west-1"} {
					region, err := f.cloud.Region(name)
					if err != nil {
						t.Fatal(err)
					}
					f.cloud.Update(func(tx *awstest.Tx) {
						if tx.ServiceDown(service, region) {
							down = append(down, name)
						}
					})
				}
				return down
			}
			check := func(when, service string, want []string) {
				t.Helper()
				if got := look(service); len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
					t.Errorf("%s: %s is down in %v, want %v", when, service, got, want)
				}
			}
			check("before", "STS", nil)
			heal := f.inject(c.match, c.effect)
			check("while it lasts", "STS", c.down)
			check("while it lasts", "S3", nil) // which the cloud does not have
			heal()
			check("healed", "STS", nil)
		})
	}
}

func TestServiceDownOnceEnoughCallsHavePassed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	region, err := f.cloud.Region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	f.inject(awstest.Match{Service: "STS", Skip: 1}, awstest.Unavailable())
	f.read()
	f.cloud.Update(func(tx *awstest.Tx) {
		if !tx.ServiceDown("STS", region) {
			t.Error("the next call fails, and the service is not down")
		}
	})
}
