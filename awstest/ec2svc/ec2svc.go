package ec2svc

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// service is EC2 of one cloud.
type service struct{ model *ec2model.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: ec2model.Of(r)}
		var err error
		s.model.Configure(func(m *ec2model.Options) { err = opts.apply(m) })
		if err := errors.Join(err, opts.addLocalZones(r, s.model)); err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID:          ec2.ServiceID,
			Throttled:   awstest.APIError{Code: "RequestLimitExceeded", Message: "Request limit exceeded.", Status: http.StatusServiceUnavailable},
			Unavailable: awstest.APIError{Code: "Unavailable", Message: "The server is overloaded and can't handle the request.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
		})
		s.addZones(e)
		s.addGateways(e)
		s.addInterfaces(e)
		s.addSecurityGroups(e)
		s.addAddresses(e)
		s.addInstances(e)
		s.addReservations(e)
		s.addOfferings(e)
		s.addVolumes(e)
		s.addSnapshots(e)
		s.addImages(e)
		s.addLocks(e)
		s.addTemplates(e)
		s.addStatus(e)
		s.addTags(e)
		return e.Err()
	}
}

// handle adds an operation that has the DryRun parameter, as nearly all of
// EC2's have: a dry run that is allowed is the error DryRunOperation.
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

// present returns the call as it looks at what it has just changed: as of
// now, however far behind reads stand.
func present(tx *awstest.Tx, call *awstest.Call) *awstest.Call {
	now := *call
	now.At = tx.Now()
	return &now
}

func missing(parameter string) error {
	return awstest.Errorf("MissingParameter", "The request must contain the parameter %s", parameter)
}

// How many characters a client token may have.
// Source: RunInstancesInput.ClientToken and CreateLaunchTemplateInput.ClientToken of the SDK (read 2026-11)
const (
	maxToken         = 64
	maxTemplateToken = 128
)

func checkToken(token *string) error { return checkTokenOf(token, maxToken) }

// checkTokenOf refuses client tokens that EC2 would not take.
func checkTokenOf(token *string, longest int) error {
	text := aws.ToString(token)
	for _, c := range []byte(text) {
		if c >= 0x80 {
			return awstest.Errorf("InvalidClientToken", "The client token must be made of ASCII characters.")
		}
	}
	if len(text) > longest {
		return awstest.Errorf("InvalidClientToken", "The client token must be at most %d characters long.", longest)
	}
	return nil
}
