package sqssvc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

func (w *world) create(name string, attributes ...string) error {
	_, err := w.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: set(attributes...)})
	return err
}

func TestCreateQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		name       string
		attributes []string
		code       string
	}{
		"a new name":                             {"other", nil, ""},
		"the same without attributes":            {"jobs", nil, ""},
		"the same with some of the attributes":   {"jobs", []string{"DelaySeconds=1"}, ""},
		"the same with a default":                {"jobs", []string{"VisibilityTimeout=30"}, ""},
		"the same with another value":            {"jobs", []string{"DelaySeconds=2"}, "QueueAlreadyExists"},
		"the same with an unknown attribute":     {"jobs", []string{"Colour=red"}, "InvalidAttributeName"},
		"the same with another default":          {"jobs", []string{"VisibilityTimeout=31"}, "QueueAlreadyExists"},
		"FIFO":                                   {"new.fifo", []string{"FifoQueue=true"}, ""},
		"the same FIFO":                          {"jobs.fifo", []string{"FifoQueue=true"}, ""},
		"FIFO without the attribute":             {"new.fifo", nil, "InvalidParameterValue"},
		"FIFO without the suffix":                {"new", []string{"FifoQueue=true"}, "InvalidParameterValue"},
		"standard that says so":                  {"new", []string{"FifoQueue=false"}, "InvalidAttributeName"},
		"an attribute of FIFO on standard":       {"new", []string{"ContentBasedDeduplication=true"}, "InvalidAttributeName"},
		"an unknown attribute":                   {"new", []string{"Colour=red"}, "InvalidAttributeName"},
		"a number of messages":                   {"new", []string{"ApproximateNumberOfMessages=1"}, "InvalidAttributeName"},
		"a name of 80 characters":                {strings.Repeat("a", 80), nil, ""},
		"a name of 81 characters":                {strings.Repeat("a", 81), nil, "InvalidParameterValue"},
		"a FIFO name of 81 characters":           {strings.Repeat("a", 76) + ".fifo", []string{"FifoQueue=true"}, "InvalidParameterValue"},
		"no name":                                {"", nil, "InvalidParameterValue"},
		"a name that is a suffix":                {".fifo", []string{"FifoQueue=true"}, "InvalidParameterValue"},
		"a name with a slash":                    {"a/b", nil, "InvalidParameterValue"},
		"a timeout of 12 hours":                  {"new", []string{"VisibilityTimeout=43200"}, ""},
		"a longer timeout":                       {"new", []string{"VisibilityTimeout=43201"}, "InvalidAttributeValue"},
		"a negative timeout":                     {"new", []string{"VisibilityTimeout=-1"}, "InvalidAttributeValue"},
		"a timeout that is no number":            {"new", []string{"VisibilityTimeout=x"}, "InvalidAttributeValue"},
		"a retention of a minute":                {"new", []string{"MessageRetentionPeriod=60"}, ""},
		"a shorter retention":                    {"new", []string{"MessageRetentionPeriod=59"}, "InvalidAttributeValue"},
		"a retention of 14 days":                 {"new", []string{"MessageRetentionPeriod=1209600"}, ""},
		"a longer retention":                     {"new", []string{"MessageRetentionPeriod=1209601"}, "InvalidAttributeValue"},
		"a delay of 15 minutes":                  {"new", []string{"DelaySeconds=900"}, ""},
		"a longer delay":                         {"new", []string{"DelaySeconds=901"}, "InvalidAttributeValue"},
		"a wait of 20 seconds":                   {"new", []string{"ReceiveMessageWaitTimeSeconds=20"}, ""},
		"a longer wait":                          {"new", []string{"ReceiveMessageWaitTimeSeconds=21"}, "InvalidAttributeValue"},
		"a message size of 1 MiB":                {"new", []string{"MaximumMessageSize=1048576"}, ""},
		"a larger message size":                  {"new", []string{"MaximumMessageSize=1048577"}, "InvalidAttributeValue"},
		"a message size below 1 KiB":             {"new", []string{"MaximumMessageSize=1023"}, "InvalidAttributeValue"},
		"both kinds of encryption":               {"new", []string{"KmsMasterKeyId=k", "SqsManagedSseEnabled=true"}, "InvalidAttributeName"},
		"a key is reused for less than a minute": {"new", []string{"KmsMasterKeyId=k", "KmsDataKeyReusePeriodSeconds=59"}, "InvalidAttributeValue"},
		"throughput per group": {
			"new.fifo", []string{"FifoQueue=true", "DeduplicationScope=messageGroup", "FifoThroughputLimit=perMessageGroupId"}, "",
		},
		"throughput per group, deduplication per queue": {
			"new.fifo", []string{"FifoQueue=true", "FifoThroughputLimit=perMessageGroupId"}, "InvalidAttributeValue",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.queue("jobs", "DelaySeconds=1")
				w.queue("jobs.fifo")
				wantCode(w, w.create(c.name, c.attributes...), c.code)
			})
		})
	}
}

func TestAttributesOfAQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		created := fmt.Sprint(time.Now().Unix())
		standard := set("ApproximateNumberOfMessages=0", "ApproximateNumberOfMessagesDelayed=0", "ApproximateNumberOfMessagesNotVisible=0",
			"CreatedTimestamp="+created, "DelaySeconds=0", "LastModifiedTimestamp="+created, "MaximumMessageSize=1048576", "MessageRetentionPeriod=345600",
			"QueueArn="+arn("jobs"), "ReceiveMessageWaitTimeSeconds=0", "SqsManagedSseEnabled=true", "VisibilityTimeout=30")
		q := w.queue("jobs")
		if diff := cmp.Diff(standard, w.attributes(q)); diff != "" {
			w.Errorf("standard: %s", diff)
		}
		fifo := w.attributes(w.queue("jobs.fifo"))
		for k, v := range set("FifoQueue=true", "ContentBasedDeduplication=false", "DeduplicationScope=queue", "FifoThroughputLimit=perQueue") {
			if fifo[k] != v {
				w.Errorf("FIFO: %s is %q, want %q", k, fifo[k], v)
			}
		}
	})
}

func TestSetQueueAttributes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q, f := w.queue("jobs"), w.queue("jobs.fifo")
		change := func(url string, attributes ...string) error {
			_, err := w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: set(attributes...)})
			return err
		}
		shows := func(name, want string) {
			w.Helper()
			if got := w.attributes(q, name)[name]; got != want {
				w.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		time.Sleep(10 * time.Second)
		wantCode(w, change(q, "VisibilityTimeout=0", "KmsMasterKeyId=alias/k", "Policy={}"), "")
		shows("VisibilityTimeout", "0")
		shows("KmsMasterKeyId", "alias/k")
		shows("KmsDataKeyReusePeriodSeconds", "300")
		shows("SqsManagedSseEnabled", "false")
		shows("Policy", "{}")
		shows("LastModifiedTimestamp", fmt.Sprint(w.start.Unix()+10))
		shows("CreatedTimestamp", fmt.Sprint(w.start.Unix()))
		wantCode(w, change(q, "Policy="), "")
		if _, ok := w.attributes(q)["Policy"]; ok {
			w.Error("an empty policy is shown")
		}
		wantCode(w, change(q, "KmsMasterKeyId=", "SqsManagedSseEnabled=true"), "")
		shows("KmsMasterKeyId", "")

		// All or nothing.
		wantCode(w, change(q, "DelaySeconds=5", "VisibilityTimeout=x"), "InvalidAttributeValue")
		shows("DelaySeconds", "0")
		wantCode(w, change(q, "FifoQueue=true"), "InvalidAttributeName")
		wantCode(w, change(q, redriveTo("none", 1)), "InvalidParameterValue")
		wantCode(w, change(f, "FifoQueue=true"), "")
		wantCode(w, change(f, "FifoQueue=false"), "InvalidAttributeValue")
		wantCode(w, change(q, "QueueArn=x"), "InvalidAttributeName")
		wantCode(w, change(f+"x", "DelaySeconds=1"), "AWS.SimpleQueueService.NonExistentQueue")

		if a := must(w.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q}))(w).Attributes; a != nil {
			w.Errorf("without names: %v", a)
		}
		_, err := w.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q, AttributeNames: names("VisibilityTimeout", "Colour")})
		wantCode(w, err, "InvalidAttributeName")
		if got := sorted(w.attributes(q, "VisibilityTimeout", "QueueArn", "FifoQueue")); !slices.Equal(got, []string{"QueueArn", "VisibilityTimeout"}) {
			w.Errorf("asked for three, one of which a standard queue lacks: %v", got)
		}
	})
}

func TestDeletedQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		m := w.one(q)
		remove := func() error {
			_, err := w.DeleteQueue(w.Context(), &sqs.DeleteQueueInput{QueueUrl: &q})
			return err
		}
		wantCode(w, remove(), "")
		const none = "AWS.SimpleQueueService.NonExistentQueue"
		wantCode(w, remove(), none)
		_, err := w.SendMessage(w.Context(), message(q, "b"))
		wantCode(w, err, none)
		_, err = w.ReceiveMessage(w.Context(), receiveInput(q))
		wantCode(w, err, none)
		wantCode(w, w.remove(q, m), none)
		_, err = w.GetQueueUrl(w.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")})
		wantCode(w, err, none)

		wantCode(w, w.create("jobs"), "AWS.SimpleQueueService.QueueDeletedRecently")
		time.Sleep(50 * time.Second)
		wantCode(w, w.create("jobs"), "AWS.SimpleQueueService.QueueDeletedRecently")
		time.Sleep(10 * time.Second)
		wantCode(w, w.create("jobs"), "")
		w.counts(q, 0, 0, 0)
		wantCode(w, w.remove(q, m), "ReceiptHandleIsInvalid") // of the queue that was
	})
}

func TestPurgeQueue(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jobs", "jobs.fifo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue(name)
				purge := func() error {
					_, err := w.PurgeQueue(w.Context(), &sqs.PurgeQueueInput{QueueUrl: &q})
					return err
				}
				w.send(q, "a:1", "b:1", "c:1")
				w.one(q)
				if name == "jobs" {
					must(w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("later"), DelaySeconds: 5}))(w)
				}
				wantCode(w, purge(), "")
				w.counts(q, 0, 0, 0)
				w.send(q, "a:1") // deduplication has forgotten, too
				w.gets(q, []string{"a:1"}, hiddenFor(time.Hour))
				wantCode(w, purge(), "AWS.SimpleQueueService.PurgeQueueInProgress")
				time.Sleep(time.Minute)
				w.gets(q, nil)
				wantCode(w, purge(), "")
				time.Sleep(time.Hour)
				w.gets(q, nil)
			})
		})
	}
}

func TestListQueues(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var all []string
		for _, name := range []string{"b1", "a2", "a1", "c", "a3"} {
			all = append(all, w.queue(name))
		}
		slices.Sort(all)
		list := func(prefix string, size *int32) (pages [][]string) {
			p := sqs.NewListQueuesPaginator(w.Client, &sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: size})
			for p.HasMorePages() {
				pages = append(pages, must(p.NextPage(w.Context()))(w).QueueUrls)
			}
			return pages
		}
		for _, c := range []struct {
			prefix string
			size   *int32
			want   [][]string
		}{
			{"", nil, [][]string{all}},
			{"a", nil, [][]string{all[:3]}},
			{"A", nil, [][]string{nil}},
			{"", new(int32(2)), [][]string{all[:2], all[2:4], all[4:]}},
			{"a", new(int32(3)), [][]string{all[:3]}},
		} {
			if diff := cmp.Diff(c.want, list(c.prefix, c.size)); diff != "" {
				w.Errorf("prefix %q, page size %v: %s", c.prefix, aws.ToInt32(c.size), diff)
			}
		}
		for _, size := range []int32{0, -1, 1001} {
			_, err := w.ListQueues(w.Context(), &sqs.ListQueuesInput{MaxResults: &size})
			wantCode(w, err, "InvalidParameterValue")
		}
		_, err := w.ListQueues(w.Context(), &sqs.ListQueuesInput{NextToken: aws.String("x")})
		wantCode(w, err, "InvalidParameterValue")

		// What goes or comes between two pages moves nothing else.
		first := must(w.ListQueues(w.Context(), &sqs.ListQueuesInput{MaxResults: new(int32(2))}))(w)
		must(w.DeleteQueue(w.Context(), &sqs.DeleteQueueInput{QueueUrl: &first.QueueUrls[0]}))(w)
		second := must(w.ListQueues(w.Context(), &sqs.ListQueuesInput{MaxResults: new(int32(2)), NextToken: first.NextToken}))(w)
		if diff := cmp.Diff(all[2:4], second.QueueUrls); diff != "" {
			w.Error(diff)
		}
	})
}

func TestQueueURLs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		if want := "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"; q != want {
			w.Errorf("got %s, want %s", q, want)
		}
		for owner, code := range map[string]string{"": "", "123456789012": "", "210987654321": "AWS.SimpleQueueService.NonExistentQueue"} {
			in := &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")}
			if owner != "" {
				in.QueueOwnerAWSAccountId = &owner
			}
			out, err := w.GetQueueUrl(w.Context(), in)
			wantCode(w, err, code)
			if err == nil && *out.QueueUrl != q {
				w.Errorf("owner %q: %s", owner, *out.QueueUrl)
			}
		}
		for url, code := range map[string]string{
			"jobs": "", // a name will do
			"http://localhost:4566/123456789012/jobs":                  "",
			"https://sqs.eu-west-1.amazonaws.com/123456789012/jobs":    "AWS.SimpleQueueService.NonExistentQueue",
			"https://sqs.us-east-1.amazonaws.com/210987654321/jobs":    "AWS.SimpleQueueService.NonExistentQueue",
			"https://sqs.us-east-1.amazonaws.com/123456789012/Jobs":    "AWS.SimpleQueueService.NonExistentQueue",
			"https://sqs.us-east-1.amazonaws.com/123456789012/":        "InvalidAddress",
			"https://sqs.us-east-1.amazonaws.com/":                     "InvalidAddress",
			"https://sqs.us-east-1.amazonaws.com/123456789012/jobs/ab": "InvalidAddress",
			"": "InvalidAddress",
		} {
			_, send := w.SendMessage(w.Context(), message(url, "a"))
			wantCode(w, send, code)
			_, look := w.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names("All")})
			wantCode(w, look, code)
		}
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := *must(w.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: aws.String("jobs"), Tags: set("a=1", "b=2")}))(w).QueueUrl
		has := func(want map[string]string) {
			w.Helper()
			if diff := cmp.Diff(want, must(w.ListQueueTags(w.Context(), &sqs.ListQueueTagsInput{QueueUrl: &q}))(w).Tags); diff != "" {
				w.Error(diff)
			}
		}
		tag := func(tags map[string]string) error {
			_, err := w.TagQueue(w.Context(), &sqs.TagQueueInput{QueueUrl: &q, Tags: tags})
			return err
		}
		untag := func(keys ...string) {
			must(w.UntagQueue(w.Context(), &sqs.UntagQueueInput{QueueUrl: &q, TagKeys: keys}))(w)
		}
		has(set("a=1", "b=2"))
		wantCode(w, tag(set("a=x", "A=y", "empty=")), "")
		has(set("a=x", "A=y", "b=2", "empty="))
		untag("b", "never")
		has(set("a=x", "A=y", "empty="))
		for _, bad := range []string{"=x", strings.Repeat("k", 129) + "=x", "k=" + strings.Repeat("v", 257), "aws:k=v"} {
			wantCode(w, tag(set(bad)), "InvalidParameterValue")
		}
		many := map[string]string{}
		for n := range 48 {
			many[fmt.Sprint(n)] = "x"
		}
		wantCode(w, tag(many), "InvalidParameterValue") // 51
		delete(many, "0")
		wantCode(w, tag(many), "")
		wantCode(w, tag(set("a=y")), "") // no more than before
		wantCode(w, tag(set("new=y")), "InvalidParameterValue")
		untag(append(sorted(many), "a", "A", "empty")...)
		has(nil)
		other := w.queue("untagged")
		must(w.TagQueue(w.Context(), &sqs.TagQueueInput{QueueUrl: &other, Tags: set("first=1")}))(w)
		if got := must(w.ListQueueTags(w.Context(), &sqs.ListQueueTagsInput{QueueUrl: &other}))(w).Tags; got["first"] != "1" {
			w.Errorf("%v", got)
		}
		_, err := w.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: aws.String("more"), Tags: set("aws:k=v")})
		wantCode(w, err, "InvalidParameterValue")
		for _, err := range []error{
			func() error {
				u := q + "x"
				_, err := w.TagQueue(w.Context(), &sqs.TagQueueInput{QueueUrl: &u, Tags: set("a=1")})
				return err
			}(),
			func() error {
				u := q + "x"
				_, err := w.UntagQueue(w.Context(), &sqs.UntagQueueInput{QueueUrl: &u, TagKeys: []string{"a"}})
				return err
			}(),
			func() error {
				u := q + "x"
				_, err := w.ListQueueTags(w.Context(), &sqs.ListQueueTagsInput{QueueUrl: &u})
				return err
			}(),
		} {
			wantCode(w, err, "AWS.SimpleQueueService.NonExistentQueue")
		}
	})
}

func TestRegionsAreIsolated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "here")
		abroad := &world{TB: w.TB, Client: sqs.NewFromConfig(w.cloud.Config("eu-west-1")), cloud: w.cloud, start: w.start}
		if urls := must(abroad.ListQueues(w.Context(), nil))(w).QueueUrls; len(urls) > 0 {
			w.Errorf("abroad there is %v", urls)
		}
		other := abroad.queue("jobs")
		abroad.gets(other, nil)
		abroad.send(other, "there")
		w.gets(q, []string{"here"})
		_, err := abroad.SendMessage(w.Context(), message(q, "x"))
		wantCode(w, err, "AWS.SimpleQueueService.NonExistentQueue")
		wantCode(w, abroad.create("more", redriveTo("jobs", 1)), "InvalidParameterValue")
	})
}

func TestReadsLagBehind(t *testing.T) {
	t.Parallel()
	const lag = 30 * time.Second
	inBubble(t, func(w *world) {
		q := w.queue("jobs", "DelaySeconds=0")
		const none = "AWS.SimpleQueueService.NonExistentQueue"
		_, err := w.GetQueueUrl(w.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")})
		wantCode(w, err, none)
		_, err = w.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q})
		wantCode(w, err, none)
		_, err = w.ListQueueTags(w.Context(), &sqs.ListQueueTagsInput{QueueUrl: &q})
		wantCode(w, err, none)
		_, err = w.ListDeadLetterSourceQueues(w.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &q})
		wantCode(w, err, none)
		if urls := must(w.ListQueues(w.Context(), nil))(w).QueueUrls; urls != nil {
			w.Errorf("listed before it is seen: %v", urls)
		}
		w.send(q, "a") // messages are always looked at as of now
		m := w.one(q, hiddenFor(40*time.Second))
		time.Sleep(lag)
		w.counts(q, 0, 1, 0)
		wantCode(w, w.remove(q, m), "")
		w.counts(q, 0, 1, 0)
		time.Sleep(lag - 10*time.Millisecond)
		w.counts(q, 0, 1, 0)
		time.Sleep(10 * time.Millisecond)
		w.counts(q, 0, 0, 0)
		must(w.DeleteQueue(w.Context(), &sqs.DeleteQueueInput{QueueUrl: &q}))(w)
		w.counts(q, 0, 0, 0)
		time.Sleep(lag)
		_, err = w.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q})
		wantCode(w, err, none)
	}, func(o *awstest.Options) { o.VisibilityLag = lag })
}
