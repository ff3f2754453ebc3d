package dynamodbsvc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

func (s *service) addReads(e *awstest.Endpoint) {
	awstest.Handle(e, s.getItem, "TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames", "ReturnConsumedCapacity")
	awstest.Handle(e, s.query, "TableName", "KeyConditionExpression", "FilterExpression", "ProjectionExpression", "ExpressionAttributeNames",
		"ExpressionAttributeValues", "ConsistentRead", "ScanIndexForward", "Limit", "ExclusiveStartKey", "Select", "ReturnConsumedCapacity")
	awstest.Handle(e, s.scan, "TableName", "FilterExpression", "ProjectionExpression", "ExpressionAttributeNames",
		"ExpressionAttributeValues", "ConsistentRead", "Limit", "ExclusiveStartKey", "Select", "ReturnConsumedCapacity", "Segment", "TotalSegments")
}

// moment returns as of when a read is served.
func moment(tx *awstest.Tx, call *awstest.Call, consistent *bool) time.Time {
	if aws.ToBool(consistent) {
		return tx.Now()
	}
	return call.At
}

// projection reads a projection that has no other expression beside it.
func projection(text *string, names map[string]string) (*ddbexpr.Projection, error) {
	scope, err := newScope(names, nil, "", text)
	if err != nil || text == nil {
		return nil, err
	}
	p, err := scope.Projection(*text)
	if err != nil {
		return nil, err
	}
	return p, scope.Unused()
}

func (s *service) getItem(tx *awstest.Tx, call *awstest.Call, in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
	used, err := measure(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	p, err := projection(in.ProjectionExpression, in.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	attributes, err := toItem(in.Key)
	if err != nil {
		return nil, err
	}
	t, err := s.open(tx, call, in.TableName)
	if err != nil {
		return nil, err
	}
	k, err := t.schema.Key(attributes)
	if err != nil {
		return nil, err
	}
	out := &dynamodb.GetItemOutput{}
	item, ok := t.content.Get(moment(tx, call, in.ConsistentRead), k)
	if ok {
		out.Item = fromItem(p.Of(item))
	}
	used.add(t, readUnits(ddbexpr.Size(item), in.ConsistentRead))
	out.ConsumedCapacity = used.one()
	return out, nil
}
