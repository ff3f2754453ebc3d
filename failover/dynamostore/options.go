package dynamostore

import (
	"errors"
	"slices"
	"time"

	"github.com/awsha/awsha/failover"
)

// Options are the options of a store. Every zero value means the default that its comment names.
type Options struct {
	// GroupAttribute and NameAttribute are the attributes of the table's partition key and sort key, both strings. Defaults "group" and
	// "name". They must differ from each other and from "value", "version" and "write", which are the store's own.
	GroupAttribute, NameAttribute string

	// Timeout bounds each request to DynamoDB, the SDK's retries included. Default 1 s: the lease's default timing leaves a renewal 1.5 s
	// ([failover.LockerOptions]), in which a write that hangs is then given up and looked for. Whoever sets a RenewInterval sets this to less
	// than half of it.
	Timeout time.Duration

	// SkipTableCheck leaves out the look at the table before the first use, for roles without dynamodb:DescribeTable. The caller
	// answers for the table then: what [ErrEventual] and [KeyError] say is not noticed otherwise.
	SkipTableCheck bool
}

// The attributes of an item besides its key.
const (
	attrValue   = "value"
	attrVersion = "version"
	attrWrite   = "write"
)

// complete fills in the defaults and reports every mistake.
func (o *Options) complete() error {
	if o.GroupAttribute == "" {
		o.GroupAttribute = "group"
	}
	if o.NameAttribute == "" {
		o.NameAttribute = "name"
	}
	var errs []error
	own := []string{attrValue, attrVersion, attrWrite}
	if slices.Contains(own, o.GroupAttribute) {
		errs = append(errs, &failover.FieldError{Field: "Options.GroupAttribute", Value: o.GroupAttribute, Rule: "is an attribute of the store's own"})
	}
	if slices.Contains(append(own, o.GroupAttribute), o.NameAttribute) {
		errs = append(errs, &failover.FieldError{
			Field: "Options.NameAttribute", Value: o.NameAttribute, Rule: "is the attribute of the group, or of the store's own",
		})
	}
	if o.Timeout < 0 {
		errs = append(errs, &failover.FieldError{Field: "Options.Timeout", Value: o.Timeout, Rule: "must not be negative"})
	}
	if o.Timeout == 0 {
		o.Timeout = time.Second
	}
	return errors.Join(errs...)
}
