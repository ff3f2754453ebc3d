package drill

import (
	"context"
	"net"

	"github.com/awsha/awsha/failover"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../failovermock/drill.go -pkg failovermock . Injector Injection Client:DrillClientMock Executor:DrillExecutorMock Resolver:DrillResolverMock

// Injector breaks things on purpose. Package awstest/faultinjector has one for AWS in memory; the page of this package says how one for AWS
// FIS looks.
//
// Its methods, and those of what it returns, return soon after ctx ends. One that does not is waited for for a few seconds and then left
// behind, with its goroutine. A panic in it is an error.
type Injector interface {
	// Inject starts to break what the fault describes. A drill calls it once. id is unique to the drill and at most 128 characters, for an
	// idempotency token.
	//
	// Whoever cannot tell whether something is broken, since a reply was lost, returns an Injection beside the error: it is ended. Without
	// one, an error says that nothing is broken and nothing will be; unless ctx has ended, for then nobody knows, and the drill reports an
	// [*UnendedError].
	Inject(ctx context.Context, id string, f Fault) (Injection, error)
}

// Injection is a fault that has been asked for.
type Injection interface {
	// State reads how far the fault is. It is polled, and may be called at the same time as End. An error means that it could not see, and
	// it is asked again.
	State(ctx context.Context) (FaultState, error)

	// End asks for the fault to be taken back, and returns nil when it has been asked for: State is then polled until it answers
	// FaultEnded. It is repeated after an error, and may find the fault ended already, which is no error.
	End(ctx context.Context) error
}

// Simulator is implemented by an Injector that may break nothing real: a drill on it needs no [Options.Confirm].
type Simulator interface {
	Simulated() bool
}

// Client sends one request to the service, as its users do. [HTTP], [TCP], [DNS] and [WriteRead] make some; [NewClient] makes one of a
// function.
type Client interface {
	// Ask returns nil for a good answer. ctx has the probe's timeout; Ask returns soon after it ends, and Run waits for it. It is never
	// called again before it has returned. A panic is a failure.
	Ask(ctx context.Context) error
}

// LossTeller is implemented by a Client that finds out whether what was acknowledged is still there, such as that of [WriteRead].
type LossTeller interface {
	// Loss returns what was lost since the drill began. It is safe for concurrent use with Ask.
	Loss() Loss
}

// Executor executes plans. A [failover.Engine] is one.
type Executor interface {
	// Execute is called once for the plan, and once for the failback.
	Execute(ctx context.Context, incident string, plan failover.Plan, optFns ...func(*failover.ExecOptions)) (*failover.Timeline, error)

	// Readiness is called once, before anything is broken.
	Readiness(ctx context.Context, plan failover.Plan, facts map[string]string) (*failover.Readiness, error)
}

// Resolver finds the addresses of a name. A [net.Resolver] is one.
type Resolver interface {
	// LookupHost is called once per request.
	LookupHost(ctx context.Context, host string) ([]string, error)
}

var (
	_ Executor = (*failover.Engine)(nil)
	_ Resolver = (*net.Resolver)(nil)
)
