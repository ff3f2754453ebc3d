package sqsscale_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// A burst comes to a queue that one instance works on. The capacity goes up, stays while there is work, and comes down again, without going
// to and fro; and no instance goes while a handler runs on it.
func TestABurstIsWorkedOffWithoutOscillation(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(*world){
		"undisturbed": func(*world) {},
		"with faults": func(w *world) {
			inject(w, w.cloud, awstest.Match{Service: service, Operation: "DescribeAutoScalingGroups", Probability: 0.3}, awstest.Stale(20*time.Second))
			inject(w, w.cloud, awstest.Match{Service: service, Operation: "SetDesiredCapacity", Probability: 0.3}, awstest.LoseReply())
			inject(w, w.cloud, awstest.Match{Service: service, Operation: "SetDesiredCapacity", Probability: 0.3}, awstest.Throttle())
			inject(w, w.cloud, awstest.Match{Service: sqs.ServiceID, Operation: "GetQueueAttributes", Probability: 0.2}, awstest.Unavailable())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, 1, 12, 1, func(w *world) {
				const messages = 1500
				f := &fleet{world: w, handler: 20 * time.Second, slots: 5}
				f.run()
				disturb(w)
				w.drive(w.Client, f.hints(2*time.Minute))
				time.Sleep(time.Minute)
				w.send(messages)
				took := w.until("all is handled", func() bool { return f.handled.Load() == messages })
				w.until("the group is small again", func() bool { return w.settled(1) })
				time.Sleep(20 * time.Minute)

				// 1500 messages of 20 s take 60 slots 500 s; the rest is for seeing them, and for instances to come.
				if took > 12*time.Minute {
					w.Errorf("it took %v", took)
				}
				most, turns, way := 0, 0, sqsscale.Out
				for _, e := range w.log() {
					if e.Applied {
						most = max(most, e.Decision.To)
						if e.Decision.Verdict != way {
							way = e.Decision.Verdict
							turns++
						}
					}
				}
				if most != 12 || turns != 1 {
					w.Errorf("%d instances at the most, and the way changed %d times: %v", most, turns, w.changes())
				}
				if w.desired() != 1 {
					w.Errorf("%d instances are left", w.desired())
				}
				if n := f.killed.Load(); n != 0 {
					w.Errorf("%d handlers were killed", n)
				}
				if n := f.handled.Load(); n != messages {
					w.Errorf("%d messages were handled, and %d sent", n, messages)
				}
			})
		})
	}
}
