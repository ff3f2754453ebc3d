package zonalhc

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../healthcheckmock/zonalhc.go -pkg healthcheckmock . Reader:ZonalShiftReaderMock API:ZonalShiftAPIMock

// Reader is what is read of zonal shift; *arczonalshift.Client is one. Implementations are safe for concurrent use, end a
// call when its context ends, and return errors in the SDK's form.
type Reader interface {
	// GetManagedResource needs arc-zonal-shift:GetManagedResource on the resource. It is called once when Run begins, and in
	// each round in which a zone has been bad for long enough, or while a shift of one's own is active.
	GetManagedResource(ctx context.Context, params *arczonalshift.GetManagedResourceInput, optFns ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error)
}

// Writer is what is changed; *arczonalshift.Client is one.
type Writer interface {
	// StartZonalShift needs arc-zonal-shift:StartZonalShift on the resource. The options keep the SDK's retryer to a single
	// attempt, and a read comes before each call.
	StartZonalShift(ctx context.Context, params *arczonalshift.StartZonalShiftInput, optFns ...func(*arczonalshift.Options)) (*arczonalshift.StartZonalShiftOutput, error)

	// UpdateZonalShift needs arc-zonal-shift:UpdateZonalShift on the resource. It is called with Options.Extend only, for a
	// shift of one's own. It may be repeated.
	UpdateZonalShift(ctx context.Context, params *arczonalshift.UpdateZonalShiftInput, optFns ...func(*arczonalshift.Options)) (*arczonalshift.UpdateZonalShiftOutput, error)

	// CancelZonalShift needs arc-zonal-shift:CancelZonalShift on the resource. It is called with Options.Cancel only, for a
	// shift of one's own. It may be repeated.
	CancelZonalShift(ctx context.Context, params *arczonalshift.CancelZonalShiftInput, optFns ...func(*arczonalshift.Options)) (*arczonalshift.CancelZonalShiftOutput, error)
}

// API is what a [Shifter] calls.
type API interface {
	Reader
	Writer
}

var _ API = (*arczonalshift.Client)(nil)
