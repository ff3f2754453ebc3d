package dynamodbsvc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func puts(items ...item) (list []types.WriteRequest) {
	for _, it := range items {
		list = append(list, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
	}
	return list
}

func deletion(key item) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
}

func (w *world) batch(requests map[string][]types.WriteRequest) (map[string][]types.WriteRequest, error) {
	out, err := w.BatchWriteItem(w.Context(), &dynamodb.BatchWriteItemInput{RequestItems: requests})
	if err != nil {
		return nil, err
	}
	return out.UnprocessedItems, nil
}

func TestBatchWriteItem(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "old", "x", 1))
		left := svctest.Must(w.batch(map[string][]types.WriteRequest{
			"plain":  append(puts(it("pk", "a"), it("pk", "b", "x", 1)), deletion(it("pk", "old")), deletion(it("pk", "never"))),
			"sorted": puts(it("pk", "a", "sk", 1), it("pk", "a", "sk", 2)),
		}))(w)
		if left == nil || len(left) > 0 {
			w.Errorf("left: %v", left)
		}
		w.expect("plain", it("pk", "a"), it("pk", "a"))
		w.expect("plain", it("pk", "b"), it("pk", "b", "x", 1))
		w.expect("plain", it("pk", "old"), nil)
		w.expect("sorted", it("pk", "a", "sk", 2), it("pk", "a", "sk", 2))
	})
}

func TestBatchWriteItemIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var many, large []item
		for i := range 26 {
			many = append(many, it("pk", fmt.Sprint(i)))
		}
		for i := range 25 {
			large = append(large, it("pk", fmt.Sprint(i), "x", strings.Repeat("x", 400<<10-10)))
		}
		for name, c := range map[string]struct {
			requests map[string][]types.WriteRequest
			want     string
		}{
			"nothing":        {map[string][]types.WriteRequest{}, "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1"},
			"nothing of one": {map[string][]types.WriteRequest{"plain": {}}, "1 validation error detected: Value '[]' at 'requestItems.plain.member' failed to satisfy constraint: Member must have length greater than or equal to 1"},
			"too many":       {map[string][]types.WriteRequest{"plain": puts(many...)}, "Too many items requested for the BatchWriteItem call"},
			"twice":          {map[string][]types.WriteRequest{"plain": append(puts(it("pk", "a")), deletion(it("pk", "a")))}, "Provided list of item keys contains duplicates"},
			"neither":        {map[string][]types.WriteRequest{"plain": {{}}}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
			"both": {map[string][]types.WriteRequest{"plain": {{PutRequest: &types.PutRequest{Item: it("pk", "a")}, DeleteRequest: &types.DeleteRequest{Key: it("pk", "b")}}}},
				"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
			"a wrong key":  {map[string][]types.WriteRequest{"plain": puts(it("pk", "ok"), it("x", "a"))}, "One or more parameter values were invalid: Missing the key pk in the item"},
			"a wrong item": {map[string][]types.WriteRequest{"plain": puts(it("pk", "ok"), it("pk", "a", "n", number("x")))}, "The parameter cannot be converted to a numeric value: x"},
		} {
			_, err := w.batch(c.requests)
			wantInvalid(w, err, c.want, name)
		}
		if out := svctest.Must(w.Scan(w.Context(), &dynamodb.ScanInput{TableName: aws.String("plain")}))(w); out.Count > 0 {
			w.Errorf("%d items are there all the same", out.Count)
		}
		if _, err := w.batch(map[string][]types.WriteRequest{"plain": puts(large...)}); err != nil {
			w.Errorf("ten megabytes: %v", err)
		}
	})
}

func TestUnprocessedWrites(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Times: 1}, dynamodbsvc.Unprocessed(2)))(w)
		requests := map[string][]types.WriteRequest{"plain": puts(it("pk", "a"), it("pk", "b", "x", 1)), "sorted": {deletion(it("pk", "a", "sk", 1))}}
		left := svctest.Must(w.batch(requests))(w)
		if d := diff(map[string][]types.WriteRequest{"plain": puts(it("pk", "b", "x", 1)), "sorted": {deletion(it("pk", "a", "sk", 1))}}, left); d != "" {
			w.Error(d)
		}
		w.expect("plain", it("pk", "a"), it("pk", "a"))
		w.expect("plain", it("pk", "b"), nil)
		if left := svctest.Must(w.batch(left))(w); len(left) > 0 {
			w.Errorf("left: %v", left)
		}
		w.expect("plain", it("pk", "b"), it("pk", "b", "x", 1))

		heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID}, dynamodbsvc.Unprocessed(3)))(w)
		_, err := w.batch(requests)
		svctest.WantCode(w, err, "ProvisionedThroughputExceededException")
		heal()
		if _, err := w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "PutItem"}, dynamodbsvc.Unprocessed(1)); err == nil {
			w.Error("an effect of batches is taken for PutItem")
		}
	})
}

func TestBatchGetItem(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var keys []item
		for i := range 20 {
			w.put("plain", it("pk", fmt.Sprintf("%02d", i), "x", i, "y", "y"))
			keys = append(keys, it("pk", fmt.Sprintf("%02d", i)))
		}
		w.put("sorted", it("pk", "a", "sk", 1))
		get := func(requests map[string]types.KeysAndAttributes) (*dynamodb.BatchGetItemOutput, error) {
			return w.BatchGetItem(w.Context(), &dynamodb.BatchGetItemInput{RequestItems: requests})
		}
		out := svctest.Must(get(map[string]types.KeysAndAttributes{
			"plain": {Keys: keys, ProjectionExpression: aws.String("#x"), ExpressionAttributeNames: map[string]string{"#x": "x"}}, "sorted": {Keys: []item{it("pk", "a", "sk", 1), it("pk", "a", "sk", 2)}},
		}))(w)
		if d := diff([]item{it("pk", "a", "sk", 1)}, out.Responses["sorted"]); d != "" || out.UnprocessedKeys == nil || len(out.UnprocessedKeys) > 0 {
			w.Errorf("%s, left %v", d, out.UnprocessedKeys)
		}
		seen, inOrder := map[string]bool{}, true
		for i, it := range out.Responses["plain"] {
			x := it["x"].(*types.AttributeValueMemberN).Value
			seen[x] = len(it) == 1
			inOrder = inOrder && x == fmt.Sprint(i)
		}
		if len(seen) != 20 || !seen["7"] || inOrder {
			w.Errorf("%d items, in the order of the request: %v", len(seen), inOrder)
		}
		if out := svctest.Must(get(map[string]types.KeysAndAttributes{"plain": {Keys: []item{it("pk", "missing")}}}))(w); out.Responses["plain"] == nil || len(out.Responses["plain"]) > 0 {
			w.Errorf("%v", out.Responses)
		}

		svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Times: 1}, dynamodbsvc.Unprocessed(19)))(w)
		requests := map[string]types.KeysAndAttributes{"plain": {Keys: keys, ConsistentRead: aws.Bool(true), ProjectionExpression: aws.String("#x"), ExpressionAttributeNames: map[string]string{"#x": "x"}}}
		total, pages := 0, 0
		for p := dynamodb.NewBatchGetItemPaginator(w, &dynamodb.BatchGetItemInput{RequestItems: requests}); p.HasMorePages(); pages++ {
			out := svctest.Must(p.NextPage(w.Context()))(w)
			total += len(out.Responses["plain"])
			if left := out.UnprocessedKeys["plain"]; pages == 0 && (len(left.Keys) != 19 || diff(requests["plain"].ExpressionAttributeNames, left.ExpressionAttributeNames) != "" || !*left.ConsistentRead || *left.ProjectionExpression != "#x") {
				w.Errorf("left: %v", left)
			} else if pages == 0 && (left.ConsistentRead == requests["plain"].ConsistentRead || left.ProjectionExpression == requests["plain"].ProjectionExpression) {
				w.Error("what is left shares the caller's pointers")
			}
		}
		if total != 20 || pages != 2 {
			w.Errorf("%d items on %d pages", total, pages)
		}

		many := map[string]types.KeysAndAttributes{"plain": {}}
		for i := range 101 {
			k := many["plain"]
			k.Keys = append(k.Keys, it("pk", fmt.Sprint(i)))
			many["plain"] = k
		}
		for name, c := range map[string]struct {
			requests map[string]types.KeysAndAttributes
			want     string
		}{
			"nothing":  {map[string]types.KeysAndAttributes{}, "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1"},
			"no keys":  {map[string]types.KeysAndAttributes{"plain": {Keys: []item{}}}, "1 validation error detected: Value '[]' at 'requestItems.plain.member.keys' failed to satisfy constraint: Member must have length greater than or equal to 1"},
			"twice":    {map[string]types.KeysAndAttributes{"plain": {Keys: []item{it("pk", "a"), it("pk", "a")}}}, "Provided list of item keys contains duplicates"},
			"too many": {many, "Too many items requested for the BatchGetItem call"},
			"a key":    {map[string]types.KeysAndAttributes{"plain": {Keys: []item{it("x", "a")}}}, "The provided key element does not match the schema"},
		} {
			_, err := get(c.requests)
			wantInvalid(w, err, c.want, name)
		}
	})
}

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html (read 2026-11)
func TestBatchGetItemReturns16Megabytes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		k := types.KeysAndAttributes{}
		for i := range 60 {
			w.put("plain", it("pk", fmt.Sprintf("%02d", i), "x", strings.Repeat("x", 300<<10)))
			k.Keys = append(k.Keys, it("pk", fmt.Sprintf("%02d", i)))
		}
		out := svctest.Must(w.BatchGetItem(w.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"plain": k}}))(w)
		if got, left := len(out.Responses["plain"]), len(out.UnprocessedKeys["plain"].Keys); got < 52 || got > 54 || got+left != 60 {
			w.Errorf("%d items, %d left", got, left)
		}
	})
}
