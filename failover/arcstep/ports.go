package arcstep

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../stepmock/arcstep.go -pkg stepmock . API:ZonalShiftAPIMock

// API is what the steps call of ARC zonal shift; *arczonalshift.Client is one. Implementations are safe for concurrent use, end a call when its
// context ends, and return errors in the SDK's form.
type API interface {
	// GetManagedResource needs arc-zonal-shift:GetManagedResource on the resource.
	GetManagedResource(ctx context.Context, params *arczonalshift.GetManagedResourceInput, optFns ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error)

	// StartZonalShift needs arc-zonal-shift:StartZonalShift on the resource. It has no token, and is kept to a single attempt.
	StartZonalShift(ctx context.Context, params *arczonalshift.StartZonalShiftInput, optFns ...func(*arczonalshift.Options)) (*arczonalshift.StartZonalShiftOutput, error)

	// CancelZonalShift needs arc-zonal-shift:CancelZonalShift on the resource. It may be repeated.
	CancelZonalShift(ctx context.Context, params *arczonalshift.CancelZonalShiftInput, optFns ...func(*arczonalshift.Options)) (*arczonalshift.CancelZonalShiftOutput, error)
}

var _ API = (*arczonalshift.Client)(nil)
