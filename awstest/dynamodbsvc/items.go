package dynamodbsvc

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

func (s *service) addItems(e *awstest.Endpoint) {
	awstest.Handle(e, s.putItem, "TableName", "Item", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
		"ReturnValues", "ReturnValuesOnConditionCheckFailure", "ReturnConsumedCapacity")
	awstest.Handle(e, s.updateItem, "TableName", "Key", "UpdateExpression", "ConditionExpression", "ExpressionAttributeNames",
		"ExpressionAttributeValues", "ReturnValues", "ReturnValuesOnConditionCheckFailure", "ReturnConsumedCapacity")
	awstest.Handle(e, s.deleteItem, "TableName", "Key", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues",
		"ReturnValues", "ReturnValuesOnConditionCheckFailure", "ReturnConsumedCapacity")
}

// outcome is what the write of one item returns.
type outcome struct {
	write     *write
	old, item ddbexpr.Map
	capacity  *types.ConsumedCapacity
}

// writeItem does the write of an operation on one item.
func (s *service) writeItem(tx *awstest.Tx, call *awstest.Call, rq *request, capacity types.ReturnConsumedCapacity) (*outcome, error) {
	used, err := measure(capacity)
	if err != nil {
		return nil, err
	}
	w, err := rq.parse()
	if err != nil {
		return nil, err
	}
	t, err := s.open(tx, call, rq.table)
	if err != nil {
		return nil, err
	}
	k, err := w.locate(t)
	if err != nil {
		return nil, err
	}
	if conflicts(call) {
		return nil, awstest.Errorf("TransactionConflictException", ongoing)
	}
	old, _ := t.content.Get(tx.Now(), k)
	if !w.condition.Holds(old) {
		return nil, w.failed(call, old)
	}
	item, err := w.result(old)
	if err != nil {
		return nil, err
	}
	s.store(tx, t, k, item)
	used.add(t, written(old, item))
	return &outcome{write: w, old: old, item: item, capacity: used.one()}, nil
}

// checkReturned refuses what PutItem and DeleteItem cannot return.
func checkReturned(v types.ReturnValue) error {
	if err := oneOf(v, "returnValues", v.Values()); err != nil {
		return err
	}
	if v != "" && v != types.ReturnValueNone && v != types.ReturnValueAllOld {
		return invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	return nil
}

// returned returns the attributes that are asked for; none where there are
// none.
func (o *outcome) returned(v types.ReturnValue) attributes {
	var item ddbexpr.Map
	switch v {
	case types.ReturnValueAllOld:
		item = o.old
	case types.ReturnValueAllNew:
		item = o.item
	case types.ReturnValueUpdatedOld:
		item = o.touched(o.old)
	case types.ReturnValueUpdatedNew:
		item = o.touched(o.item)
	}
	if len(item) == 0 {
		return nil
	}
	return fromItem(item)
}

func (o *outcome) touched(item ddbexpr.Map) ddbexpr.Map {
	if o.write.update == nil {
		return nil
	}
	return o.write.update.Touched(item)
}

func (s *service) putItem(tx *awstest.Tx, call *awstest.Call, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	if err := checkReturned(in.ReturnValues); err != nil {
		return nil, err
	}
	o, err := s.writeItem(tx, call, &request{
		verb: put, table: in.TableName, item: in.Item, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, onFailure: in.ReturnValuesOnConditionCheckFailure,
	}, in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	return &dynamodb.PutItemOutput{Attributes: o.returned(in.ReturnValues), ConsumedCapacity: o.capacity}, nil
}

func (s *service) updateItem(tx *awstest.Tx, call *awstest.Call, in *dynamodb.UpdateItemInput) (*dynamodb.UpdateItemOutput, error) {
	if err := oneOf(in.ReturnValues, "returnValues", in.ReturnValues.Values()); err != nil {
		return nil, err
	}
	o, err := s.writeItem(tx, call, &request{
		verb: update, table: in.TableName, item: in.Key, condition: in.ConditionExpression, update: in.UpdateExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, onFailure: in.ReturnValuesOnConditionCheckFailure,
	}, in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	return &dynamodb.UpdateItemOutput{Attributes: o.returned(in.ReturnValues), ConsumedCapacity: o.capacity}, nil
}

func (s *service) deleteItem(tx *awstest.Tx, call *awstest.Call, in *dynamodb.DeleteItemInput) (*dynamodb.DeleteItemOutput, error) {
	if err := checkReturned(in.ReturnValues); err != nil {
		return nil, err
	}
	o, err := s.writeItem(tx, call, &request{
		verb: remove, table: in.TableName, item: in.Key, condition: in.ConditionExpression,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues, onFailure: in.ReturnValuesOnConditionCheckFailure,
	}, in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DeleteItemOutput{Attributes: o.returned(in.ReturnValues), ConsumedCapacity: o.capacity}, nil
}
