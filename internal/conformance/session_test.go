package conformance_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// A session is one run of a scenario on a place.
type session struct {
	*testing.T
	*place
	scenario *scenario

	// Clients of the first region; elsewhere is of the second.
	ec2        *ec2.Client
	elb        *elbv2.Client
	asg        *autoscaling.Client
	cloudwatch *cloudwatch.Client
	dynamodb   *dynamodb.Client
	events     *eventbridge.Client
	kms        *kms.Client
	rds        *rds.Client
	route53    *route53.Client
	s3         *s3.Client
	sqs        *sqs.Client
	sts        *sts.Client
	zonalshift *arczonalshift.Client
	elsewhere  *ec2.Client

	mark string // the value of the tag on everything that this run makes

	scalingTemplate string // of Auto Scaling groups; empty until there is one

	names    [][2]string // IDs, and what the scenario calls the resource
	observed []observation
}

// play runs a scenario on a place and judges it.
func (sc *scenario) play(t *testing.T, p *place) {
	t.Helper()
	cfg := p.config(p.regions[0])
	s := &session{
		T: t, place: p, scenario: sc,
		ec2: ec2.NewFromConfig(cfg), elb: elbv2.NewFromConfig(cfg), asg: autoscaling.NewFromConfig(cfg),
		cloudwatch: cloudwatch.NewFromConfig(cfg), dynamodb: dynamodb.NewFromConfig(cfg), events: eventbridge.NewFromConfig(cfg), kms: kms.NewFromConfig(cfg),
		rds: rds.NewFromConfig(cfg), route53: route53.NewFromConfig(cfg),
		s3:  s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		sqs: sqs.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg), zonalshift: arczonalshift.NewFromConfig(cfg),
		elsewhere: ec2.NewFromConfig(p.config(p.regions[1])),
		mark:      strings.ToLower(rand.Text()[:12]),
	}
	// Also of a scenario that could not go on: what it has seen until then may be why.
	completed := false
	defer func() {
		for _, wrong := range judge(p.name, s.observed, sc.differs, completed) {
			t.Error(wrong)
		}
	}()
	sc.run(s)
	completed = true
}

// is asserts what AWS documents about something that the scenario has seen. IDs are told by the names that they have.
func (s *session) is(at, got, want string) {
	s.observed = append(s.observed, observation{at, s.told(want), s.told(got)})
}

// accepted asserts that a call succeeds, and returns whether it did.
func (s *session) accepted(at string, err error) bool {
	s.is(at, outcome(err), outcome(nil))
	return err == nil
}

// refused asserts the code of an error; where the documentation is of two minds, either of several.
func (s *session) refused(at string, err error, codes ...string) {
	got := outcome(err)
	if slices.Contains(codes, got) {
		s.is(at, got, got)
		return
	}
	s.is(at, got, strings.Join(codes, " or "))
}

// shows asserts what reads show within the patience of the place.
func (s *session) shows(at, want string, look func() string) {
	s.Helper()
	s.is(at, s.await(at, want, look), want)
}

// await looks until it sees what is wanted, and returns what it saw last. A known difference is not waited for.
func (s *session) await(at, want string, look func() string) string {
	s.Helper()
	const looks = 3 // at what is known to differ
	known, differs := find(s.name, at, s.scenario.differs)
	deadline := time.Now().Add(s.patience)
	for n := 1; ; n++ {
		got := look()
		settled := differs && n >= looks && s.told(got) == known.does
		if got == want || settled || time.Now().After(deadline) {
			return got
		}
		select {
		case <-time.After(s.pause):
		case <-s.Context().Done():
			s.Fatal(context.Cause(s.Context()))
		}
	}
}

// call gives an ID the name that assertions tell it by.
func (s *session) call(id, name string) {
	s.names = append(s.names, [2]string{id, name})
	slices.SortStableFunc(s.names, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
}

// told is a text with names in place of IDs.
func (s *session) told(text string) string {
	var pairs []string
	for _, n := range s.names {
		pairs = append(pairs, n[0], n[1])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// outcome is the end of a call in a word: accepted, the code of the error, or not implemented.
func outcome(err error) string {
	var api smithy.APIError
	var re *awshttp.ResponseError
	switch {
	case err == nil:
		return "accepted"
	case errors.As(err, &re) && (re.HTTPStatusCode() == http.StatusInternalServerError || re.HTTPStatusCode() == http.StatusNotFound) &&
		strings.HasPrefix(re.Response.Header.Get("Content-Type"), "text/html") && !toHead(re):
		return "not implemented"
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return err.Error()
}

// toHead tells whether a response answers a HEAD request. It has no page, whatever type it says that it has.
func toHead(re *awshttp.ResponseError) bool {
	return re.Response.Request != nil && re.Response.Request.Method == http.MethodHead
}

// must ends the scenario unless a call that it cannot do without succeeded.
func must[T any](out T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// cleanly runs at the end of a scenario, also of one that failed; what it leaves behind is reported, unless the place
// forgets it anyway.
func (s *session) cleanly(what string, undo func(context.Context) error) {
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.Context()), s.patience)
		defer cancel()
		switch err := undo(ctx); {
		case err == nil:
		case s.forgets:
			s.Logf("%s is left to the reset: %v", what, err)
		default:
			s.Errorf("%s may be left behind: %v", what, err)
		}
	})
}
