package healthcheck

import "context"

// Func returns a Checker that calls check: nil is a pass, an error is a failure, for ReasonTimeout if it is a timeout and
// else for ReasonFailedHealthChecks. An error because this machine ran out of descriptors, memory or ports, or a
// *net.DNSError that does not say that there is no such host, is Unknown.
//
// The context ends at Options.Timeout and check must then return. It is never called twice at a time for one
// registration of a target. Register refuses targets if check is nil.
func Func(check func(ctx context.Context, target Target) error) Checker { return funcChecker(check) }

type funcChecker func(context.Context, Target) error

func (f funcChecker) Open(t Target) (Probe, error) {
	if f == nil {
		return nil, &FieldError{Field: "Func", Value: "nil", Rule: "must not be nil"}
	}
	return funcProbe{check: f, target: t}, nil
}

type funcProbe struct {
	check  funcChecker
	target Target
}

func (p funcProbe) Check(ctx context.Context) Result { return resultOf(ctx, p.check(ctx, p.target)) }

func (funcProbe) Close() error { return nil }
