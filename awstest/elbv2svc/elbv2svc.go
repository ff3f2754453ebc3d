package elbv2svc

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

// Options are the durations of Elastic Load Balancing. A zero field means its
// default; [Immediately] asks for none.
type Options struct {
	// Provisioning is from the creation of a load balancer until it is
	// active and forwards. Default 2 minutes.
	Provisioning time.Duration

	// Registration is from the registration of a target until its first
	// health check. Default 5 s.
	Registration time.Duration
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// service is Elastic Load Balancing of one cloud.
type service struct{ model *elbmodel.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: elbmodel.Of(r)}
		if err := s.configure(opts); err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: elbv2.ServiceID,
			// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "Throttling", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addBalancers(e)
		s.addGroups(e)
		s.addTargets(e)
		return e.Err()
	}
}

func (s *service) configure(opts Options) error {
	for _, o := range []struct {
		field string
		value time.Duration
		set   func(*elbmodel.Options, time.Duration)
	}{
		{"Provisioning", opts.Provisioning, func(m *elbmodel.Options, d time.Duration) { m.Provisioning = d }},
		{"Registration", opts.Registration, func(m *elbmodel.Options, d time.Duration) { m.Registration = d }},
	} {
		switch {
		case o.value == 0:
			continue
		case o.value == Immediately:
			o.value = 0
		case o.value < 0:
			return &awstest.FieldError{Field: "elbv2svc.Options." + o.field, Value: o.value, Rule: "must not be negative; Immediately asks for none"}
		}
		s.model.Configure(func(m *elbmodel.Options) { o.set(m, o.value) })
	}
	return nil
}

// modelled gives the codes that the adapter uses the SDK's types for them.
func modelled(code, message string) error {
	m := aws.String(message)
	switch code {
	case "DuplicateListener":
		return &types.DuplicateListenerException{Message: m}
	case "DuplicateLoadBalancerName":
		return &types.DuplicateLoadBalancerNameException{Message: m}
	case "DuplicateTargetGroupName":
		return &types.DuplicateTargetGroupNameException{Message: m}
	case "InvalidConfigurationRequest":
		return &types.InvalidConfigurationRequestException{Message: m}
	case "InvalidTarget":
		return &types.InvalidTargetException{Message: m}
	case "ListenerNotFound":
		return &types.ListenerNotFoundException{Message: m}
	case "LoadBalancerNotFound":
		return &types.LoadBalancerNotFoundException{Message: m}
	case "ResourceInUse":
		return &types.ResourceInUseException{Message: m}
	case "SubnetNotFound":
		return &types.SubnetNotFoundException{Message: m}
	case "TargetGroupNotFound":
		return &types.TargetGroupNotFoundException{Message: m}
	}
	return nil
}

func (s *service) region(call *awstest.Call) *elbmodel.Region { return s.model.Region(call.Region) }

func required(field string) error {
	return awstest.Errorf("ValidationError", "%s is required", field)
}

// listing is what the describe operations have in common: no paging, since
// what they return is small.
func listing(call *awstest.Call, marker *string) error {
	if marker != nil {
		return call.NotModelled("paging")
	}
	return nil
}
