package dynamodbsvc_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// The random sequences run with reads that stand this far behind.
const lag = 10 * time.Second

// TestRandomSequences plays sequences of writes, reads and transactions
// against a reference that keeps every version of everything.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 1000, 250, func(t *testing.T, first, last uint64) {
		inBubble(t, func(w *world) {
			for n := first; n <= last; n++ {
				p := &player{world: w, Rand: rand.New(rand.NewPCG(n, 5)), seed: n, rows: map[key][]version{}}
				for range 25 {
					p.step()
					time.Sleep(time.Duration(p.IntN(6)) * time.Second)
				}
			}
		}, func(o *awstest.Options) { o.Latency, o.VisibilityLag, o.CallLog = awstest.NoLatency, lag, 100 })
	})
}

// key is a partition and a sort key; the seed keeps sequences apart.
type key struct{ part, sort int }

// version is an item since a moment; v 0 is none.
type version struct {
	since time.Time
	v     int
	x     string
}

// player plays one sequence. Its rows are the reference.
type player struct {
	*world
	*rand.Rand
	seed uint64
	rows map[key][]version
	log  []string
}

func (p *player) fail(format string, args ...any) {
	p.Helper()
	p.Fatalf("-seed=%d: %s\nafter %s", p.seed, fmt.Sprintf(format, args...), strings.Join(p.log, "; "))
}

// unlike is diff, and quick where there is no difference.
func unlike(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return diff(want, got)
}

func (p *player) at(moment time.Time, k key) version {
	var found version
	for _, v := range p.rows[k] {
		if !v.since.After(moment) {
			found = v
		}
	}
	return found
}

func (p *player) now(k key) version { return p.at(time.Now(), k) }

func (p *player) set(k key, v version) {
	v.since = time.Now()
	p.rows[k] = append(p.rows[k], v)
}

func (p *player) key() key { return key{p.IntN(2), p.IntN(4)} }

func (p *player) attributes(k key) item {
	return it("pk", fmt.Sprintf("%d-%d", p.seed, k.part), "sk", k.sort)
}

func (p *player) item(k key, v version) item {
	if v.v == 0 {
		return nil
	}
	whole := p.attributes(k)
	whole["v"], whole["x"] = value(v.v), value(v.x)
	return whole
}

// change is a write in both forms: for the client, and for the reference.
type change struct {
	verb      string
	key       key
	condition string
	values    item
	holds     func(version) bool
	after     func(version) version
	x         string
}

func (p *player) change(k key) change {
	c := change{verb: []string{"put", "update", "delete", "check"}[p.IntN(4)], key: k, values: item{}, x: strconv.Itoa(p.IntN(100))}
	now := p.now(k)
	guess := now.v
	if p.IntN(3) == 0 {
		guess = p.IntN(4)
	}
	switch p.IntN(6) {
	case 0:
		c.condition, c.holds = "attribute_not_exists(pk)", func(v version) bool { return v.v == 0 }
	case 1:
		c.condition, c.holds = "v = :g", func(v version) bool { return v.v != 0 && v.v == guess }
	case 2:
		c.condition, c.holds = "v <> :g OR contains(x, :seven)", func(v version) bool { return v.v != guess || v.v == 0 || strings.Contains(v.x, "7") }
	case 3:
		c.condition, c.holds = "attribute_exists(pk) AND NOT v > :g", func(v version) bool { return v.v != 0 && v.v <= guess }
	case 4:
		c.condition, c.holds = "v BETWEEN :g AND :max", func(v version) bool { return v.v != 0 && v.v >= guess }
	default:
		c.holds = func(version) bool { return true }
		if c.verb == "check" {
			c.condition = "attribute_not_exists(pk) OR attribute_exists(pk)"
		}
	}
	for ref, v := range map[string]any{":g": guess, ":seven": "7", ":max": 1000} {
		if strings.Contains(c.condition, ref) {
			c.values[ref] = value(v)
		}
	}
	switch c.verb {
	case "put":
		c.after = func(v version) version { return version{v: 1, x: c.x} }
	case "update":
		c.values[":one"], c.values[":x"] = value(1), value(c.x)
		c.after = func(v version) version { return version{v: v.v + 1, x: c.x} }
	case "delete":
		c.after = func(version) version { return version{} }
	default:
		c.after = func(v version) version { return v }
	}
	p.log = append(p.log, fmt.Sprintf("%s %v if %q", c.verb, k, c.condition))
	return c
}

const increment = "ADD v :one SET x = :x"

func (c *change) given() item {
	if len(c.values) == 0 {
		return nil
	}
	return c.values
}

func (p *player) step() {
	switch p.IntN(8) {
	case 0, 1, 2:
		p.write(p.change(p.key()))
	case 3, 4:
		p.transact()
	case 5:
		p.read()
	case 6:
		p.readBatch()
	default:
		p.readRange()
	}
}

// write does one write by an operation of its own.
func (p *player) write(c change) {
	table := aws.String("sorted")
	var err error
	var old item
	const show = types.ReturnValuesOnConditionCheckFailureAllOld
	switch c.verb {
	case "put":
		in := &dynamodb.PutItemInput{TableName: table, Item: p.item(c.key, c.after(version{})), ConditionExpression: text(c.condition), ExpressionAttributeValues: c.given(), ReturnValues: "ALL_OLD", ReturnValuesOnConditionCheckFailure: show}
		var out *dynamodb.PutItemOutput
		if out, err = p.PutItem(p.Context(), in); err == nil {
			old = out.Attributes
		}
	case "update":
		in := &dynamodb.UpdateItemInput{TableName: table, Key: p.attributes(c.key), UpdateExpression: aws.String(increment), ConditionExpression: text(c.condition), ExpressionAttributeValues: c.given(), ReturnValues: "ALL_OLD", ReturnValuesOnConditionCheckFailure: show}
		var out *dynamodb.UpdateItemOutput
		if out, err = p.UpdateItem(p.Context(), in); err == nil {
			old = out.Attributes
		}
	case "delete":
		in := &dynamodb.DeleteItemInput{TableName: table, Key: p.attributes(c.key), ConditionExpression: text(c.condition), ExpressionAttributeValues: c.given(), ReturnValues: "ALL_OLD", ReturnValuesOnConditionCheckFailure: show}
		var out *dynamodb.DeleteItemOutput
		if out, err = p.DeleteItem(p.Context(), in); err == nil {
			old = out.Attributes
		}
	default:
		return // there is no check by itself
	}
	before := p.now(c.key)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		old = failed.Item
	} else if err != nil {
		p.fail("%v", err)
	}
	if holds := c.holds(before); holds != (err == nil) {
		p.fail("the condition holds: %v, and got %v", holds, err)
	}
	if d := unlike(p.item(c.key, before), old); d != "" {
		p.fail("the item before: %s", d)
	}
	if err == nil {
		p.set(c.key, c.after(before))
	}
}

// transact does some writes together; all of them, or none.
func (p *player) transact() {
	table := aws.String("sorted")
	in := &dynamodb.TransactWriteItemsInput{}
	var changes []change
	for range 1 + p.IntN(4) {
		k := p.key()
		if slices.ContainsFunc(changes, func(c change) bool { return c.key == k }) {
			continue
		}
		c := p.change(k)
		changes = append(changes, c)
		var w types.TransactWriteItem
		switch c.verb {
		case "put":
			w.Put = &types.Put{TableName: table, Item: p.item(k, c.after(version{})), ConditionExpression: text(c.condition), ExpressionAttributeValues: c.given()}
		case "update":
			w.Update = &types.Update{TableName: table, Key: p.attributes(k), UpdateExpression: aws.String(increment), ConditionExpression: text(c.condition), ExpressionAttributeValues: c.given()}
		case "delete":
			w.Delete = &types.Delete{TableName: table, Key: p.attributes(k), ConditionExpression: text(c.condition), ExpressionAttributeValues: c.given()}
		default:
			w.ConditionCheck = &types.ConditionCheck{TableName: table, Key: p.attributes(k), ConditionExpression: &c.condition, ExpressionAttributeValues: c.given()}
		}
		in.TransactItems = append(in.TransactItems, w)
	}
	var want, got []string
	holds := true
	for _, c := range changes {
		if c.holds(p.now(c.key)) {
			want = append(want, "None")
			continue
		}
		want, holds = append(want, "ConditionalCheckFailed"), false
	}
	_, err := p.TransactWriteItems(p.Context(), in)
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		for _, r := range cancelled.CancellationReasons {
			got = append(got, *r.Code)
		}
	} else if err != nil {
		p.fail("%v", err)
	}
	switch {
	case holds != (err == nil):
		p.fail("the conditions hold: %v, and got %v", holds, err)
	case !holds && !slices.Equal(want, got):
		p.fail("got %v, want %v", got, want)
	case holds:
		for _, c := range changes {
			if c.verb != "check" {
				p.set(c.key, c.after(p.now(c.key)))
			}
		}
	}
}

// moment is consistent, or what reads see that stand behind.
func (p *player) moment() (consistent *bool, at time.Time) {
	if p.IntN(2) == 0 {
		return aws.Bool(true), time.Now()
	}
	return nil, time.Now().Add(-lag)
}

func (p *player) read() {
	k := p.key()
	consistent, at := p.moment()
	out, err := p.GetItem(p.Context(), &dynamodb.GetItemInput{TableName: aws.String("sorted"), Key: p.attributes(k), ConsistentRead: consistent})
	if err != nil {
		p.fail("%v", err)
	}
	if d := unlike(p.item(k, p.at(at, k)), out.Item); d != "" {
		p.fail("%v, consistent %v: %s", k, aws.ToBool(consistent), d)
	}
}

func (p *player) readBatch() {
	a, b := p.key(), p.key()
	consistent, at := p.moment()
	keys := []item{p.attributes(a)}
	want := 0
	for _, k := range []key{a, b} {
		if p.at(at, k).v != 0 {
			want++
		}
	}
	if a != b {
		keys = append(keys, p.attributes(b))
	}
	out, err := p.BatchGetItem(p.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"sorted": {Keys: keys, ConsistentRead: consistent}}})
	if err != nil {
		p.fail("%v", err)
	}
	if a == b && want > 0 {
		want = 1
	}
	got := out.Responses["sorted"]
	if len(got) != want {
		p.fail("%v and %v: got %v, want %d", a, b, got, want)
	}
	for _, whole := range got {
		sort, _ := strconv.Atoi(whole["sk"].(*types.AttributeValueMemberN).Value)
		k := a
		if unlike(p.attributes(a)["pk"], whole["pk"]) != "" || sort != a.sort {
			k = b
		}
		if d := unlike(p.item(k, p.at(at, k)), whole); d != "" {
			p.fail("%v: %s", k, d)
		}
	}
}

// readRange reads a part of a partition, page by page, in either direction.
func (p *player) readRange() {
	part, from, backwards := p.IntN(2), p.IntN(4), p.IntN(2) == 0
	consistent, at := p.moment()
	in := &dynamodb.QueryInput{
		TableName: aws.String("sorted"), KeyConditionExpression: aws.String("pk = :p AND sk >= :from"),
		ExpressionAttributeValues: item{":p": p.attributes(key{part, 0})["pk"], ":from": value(from)},
		ConsistentRead:            consistent, ScanIndexForward: aws.Bool(!backwards), Limit: aws.Int32(int32(1 + p.IntN(4))),
	}
	var want, got []item
	for sort := from; sort < 4; sort++ {
		k := key{part, sort}
		if whole := p.item(k, p.at(at, k)); whole != nil {
			want = append(want, whole)
		}
	}
	if backwards {
		slices.Reverse(want)
	}
	for pages := dynamodb.NewQueryPaginator(p, in); pages.HasMorePages(); {
		got = append(got, svctest.Must(pages.NextPage(p.Context()))(p).Items...)
	}
	if d := unlike(want, got); d != "" {
		p.fail("from %d of %d, consistent %v: %s", from, part, aws.ToBool(consistent), d)
	}
}
