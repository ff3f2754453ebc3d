package arczonalshiftsvc

import (
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// Options are the durations of zonal shift.
type Options struct {
	// Effect is from the start or the end of a shift until it is in effect for
	// its resource. Default 0. In AWS the shift itself is there at once too,
	// and traffic follows within minutes, as DNS and connections do.
	Effect time.Duration
}

// apply checks the options and hands them to the model.
func (o *Options) apply(to *zonalshiftmodel.Options) error {
	if o.Effect < 0 {
		return &awstest.FieldError{Field: "arczonalshiftsvc.Options.Effect", Value: o.Effect, Rule: "must not be negative"}
	}
	to.Effect = o.Effect
	return nil
}
