package cloudwatchsvc

import (
	"errors"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// Options are the delays of CloudWatch. Zero is none.
type Options struct {
	// Visible is from the arrival of a data point until statistics and alarms
	// see it. AWS has a few seconds as a rule and up to two minutes for a new
	// metric.
	Visible time.Duration

	// Listed is from the first data point of a metric until ListMetrics shows
	// the metric: in AWS up to 15 minutes.
	Listed time.Duration
}

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *cwmodel.Options) error {
	var errs []error
	set := func(field string, d time.Duration, to *time.Duration) {
		if d < 0 {
			errs = append(errs, &awstest.FieldError{Field: "cloudwatchsvc.Options." + field, Value: d, Rule: "must not be negative"})
			return
		}
		*to = d
	}
	set("Visible", o.Visible, &to.Visible)
	set("Listed", o.Listed, &to.Listed)
	return errors.Join(errs...)
}
