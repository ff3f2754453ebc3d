package sqssvc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

type attrs = map[string]types.MessageAttributeValue

func text(kind, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &kind, StringValue: &value}
}

// The digests are recorded from AWS.
func TestDigests(t *testing.T) {
	t.Parallel()
	trace := types.MessageSystemAttributeValue{DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")}
	for name, c := range map[string]struct {
		body                   string
		attributes             attrs
		trace                  bool
		ofBody, ofAttrs, ofSys string
	}{
		"a body":           {"test", nil, false, "098f6bcd4621d373cade4e832627b4f6", "", ""},
		"an attribute":     {"a", attrs{"k": text("String", "x")}, false, "0cc175b9c0f1b6a831c399e269772661", "a45daa70926828a2f0a1db3418e6feb4", ""},
		"three attributes": {"msg", attrs{"Help.Me": text("String", "Me"), "Hello": text("String", "There"), "General": text("String", "Kenobi")}, false, "6e2baaf3b97dbeef01c0043275f9a0e7", "4c360f3fdafd970e05fae2f149d997f5", ""},
		"bytes":            {"test", attrs{"attr1": {DataType: aws.String("Binary"), BinaryValue: []byte("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01")}}, false, "098f6bcd4621d373cade4e832627b4f6", "8cbe4db156db8a94db8b801b7addb984", ""},
		"a trace header":   {"test", nil, true, "098f6bcd4621d373cade4e832627b4f6", "", "5ae4d5d7636402d80f4eb6d213245a88"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue("jobs")
				in := &sqs.SendMessageInput{QueueUrl: &q, MessageBody: &c.body, MessageAttributes: c.attributes}
				entry := types.SendMessageBatchRequestEntry{Id: aws.String("x"), MessageBody: &c.body, MessageAttributes: c.attributes}
				if c.trace {
					in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": trace}
					entry.MessageSystemAttributes = in.MessageSystemAttributes
				}
				want := []string{c.ofBody, c.ofAttrs, c.ofSys}
				out := must(w.SendMessage(w.Context(), in))(w)
				if diff := cmp.Diff(want, []string{*out.MD5OfMessageBody, aws.ToString(out.MD5OfMessageAttributes), aws.ToString(out.MD5OfMessageSystemAttributes)}); diff != "" {
					w.Errorf("sent: %s", diff)
				}
				one := must(w.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: []types.SendMessageBatchRequestEntry{entry}}))(w).Successful[0]
				if diff := cmp.Diff(want, []string{*one.MD5OfMessageBody, aws.ToString(one.MD5OfMessageAttributes), aws.ToString(one.MD5OfMessageSystemAttributes)}); diff != "" {
					w.Errorf("sent in a batch: %s", diff)
				}
				for _, m := range w.receive(q, func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = []string{"All"} }) {
					if diff := cmp.Diff(want[:2], []string{*m.MD5OfBody, aws.ToString(m.MD5OfMessageAttributes)}); diff != "" {
						w.Errorf("received: %s", diff)
					}
					if diff := cmp.Diff(c.attributes, m.MessageAttributes, unexported); diff != "" {
						w.Error(diff)
					}
					if got, ok := m.Attributes["AWSTraceHeader"]; ok != c.trace || ok && got != *trace.StringValue {
						w.Errorf("trace header %q", got)
					}
				}
			})
		})
	}
}

// Which attributes a receive shows, and the digest of those. The digests are
// recorded from AWS.
func TestAttributeFilters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs", "VisibilityTimeout=0")
		must(w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("msg"), MessageAttributes: attrs{
			"Help.Me": text("String", "Me"), "Hello": text("String", "There"), "General": text("String", "Kenobi"),
		}}))(w)
		const all = "4c360f3fdafd970e05fae2f149d997f5"
		for _, c := range []struct {
			asked  []string
			want   []string
			digest string
		}{
			{nil, nil, ""},
			{[]string{"All"}, []string{"General", "Hello", "Help.Me"}, all},
			{[]string{"*"}, []string{"General", "Hello", "Help.Me"}, all},
			{[]string{".*"}, []string{"General", "Hello", "Help.Me"}, all},
			{[]string{"Foo", "Help"}, nil, ""},
			{[]string{"Hello", "General"}, []string{"General", "Hello"}, "fca026605781cb4126a1e9044df24232"},
			{[]string{"Foo", "Hello"}, []string{"Hello"}, "a311262e065454b75da111d535b8dacd"},
			{[]string{"Hel.*"}, []string{"Hello", "Help.Me"}, "83fee93c1bcd8b9a5a923ffacdc636c7"},
			{[]string{"AWS."}, nil, ""},
			{[]string{"hello"}, nil, ""},
		} {
			m := w.one(q, func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = c.asked })
			if diff := cmp.Diff(c.want, sorted(m.MessageAttributes)); diff != "" || aws.ToString(m.MD5OfMessageAttributes) != c.digest {
				w.Errorf("%q: digest %s; %s", c.asked, aws.ToString(m.MD5OfMessageAttributes), diff)
			}
		}
	})
}

// System attributes are shown if they are asked for, under the parameter's
// name of now or of old.
func TestSystemAttributes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q, f := w.queue("jobs", "VisibilityTimeout=0"), w.queue("jobs.fifo", "VisibilityTimeout=0")
		w.send(q, "a")
		w.send(f, "a:1")
		i := w.instance()
		fromInstance := w.queue("more")
		must(sqs.NewFromConfig(i.Config()).SendMessage(w.Context(), message(fromInstance, "x")))(w)
		always := []string{"ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp"}
		for _, c := range []struct {
			queue string
			now   []types.MessageSystemAttributeName
			old   []types.QueueAttributeName
			want  []string
		}{
			{q, nil, nil, nil},
			{q, []types.MessageSystemAttributeName{"All"}, nil, always},
			{q, nil, names("All"), always},
			{q, []types.MessageSystemAttributeName{"SenderId", "SequenceNumber"}, nil, []string{"SenderId"}},
			{q, []types.MessageSystemAttributeName{"SenderId"}, names("SentTimestamp"), []string{"SenderId", "SentTimestamp"}},
			{f, []types.MessageSystemAttributeName{"All"}, nil, []string{"ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "MessageDeduplicationId", "MessageGroupId", "SenderId", "SentTimestamp", "SequenceNumber"}},
			{f, []types.MessageSystemAttributeName{"MessageGroupId"}, nil, []string{"MessageGroupId"}},
		} {
			m := w.one(c.queue, func(in *sqs.ReceiveMessageInput) {
				in.MessageSystemAttributeNames = c.now
				in.AttributeNames = c.old //nolint:staticcheck // deprecated, and still used
			})
			if diff := cmp.Diff(c.want, sorted(m.Attributes)); diff != "" {
				w.Errorf("%v %v: %s", c.now, c.old, diff)
			}
		}
		if id := w.one(fromInstance).Attributes["SenderId"]; !strings.HasSuffix(id, ":"+i.ID()) {
			w.Errorf("sent by %s", id)
		}
		m := w.one(q)
		if want := fmt.Sprint(w.start.UnixMilli() + 3); m.Attributes["SentTimestamp"] != want {
			w.Errorf("sent at %s, want %s", m.Attributes["SentTimestamp"], want)
		}
	})
}

func TestMessageRules(t *testing.T) {
	t.Parallel()
	many := attrs{}
	for n := range 11 {
		many[fmt.Sprint("a", n)] = text("String", "x")
	}
	ten := attrs{}
	for n := range 10 {
		ten[fmt.Sprint("a", n)] = text("String", "x")
	}
	const bad = "InvalidParameterValue"
	named := func(name string) attrs { return attrs{name: text("String", "x")} }
	for name, c := range map[string]struct {
		body       string
		attributes attrs
		code       string
	}{
		"one character":                {"x", nil, ""},
		"no body":                      {"", nil, "MissingParameter"},
		"line breaks and tabs":         {"a\tb\r\nc", nil, ""},
		"characters beyond ASCII":      {"ä€😀\uFFFD\uE000", nil, ""},
		"a control character":          {"\x01", nil, "InvalidMessageContents"},
		"a null":                       {"a\x00", nil, "InvalidMessageContents"},
		"a noncharacter":               {"\uFFFF", nil, "InvalidMessageContents"},
		"no UTF-8":                     {"\xff", nil, "InvalidMessageContents"},
		"2 KiB":                        {strings.Repeat("x", 2048), nil, ""},
		"more than 2 KiB":              {strings.Repeat("x", 2049), nil, bad},
		"2 KiB with an attribute":      {strings.Repeat("x", 2048-8), attrs{"k": text("String", "x")}, ""},
		"an attribute makes it longer": {strings.Repeat("x", 2048-7), attrs{"k": text("String", "x")}, bad},
		"ten attributes":               {"x", ten, ""},
		"eleven attributes":            {"x", many, bad},
		"a number":                     {"x", attrs{"n": text("Number", "-1.5e3")}, ""},
		"no number":                    {"x", attrs{"n": text("Number", "one")}, bad},
		"not a number":                 {"x", attrs{"n": text("Number", "NaN")}, bad},
		"a number without end":         {"x", attrs{"n": text("Number", "-Inf")}, bad},
		"a number of another base":     {"x", attrs{"n": text("Number", "0x1p4")}, bad},
		"the largest number":           {"x", attrs{"n": text("Number", "-1e126")}, ""},
		"a larger number":              {"x", attrs{"n": text("Number", "1e127")}, bad},
		"a label":                      {"x", attrs{"n": text("Number.int", "1")}, ""},
		"an unknown type":              {"x", attrs{"n": text("Colour", "red")}, bad},
		"an empty type":                {"x", attrs{"n": text("", "red")}, bad},
		"a long type":                  {"x", attrs{"n": text("String."+strings.Repeat("x", 250), "red")}, bad},
		"an empty text":                {"x", attrs{"n": text("String", "")}, bad},
		"no bytes":                     {"x", attrs{"n": {DataType: aws.String("Binary")}}, bad},
		"a control character in text":  {"x", attrs{"n": text("String", "\x08")}, bad},
		"a list of values":             {"x", attrs{"n": {DataType: aws.String("String"), StringListValues: []string{"x"}}}, "AWS.SimpleQueueService.UnsupportedOperation"},
		"a name":                       {"x", named("attr.1øßä_-"), ""},
		"a name of AWS":                {"x", named("aWs.x"), bad},
		"a name of Amazon":             {"x", named("AMAZON.x"), bad},
		"a name that begins with dot":  {"x", named(".x"), bad},
		"a name that ends with a dot":  {"x", named("x."), bad},
		"two dots":                     {"x", named("a..b"), bad},
		"a space in a name":            {"x", named("a b"), bad},
		"a sign in a name":             {"x", named("a§b"), bad},
		"a name of 256":                {"x", named(strings.Repeat("x", 256)), ""},
		"a name of 257":                {"x", named(strings.Repeat("x", 257)), bad},
		"an empty name":                {"x", named(""), bad},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue("jobs", "MaximumMessageSize=2048")
				in := &sqs.SendMessageInput{QueueUrl: &q, MessageBody: &c.body, MessageAttributes: c.attributes}
				_, err := w.SendMessage(w.Context(), in)
				wantCode(w, err, c.code)

				out, err := w.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: []types.SendMessageBatchRequestEntry{
					{Id: aws.String("it"), MessageBody: &c.body, MessageAttributes: c.attributes}, entries("other")[0],
				}})
				switch {
				case name == "a list of values":
					wantCode(w, err, c.code)
				case err != nil:
					w.Error(err)
				case c.code == "" && len(out.Successful) != 2, c.code != "" && (len(out.Failed) != 1 || *out.Failed[0].Code != c.code || !out.Failed[0].SenderFault || *out.Failed[0].Id != "it"):
					w.Errorf("in a batch: %v", out)
				}
			})
		})
	}
}

func TestTraceHeaderRules(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		for _, c := range []struct{ name, kind, value string }{{"Other", "String", "x"}, {"AWSTraceHeader", "Number", "1"}, {"AWSTraceHeader", "String", ""}} {
			_, err := w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("x"), MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{c.name: {DataType: &c.kind, StringValue: &c.value}}})
			wantCode(w, err, "InvalidParameterValue")
		}
		// It does not count towards the size.
		_, err := w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String(strings.Repeat("x", 1<<20)), MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1")},
		}})
		wantCode(w, err, "")
	})
}

// What a caller does to what it has received, or sends, changes no message.
func TestMessagesAreNotShared(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs", "VisibilityTimeout=0")
		sent := []byte("bytes")
		must(w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("a"), MessageAttributes: attrs{"k": {DataType: aws.String("Binary"), BinaryValue: sent}}}))(w)
		sent[0] = 'X'
		all := func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = []string{"All"} }
		m := w.one(q, all)
		*m.Body, *m.MessageId = "changed", "changed"
		m.MessageAttributes["k"].BinaryValue[1] = 'X'
		m = w.one(q, all)
		if *m.Body != "a" || *m.MessageId == "changed" || string(m.MessageAttributes["k"].BinaryValue) != "bytes" {
			w.Errorf("%s %s %s", *m.Body, *m.MessageId, m.MessageAttributes["k"].BinaryValue)
		}
	})
}
