package awstest_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

type (
	shout string
	other int
)

func TestSpecialEffectsReachTheHandlersThatKnowThem(t *testing.T) {
	t.Parallel()
	var heard []shout
	listen := func(call *awstest.Call) { heard = append(heard, awstest.Specials[shout](call)...) }
	cloud, err := awstest.New([]awstest.Service{func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
		awstest.Handle(e, func(_ *awstest.Tx, call *awstest.Call, _ *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
			listen(call)
			return &sts.AssumeRoleOutput{}, nil
		}, "RoleArn", "RoleSessionName")
		awstest.Handle(e, func(_ *awstest.Tx, call *awstest.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
			listen(call)
			return &sts.GetCallerIdentityOutput{Account: aws.String("1")}, nil
		})
		return e.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{TB: t, cloud: cloud, client: sts.NewFromConfig(cloud.Config("us-east-1"))}
	adding := []string{"AssumeRole"}

	// Twice, and not by the operation that does not know it.
	f.inject(awstest.Match{Times: 2}, awstest.Special("STS", adding, shout("a")))
	f.inject(awstest.Match{Service: "STS", Operation: "AssumeRole"}, awstest.Special("STS", adding, other(1)))
	heal := f.inject(awstest.Match{Service: "STS"}, awstest.Special("STS", adding, shout("b")))
	for range 3 {
		f.read()
		if err := f.add(); err != nil {
			t.Fatal(err)
		}
	}
	heal()
	if err := f.add(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]shout{"a", "b", "a", "b", "b"}, heard); diff != "" {
		t.Error(diff)
	}

	for field, m := range map[string]struct {
		match  awstest.Match
		effect awstest.Effect
	}{
		"Match.Service":   {awstest.Match{}, awstest.Special("SQS", adding, shout("c"))},
		"Match.Operation": {awstest.Match{Service: "STS", Operation: "GetCallerIdentity"}, awstest.Special("STS", adding, shout("c"))},
	} {
		var fe *awstest.FieldError
		if _, err := cloud.Inject(m.match, m.effect); !errors.As(err, &fe) || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
}

func TestSpecialThatCanStrikeNothing(t *testing.T) {
	t.Parallel()
	cloud, err := awstest.New([]awstest.Service{func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
		awstest.Handle(e, func(*awstest.Tx, *awstest.Call, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
			return &sts.GetCallerIdentityOutput{}, nil
		})
		return e.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, effect := range map[string]awstest.Effect{
		"no operation":          awstest.Special("STS", nil, shout("a")),
		"one that is not there": awstest.Special("STS", []string{"AssumeRole"}, shout("a")),
		"nothing to say":        awstest.Special("STS", []string{"GetCallerIdentity"}, nil),
	} {
		var fe *awstest.FieldError
		if _, err := cloud.Inject(awstest.Match{}, effect); !errors.As(err, &fe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
