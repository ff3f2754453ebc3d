package route53svc_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/route53svc"
)

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*route53.Client](t, route53svc.New(), route53.ServiceID))
}

func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/r53model/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ErrorTypes(w, w.cloud, route53.ServiceID, codes(t), w.Client, func(code string) *route53.Client {
			return route53.New(route53.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer("<ErrorResponse><Error><Code>" + code + "</Code><Message>no</Message></Error></ErrorResponse>"),
			})
		})
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		list := func() error { _, err := w.ListHealthChecks(w.Context(), nil); return err }
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: route53.ServiceID, Operation: "ListHealthChecks"}, list,
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "Throttling", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDenied", Status: 403, Attempts: 1},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	var cw *cwmodel.Model
	service := func(r *awstest.Registry) error {
		cw = cwmodel.Of(r)
		return route53svc.New()(r)
	}
	create := func(c *config) func(*world) error {
		return func(w *world) error { _, err := w.try(c); return err }
	}
	for says, call := range map[string]func(*world) error{
		"CreateHealthCheck: a health check of a routing control": create(&config{Type: "RECOVERY_CONTROL", RoutingControlArn: aws.String("arn:aws:route53-recovery-control::1:x")}),
		"CreateHealthCheck: a calculated health check of calculated ones": func(w *world) error {
			_, err := w.try(&config{Type: "CALCULATED", ChildHealthChecks: []string{w.create(&config{Type: "CALCULATED"})}})
			return err
		},
		"CreateHealthCheck: a health check of an alarm of M out of N data points": func(w *world) error {
			w.putAlarm(alarm(func(s *cwmodel.AlarmSpec) { s.ToAlarm = 1 }))
			_, err := w.try(ofAlarm(""))
			return err
		},
		"GetHealthCheckStatus: what is observed of a health check of an alarm": func(w *world) error {
			w.putAlarm(alarm())
			_, err := w.GetHealthCheckStatus(w.Context(), &route53.GetHealthCheckStatusInput{HealthCheckId: aws.String(w.create(ofAlarm("")))})
			return err
		},
		"ListTagsForResource: tags of a hostedzone": func(w *world) error {
			_, err := w.ListTagsForResource(w.Context(), &route53.ListTagsForResourceInput{ResourceId: aws.String("Z1"), ResourceType: types.TagResourceTypeHostedzone})
			return err
		},
		"ListHostedZones": func(w *world) error { _, err := w.ListHostedZones(w.Context(), nil); return err },
	} {
		svctest.NotModelled(t, service, func(cloud *awstest.Cloud) error {
			return call(&world{T: t, Client: route53.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, cw: cw})
		}, "awstest: Route 53."+says+" is not modelled")
	}
}

func TestCloudWithoutTheControlPlane(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{route53svc.New()}, func(o *awstest.Options) { o.Regions = []string{"eu-west-1"} })
	if fe, ok := errors.AsType[*awstest.FieldError](err); !ok || fe.Field != "Options.Regions" {
		t.Errorf("got %v", err)
	}
	cloud := svctest.Must(awstest.New(nil))(t)
	if _, err := route53svc.Healthy(cloud, "x"); err == nil {
		t.Error("a cloud without Route 53 has a health check")
	}
}
