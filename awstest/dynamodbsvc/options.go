package dynamodbsvc

import (
	"errors"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Options are the durations of DynamoDB. A zero field means its default;
// [Immediately] asks for none.
type Options struct {
	// Creating is from CreateTable until the table is active. Default 5 s.
	Creating time.Duration

	// Updating is from UpdateTable until the table is active again. Default
	// 5 s.
	Updating time.Duration

	// Deleting is from DeleteTable until the table is gone. Default 5 s.
	Deleting time.Duration

	// TimeToLiveChange is how long it takes to enable or to disable time to
	// live. Default 1 hour, which is the longest that AWS documents.
	TimeToLiveChange time.Duration

	// Expiry is from the moment that an item names until time to live deletes
	// it: meanwhile reads still find it. Default 48 hours; AWS says typically
	// within two days, and promises nothing.
	Expiry time.Duration
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// check sets the defaults and reports every mistake at once.
func (o *Options) check() error {
	var errs []error
	for _, d := range []struct {
		field    string
		value    *time.Duration
		standard time.Duration
	}{
		{"Creating", &o.Creating, 5 * time.Second},
		{"Updating", &o.Updating, 5 * time.Second},
		{"Deleting", &o.Deleting, 5 * time.Second},
		{"TimeToLiveChange", &o.TimeToLiveChange, time.Hour},
		{"Expiry", &o.Expiry, 48 * time.Hour},
	} {
		switch {
		case *d.value == Immediately:
			*d.value = 0
		case *d.value == 0:
			*d.value = d.standard
		case *d.value < 0:
			errs = append(errs, &awstest.FieldError{Field: "dynamodbsvc.Options." + d.field, Value: *d.value, Rule: "must not be negative; Immediately asks for none"})
		}
	}
	return errors.Join(errs...)
}
