package sqsscale_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// crew are the workers of a queue, one on each instance of the group.
type crew struct {
	*site
	queue   string
	options func(*sqsscale.ProtectOptions)
	random  *rand.Rand
	started map[string]bool // by instance
	all     sync.WaitGroup

	mu      sync.Mutex
	handled map[string]int // by body
	cut     int            // handlers that did not end by themselves
	busy    int            // instances that were chosen with handlers
	results []error        // of Run
}

// recruit starts a worker on each instance that has come up. It may be on its way out by then: without a worker, its group would wait
// for the whole timeout of the hook.
func (c *crew) recruit() {
	c.Helper()
	for _, i := range c.members() {
		if c.started[*i.InstanceId] || i.LifecycleState != types.LifecycleStateInService && i.LifecycleState != types.LifecycleStateTerminatingWait {
			continue
		}
		c.started[*i.InstanceId] = true
		machine, ok := c.cloud.Instance(*i.InstanceId)
		if !ok {
			continue
		}
		alive, end := machine.Program(c.Context())
		handler := queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error { return c.handle(ctx, alive, m) })
		worker, err := queueworker.New(sqs.NewFromConfig(machine.Config()), c.queue, handler, func(o *queueworker.Options) {
			o.Concurrency, o.DrainTimeout = 4, 2*time.Hour
		})
		if err != nil {
			c.Fatal(err)
		}
		protector, err := sqsscale.NewProtector(autoscaling.NewFromConfig(machine.Config()), sqsscale.Instance{ID: *i.InstanceId, Group: "g"},
			func() int { return worker.Stats().Running }, func(o *sqsscale.ProtectOptions) {
				o.Hook, o.Metadata = drainHook, imds.NewFromConfig(machine.Config())
				o.OnEvent = func(_ context.Context, e sqsscale.ProtectEvent) {
					if e.Kind == sqsscale.TerminationNoticed && worker.Stats().Running > 0 {
						c.mu.Lock()
						defer c.mu.Unlock()
						c.busy++
					}
				}
				c.options(o)
			})
		if err != nil {
			c.Fatal(err)
		}
		c.all.Go(func() {
			defer end()
			err := protector.Run(alive, worker.Run)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.results = append(c.results, err)
		})
	}
}

// handle takes as many seconds as the body says.
func (c *crew) handle(ctx, alive context.Context, m *queueworker.Message) error {
	n, err := strconv.Atoi(m.Body[:4])
	if err != nil {
		c.Error(err)
	}
	cut := true
	select {
	case <-time.After(time.Duration(n) * time.Second):
		cut = false
	case <-ctx.Done(): // the lease is lost
	case <-alive.Done(): // the machine is off, and what ran on it does not run any more
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cut {
		c.cut++
		return errors.New("cut off")
	}
	c.handled[m.Body]++
	return nil
}

func (c *crew) progress() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.handled)
}

// The capacity goes up and down at random while handlers run that take up to half an hour, and Auto Scaling throttles, fails and loses
// answers: no handler is cut off, no message is handled twice, and the group gets where it is to be.
func TestNoHandlerIsCutOffByAScaleIn(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(*sqsscale.ProtectOptions){
		"both ways": func(*sqsscale.ProtectOptions) {}, "by the hook": hookOnly, "by the hook, without metadata": func(o *sqsscale.ProtectOptions) { hookOnly(o); noMetadata(o) },
	} {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("%s, seed %d", name, seed), func(t *testing.T) {
			t.Parallel()
			onSite(t, 6, func(s *site) {
				c := &crew{site: s, options: options, random: rand.New(rand.NewPCG(seed, 0)), handled: map[string]int{}, started: map[string]bool{}}
				client := sqs.NewFromConfig(s.cloud.Config("us-east-1"))
				out, err := client.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: aws.String("work")})
				if err != nil {
					s.Fatal(err)
				}
				c.queue = *out.QueueUrl
				const messages = 60
				for i := range messages {
					body := fmt.Sprintf("%04d s, message %d", 1+c.random.IntN(1800), i)
					if _, err := client.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: &c.queue, MessageBody: &body}); err != nil {
						s.Fatal(err)
					}
				}
				var heals []func()
				for _, operation := range []string{setProtection, "DescribeLifecycleHooks", "DescribeAutoScalingInstances", recordHeartbeat, completeAction} {
					for _, effect := range []awstest.Effect{awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply()} {
						heals = append(heals, inject(s, s.cloud, awstest.Match{Service: autoscaling.ServiceID, Operation: operation, Probability: 0.15}, effect))
					}
				}
				changes := 0
				for rounds := 1; c.progress() < messages && rounds < 10_000; rounds++ {
					time.Sleep(10 * time.Second)
					c.recruit()
					if rounds%30 == 0 { // every five minutes, down and up
						s.desire([]int32{1 + c.random.Int32N(2), 4 + c.random.Int32N(3)}[changes%2])
						changes++
					}
				}
				s.desire(0)
				took := s.until("all have gone", func() bool {
					c.recruit() // one may have come into service last
					return len(s.members()) == 0
				})
				c.all.Wait()
				for _, heal := range heals {
					heal()
				}
				c.mu.Lock()
				defer c.mu.Unlock()
				for body, n := range c.handled {
					if n != 1 {
						s.Errorf("%q was handled %d times", body, n)
					}
				}
				told := fmt.Sprintf("%d messages handled, %d handlers cut off; %d changes of capacity, %d instances, of which %d were chosen with handlers",
					len(c.handled), c.cut, changes, len(c.results), c.busy)
				if len(c.handled) != messages || c.cut != 0 || changes < 3 || len(c.results) < 6 || name != "both ways" && c.busy == 0 {
					s.Error(told)
				}
				s.Log(told)
				if took > 5*time.Minute {
					s.Errorf("the end took %v", took)
				}
				for _, err := range c.results {
					if err != nil && !errors.Is(err, context.Canceled) {
						s.Logf("a worker ended with %v", err) // its machine did, with the answer to its completion
					}
				}
			}, withHook(5*time.Minute))
		})
	}
}
