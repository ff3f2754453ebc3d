package elbv2svc

import (
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

// service is Elastic Load Balancing of one cloud.
type service struct{ model *elbmodel.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: elbmodel.Of(r)}
		var err error
		s.model.Configure(func(m *elbmodel.Options) { err = opts.apply(m) })
		if err != nil {
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
		s.addBalancerAttributes(e)
		s.addListeners(e)
		s.addGroups(e)
		s.addAttributes(e)
		s.addTargets(e)
		return e.Err()
	}
}

// modelled gives the codes that the adapter uses the SDK's types for them, in
// the operations for which the SDK knows them. Elsewhere they stay generic, and
// so do codes that the SDK has no type for, such as ValidationError.
func modelled(operation, code, message string) error {
	m := aws.String(message)
	switch operation + " " + code {
	case "CreateListener DuplicateListener":
		return &types.DuplicateListenerException{Message: m}
	case "CreateLoadBalancer DuplicateLoadBalancerName":
		return &types.DuplicateLoadBalancerNameException{Message: m}
	case "CreateTargetGroup DuplicateTargetGroupName":
		return &types.DuplicateTargetGroupNameException{Message: m}
	case "CreateListener IncompatibleProtocols":
		return &types.IncompatibleProtocolsException{Message: m}
	case "CreateListener InvalidConfigurationRequest", "CreateLoadBalancer InvalidConfigurationRequest",
		"CreateTargetGroup InvalidConfigurationRequest", "ModifyLoadBalancerAttributes InvalidConfigurationRequest",
		"ModifyTargetGroup InvalidConfigurationRequest", "ModifyTargetGroupAttributes InvalidConfigurationRequest":
		return &types.InvalidConfigurationRequestException{Message: m}
	case "DeregisterTargets InvalidTarget", "DescribeTargetHealth InvalidTarget", "RegisterTargets InvalidTarget":
		return &types.InvalidTargetException{Message: m}
	case "DeleteListener ListenerNotFound", "DescribeListeners ListenerNotFound":
		return &types.ListenerNotFoundException{Message: m}
	case "CreateListener LoadBalancerNotFound", "DeleteLoadBalancer LoadBalancerNotFound",
		"DescribeListeners LoadBalancerNotFound", "DescribeLoadBalancerAttributes LoadBalancerNotFound",
		"DescribeLoadBalancers LoadBalancerNotFound", "DescribeTargetGroups LoadBalancerNotFound",
		"ModifyLoadBalancerAttributes LoadBalancerNotFound":
		return &types.LoadBalancerNotFoundException{Message: m}
	case "CreateLoadBalancer ResourceInUse", "DeleteListener ResourceInUse", "DeleteLoadBalancer ResourceInUse",
		"DeleteTargetGroup ResourceInUse":
		return &types.ResourceInUseException{Message: m}
	case "CreateLoadBalancer SubnetNotFound":
		return &types.SubnetNotFoundException{Message: m}
	case "CreateListener TargetGroupAssociationLimit":
		return &types.TargetGroupAssociationLimitException{Message: m}
	case "CreateListener TargetGroupNotFound", "DeregisterTargets TargetGroupNotFound",
		"DescribeTargetGroupAttributes TargetGroupNotFound", "DescribeTargetGroups TargetGroupNotFound",
		"DescribeTargetHealth TargetGroupNotFound", "ModifyTargetGroup TargetGroupNotFound",
		"ModifyTargetGroupAttributes TargetGroupNotFound", "RegisterTargets TargetGroupNotFound":
		return &types.TargetGroupNotFoundException{Message: m}
	}
	return nil
}

func (s *service) region(call *awstest.Call) *elbmodel.Region { return s.model.Region(call.Region) }

// present returns the call as it looks at what it has just changed: as of
// now, however far behind reads stand.
func present(tx *awstest.Tx, call *awstest.Call) *awstest.Call {
	now := *call
	now.At = tx.Now()
	return &now
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationError", format, args...)
}

// port reads a port that must be there.
func port(of string, number *int32) (uint16, error) {
	if number == nil {
		return 0, invalid("A port must be specified for %s", of)
	}
	if err := elbmodel.CheckPort(*number); err != nil {
		return 0, err
	}
	return uint16(*number), nil
}

// wanted tells whether a value is asked for; no values ask for everything.
func wanted(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }

// firstMissing returns the first of the names that were asked for and are not
// among those found.
func firstMissing[T any](asked []string, found []T, name func(T) *string) (string, bool) {
	for _, a := range asked {
		if !slices.ContainsFunc(found, func(f T) bool { return aws.ToString(name(f)) == a }) {
			return a, true
		}
	}
	return "", false
}
