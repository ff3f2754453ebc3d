package statuspage

import "github.com/awsha/awsha/failover"

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../failovermock/statuspage.go -pkg failovermock . Source:StatusSourceMock

// Source is what a Handler shows. A [failover.Controller] is one.
type Source interface {
	// Status is asked for each answer. It must not block, and be safe for concurrent use.
	Status() failover.Status
}

var _ Source = (*failover.Controller)(nil)
