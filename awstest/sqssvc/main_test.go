package sqssvc_test

import (
	"context"
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const home = "us-east-1"

// world is a cloud with SQS in it, and a client.
type world struct {
	testing.TB
	*sqs.Client
	cloud *awstest.Cloud
	start time.Time
}

func newWorld(t testing.TB, cloud *awstest.Cloud) *world {
	return &world{TB: t, Client: sqs.NewFromConfig(cloud.Config(home)), cloud: cloud, start: time.Now()}
}

// inBubble runs a test in a bubble, on a cloud that is closed without problems
// in the end.
func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	inBubbleWith(t, func(*sqssvc.Options) {}, test, optFns...)
}

func inBubbleWith(t *testing.T, options func(*sqssvc.Options), test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	svctest.InBubble(t, []awstest.Service{sqssvc.New(options)}, func(t *testing.T, c *awstest.Cloud) { test(newWorld(t, c)) }, optFns...)
}

func must[T any](v T, err error) func(testing.TB) T { return svctest.Must(v, err) }

// wantCode asserts the code of an error; "" is success.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if code != "" {
		svctest.WantCode(t, err, code)
	} else if err != nil {
		t.Errorf("got %v", err)
	}
}

// set describes attributes of a queue: "VisibilityTimeout=10".
func set(pairs ...string) map[string]string {
	m := map[string]string{}
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		m[k] = v
	}
	return m
}

// queue makes a queue and returns its URL. A name that ends in .fifo makes a
// FIFO queue.
func (w *world) queue(name string, attributes ...string) string {
	w.Helper()
	if strings.HasSuffix(name, ".fifo") {
		attributes = append(attributes, "FifoQueue=true")
	}
	return *must(w.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: set(attributes...)}))(w).QueueUrl
}

func arn(name string) string { return "arn:aws:sqs:" + home + ":123456789012:" + name }

// redriveTo is the attribute of a queue that has a dead-letter queue.
func redriveTo(name string, receives int) string {
	return fmt.Sprintf(`RedrivePolicy={"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, arn(name), receives)
}

// send sends messages; in a FIFO queue "group:body" has a group, and bodies
// are deduplication IDs.
func (w *world) send(url string, bodies ...string) {
	w.Helper()
	for _, body := range bodies {
		must(w.SendMessage(w.Context(), message(url, body)))(w)
	}
}

func message(url, body string) *sqs.SendMessageInput {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
	if strings.HasSuffix(url, ".fifo") {
		group, _, _ := strings.Cut(body, ":")
		in.MessageGroupId, in.MessageDeduplicationId = &group, &body
	}
	return in
}

func receiveInput(url string, changes ...func(*sqs.ReceiveMessageInput)) *sqs.ReceiveMessageInput {
	in := &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}}
	for _, change := range changes {
		change(in)
	}
	return in
}

// Changes of a receive.

func atMost(n int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = n }
}

func waiting(d time.Duration) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = int32(d / time.Second) }
}

func hiddenFor(d time.Duration) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = int32(d / time.Second) }
}

func attempt(id string) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.ReceiveRequestAttemptId = &id }
}

func (w *world) receive(url string, changes ...func(*sqs.ReceiveMessageInput)) []types.Message {
	w.Helper()
	return must(w.ReceiveMessage(w.Context(), receiveInput(url, changes...)))(w).Messages
}

// one receives a single message, which must be there.
func (w *world) one(url string, changes ...func(*sqs.ReceiveMessageInput)) types.Message {
	w.Helper()
	got := w.receive(url, append(changes, atMost(1))...)
	if len(got) != 1 {
		w.Fatalf("after %v: received nothing", time.Since(w.start))
	}
	return got[0]
}

func bodies(messages []types.Message) (list []string) {
	for _, m := range messages {
		list = append(list, *m.Body)
	}
	return list
}

// gets asserts what a receive gets, in order.
func (w *world) gets(url string, want []string, changes ...func(*sqs.ReceiveMessageInput)) []types.Message {
	w.Helper()
	got := w.receive(url, changes...)
	if !slices.Equal(bodies(got), want) {
		w.Errorf("after %v: received %q, want %q", time.Since(w.start), bodies(got), want)
	}
	return got
}

func (w *world) remove(url string, m types.Message) error {
	_, err := w.DeleteMessage(w.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

func (w *world) hide(url string, m types.Message, d time.Duration) error {
	_, err := w.ChangeMessageVisibility(w.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(d / time.Second)})
	return err
}

// attributes returns attributes of a queue, "All" unless names are given.
func (w *world) attributes(url string, wanted ...string) map[string]string {
	w.Helper()
	if len(wanted) == 0 {
		wanted = []string{"All"}
	}
	return must(w.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names(wanted...)}))(w).Attributes
}

// counts asserts the numbers of messages that wait, are in flight and are
// delayed.
func (w *world) counts(url string, want ...int) {
	w.Helper()
	a := w.attributes(url)
	got := []string{a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"]}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("after %v: numbers of messages %v, want %v", time.Since(w.start), got, want)
	}
}

func (w *world) inject(operation string, e awstest.Effect) (heal func()) {
	w.Helper()
	return must(w.cloud.Inject(awstest.Match{Service: sqs.ServiceID, Operation: operation}, e))(w)
}

// once injects an effect for the next call of an operation.
func (w *world) once(operation string, e awstest.Effect) {
	w.Helper()
	must(w.cloud.Inject(awstest.Match{Service: sqs.ServiceID, Operation: operation, Times: 1}, e))(w)
}

// later runs fn, which is a call, in another goroutine, gives it the time to
// arrive, and returns what waits for it.
func later(fn func()) (wait func()) {
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	time.Sleep(2 * time.Millisecond)
	return func() { <-done }
}

// names makes names of attributes.
func names(list ...string) (n []types.QueueAttributeName) {
	for _, name := range list {
		n = append(n, types.QueueAttributeName(name))
	}
	return n
}

func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// within returns a context that ends after a while.
func (w *world) within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(w.Context(), d)
}

// entries makes the entries of a batch, whose IDs are their places.
func entries(bodies ...string) (list []types.SendMessageBatchRequestEntry) {
	for i, body := range bodies {
		list = append(list, types.SendMessageBatchRequestEntry{Id: new(fmt.Sprint(i)), MessageBody: &body})
	}
	return list
}

// unexported passes over what the SDK's types keep to themselves.
var unexported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && !ast.IsExported(field.Name())
}, cmp.Ignore())
