package rehearsal_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
)

// A trial is one service in a cloud of its own. Its calls are sent once.
type trial struct {
	*testing.T
	subject
	calls
	cloud *awstest.Cloud
	cfg   aws.Config // of clients without retries
}

// everyService runs a test for each service, in bubbles of their own.
func everyService(t *testing.T, test func(*trial)) {
	t.Helper()
	t.Parallel()
	for _, s := range subjects {
		t.Run(s.service, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud := newCloud(t)
				cfg := cloud.Config("us-east-1")
				cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
				tr := &trial{T: t, subject: s, calls: s.prepare(t, cfg), cloud: cloud, cfg: cfg}
				if tr.sure == nil {
					tr.sure = tr.look
				}
				time.Sleep(time.Hour) // what was made to prepare is no news
				test(tr)
			})
		})
	}
}

func (tr *trial) inject(operation string, e awstest.Effect) (heal func()) {
	tr.Helper()
	heal, err := tr.cloud.Inject(awstest.Match{Service: tr.service, Operation: operation}, e)
	if err != nil {
		tr.Fatal(err)
	}
	return heal
}

// changes makes a change, and asserts what it tells and whether it is made, once the fault is healed.
func (tr *trial) changes(ctx context.Context, heal func(), made int, tells func(error) bool) {
	tr.Helper()
	before, err := tr.sure(tr.Context(), tr.cfg)
	if err != nil {
		tr.Fatal(err)
	}
	if err := tr.calls.change(ctx, tr.cfg); !tells(err) {
		tr.Errorf("%s tells %v", tr.subject.change, err)
	}
	heal()
	time.Sleep(time.Minute)
	after, err := tr.sure(tr.Context(), tr.cfg)
	if err != nil {
		tr.Fatal(err)
	}
	if after-before != made {
		tr.Errorf("%d changes are made, and not %d", after-before, made)
	}
}

func code(want string) func(error) bool {
	return func(err error) bool {
		api, ok := errors.AsType[smithy.APIError](err)
		return ok && api.ErrorCode() == want
	}
}

func refused(err error) bool {
	_, ok := errors.AsType[smithy.APIError](err)
	return ok
}

func TestRejectedCallsChangeNothing(t *testing.T) {
	everyService(t, func(tr *trial) {
		for name, e := range map[string]awstest.Effect{
			"rejected": awstest.Reject(awstest.APIError{Code: "Whatever", Status: 500}),
			"denied":   awstest.Deny(), "throttled": awstest.Throttle(), "unavailable": awstest.Unavailable(),
		} {
			tells := refused
			if name == "rejected" {
				tells = code("Whatever")
			}
			tr.changes(tr.Context(), tr.inject(tr.subject.change, e), 0, tells)
		}
	})
}

func TestServiceThatIsDownInARegion(t *testing.T) {
	everyService(t, func(tr *trial) {
		heal, err := tr.cloud.FailService(tr.service, "us-east-1")
		if err != nil {
			tr.Fatal(err)
		}
		if _, err := tr.look(tr.Context(), tr.cfg); !refused(err) {
			tr.Errorf("a read tells %v", err)
		}
		heal()
		tr.changes(tr.Context(), func() {}, 1, func(err error) bool { return err == nil })
	})
}

func TestLostRepliesAreOfChangesThatAreMade(t *testing.T) {
	everyService(t, func(tr *trial) {
		lost := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
		tr.changes(tr.Context(), tr.inject(tr.subject.change, awstest.LoseReply()), 1, lost)
		e := awstest.ApplyThenReject(awstest.APIError{Code: "InternalFailure", Status: 500})
		tr.changes(tr.Context(), tr.inject(tr.subject.change, e), 1, code("InternalFailure"))
	})
}

func TestSlowCalls(t *testing.T) {
	everyService(t, func(tr *trial) {
		patience := func() context.Context {
			ctx, cancel := context.WithTimeout(tr.Context(), 30*time.Second)
			tr.Cleanup(cancel)
			return ctx
		}
		fine := func(err error) bool { return err == nil }
		givenUp := func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

		start := time.Now()
		tr.changes(patience(), tr.inject(tr.subject.change, awstest.Delay(20*time.Second)), 1, fine)
		if d := time.Since(start); d < 20*time.Second {
			tr.Errorf("it took %v", d)
		}
		tr.changes(patience(), tr.inject(tr.subject.change, awstest.Delay(time.Minute)), 0, givenUp)
		tr.changes(patience(), tr.inject(tr.subject.change, awstest.DelayReply(time.Minute)), 1, givenUp)
		tr.changes(patience(), tr.inject(tr.subject.change, awstest.Hang()), 0, givenUp)

		heal := tr.inject(tr.subject.change, awstest.Hang())
		time.AfterFunc(10*time.Second, heal)
		tr.changes(patience(), heal, 1, fine)
	})
}

func TestStaleReads(t *testing.T) {
	everyService(t, func(tr *trial) {
		heal := tr.inject(tr.read, awstest.Stale(10*time.Second))
		before, err := tr.look(tr.Context(), tr.cfg)
		if err != nil {
			tr.Fatal(err)
		}
		if err := tr.calls.change(tr.Context(), tr.cfg); err != nil {
			tr.Fatal(err)
		}
		see := func(when string, want int) {
			if n, err := tr.look(tr.Context(), tr.cfg); err != nil || n != want {
				tr.Errorf("%s: %d changes are seen, and not %d (%v)", when, n-before, want-before, err)
			}
		}
		if tr.consistent {
			see("at once", before+1)
			heal()
			return
		}
		see("at once", before)
		time.Sleep(9 * time.Second)
		see("after nine seconds", before)
		time.Sleep(2 * time.Second)
		see("after eleven seconds", before+1)
		heal()
	})
}

func TestSecondWriterInTheMiddleOfACall(t *testing.T) {
	everyService(t, func(tr *trial) {
		for _, around := range []func(func(context.Context, awstest.Record)) awstest.Effect{awstest.Before, awstest.After} {
			e := around(func(ctx context.Context, r awstest.Record) {
				if r.Operation != tr.subject.change {
					tr.Errorf("the record is of %s", r.Operation)
				}
				if err := tr.calls.change(ctx, tr.cfg); err != nil {
					tr.Error(err)
				}
			})
			heal, err := tr.cloud.Inject(awstest.Match{Service: tr.service, Operation: tr.subject.change, Times: 1}, e)
			if err != nil {
				tr.Fatal(err)
			}
			tr.changes(tr.Context(), heal, 2, func(err error) bool { return err == nil })
		}
	})
}

// The SDK repeats what was throttled, and what it has lost the reply of.
func TestRetriesGetThrough(t *testing.T) {
	everyService(t, func(tr *trial) {
		retrying := tr.cloud.Config("us-east-1")
		for range 2 {
			heal, err := tr.cloud.Inject(awstest.Match{Service: tr.service, Operation: tr.read, Times: 2}, awstest.Throttle())
			if err != nil {
				tr.Fatal(err)
			}
			before := tr.cloud.Count(tr.service, tr.read)
			if _, err := tr.look(tr.Context(), retrying); err != nil {
				tr.Error(err)
			}
			if n := tr.cloud.Count(tr.service, tr.read) - before; n != 3 {
				tr.Errorf("%d attempts", n)
			}
			heal()
		}
	})
}

// Who has no network reaches no service, and who has lost it on the way has made a change that it does not know of.
func TestCallersThatAreCutOff(t *testing.T) {
	everyService(t, func(tr *trial) {
		machine := newMachine(tr.T, tr.cloud, "use1-az1")
		from := machine.Config()
		from.Retryer = tr.cfg.Retryer
		before, err := tr.sure(tr.Context(), tr.cfg)
		if err != nil {
			tr.Fatal(err)
		}
		zone := machine.Zone()
		heal := zone.Fail(awstest.NetworkLoss)
		if err := tr.calls.change(tr.Context(), from); err == nil || refused(err) {
			tr.Errorf("cut off, it gets %v", err)
		}
		heal()
		tr.inject(tr.subject.change, awstest.After(func(context.Context, awstest.Record) { zone.Fail(awstest.PowerLoss) }))
		if err := tr.calls.change(tr.Context(), from); err == nil || refused(err) {
			tr.Errorf("dead, it gets %v", err)
		}
		time.Sleep(time.Minute)
		if n, err := tr.sure(tr.Context(), tr.cfg); err != nil || n != before+1 {
			tr.Errorf("%d changes are made, and not 1 (%v)", n-before, err)
		}
	})
}
