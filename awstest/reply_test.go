package awstest_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

// poll is an adapter with a long poll: GetCallerIdentity waits for AssumeRole,
// or for twenty seconds.
type poll struct {
	waiting  []*awstest.Reply[sts.GetCallerIdentityOutput]
	answered []time.Duration // how long each caller has been gone when it is answered; -1 for those who are there
}

func (p *poll) service(r *awstest.Registry) error {
	e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
	awstest.HandleLater(e, func(tx *awstest.Tx, _ *awstest.Call, _ *sts.GetCallerIdentityInput, reply *awstest.Reply[sts.GetCallerIdentityOutput]) {
		p.waiting = append(p.waiting, reply)
		tx.Schedule(tx.Now().Add(20*time.Second), func(tx *awstest.Tx) { reply.Send(tx, nil, awstest.Errorf("Nothing", "came")) })
	})
	awstest.Handle(e, func(tx *awstest.Tx, _ *awstest.Call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
		for _, reply := range p.waiting {
			away := time.Duration(-1)
			if since, gone := reply.Gone(tx); gone {
				away = tx.Now().Sub(since)
			}
			p.answered = append(p.answered, away)
			reply.Send(tx, &sts.GetCallerIdentityOutput{Account: in.RoleSessionName}, nil)
		}
		p.waiting = nil
		return &sts.AssumeRoleOutput{}, nil
	}, "RoleArn", "RoleSessionName")
	return e.Err()
}

// inPoll runs a test in a bubble, with a cloud that has a long poll.
func inPoll(t *testing.T, test func(*fixture, *poll)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &poll{}
		cloud, err := awstest.New([]awstest.Service{p.service})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(&fixture{TB: t, cloud: cloud, client: sts.NewFromConfig(cloud.Config("us-east-1"))}, p)
	})
}

// pollOnce polls, without the SDK's retries.
func (f *fixture) pollOnce(ctx context.Context, from aws.Config) (string, error) {
	f.Helper()
	out, err := sts.NewFromConfig(from).GetCallerIdentity(ctx, nil, func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		return "", err
	}
	return *out.Account, nil
}

func TestLaterReplyWakesItsCaller(t *testing.T) {
	t.Parallel()
	inPoll(t, func(f *fixture, p *poll) {
		start := time.Now()
		time.AfterFunc(5*time.Second, func() { _ = f.add() })
		got, err := f.pollOnce(f.Context(), f.cloud.Config("us-east-1"))
		if err != nil || got != "session" {
			f.Fatal(got, err)
		}
		if d := took(start); d != 5*time.Second+time.Millisecond {
			f.Errorf("it took %v", d)
		}
		r := f.cloud.Calls(awstest.Match{Service: "STS", Operation: "GetCallerIdentity"})[0]
		if out, ok := r.Output.(*sts.GetCallerIdentityOutput); !ok || *out.Account != "session" || !r.Applied || r.End.Sub(r.Start) != took(start) {
			f.Errorf("the ledger has %+v", r)
		}
	})
}

func TestLaterReplyIsTheFirst(t *testing.T) {
	t.Parallel()
	inPoll(t, func(f *fixture, p *poll) {
		start := time.Now()
		_, err := f.pollOnce(f.Context(), f.cloud.Config("us-east-1"))
		if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "Nothing" {
			f.Errorf("got %v", err)
		}
		if d := took(start); d != 20*time.Second+time.Millisecond {
			f.Errorf("it took %v", d)
		}
		if err := f.add(); err != nil { // answers once more
			f.Fatal(err)
		}
		if r := f.cloud.Calls(awstest.Match{Service: "STS", Operation: "GetCallerIdentity"})[0]; r.Err == nil || r.Output != nil || r.Applied {
			f.Errorf("the ledger has %+v", r)
		}
	})
}

// A handler that has neither an output nor an error to give has not failed.
func TestReplyOfNothingIsEmpty(t *testing.T) {
	t.Parallel()
	cloud, err := awstest.New([]awstest.Service{func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
		awstest.HandleLater(e, func(tx *awstest.Tx, _ *awstest.Call, _ *sts.GetCallerIdentityInput, reply *awstest.Reply[sts.GetCallerIdentityOutput]) {
			reply.Send(tx, nil, nil)
		})
		return e.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := sts.NewFromConfig(cloud.Config("us-east-1")).GetCallerIdentity(t.Context(), nil)
	if err != nil || out == nil || out.Account != nil {
		t.Error(out, err)
	}
}

func TestCallerWhoIsGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave func(*fixture, *awstest.Instance) context.Context
		want  func(error) bool
		away  time.Duration
	}{
		"cancels": {
			leave: func(f *fixture, _ *awstest.Instance) context.Context {
				ctx, cancel := context.WithCancel(f.Context())
				time.AfterFunc(2*time.Second, cancel)
				return ctx
			},
			want: func(err error) bool { return errors.Is(err, context.Canceled) },
			away: 8*time.Second + time.Millisecond,
		},
		"is out of time": {
			leave: func(f *fixture, _ *awstest.Instance) context.Context {
				ctx, cancel := context.WithTimeout(f.Context(), 3*time.Second)
				f.Cleanup(cancel)
				return ctx
			},
			want: func(err error) bool { return errors.Is(err, context.DeadlineExceeded) },
			away: 7*time.Second + time.Millisecond,
		},
		"is out of time at the instant of the answer": {
			leave: func(f *fixture, _ *awstest.Instance) context.Context {
				ctx, cancel := context.WithTimeout(f.Context(), 10*time.Second+time.Millisecond)
				f.Cleanup(cancel)
				return ctx
			},
			want: func(err error) bool { return errors.Is(err, context.DeadlineExceeded) },
			away: -2, // either order
		},
		"loses its network": {
			leave: func(f *fixture, i *awstest.Instance) context.Context {
				time.AfterFunc(4*time.Second, func() { i.Fail(awstest.NetworkLoss) })
				return f.Context()
			},
			want: func(err error) bool { return errors.Is(err, syscall.ECONNRESET) },
			away: 6*time.Second + time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inPoll(t, func(f *fixture, p *poll) {
				i := f.instance("use1-az1", "10.0.0.1", "")
				time.AfterFunc(10*time.Second, func() { _ = f.add() })
				got, err := f.pollOnce(c.leave(f, i), i.Config())
				if !c.want(err) {
					f.Errorf("got %q, %v", got, err)
				}
				time.Sleep(time.Minute)
				if c.away == -2 {
					return
				}
				f.cloud.Update(func(*awstest.Tx) {
					if diff := cmp.Diff([]time.Duration{c.away}, p.answered); diff != "" {
						f.Error(diff)
					}
				})
				r := f.cloud.Calls(awstest.Match{Service: "STS", Operation: "GetCallerIdentity"})[0]
				if !r.Applied || r.Output != nil || r.Err == nil {
					f.Errorf("the ledger has %+v", r)
				}
			})
		})
	}
}

func TestCloseEndsAPoll(t *testing.T) {
	t.Parallel()
	inPoll(t, func(f *fixture, _ *poll) {
		time.AfterFunc(time.Second, func() { _ = f.cloud.Close() })
		if _, err := f.pollOnce(f.Context(), f.cloud.Config("us-east-1")); !errors.Is(err, awstest.ErrClosed) {
			f.Error(err)
		}
	})
}

func TestFaultsStrikeLaterReplies(t *testing.T) {
	t.Parallel()
	reading := awstest.Match{Service: "STS", Operation: "GetCallerIdentity", Times: 1}
	for name, c := range map[string]struct {
		effect awstest.Effect
		took   time.Duration
		want   func(error) bool
	}{
		"the reply is lost":         {awstest.LoseReply(), 5 * time.Second, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }},
		"the reply is late":         {awstest.DelayReply(time.Second), 6 * time.Second, func(err error) bool { return err == nil }},
		"rejected after the effect": {awstest.ApplyThenReject(awstest.APIError{Code: "Oops"}), 5 * time.Second, func(err error) bool { return err != nil && strings.Contains(err.Error(), "Oops") }},
		"rejected":                  {awstest.Throttle(), 0, func(err error) bool { return err != nil && strings.Contains(err.Error(), "Throttling") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inPoll(t, func(f *fixture, _ *poll) {
				f.inject(reading, c.effect)
				start := time.Now()
				time.AfterFunc(5*time.Second, func() { _ = f.add() })
				_, err := f.pollOnce(f.Context(), f.cloud.Config("us-east-1"))
				if !c.want(err) {
					f.Error(err)
				}
				if d := took(start); d != c.took+time.Millisecond {
					f.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestBodyIsReadBeforeTheCloudIsLocked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got string
		source := func() io.Reader { return strings.NewReader("whole") }
		cloud, err := awstest.New([]awstest.Service{func(r *awstest.Registry) error {
			e := r.Add(awstest.ServiceSpec{ID: sts.ServiceID})
			awstest.HandleBody(e, func(*sts.GetCallerIdentityInput) io.Reader { return source() },
				func(_ *awstest.Tx, _ *awstest.Call, _ *sts.GetCallerIdentityInput, data []byte) (*sts.GetCallerIdentityOutput, error) {
					got = string(data)
					return &sts.GetCallerIdentityOutput{Account: aws.String("1")}, nil
				})
			return e.Err()
		}})
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{TB: t, cloud: cloud}
		if _, err := f.pollOnce(t.Context(), cloud.Config("us-east-1")); err != nil || got != "whole" {
			t.Errorf("got %q, %v", got, err)
		}

		// A stream may use the cloud, and may be slow.
		source = func() io.Reader {
			time.Sleep(time.Minute)
			cloud.Update(func(*awstest.Tx) {})
			return iotest.OneByteReader(strings.NewReader("slowly"))
		}
		if _, err := f.pollOnce(t.Context(), cloud.Config("us-east-1")); err != nil || got != "slowly" {
			t.Errorf("got %q, %v", got, err)
		}

		got = ""
		broken := errors.New("broken")
		source = func() io.Reader { return io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)) }
		if _, err := f.pollOnce(t.Context(), cloud.Config("us-east-1")); !errors.Is(err, broken) || got != "" {
			t.Errorf("a stream that broke: got %q, %v", got, err)
		}

		source = func() io.Reader { return nil }
		if _, err := f.pollOnce(t.Context(), cloud.Config("us-east-1")); err != nil || got != "" {
			t.Errorf("no stream: got %q, %v", got, err)
		}
	})
}
