package elbv2svc_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
)

func TestOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning, o.Registration = -time.Second, -2 })})
	var fields []string
	for _, err := range flatten(err) {
		var fe *awstest.FieldError
		if !errors.As(err, &fe) || fe.Rule == "" {
			t.Fatalf("got %v", err)
		}
		fields = append(fields, fe.Field)
	}
	if diff := cmp.Diff([]string{"elbv2svc.Options.Provisioning", "elbv2svc.Options.Registration"}, fields); diff != "" {
		t.Error(diff)
	}
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []error
		for _, err := range joined.Unwrap() {
			list = append(list, flatten(err)...)
		}
		return list
	}
	return []error{err}
}

func TestServiceTwice(t *testing.T) {
	t.Parallel()
	if _, err := awstest.New([]awstest.Service{elbv2svc.New(), elbv2svc.New()}); err == nil {
		t.Error("a cloud has load balancing twice")
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options func(*elbv2svc.Options)
		want    time.Duration
	}{
		"immediately": {func(o *elbv2svc.Options) {
			o.Provisioning, o.Registration = elbv2svc.Immediately, elbv2svc.Immediately
		}, 0},
		"given": {func(o *elbv2svc.Options) { o.Provisioning, o.Registration = time.Minute, 10*time.Second }, 70 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorldWith(t, c.options)
				defer w.close()
				group, _ := w.front()
				id := w.machine(0, "172.31.0.10", answering(200)).ID()
				w.register(group, id)
				if took := w.until(group, id, isHealthy); took < c.want-100*time.Millisecond || took > c.want+100*time.Millisecond {
					t.Errorf("healthy after %v, want %v", took, c.want)
				}
			})
		})
	}
}
