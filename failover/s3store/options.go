package s3store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/awsha/awsha/failover"
)

// Options are the options of a store. Every zero value means the default that its comment names.
type Options struct {
	// Prefix is put in front of the key of each object: what tells stores, or environments, apart that share a bucket. It ends with a slash
	// and has at most 500 bytes of UTF-8. Default none.
	Prefix string

	// ExpectedOwner is the account, of twelve digits, that must own the bucket: every request to a bucket of another's is refused
	// then, also after a bucket was deleted and somebody else took its name. Default: any.
	ExpectedOwner string

	// Parallel is how many objects List reads at once. Default 16.
	Parallel int

	// Timeout bounds each request to S3, the SDK's retries and the body included. Default 1 s: the lease's default timing leaves a renewal
	// 1.5 s ([failover.LockerOptions]), in which a write that hangs is then given up and looked for. Whoever sets a RenewInterval sets this
	// to less than half of it.
	Timeout time.Duration
}

// complete fills in the defaults and reports every mistake.
func (o *Options) complete() error {
	var errs []error
	wrong := func(field string, value any, rule string) {
		errs = append(errs, &failover.FieldError{Field: "Options." + field, Value: value, Rule: rule})
	}
	if o.Prefix != "" && (!strings.HasSuffix(o.Prefix, "/") || len(o.Prefix) > maxPrefix || strings.ToValidUTF8(o.Prefix, "") != o.Prefix) {
		wrong("Prefix", o.Prefix, fmt.Sprintf("must end with a slash, and be UTF-8 of at most %d bytes", maxPrefix))
	}
	if o.ExpectedOwner != "" && (len(o.ExpectedOwner) != 12 || strings.Trim(o.ExpectedOwner, "0123456789") != "") {
		wrong("ExpectedOwner", o.ExpectedOwner, "must be an account ID of twelve digits")
	}
	if o.Parallel < 0 {
		wrong("Parallel", o.Parallel, "must not be negative")
	}
	if o.Timeout < 0 {
		wrong("Timeout", o.Timeout, "must not be negative")
	}
	if o.Parallel == 0 {
		o.Parallel = 16
	}
	if o.Timeout == 0 {
		o.Timeout = time.Second
	}
	return errors.Join(errs...)
}
