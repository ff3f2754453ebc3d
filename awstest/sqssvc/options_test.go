package sqssvc_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

func TestOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{sqssvc.New(func(o *sqssvc.Options) {
		o.InFlight, o.InFlightFIFO, o.CounterLag, o.Disconnect = -1, -2, 16*time.Minute, -2
	})})
	if _, ok := errors.AsType[*awstest.FieldError](err); !ok {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"sqssvc.Options.InFlight: -1 must not be negative", "sqssvc.Options.InFlightFIFO: -2 must not be negative",
		"sqssvc.Options.CounterLag: 16m0s must be from 0 to awstest.Memory (15m0s)",
		"sqssvc.Options.Disconnect: -2ns must not be negative; Immediately asks for none",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
