package dynamodbsvc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

const showOld = types.ReturnValuesOnConditionCheckFailureAllOld

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func tPut(it item, condition string, values item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: aws.String("plain"), Item: it, ConditionExpression: text(condition), ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: showOld}}
}

func tUpdate(pk, update, condition string, values item) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{TableName: aws.String("plain"), Key: it("pk", pk), UpdateExpression: &update, ConditionExpression: text(condition), ExpressionAttributeValues: values}}
}

func tDelete(pk, condition string, values item) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String("plain"), Key: it("pk", pk), ConditionExpression: text(condition), ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: showOld}}
}

func tCheck(pk, condition string, values item) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: aws.String("plain"), Key: it("pk", pk), ConditionExpression: &condition, ExpressionAttributeValues: values}}
}

func (w *world) transact(token string, items ...types.TransactWriteItem) error {
	_, err := w.TransactWriteItems(w.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: items, ClientRequestToken: text(token)})
	return err
}

// wantReasons asserts why a transaction was cancelled.
func (w *world) wantReasons(err error, reasons ...types.CancellationReason) {
	w.Helper()
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		w.Errorf("got %v", err)
		return
	}
	svctest.WantStatus(w, err, 400)
	if d := diff(reasons, cancelled.CancellationReasons); d != "" {
		w.Error(d)
	}
	var codes []string
	for _, r := range reasons {
		codes = append(codes, *r.Code)
	}
	if want := "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"; cancelled.ErrorMessage() != want {
		w.Errorf("got %s, want %s", cancelled.ErrorMessage(), want)
	}
}

var none = types.CancellationReason{Code: aws.String("None")}

func conditional(it item) types.CancellationReason {
	return types.CancellationReason{Code: aws.String("ConditionalCheckFailed"), Message: aws.String("The conditional request failed"), Item: it}
}

func validation(message string) types.CancellationReason {
	return types.CancellationReason{Code: aws.String("ValidationError"), Message: &message}
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "head", "token1", 4, "seq", 7))
		w.put("plain", it("pk", "old", "x", "y"))
		journal := func(token int) error {
			return w.transact("",
				tPut(it("pk", "record-8"), "attribute_not_exists(pk)", nil),
				tUpdate("head", "SET seq = seq + :one", "token1 = :t", it(":t", token, ":one", 1)),
				tDelete("old", "attribute_exists(x)", nil),
				tCheck("other", "attribute_not_exists(pk)", nil),
			)
		}
		w.wantReasons(journal(3), none, conditional(nil), none, none)
		w.expect("plain", it("pk", "record-8"), nil)
		w.expect("plain", it("pk", "head"), it("pk", "head", "token1", 4, "seq", 7))
		w.expect("plain", it("pk", "old"), it("pk", "old", "x", "y"))
		if err := journal(4); err != nil {
			w.Fatal(err)
		}
		w.expect("plain", it("pk", "record-8"), it("pk", "record-8"))
		w.expect("plain", it("pk", "head"), it("pk", "head", "token1", 4, "seq", 8))
		w.expect("plain", it("pk", "old"), nil)
		w.expect("plain", it("pk", "other"), nil)
		// All that fails is reported, with the item where it is asked for and there.
		w.wantReasons(journal(3), conditional(it("pk", "record-8")), conditional(nil), conditional(nil), none)
	})
}

func TestTransactionSpansTables(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		other := types.TransactWriteItem{Put: &types.Put{TableName: aws.String("arn:aws:dynamodb:us-east-1:123456789012:table/sorted"), Item: it("pk", "a", "sk", 1)}}
		if err := w.transact("", tPut(it("pk", "a"), "", nil), other); err != nil {
			w.Error(err)
		}
		w.expect("plain", it("pk", "a"), it("pk", "a"))
		w.expect("sorted", it("pk", "a", "sk", 1), it("pk", "a", "sk", 1))
	})
}

func TestTransactionIsCancelledForItsValues(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		large := strings.Repeat("x", 400<<10-10)
		w.put("plain", it("pk", "a", "x", large, "v", "text"))
		for name, c := range map[string]struct {
			items []types.TransactWriteItem
			want  []types.CancellationReason
		}{
			"the type of an operand": {[]types.TransactWriteItem{tPut(it("pk", "b"), "", nil), tUpdate("a", "SET v = v + :one", "", it(":one", 1))},
				[]types.CancellationReason{none, validation("An operand in the update expression has an incorrect data type")}},
			"an item that grows too large": {[]types.TransactWriteItem{tUpdate("a", "SET y = :y", "", it(":y", "12345")), tPut(it("pk", "b"), "attribute_exists(pk)", nil)},
				[]types.CancellationReason{validation("Item size to update has exceeded the maximum allowed size"), conditional(nil)}},
			// Keys are looked at first, and the first mistake ends it.
			"the type of a key": {[]types.TransactWriteItem{tPut(it("pk", "b"), "attribute_exists(pk)", nil), tPut(it("pk", 7), "", nil), tPut(it("pk", 8), "", nil)},
				[]types.CancellationReason{none, validation("One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"), none}},
			"the key's update": {[]types.TransactWriteItem{tUpdate("b", "SET pk = :y", "", it(":y", "b"))},
				[]types.CancellationReason{validation("One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key")}},
		} {
			w.Log(name)
			w.wantReasons(w.transact("", c.items...), c.want...)
		}
		w.expect("plain", it("pk", "b"), nil)
	})
}

func TestTransactionIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var many, heavy []types.TransactWriteItem
		for i := range 101 {
			many = append(many, tPut(it("pk", fmt.Sprint(i)), "", nil))
		}
		for i := range 50 {
			heavy = append(heavy, tPut(it("pk", fmt.Sprint(i), "x", strings.Repeat("x", 100_000)), "", nil))
		}
		both := tPut(it("pk", "a"), "", nil)
		both.Delete = &types.Delete{TableName: aws.String("plain"), Key: it("pk", "b")}
		unused := tPut(it("pk", "a"), "attribute_exists(pk)", it(":x", 1))
		for name, c := range map[string]struct {
			items []types.TransactWriteItem
			want  string
		}{
			"nothing":      {[]types.TransactWriteItem{}, "1 validation error detected: Value '0' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100, and greater than or equal to 1"},
			"too many":     {many, "1 validation error detected: Value '101' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100, and greater than or equal to 1"},
			"too heavy":    {heavy, "Transaction payload size cannot exceed 4194304 bytes"},
			"two of one":   {[]types.TransactWriteItem{tPut(it("pk", "a"), "", nil), tCheck("a", "attribute_exists(pk)", nil)}, "Transaction request cannot include multiple operations on one item"},
			"two in one":   {[]types.TransactWriteItem{both}, "TransactItems can only contain one of Check, Put, Update or Delete"},
			"none in one":  {[]types.TransactWriteItem{{}}, "TransactItems can only contain one of Check, Put, Update or Delete"},
			"syntax":       {[]types.TransactWriteItem{tCheck("a", "hello!", nil)}, `Invalid ConditionExpression: Syntax error; token: "!", near: "hello!"`},
			"unused value": {[]types.TransactWriteItem{unused}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"},
			"a value":      {[]types.TransactWriteItem{tPut(it("pk", "a", "n", number("x")), "", nil)}, "The parameter cannot be converted to a numeric value: x"},
		} {
			wantInvalid(w, w.transact("", c.items...), c.want, name)
		}
		wantInvalid(w, w.transact(strings.Repeat("t", 37), many[0]), "1 validation error detected: Value '"+strings.Repeat("t", 37)+"' at 'clientRequestToken' failed to satisfy constraint: Member must have length from 1 to 36")
		if err := w.transact(strings.Repeat("t", 36), many[:100]...); err != nil {
			w.Errorf("a hundred: %v", err)
		}
	})
}

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html (read 2026-11)
func TestTokenMakesATransactionIdempotent(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		increment := func(token string, by int) error {
			return w.transact(token, tUpdate("a", "ADD n1 :by", "attribute_not_exists(n1) OR n1 < :max", it(":by", by, ":max", 100)))
		}
		count := func(want int) {
			w.Helper()
			w.expect("plain", it("pk", "a"), it("pk", "a", "n1", want))
		}
		for range 2 {
			if err := increment("t1", 5); err != nil {
				w.Error(err)
			}
		}
		count(5)
		svctest.WantCode(w, increment("t1", 6), "IdempotentParameterMismatchException")
		if err := w.transact("t1", tUpdate("a", "ADD  n1 :by", "attribute_not_exists(n1) OR n1 < :max", it(":by", 5, ":max", 100))); err == nil {
			w.Error("another text is taken for the same request")
		}
		count(5)
		time.Sleep(10*time.Minute - 10*time.Millisecond)
		if err := increment("t1", 5); err != nil {
			w.Error(err)
		}
		count(5)
		time.Sleep(10 * time.Millisecond)
		if err := increment("t1", 6); err != nil { // as a new one
			w.Error(err)
		}
		count(11)
		// One that was cancelled is not known.
		for range 2 {
			w.wantReasons(w.transact("t2", tCheck("a", "n1 = :n", it(":n", 12))), conditional(nil))
		}
		if err := increment("t3", 1); err != nil {
			w.Error(err)
		}
		if err := w.transact("t2", tCheck("a", "n1 = :n", it(":n", 12))); err != nil {
			w.Error(err)
		}
		// The SDK makes a token of its own for every call.
		for range 2 {
			if err := increment("", 1); err != nil {
				w.Error(err)
			}
		}
		count(14)
	})
}

func TestConflictOfATransaction(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "a"))
		ongoing := types.CancellationReason{Code: aws.String("TransactionConflict"), Message: aws.String("Transaction is ongoing for the item")}
		heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Resource: "a"}, dynamodbsvc.Conflict()))(w)
		write := func() error { return w.transact("t", tDelete("a", "", nil), tPut(it("pk", "b"), "", nil)) }
		w.wantReasons(write(), ongoing, none)
		_, err := w.TransactGetItems(w.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: aws.String("plain"), Key: it("pk", "a")}}, {Get: &types.Get{TableName: aws.String("plain"), Key: it("pk", "b")}},
		}})
		w.wantReasons(err, ongoing, none)
		if n := w.cloud.Count(serviceID, "TransactWriteItems"); n != 1 {
			w.Errorf("the SDK tries %d times", n) // a cancelled transaction is the caller's to try again
		}
		heal()
		if err := write(); err != nil {
			w.Error(err)
		}
		w.expect("plain", it("pk", "a"), nil)
	})
}

func TestTransactGetItems(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "a", "x", 1, "y", 2))
		get := func(pk any, projection string) types.TransactGetItem {
			return types.TransactGetItem{Get: &types.Get{TableName: aws.String("plain"), Key: it("pk", pk), ProjectionExpression: text(projection)}}
		}
		read := func(items ...types.TransactGetItem) ([]types.ItemResponse, error) {
			out, err := w.TransactGetItems(w.Context(), &dynamodb.TransactGetItemsInput{TransactItems: items})
			if err != nil {
				return nil, err
			}
			return out.Responses, nil
		}
		got := svctest.Must(read(get("a", ""), get("b", ""), types.TransactGetItem{Get: &types.Get{
			TableName: aws.String("sorted"), Key: it("pk", "a", "sk", 1), ProjectionExpression: aws.String("x"),
		}}))(w)
		if d := diff([]types.ItemResponse{{Item: it("pk", "a", "x", 1, "y", 2)}, {}, {}}, got); d != "" {
			w.Error(d)
		}
		if d := diff([]types.ItemResponse{{Item: it("x", 1)}}, svctest.Must(read(get("a", "x")))(w)); d != "" {
			w.Error(d)
		}
		_, err := read(get("a", ""), get(7, ""))
		w.wantReasons(err, none, validation("The provided key element does not match the schema"))
		_, err = read(get("a", "x,"))
		wantInvalid(w, err, `Invalid ProjectionExpression: Syntax error; token: "<EOF>", near: ","`)
		_, err = read([]types.TransactGetItem{}...)
		svctest.WantCode(w, err, "ValidationException")
		var heavy []types.TransactGetItem
		for i := range 11 {
			w.put("plain", it("pk", fmt.Sprint(i), "x", strings.Repeat("x", 400<<10-10)))
			heavy = append(heavy, get(fmt.Sprint(i), ""))
		}
		_, err = read(heavy...)
		wantInvalid(w, err, "Transaction payload size cannot exceed 4194304 bytes")
		if _, err = read(heavy[:10]...); err != nil {
			w.Error(err)
		}
	})
}

// Two writers of one head: whoever comes second is fenced, at whatever instant
// he comes.
func TestTransactionsDoNotInterleave(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "head", "seq", 0))
		wins := make(chan bool, 64)
		for i := range 64 {
			go func() {
				err := w.transact(fmt.Sprint("writer-", i), tPut(it("pk", "record-1", "by", i), "attribute_not_exists(pk)", nil), tUpdate("head", "ADD seq :one", "seq = :zero", it(":one", 1, ":zero", 0)))
				wins <- err == nil
			}()
		}
		won := 0
		for range 64 {
			if <-wins {
				won++
			}
		}
		if won != 1 {
			w.Errorf("%d have won", won)
		}
		w.expect("plain", it("pk", "head"), it("pk", "head", "seq", 1))
	}, func(o *awstest.Options) { o.CallLog = 10 })
}
