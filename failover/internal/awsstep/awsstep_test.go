package awsstep_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v4"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type options struct{ attempts int }

func TestACallEndsInTimeAndNamesItsAction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context, _ *string, optFns ...func(*options)) (*int, error) {
			var o options
			for _, fn := range optFns {
				fn(&o)
			}
			if o.attempts != 1 {
				t.Errorf("%d attempts", o.attempts)
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}
		began := time.Now()
		in := "x"
		_, err := awsstep.Call(t.Context(), "ec2:AttachVolume", "vol-1", hang, &in, func(o *options) { o.attempts = 1 })
		var call *failover.CallError
		if !errors.As(err, &call) || call.Action != "ec2:AttachVolume" || call.Resource != "vol-1" || time.Since(began) != awsstep.CallTimeout {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestNothingIsChangedWithoutAFence(t *testing.T) {
	t.Parallel()
	call := func(context.Context, *string, ...func(*options)) (*int, error) {
		t.Error("called")
		return nil, nil
	}
	if _, err := awsstep.Change(t.Context(), &failover.Env{}, "ec2:AttachVolume", "vol-1", call, new(string)); !errors.Is(err, failover.ErrFenced) {
		t.Error(err)
	}
}

func TestPatienceEndsAfterAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p awsstep.Patience
		permanent := func(incident string, err error) bool {
			return errors.As(p.Judge(&failover.Env{Service: "orders", Incident: incident}, err), new(*backoff.PermanentError))
		}
		missing := error(&smithy.GenericAPIError{Code: "InvalidAMIID.NotFound"})
		if permanent("1", missing) {
			t.Error("at once")
		}
		time.Sleep(59 * time.Second)
		if permanent("1", missing) || permanent("2", missing) {
			t.Error("after 59 s, or in another incident at once")
		}
		time.Sleep(time.Second)
		if !permanent("1", missing) || permanent("2", missing) {
			t.Error("not after a minute, or in another incident after a second")
		}
		if permanent("1", &smithy.GenericAPIError{Code: "RequestLimitExceeded"}) || permanent("1", missing) || permanent("1", nil) {
			t.Error("after another error")
		}
	})
}

func TestMistakesAreAllTold(t *testing.T) {
	t.Parallel()
	m := awsstep.Mistakes{Needs: []string{"launch"}}
	m.Ref("Volume", failover.Ref{})
	m.IfGiven("Zone", failover.Ref{})
	m.IfGiven("Instance", failover.Output("restore", "x"))
	m.Text("Group", "")
	m.Some("Types", []string{"m7g.large", ""})
	m.NotNegative("MaxAge", -1)
	want := `failover: Volume: "" must be given
failover: Instance: "output x of step restore" must be of a step in Needs
failover: Group: "" must be given
failover: Types: [m7g.large ] must have at least one, and none that is empty
failover: MaxAge: -1ns must not be negative`
	if err := m.Err(); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	if err := new(awsstep.Mistakes).Err(); err != nil {
		t.Error(err)
	}
}
