package dynamodbsvc_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestGetItemProjects(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "a", "m", it("x", 1, "y", 2), "name", "n", "l", []any{1, 2, 3}))
		get := func(pk, expression string, names map[string]string) (item, error) {
			in := &dynamodb.GetItemInput{TableName: aws.String("plain"), Key: it("pk", pk), ExpressionAttributeNames: names}
			if expression != "" {
				in.ProjectionExpression = &expression
			}
			out, err := w.GetItem(w.Context(), in)
			if err != nil {
				return nil, err
			}
			return out.Item, nil
		}
		got := svctest.Must(get("a", "m.x, #n, l[2]", map[string]string{"#n": "name"}))(w)
		if d := diff(it("m", it("x", 1), "name", "n", "l", []any{3}), got); d != "" {
			w.Error(d)
		}
		if got := svctest.Must(get("a", "nothing", nil))(w); got == nil || len(got) > 0 {
			w.Errorf("nothing of an item is %v, want an empty item", got)
		}
		if got := svctest.Must(get("b", "m", nil))(w); got != nil {
			w.Errorf("there is no %v", got)
		}
		_, err := get("a", "name", nil)
		wantInvalid(w, err, "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: name")
		_, err = get("a", "m", map[string]string{"#n": "name"})
		wantInvalid(w, err, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}")
		_, err = get("a", "", map[string]string{"#n": "name"})
		wantInvalid(w, err, "ExpressionAttributeNames can only be specified when using expressions")
		_, err = w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("sorted"), Key: it("pk", "a")})
		wantInvalid(w, err, "The provided key element does not match the schema")
	})
}

// Every read of an item says which version it sees.
func (w *world) seen(consistent bool) map[string]string {
	w.Helper()
	version := func(it item) string {
		if it == nil {
			return "none"
		}
		return it["v"].(*types.AttributeValueMemberN).Value
	}
	first := func(items []item) string {
		if len(items) == 0 {
			return "none"
		}
		return version(items[0])
	}
	c, plain, key := aws.Bool(consistent), aws.String("plain"), it("pk", "a")
	batch := svctest.Must(w.BatchGetItem(w.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"plain": {Keys: []item{key}, ConsistentRead: c}}}))(w)
	return map[string]string{
		"GetItem": version(svctest.Must(w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: plain, Key: key, ConsistentRead: c}))(w).Item),
		"Query": first(svctest.Must(w.Query(w.Context(), &dynamodb.QueryInput{
			TableName: plain, KeyConditionExpression: aws.String("pk = :a"), ExpressionAttributeValues: it(":a", "a"), ConsistentRead: c,
		}))(w).Items),
		"Scan":         first(svctest.Must(w.Scan(w.Context(), &dynamodb.ScanInput{TableName: plain, ConsistentRead: c}))(w).Items),
		"BatchGetItem": first(batch.Responses["plain"]),
	}
}

func everywhere(version string) map[string]string {
	return map[string]string{"GetItem": version, "Query": version, "Scan": version, "BatchGetItem": version}
}

func TestStaleReads(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		time.Sleep(time.Minute)
		w.put("plain", it("pk", "a", "v", 1))
		time.Sleep(time.Minute)
		w.put("plain", it("pk", "a", "v", 2))
		time.Sleep(time.Minute)
		svctest.Must(w.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("plain"), Key: it("pk", "a")}))(w)
		for _, c := range []struct {
			ago                  time.Duration
			eventual, consistent string
		}{{0, "none", "none"}, {30 * time.Second, "2", "none"}, {90 * time.Second, "1", "none"}, {150 * time.Second, "none", "none"}} {
			heal := func() {}
			if c.ago > 0 {
				heal = svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID}, awstest.Stale(c.ago)))(w)
			}
			if d := diff(everywhere(c.eventual), w.seen(false)); d != "" {
				w.Errorf("%v ago: %s", c.ago, d)
			}
			if d := diff(everywhere(c.consistent), w.seen(true)); d != "" {
				w.Errorf("%v ago, consistently: %s", c.ago, d)
			}
			heal()
		}
	})
}

// A transaction reads the present, and so does a condition, however far reads
// stand behind.
func TestConditionsAndTransactionsAreNeverStale(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		time.Sleep(time.Minute)
		w.put("plain", it("pk", "a", "v", 1))
		if d := diff(everywhere("none"), w.seen(false)); d != "" {
			w.Error(d)
		}
		if d := diff(everywhere("1"), w.seen(true)); d != "" {
			w.Error(d)
		}
		out := svctest.Must(w.TransactGetItems(w.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: aws.String("plain"), Key: it("pk", "a")}}}}))(w)
		if d := diff(it("pk", "a", "v", 1), out.Responses[0].Item); d != "" {
			w.Error(d)
		}
		in := updateInput("a", "SET v = :v", "v <> :one", it(":v", 2, ":one", 1))
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		_, err := w.UpdateItem(w.Context(), in)
		failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
		if !ok || diff(it("pk", "a", "v", 1), failed.Item) != "" {
			w.Errorf("%v", err)
		}
		time.Sleep(10 * time.Second)
		if d := diff(everywhere("1"), w.seen(false)); d != "" {
			w.Error(d)
		}
	}, func(o *awstest.Options) { o.VisibilityLag = 10 * time.Second })
}

// The famous trap: the reply of a conditional write is lost, the SDK sends it
// again, and the second one fails on what the first one has written.
func TestLostReplyOfAConditionalWrite(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.cloud.LoseReply(serviceID, "UpdateItem", 1))(w)
		in := updateInput("lease", "SET holder = :me, rvn = :mine", "attribute_not_exists(pk)", it(":me", "me", ":mine", "r1"))
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		_, err := w.UpdateItem(w.Context(), in)
		failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
		if !ok || w.cloud.Count(serviceID, "UpdateItem") != 2 {
			w.Fatalf("after %d tries: %v", w.cloud.Count(serviceID, "UpdateItem"), err)
		}
		// It looks like somebody else's lease, and only the item tells.
		if d := diff(it("pk", "lease", "holder", "me", "rvn", "r1"), failed.Item); d != "" {
			w.Error(d)
		}

		// An unconditional counter is incremented twice.
		svctest.Must(w.cloud.LoseReply(serviceID, "UpdateItem", 1))(w)
		if err := w.update("count", "ADD n1 :one", "", it(":one", 1)); err != nil {
			w.Error(err)
		}
		w.expect("plain", it("pk", "count"), it("pk", "count", "n1", 2))

		// A transaction knows its token.
		svctest.Must(w.cloud.LoseReply(serviceID, "TransactWriteItems", 1))(w)
		_, err = w.TransactWriteItems(w.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: &types.Update{
			TableName: aws.String("plain"), Key: it("pk", "count"), UpdateExpression: aws.String("ADD n1 :one"), ConditionExpression: aws.String("n1 = :two"),
			ExpressionAttributeValues: it(":one", 1, ":two", 2),
		}}}})
		if err != nil || w.cloud.Count(serviceID, "TransactWriteItems") != 2 {
			w.Errorf("after %d tries: %v", w.cloud.Count(serviceID, "TransactWriteItems"), err)
		}
		w.expect("plain", it("pk", "count"), it("pk", "count", "n1", 3))
	})
}

// Every effect of the core does to DynamoDB what it says.
func TestEffects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect  awstest.Effect
		code    string // "" is accepted
		applied bool
		takes   time.Duration
	}{
		"rejected":               {awstest.Reject(awstest.APIError{Code: "RequestLimitExceeded", Message: "no"}), "RequestLimitExceeded", false, 0},
		"applied, then an error": {awstest.ApplyThenReject(awstest.APIError{Code: "ValidationException", Message: "no"}), "ValidationException", true, 0},
		"slow":                   {awstest.Delay(time.Second), "", true, time.Second},
		"slow to answer":         {awstest.DelayReply(time.Second), "", true, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "PutItem", Resource: "plain"}, c.effect))(w)
				start := time.Now()
				_, err := w.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: aws.String("plain"), Item: it("pk", "a")}, func(o *dynamodb.Options) { o.RetryMaxAttempts = 1 })
				if c.code != "" {
					svctest.WantCode(w, err, c.code)
				} else if err != nil {
					w.Error(err)
				}
				if took := time.Since(start); took != c.takes+time.Millisecond {
					w.Errorf("took %v", took)
				}
				if there := w.get("plain", it("pk", "a")) != nil; there != c.applied {
					w.Errorf("applied: %v", there)
				}
				w.put("sorted", it("pk", "a", "sk", 1)) // another table is not struck
			})
		})
	}
}

func TestHangingWriteTakesEffectWhenHealed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "PutItem"}, awstest.Hang()))(w)
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if _, err := w.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("plain"), Item: it("pk", "gone")}); !errors.Is(err, context.DeadlineExceeded) {
			w.Error(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := w.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: aws.String("plain"), Item: it("pk", "a")})
			done <- err
		}()
		time.Sleep(time.Minute)
		w.expect("plain", it("pk", "a"), nil)
		heal()
		if err := <-done; err != nil {
			w.Error(err)
		}
		w.expect("plain", it("pk", "a"), it("pk", "a"))
		w.expect("plain", it("pk", "gone"), nil)
	})
}

// A second writer comes in between the read of a lease and its renewal.
func TestSecondWriterWinsTheRace(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "lease", "rvn", "r1"))
		svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "UpdateItem", Times: 1}, awstest.Before(func(context.Context, awstest.Record) {
			w.put("plain", it("pk", "lease", "rvn", "r2"))
		})))(w)
		svctest.WantCode(w, w.update("lease", "SET rvn = :new", "rvn = :old", it(":new", "r3", ":old", "r1")), "ConditionalCheckFailedException")
		w.expect("plain", it("pk", "lease"), it("pk", "lease", "rvn", "r2"))
	})
}

// DynamoDB is regional: a zone that fails takes its callers away from it, and
// nobody else's items.
func TestZonesDoNotMatter(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		r := svctest.Must(w.cloud.Region(region))(w)
		var machines []*awstest.Instance
		w.cloud.Update(func(tx *awstest.Tx) {
			for i, zone := range r.Zones()[:2] {
				m := tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
				tx.Route(r, netip.MustParseAddr(fmt.Sprintf("172.31.0.%d", 10+i)), m)
				tx.PowerOn(m)
				machines = append(machines, m)
			}
		})
		increment := func(m *awstest.Instance) error {
			ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
			defer cancel()
			_, err := dynamodb.NewFromConfig(m.Config()).UpdateItem(ctx, updateInput("a", "ADD n1 :one", "", it(":one", 1)))
			return err
		}
		for i, f := range []awstest.Fault{awstest.NetworkLoss, awstest.PowerLoss} {
			heal := r.Zones()[0].Fail(f)
			if err := increment(machines[0]); !errors.Is(err, context.DeadlineExceeded) {
				w.Errorf("%v: from the zone: %v", f, err)
			}
			if err := increment(machines[1]); err != nil {
				w.Errorf("%v: from another zone: %v", f, err)
			}
			heal()
			if err := increment(machines[0]); err != nil {
				w.Errorf("%v: healed: %v", f, err)
			}
			w.expect("plain", it("pk", "a"), it("pk", "a", "n1", 2*(i+1)))
		}
		heal := machines[1].Fail(awstest.NetworkLoss)
		if err := increment(machines[1]); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("from a machine without network: %v", err)
		}
		heal()
	})
}

func TestServiceFailsInOneRegion(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		elsewhere := dynamodb.NewFromConfig(w.cloud.Config("eu-west-1"))
		svctest.Must(elsewhere.CreateTable(w.Context(), tableInput("plain")))(w)
		w.put("plain", it("pk", "a"))
		svctest.Must(w.cloud.FailService(serviceID, region))(w)
		svctest.WantCode(w, w.update("a", "ADD n1 :one", "", it(":one", 1)), "InternalServerError")
		out := svctest.Must(elsewhere.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("plain"), Key: it("pk", "a")}))(w)
		if out.Item != nil {
			w.Error("a table is in two regions")
		}
	})
}
