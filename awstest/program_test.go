package awstest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/awsha/awsha/awstest"
)

func TestProgramEndsWithItsMachine(t *testing.T) {
	t.Parallel()
	for name, halt := range map[string]func(*fixture, *awstest.Instance){
		"without power":      func(_ *fixture, i *awstest.Instance) { i.Fail(awstest.PowerLoss) },
		"in a zone without":  func(_ *fixture, i *awstest.Instance) { i.Zone().Fail(awstest.PowerLoss) },
		"switched off":       func(f *fixture, i *awstest.Instance) { f.cloud.Update(func(tx *awstest.Tx) { tx.PowerOff(i) }) },
		"with the cloud":     func(f *fixture, _ *awstest.Instance) { _ = f.cloud.Close() },
		"if it does not run": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				i := f.instance("use1-az1", "10.0.0.1", "")
				if halt == nil {
					i.Fail(awstest.PowerLoss)
				}
				program, end := i.Program(t.Context())
				defer end()
				if halt != nil {
					i.Fail(awstest.NetworkLoss)() // which it goes on without
					time.Sleep(time.Hour)
					if program.Err() != nil {
						t.Fatal(context.Cause(program))
					}
					halt(f, i)
				}
				if !errors.Is(context.Cause(program), awstest.ErrHalted) {
					t.Errorf("it ends with %v", context.Cause(program))
				}
			})
		})
	}
}

func TestProgramEndsByItself(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	i := f.instance("use1-az1", "10.0.0.1", "")
	program, end := i.Program(t.Context())
	other, endOther := i.Program(t.Context())
	end()
	if !errors.Is(context.Cause(program), context.Canceled) {
		t.Errorf("it ends with %v", context.Cause(program))
	}
	i.Fail(awstest.PowerLoss)
	if errors.Is(context.Cause(program), awstest.ErrHalted) || !errors.Is(context.Cause(other), awstest.ErrHalted) {
		t.Errorf("then %v, and the other %v", context.Cause(program), context.Cause(other))
	}
	endOther()
	parent, cancel := context.WithCancelCause(t.Context())
	i2 := f.instance("use1-az2", "10.0.0.2", "")
	program, end = i2.Program(parent)
	defer end()
	why := errors.New("why")
	cancel(why)
	if !errors.Is(context.Cause(program), why) {
		t.Errorf("it ends with %v", context.Cause(program))
	}
}

// What a program asks for when its machine has lost its power does not get
// through, be it that the machine runs again.
func TestProgramOfAnEarlierBootIsNotHeard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault awstest.Fault
		heard bool
	}{
		"after a loss of power":       {awstest.PowerLoss, false},
		"after a loss of the network": {awstest.NetworkLoss, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				i := f.instance("use1-az1", "10.0.0.1", "")
				program, end := i.Program(t.Context())
				defer end()
				heal := i.Fail(c.fault)
				never, endNever := i.Program(t.Context())
				defer endNever()
				time.AfterFunc(time.Second, heal)
				client := sts.NewFromConfig(i.Config(), func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
				ask := func(ctx context.Context) error {
					_, err := client.GetCallerIdentity(context.WithoutCancel(ctx), nil)
					return err
				}
				for range 2 { // the machine is down, and up again
					if err := ask(program); (err == nil) != c.heard {
						t.Errorf("got %v", err)
					}
				}
				if err := ask(never); (err == nil) != c.heard {
					t.Errorf("a program that never ran got %v", err)
				}
				if err := ask(t.Context()); err != nil {
					t.Errorf("a new program got %v", err)
				}
				if n := len(f.cloud.Calls(awstest.Match{Service: "STS"})); n != 4 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

func TestBootStartsWhatRunsOnAMachine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type boot struct{ id, end string }
		var boots []boot
		f := newFixture(t, func(o *awstest.Options) {
			o.OnBoot = func(i *awstest.Instance, n int) {
				if n == 1 {
					if _, err := i.Serve(80, named("web")); err != nil {
						t.Error(err)
					}
				}
				go func() {
					program, end := i.Program(t.Context())
					defer end()
					<-program.Done()
					boots = append(boots, boot{fmt.Sprint(i.ID(), " ", n), context.Cause(program).Error()})
				}()
			}
		})
		a := f.instance("use1-az1", "10.0.0.1", "203.0.113.1")
		synctest.Wait()
		heal := a.Zone().Fail(awstest.PowerLoss)
		synctest.Wait()
		heal()
		f.expectReply("203.0.113.1", "web")
		synctest.Wait()
		f.cloud.Update(func(tx *awstest.Tx) { tx.PowerOff(a) })
		synctest.Wait()
		halted := awstest.ErrHalted.Error()
		want := []boot{{a.ID() + " 1", halted}, {a.ID() + " 2", halted}}
		if !slices.Equal(boots, want) {
			t.Errorf("got %v, want %v", boots, want)
		}
	})
}
