package svctest

import (
	"errors"
	"testing"

	"github.com/awsha/awsha/awstest"
)

// A ServiceFault is an effect with what a service answers to it, and how often the SDK asks.
type ServiceFault struct {
	Effect   awstest.Effect
	Code     string
	Status   int
	Attempts int
}

// ServiceFaults asserts what calls of an operation meet when its service refuses them.
func ServiceFaults(t testing.TB, cloud *awstest.Cloud, match awstest.Match, call func() error, faults ...ServiceFault) {
	t.Helper()
	for _, f := range faults {
		before := cloud.Count(match.Service, match.Operation)
		heal := Must(cloud.Inject(match, f.Effect))(t)
		err := call()
		heal()
		WantCode(t, err, f.Code)
		WantStatus(t, err, f.Status)
		if n := cloud.Count(match.Service, match.Operation) - before; n != f.Attempts {
			t.Errorf("%s: %d attempts, want %d", f.Code, n, f.Attempts)
		}
	}
	if err := call(); err != nil {
		t.Errorf("healed: %v", err)
	}
}

// NotModelled asserts that something is refused loudly, once at the call and once more by Close.
func NotModelled(t testing.TB, service awstest.Service, call func(*awstest.Cloud) error, says string) {
	t.Helper()
	cloud := Must(awstest.New([]awstest.Service{service}))(t)
	err := call(cloud)
	nm, ok := errors.AsType[*awstest.NotModelledError](err)
	if !ok || !errors.Is(err, awstest.ErrNotModelled) || nm.Error() != says {
		t.Errorf("got %v, want %s", err, says)
	}
	if err := cloud.Close(); err == nil || err.Error() != says {
		t.Errorf("Close returns %v, want %s", err, says)
	}
}
