package route53svc

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/r53model"
)

func (s *service) addStatus(e *awstest.Endpoint) {
	awstest.Handle(e, s.status, "HealthCheckId")
	awstest.Handle(e, s.lastFailure, "HealthCheckId")
	awstest.Handle(e, s.ranges)
}

func (s *service) status(_ *awstest.Tx, call *awstest.Call, in *route53.GetHealthCheckStatusInput) (*route53.GetHealthCheckStatusOutput, error) {
	all, err := s.observations(call, in.HealthCheckId, s.model.Reports)
	if err != nil {
		return nil, err
	}
	return &route53.GetHealthCheckStatusOutput{HealthCheckObservations: all}, nil
}

func (s *service) lastFailure(_ *awstest.Tx, call *awstest.Call, in *route53.GetHealthCheckLastFailureReasonInput) (*route53.GetHealthCheckLastFailureReasonOutput, error) {
	all, err := s.observations(call, in.HealthCheckId, s.model.Failures)
	if err != nil {
		return nil, err
	}
	return &route53.GetHealthCheckLastFailureReasonOutput{HealthCheckObservations: all}, nil
}

// observations returns what the checkers of an endpoint say. Of alarms AWS does
// not document what there is to say.
func (s *service) observations(call *awstest.Call, id *string, of func(time.Time, *r53model.HealthCheck) []r53model.Report) ([]types.HealthCheckObservation, error) {
	hc, err := s.model.HealthCheck(call.At, aws.ToString(id))
	switch {
	case err != nil:
		return nil, err
	case hc.Config.Type == r53model.Calculated:
		return nil, invalid("The health check %s is a calculated one, which has no checkers", hc.ID)
	case hc.Config.Type == r53model.Metric:
		return nil, call.NotModelled("what is observed of a health check of an alarm")
	}
	var all []types.HealthCheckObservation
	for _, r := range of(call.At, hc) {
		all = append(all, types.HealthCheckObservation{
			IPAddress: aws.String(r.From), Region: types.HealthCheckRegion(r.Region),
			StatusReport: &types.StatusReport{CheckedTime: aws.Time(r.At), Status: aws.String(r.Text)},
		})
	}
	return all, nil
}

func (s *service) ranges(*awstest.Tx, *awstest.Call, *route53.GetCheckerIpRangesInput) (*route53.GetCheckerIpRangesOutput, error) {
	var all []string
	for _, p := range r53model.Ranges() {
		all = append(all, p.String())
	}
	slices.Sort(all)
	return &route53.GetCheckerIpRangesOutput{CheckerIpRanges: all}, nil
}
