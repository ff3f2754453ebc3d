package dynamodbsvc_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html (read 2026-11)
func TestConsumedCapacity(t *testing.T) {
	t.Parallel()
	const total = types.ReturnConsumedCapacityTotal
	plain, sorted := aws.String("plain"), aws.String("sorted")
	of := func(bytes int) string { return strings.Repeat("x", bytes-4) } // of an item that is this large
	inBubble(t, func(w *world) {
		used := func(in any) any {
			w.Helper()
			switch out := svctest.Must(svctest.Call(w.Context(), w.Client, in))(w).(type) {
			case *dynamodb.PutItemOutput:
				return out.ConsumedCapacity
			case *dynamodb.UpdateItemOutput:
				return out.ConsumedCapacity
			case *dynamodb.DeleteItemOutput:
				return out.ConsumedCapacity
			case *dynamodb.GetItemOutput:
				return out.ConsumedCapacity
			case *dynamodb.QueryOutput:
				return out.ConsumedCapacity
			case *dynamodb.ScanOutput:
				return out.ConsumedCapacity
			case *dynamodb.BatchGetItemOutput:
				return out.ConsumedCapacity
			case *dynamodb.BatchWriteItemOutput:
				return out.ConsumedCapacity
			case *dynamodb.TransactWriteItemsOutput:
				return out.ConsumedCapacity
			case *dynamodb.TransactGetItemsOutput:
				return out.ConsumedCapacity
			}
			return nil
		}
		capacity := func(table *string, units float64) types.ConsumedCapacity {
			return types.ConsumedCapacity{TableName: table, CapacityUnits: &units}
		}
		one := func(units float64) *types.ConsumedCapacity {
			c := capacity(plain, units)
			return &c
		}
		w.put("sorted", it("pk", "a", "sk", 1, "x", of(6000)))
		w.put("sorted", it("pk", "a", "sk", 2, "x", of(6000)))
		transaction := &dynamodb.TransactWriteItemsInput{ReturnConsumedCapacity: total, ClientRequestToken: aws.String("t"), TransactItems: []types.TransactWriteItem{
			tPut(it("pk", "a", "x", of(1025)), "", nil), tCheck("b", "attribute_not_exists(pk)", nil),
			{Put: &types.Put{TableName: sorted, Item: it("pk", "b", "sk", 1)}},
		}}
		for i, c := range []struct{ in, want any }{
			{&dynamodb.PutItemInput{TableName: plain, Item: it("pk", "a", "x", of(1024)), ReturnConsumedCapacity: total}, one(1)},
			{&dynamodb.PutItemInput{TableName: plain, Item: it("pk", "a", "x", of(1025)), ReturnConsumedCapacity: total}, one(2)},
			{&dynamodb.PutItemInput{TableName: plain, Item: it("pk", "a"), ReturnConsumedCapacity: total}, one(2)}, // of the larger one
			{&dynamodb.PutItemInput{TableName: plain, Item: it("pk", "a", "x", of(4097))}, (*types.ConsumedCapacity)(nil)},
			{&dynamodb.PutItemInput{TableName: plain, Item: it("pk", "a", "x", of(4097)), ReturnConsumedCapacity: types.ReturnConsumedCapacityNone}, (*types.ConsumedCapacity)(nil)},
			{&dynamodb.GetItemInput{TableName: plain, Key: it("pk", "a"), ReturnConsumedCapacity: total}, one(1)},
			{&dynamodb.GetItemInput{TableName: plain, Key: it("pk", "a"), ReturnConsumedCapacity: total, ConsistentRead: aws.Bool(true)}, one(2)},
			{&dynamodb.GetItemInput{TableName: plain, Key: it("pk", "none"), ReturnConsumedCapacity: total}, one(0.5)},
			{&dynamodb.GetItemInput{TableName: plain, Key: it("pk", "none"), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes},
				&types.ConsumedCapacity{TableName: plain, CapacityUnits: aws.Float64(0.5), Table: &types.Capacity{CapacityUnits: aws.Float64(0.5)}}},
			{&dynamodb.UpdateItemInput{TableName: plain, Key: it("pk", "a"), UpdateExpression: aws.String("REMOVE x"), ReturnConsumedCapacity: total}, one(5)},
			{&dynamodb.DeleteItemInput{TableName: plain, Key: it("pk", "none"), ReturnConsumedCapacity: total}, one(1)},
			{&dynamodb.QueryInput{TableName: sorted, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: it(":p", "a"), ReturnConsumedCapacity: total},
				&types.ConsumedCapacity{TableName: sorted, CapacityUnits: aws.Float64(1.5)}}, // 12 KB together
			{&dynamodb.ScanInput{TableName: sorted, FilterExpression: aws.String("x = :p"), ExpressionAttributeValues: it(":p", "a"), ReturnConsumedCapacity: total, ConsistentRead: aws.Bool(true)},
				&types.ConsumedCapacity{TableName: sorted, CapacityUnits: aws.Float64(3)}},
			{&dynamodb.BatchGetItemInput{ReturnConsumedCapacity: total, RequestItems: map[string]types.KeysAndAttributes{
				"plain": {Keys: []item{it("pk", "a"), it("pk", "b")}}, "sorted": {Keys: []item{it("pk", "a", "sk", 1)}, ConsistentRead: aws.Bool(true)},
			}}, []types.ConsumedCapacity{capacity(plain, 1), capacity(sorted, 2)}},
			{&dynamodb.BatchWriteItemInput{ReturnConsumedCapacity: total, RequestItems: map[string][]types.WriteRequest{"plain": append(puts(it("pk", "c")), deletion(it("pk", "d")))}},
				[]types.ConsumedCapacity{capacity(plain, 2)}},
			{transaction, []types.ConsumedCapacity{capacity(plain, 6), capacity(sorted, 2)}},
			{transaction, []types.ConsumedCapacity{capacity(plain, 4), capacity(sorted, 2)}}, // the second time the items are only read
			{&dynamodb.TransactGetItemsInput{ReturnConsumedCapacity: total, TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: plain, Key: it("pk", "a")}}}},
				[]types.ConsumedCapacity{capacity(plain, 2)}},
		} {
			if d := diff(c.want, used(c.in)); d != "" {
				w.Errorf("%d, %T: %s", i, c.in, d)
			}
		}
	})
}
