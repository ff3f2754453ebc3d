package drill_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
	"github.com/awsha/awsha/failover/failovermock"
)

// fieldsOf are the fields that an error names.
func fieldsOf(err error) (fields []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			fields = append(fields, fieldsOf(one)...)
		}
		return fields
	}
	if wrapped := errors.Unwrap(err); wrapped != nil {
		return fieldsOf(wrapped)
	}
	if f, ok := errors.AsType[*failover.FieldError](err); ok {
		fields = append(fields, f.Field)
	}
	return fields
}

func TestMistakesAreToldAllAtOnce(t *testing.T) {
	t.Parallel()
	var noInjector *failovermock.InjectorMock
	other := nothing()
	other.Service = "other"
	fn := func(context.Context) error { return nil }
	_, err := drill.New(noInjector, drill.Fault{}, drill.Response{
		Failback: &other, Watch: new(drill.Events), Detect: fn, Plan: failover.Plan{Service: "orders"},
	}, []drill.Probe{
		{},
		{Name: "a", Client: drill.HTTP(drill.HTTPSpec{URL: "orders.example.com", Body: strings.Repeat("x", 64<<10+1)}), Interval: -1, Timeout: -1, RTO: -1},
		{Name: "a", Client: drill.TCP(drill.TCPSpec{Address: "orders"}), Interval: time.Millisecond},
		{Name: "b", Client: drill.DNS(drill.DNSSpec{Want: []string{"orders.example.com"}})},
		{Name: "c", Client: drill.NewClient(nil)},
	}, func(o *drill.Options) {
		o.ID = strings.Repeat("x", 129)
		o.Steady, o.InjectTimeout, o.Limit, o.EndTimeout, o.PollInterval = -1, -1, -1, -1, -1
		o.Targets = drill.Targets{RTO: -1, Detection: -1, RPO: new(time.Duration(-1)), MaxLostWrites: new(-1), MaxFailed: new(-1)}
	})
	want := []string{
		"injector", "fault.Kind", "response.Engine", "response.Detect", "response.Failback.Service",
		"probes[0].Name", "probes[0].Client",
		"probes[1].Interval", "probes[1].Timeout", "probes[1].RTO", "probes[1].Client.URL", "probes[1].Client.Body",
		"probes[2].Name", "probes[2].Interval", "probes[2].Client.Address",
		"probes[3].Client.Host", "probes[3].Client.Want[0]", "probes[4].Client",
		"Options.Confirm", "Options.ID", "Options.Steady", "Options.InjectTimeout", "Options.Limit", "Options.EndTimeout", "Options.PollInterval",
		"Options.Targets.RTO", "Options.Targets.Detection", "Options.Targets.RPO", "Options.Targets.RPO", "Options.Targets.MaxLostWrites",
		"Options.Targets.MaxFailed", "Options.Targets.MaxLostWrites",
	}
	got := fieldsOf(err)
	for _, steps := range []string{"steps", "Plan.Steps"} { // the plan's own mistakes are those of its Validate
		got = slices.DeleteFunc(got, func(f string) bool { return f == steps })
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s\n%v", diff, err)
	}

	for name, test := range map[string]struct {
		r    drill.Response
		p    []drill.Probe
		opts func(*drill.Options)
		want []string
	}{
		"nothing":          {drill.Response{Plan: nothing()}, nil, func(*drill.Options) {}, []string{"response.Engine", "probes"}},
		"home without way": {drill.Response{Plan: nothing(), Engine: newEngine(t), HomeReady: fn}, nil, func(*drill.Options) {}, []string{"response.HomeReady", "probes"}},
		"detection of nobody": {
			drill.Response{Plan: nothing(), Engine: newEngine(t)}, nil, func(o *drill.Options) { o.Targets.Detection = 1 }, []string{"probes", "Options.Targets.Detection"},
		},
		"functions": {
			drill.Response{Plan: nothing(), Engine: newEngine(t)}, []drill.Probe{{Name: "a", Client: drill.WriteRead(drill.WriteReadSpec{ReadLag: -1})}},
			func(o *drill.Options) { o.Targets.RPO = new(time.Duration(0)) },
			[]string{"probes[0].Client.Write", "probes[0].Client.Read", "probes[0].Client.ReadLag"},
		},
	} {
		_, err := drill.New(&failovermock.InjectorMock{}, drill.Fault{Kind: "x"}, test.r, test.p, func(o *drill.Options) { o.Confirm = "orders" }, test.opts)
		if diff := cmp.Diff(test.want, fieldsOf(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%v", name, diff, err)
		}
	}
	if _, err := drill.New(&failovermock.InjectorMock{}, drill.Fault{Kind: "x"}, drill.Response{Plan: failover.Plan{Service: "orders"}, Engine: newEngine(t)},
		nil, func(o *drill.Options) { o.Confirm = "orders" }); !errors.Is(err, failover.ErrInvalidPlan) {
		t.Errorf("%v", err)
	}
}

// simulator breaks nothing real, or says so.
type simulator struct {
	failovermock.InjectorMock
	is bool
}

func (s *simulator) Simulated() bool { return s.is }

func TestWhatIsRealMustBeConfirmed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		injector drill.Injector
		confirm  string
		good     bool
	}{
		{&failovermock.InjectorMock{}, "", false},
		{&failovermock.InjectorMock{}, "Orders", false},
		{&failovermock.InjectorMock{}, "orders", true},
		{&simulator{is: false}, "", false},
		{&simulator{is: false}, "orders", true},
		{&simulator{is: true}, "", true},
		{&simulator{is: true}, "orders", true},
		{&simulator{is: true}, "other", false},
	} {
		_, err := drill.New(test.injector, drill.Fault{Kind: "x"}, drill.Response{Plan: nothing(), Engine: newEngine(t)},
			[]drill.Probe{{Name: "fn", Client: drill.NewClient(func(context.Context) error { return nil })}}, func(o *drill.Options) { o.Confirm = test.confirm })
		if (err == nil) != test.good || !test.good && !cmp.Equal(fieldsOf(err), []string{"Options.Confirm"}) {
			t.Errorf("%T, %q: %v", test.injector, test.confirm, err)
		}
	}
}
