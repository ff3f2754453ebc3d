package dynamodbsvc

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

// transactGetItems reads the present: all of it at one instant, and never
// stale.
func (s *service) transactGetItems(tx *awstest.Tx, call *awstest.Call, in *dynamodb.TransactGetItemsInput) (*dynamodb.TransactGetItemsOutput, error) {
	used, err := measure(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	if n := len(in.TransactItems); n < 1 || n > maxTransaction {
		return nil, member(n, "transactItems", fmt.Sprintf("have length less than or equal to %d, and greater than or equal to 1", maxTransaction))
	}
	projections := make([]*ddbexpr.Projection, len(in.TransactItems))
	keys := make([]ddbexpr.Map, len(in.TransactItems))
	for i, item := range in.TransactItems {
		if projections[i], err = projection(item.Get.ProjectionExpression, item.Get.ExpressionAttributeNames); err != nil {
			return nil, err
		}
		if keys[i], err = toItem(item.Get.Key); err != nil {
			return nil, err
		}
	}
	out := &dynamodb.TransactGetItemsOutput{}
	bytes := 0
	seen := map[tableKey]bool{}
	reasons := newReasons(len(in.TransactItems))
	for i, get := range in.TransactItems {
		t, err := s.open(tx, call, get.Get.TableName)
		if err != nil {
			return nil, err
		}
		k, err := t.schema.Key(keys[i])
		if err != nil {
			reasons[i] = validation(err)
			return nil, cancelled(call, reasons)
		}
		at := tableKey{t.name, k}
		if seen[at] {
			// The API reference does not say what happens.
			return nil, call.NotModelled("an item that is asked for twice")
		}
		seen[at] = true
		item, ok := t.content.Get(tx.Now(), k)
		r := types.ItemResponse{}
		if ok {
			r.Item = fromItem(projections[i].Of(item))
		}
		out.Responses = append(out.Responses, r)
		bytes += ddbexpr.Size(item)
		used.add(t, transactional*units(ddbexpr.Size(item), readUnit))
	}
	switch {
	case bytes > maxTransactionSize:
		return nil, invalid("Transaction payload size cannot exceed %d bytes", maxTransactionSize)
	case conflicts(call):
		reasons[0] = types.CancellationReason{Code: aws.String("TransactionConflict"), Message: aws.String(ongoing)}
		return nil, cancelled(call, reasons)
	}
	out.ConsumedCapacity = used.each()
	return out, nil
}
