package eventbridgesvc

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
)

// service is EventBridge of one cloud.
type service struct{ model *ebmodel.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: ebmodel.Of(r)}
		var err error
		s.model.Configure(func(m *ebmodel.Options) { err = opts.apply(m) })
		if err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: eventbridge.ServiceID,
			// The codes are those of the SDK's types; the statuses could not be confirmed: nothing of the SDK goes by them but 5xx.
			// Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html (read 2026-11), which names two of them
			Throttled:   awstest.APIError{Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDeniedException", Message: "You do not have sufficient access to perform this action.", Status: http.StatusBadRequest},
			Modelled:    modelled,
		})
		s.addRules(e)
		s.addTargets(e)
		s.addEvents(e)
		return e.Err()
	}
}

// modelled gives the codes that the SDK has types for those types.
func modelled(operation, code, message string) error {
	m := aws.String(message)
	switch code {
	case "AccessDeniedException":
		return &types.AccessDeniedException{Message: m}
	case "ConcurrentModificationException":
		return &types.ConcurrentModificationException{Message: m}
	case "InternalException":
		return &types.InternalException{Message: m}
	case "InvalidEventPatternException":
		return &types.InvalidEventPatternException{Message: m}
	case "LimitExceededException":
		return &types.LimitExceededException{Message: m}
	case "ManagedRuleException":
		return &types.ManagedRuleException{Message: m}
	case "ResourceNotFoundException":
		return &types.ResourceNotFoundException{Message: m}
	case "ThrottlingException":
		return &types.ThrottlingException{Message: m}
	}
	return nil
}

func (s *service) region(call *awstest.Call) *ebmodel.Region { return s.model.Region(call.Region) }

// bus refuses any event bus but the default one, by its name or its ARN.
func (s *service) bus(call *awstest.Call, bus *string) error {
	if b := aws.ToString(bus); b != "" && b != ebmodel.DefaultBus && b != s.region(call).BusARN() {
		return call.NotModelled("event bus %q", b)
	}
	return nil
}

// refusal turns what is not modelled of a pattern into an error of the call.
func refusal(call *awstest.Call, err error) error {
	if u, ok := errors.AsType[*ebmodel.UnmodelledError](err); ok {
		return call.NotModelled("%s", u.What)
	}
	return err
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationException", format, args...)
}
