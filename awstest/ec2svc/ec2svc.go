package ec2svc

import (
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// Options are the durations and limits of EC2. A zero field means its
// default; [Immediately] asks for a transition that takes no time.
type Options struct {
	// Pending is from a launch or start until the instance is running.
	// Default 15 s.
	Pending time.Duration

	// Stopping is from a stop until the instance is stopped. Default 30 s.
	Stopping time.Duration

	// ShuttingDown is from a termination until the instance is terminated.
	// Default 30 s.
	ShuttingDown time.Duration

	// StatusCheck is how long status checks say "initializing" after a start,
	// and how long they take to notice that a machine has failed or come
	// back. Default 2 minutes.
	StatusCheck time.Duration

	// AddressQuota is how many Elastic IP addresses a region allows.
	// Default 5, AWS's own.
	AddressQuota int
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// service is EC2 of one cloud.
type service struct{ model *ec2model.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: ec2model.Of(r)}
		if err := s.configure(opts); err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: ec2.ServiceID,
			// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "RequestLimitExceeded", Message: "Request limit exceeded.", Status: http.StatusServiceUnavailable},
			Unavailable: awstest.APIError{Code: "Unavailable", Message: "The server is overloaded and can't handle the request.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
		})
		s.addZones(e)
		s.addInterfaces(e)
		s.addAddresses(e)
		s.addInstances(e)
		s.addStatus(e)
		s.addTags(e)
		return e.Err()
	}
}

func (s *service) configure(opts Options) (err error) {
	if opts.AddressQuota < 0 {
		return &awstest.FieldError{Field: "ec2svc.Options.AddressQuota", Value: opts.AddressQuota, Rule: "must not be negative"}
	}
	s.model.Configure(func(m *ec2model.Options) {
		set := func(field string, d time.Duration, to *time.Duration) {
			switch {
			case d == Immediately:
				*to = 0
			case d < 0:
				err = &awstest.FieldError{Field: "ec2svc.Options." + field, Value: d, Rule: "must not be negative; Immediately asks for none"}
			case d > 0:
				*to = d
			}
		}
		set("Pending", opts.Pending, &m.Pending)
		set("Stopping", opts.Stopping, &m.Stopping)
		set("ShuttingDown", opts.ShuttingDown, &m.ShuttingDown)
		set("StatusCheck", opts.StatusCheck, &m.StatusCheck)
		if opts.AddressQuota > 0 {
			m.AddressQuota = opts.AddressQuota
		}
	})
	return err
}

// handle adds an operation that has the DryRun parameter, as all of EC2's
// have: a dry run that is allowed is the error DryRunOperation.
func handle[In, Out any](e *awstest.Endpoint, fn func(*awstest.Tx, *awstest.Call, *In) (*Out, error), fields ...string) {
	dryRun, _ := reflect.TypeFor[In]().FieldByName("DryRun")
	awstest.Handle(e, func(tx *awstest.Tx, call *awstest.Call, in *In) (*Out, error) {
		if dry, ok := reflect.ValueOf(in).Elem().FieldByIndex(dryRun.Index).Interface().(*bool); ok && aws.ToBool(dry) {
			return nil, &awstest.APIError{Code: "DryRunOperation", Message: "Request would have succeeded, but DryRun flag is set.", Status: http.StatusPreconditionFailed}
		}
		return fn(tx, call, in)
	}, append(fields, "DryRun")...)
}

func (s *service) region(tx *awstest.Tx, call *awstest.Call) *ec2model.Region {
	return s.model.Region(tx, call.Region)
}

// checkID tells a malformed ID from one that does not exist.
func checkID(code, prefix, id string) error {
	if !resourceID.MatchString(id) || len(id) <= len(prefix)+1 || id[:len(prefix)+1] != prefix+"-" {
		return awstest.Errorf(code, "Invalid id: \"%s\" (expecting \"%s-...\")", id, prefix)
	}
	return nil
}

var resourceID = regexp.MustCompile(`^[a-z]+(-attach)?-[0-9a-f]{8}([0-9a-f]{9})?$`)

func missing(parameter string) error {
	return awstest.Errorf("MissingParameter", "The request must contain the parameter %s", parameter)
}

func arn(call *awstest.Call, account, kind, id string) *string {
	return aws.String(fmt.Sprintf("arn:aws:ec2:%s:%s:%s/%s", call.Region.Name(), account, kind, id))
}
