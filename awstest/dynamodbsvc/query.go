package dynamodbsvc

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

func (s *service) query(tx *awstest.Tx, call *awstest.Call, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	used, err := measure(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	if in.KeyConditionExpression == nil {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	scope, err := newScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues, "FilterExpression and KeyConditionExpression are null",
		in.KeyConditionExpression, in.FilterExpression, in.ProjectionExpression)
	if err != nil {
		return nil, err
	}
	tests, err := scope.KeyCondition(*in.KeyConditionExpression)
	if err != nil {
		return nil, err
	}
	pg, err := newPage(scope, in.FilterExpression, in.ProjectionExpression, in.Select, in.Limit)
	if err != nil {
		return nil, err
	}
	t, err := s.open(tx, call, in.TableName)
	if err != nil {
		return nil, err
	}
	stretch, err := t.stretch(tests)
	if err != nil {
		return nil, err
	}
	if err := pg.checkFilter(t); err != nil {
		return nil, err
	}
	backwards := in.ScanIndexForward != nil && !*in.ScanIndexForward
	if in.ExclusiveStartKey != nil {
		start, err := t.start(in.ExclusiveStartKey)
		if err != nil {
			return nil, err
		}
		if !stretch.Holds(start) {
			return nil, invalid("The provided starting key is outside query boundaries based on provided conditions")
		}
		stretch = stretch.After(start, backwards)
	}
	pg.read(t, moment(tx, call, in.ConsistentRead), stretch, backwards)
	used.add(t, readUnits(pg.bytes, in.ConsistentRead))
	return &dynamodb.QueryOutput{
		Items: pg.items, Count: pg.count, ScannedCount: pg.scanned, LastEvaluatedKey: fromItem(pg.last), ConsumedCapacity: used.one(),
	}, nil
}

// stretch returns the items that a key condition is about: one test of the
// partition key, and perhaps one of the sort key.
func (t *table) stretch(tests []ddbexpr.KeyTest) (ddbmodel.Stretch, error) {
	none := ddbmodel.Stretch{}
	var hash ddbexpr.Value
	var sort *ddbexpr.KeyTest
	for i := range tests {
		test := &tests[i]
		a := t.schema.Hash
		switch {
		case test.Attribute == t.schema.Hash.Name && test.Operator != "=":
			return none, invalid("Query key condition not supported")
		case test.Attribute == t.schema.Hash.Name:
			hash = test.Values[0]
		case t.schema.Sort != nil && test.Attribute == t.schema.Sort.Name:
			sort, a = test, *t.schema.Sort
		case t.schema.Sort != nil:
			return none, invalid("Query condition missed key schema element: %s", t.schema.Sort.Name)
		default:
			return none, invalid("Query key condition not supported")
		}
		for _, v := range test.Values {
			switch {
			case v.Kind() != a.Kind:
				return none, invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
			case v == ddbexpr.String("") || v == ddbexpr.Binary(""):
				return none, invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", a.Name)
			}
		}
	}
	switch {
	case hash == nil:
		return none, invalid("Query condition missed key schema element: %s", t.schema.Hash.Name)
	case sort == nil:
		return t.schema.Partition(hash, ""), nil
	}
	return t.schema.Partition(hash, sort.Operator, sort.Values...), nil
}

// start reads where a page begins. The item need not exist any more.
func (t *table) start(in attributes) (ddbmodel.Key, error) {
	key, err := toItem(in)
	if err != nil {
		return "", err
	}
	k, err := t.schema.Key(key)
	if err != nil {
		return "", invalid("The provided starting key is invalid: %s", reason(err))
	}
	return k, nil
}

func (s *service) scan(tx *awstest.Tx, call *awstest.Call, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	used, err := measure(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	scope, err := newScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues, "FilterExpression is null", in.FilterExpression, in.ProjectionExpression)
	if err != nil {
		return nil, err
	}
	pg, err := newPage(scope, in.FilterExpression, in.ProjectionExpression, in.Select, in.Limit)
	if err != nil {
		return nil, err
	}
	stretch, err := segment(in.Segment, in.TotalSegments)
	if err != nil {
		return nil, err
	}
	t, err := s.open(tx, call, in.TableName)
	if err != nil {
		return nil, err
	}
	if in.ExclusiveStartKey != nil {
		start, err := t.start(in.ExclusiveStartKey)
		if err != nil {
			return nil, err
		}
		if !stretch.Holds(start) {
			return nil, invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", *in.TotalSegments, *in.Segment)
		}
		stretch = stretch.After(start, false)
	}
	pg.read(t, moment(tx, call, in.ConsistentRead), stretch, false)
	used.add(t, readUnits(pg.bytes, in.ConsistentRead))
	return &dynamodb.ScanOutput{
		Items: pg.items, Count: pg.count, ScannedCount: pg.scanned, LastEvaluatedKey: fromItem(pg.last), ConsumedCapacity: used.one(),
	}, nil
}

// maxSegments is how many workers may share a scan.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html (read 2026-11)
const maxSegments = 1_000_000

// segment returns the part of the table that a scan is about.
func segment(number, of *int32) (ddbmodel.Stretch, error) {
	none := ddbmodel.Stretch{}
	switch {
	case number == nil && of == nil:
		return none, nil
	case of == nil:
		return none, invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case number == nil:
		return none, invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *of < 1 || *of > maxSegments:
		return none, member(*of, "totalSegments", "have value from 1 to 1000000")
	case *number < 0:
		return none, member(*number, "segment", "have value greater than or equal to 0")
	case *number >= *of:
		return none, invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *number, *of)
	}
	return ddbmodel.Segment(uint64(*number), uint64(*of)), nil
}

// selection returns whether only the number of items is asked for.
func selection(sel types.Select, projected bool) (countOnly bool, err error) {
	if err := oneOf(sel, "select", sel.Values()); err != nil {
		return false, err
	}
	switch {
	case sel == types.SelectAllProjectedAttributes:
		return false, invalid("One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case sel == types.SelectSpecificAttributes && !projected:
		return false, invalid("One or more parameter values were invalid: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case projected && sel != "" && sel != types.SelectSpecificAttributes:
		return false, invalid("Cannot specify the ProjectionExpression when choosing to get %s", sel)
	}
	return sel == types.SelectCount, nil
}
