package dynamodbsvc

import (
	"cmp"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

// Limits of batches.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const (
	maxBatchWrites = 25
	maxBatchReads  = 100
	maxBatchSize   = 16 << 20
)

func (s *service) addBatches(e *awstest.Endpoint) {
	awstest.Handle(e, s.batchWriteItem, "RequestItems", "ReturnConsumedCapacity")
	awstest.Handle(e, s.batchGetItem, "RequestItems", "ReturnConsumedCapacity")
}

// batchWrite is one write of a batch.
type batchWrite struct {
	*write
	table *table
	key   ddbmodel.Key
}

func (s *service) batchWriteItem(tx *awstest.Tx, call *awstest.Call, in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
	used, err := measure(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	list, err := batchWrites(in)
	if err != nil {
		return nil, err
	}
	seen := map[tableKey]bool{}
	for _, w := range list {
		if w.table, err = s.open(tx, call, &w.ref); err != nil {
			return nil, err
		}
		if w.key, err = w.locate(w.table); err != nil {
			return nil, err
		}
		at := tableKey{w.table.name, w.key}
		if seen[at] {
			return nil, invalid("Provided list of item keys contains duplicates")
		}
		seen[at] = true
	}
	done, err := leave(call, len(list))
	if err != nil {
		return nil, err
	}
	out := &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{}}
	for i, w := range list {
		if i >= done {
			out.UnprocessedItems[w.ref] = append(out.UnprocessedItems[w.ref], w.again())
			continue
		}
		old, _ := w.table.content.Get(tx.Now(), w.key)
		item, err := w.result(old)
		if err != nil {
			return nil, err
		}
		s.store(tx, w.table, w.key, item)
		used.add(w.table, written(old, item))
	}
	out.ConsumedCapacity = used.each()
	return out, nil
}

// again returns the request that the write is of, for another try.
func (w *batchWrite) again() types.WriteRequest {
	if w.verb == put {
		return types.WriteRequest{PutRequest: &types.PutRequest{Item: fromItem(w.given)}}
	}
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: fromItem(w.given)}}
}

// batchWrites reads the writes of a batch, table by table in the order of
// their names.
func batchWrites(in *dynamodb.BatchWriteItemInput) (list []*batchWrite, err error) {
	if len(in.RequestItems) == 0 {
		return nil, member("{}", "requestItems", "have length greater than or equal to 1")
	}
	bytes := 0
	for _, ref := range slices.Sorted(maps.Keys(in.RequestItems)) {
		if len(in.RequestItems[ref]) == 0 {
			return nil, member("[]", "requestItems."+ref+".member", "have length greater than or equal to 1")
		}
		for _, r := range in.RequestItems[ref] {
			var rq request
			switch {
			case r.PutRequest != nil && r.DeleteRequest == nil:
				rq = request{verb: put, table: &ref, item: r.PutRequest.Item}
			case r.DeleteRequest != nil && r.PutRequest == nil:
				rq = request{verb: remove, table: &ref, item: r.DeleteRequest.Key}
			case r.PutRequest != nil:
				return nil, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
			default:
				return nil, invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
			}
			w, err := rq.parse()
			if err != nil {
				return nil, err
			}
			bytes += ddbexpr.Size(w.given)
			list = append(list, &batchWrite{write: w})
		}
	}
	switch {
	case len(list) > maxBatchWrites:
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	case bytes > maxBatchSize:
		return nil, invalid("The total request size exceeds 16 MB")
	}
	return list, nil
}

// batchRead is one item of a batch that is read.
type batchRead struct {
	ref        string
	given      ddbexpr.Map
	from       *types.KeysAndAttributes
	projection *ddbexpr.Projection
	table      *table
	key        ddbmodel.Key
}

func (s *service) batchGetItem(tx *awstest.Tx, call *awstest.Call, in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
	used, err := measure(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	list, err := batchReads(call, in)
	if err != nil {
		return nil, err
	}
	seen := map[tableKey]bool{}
	for _, r := range list {
		if r.table, err = s.open(tx, call, &r.ref); err != nil {
			return nil, err
		}
		if r.key, err = r.table.schema.Key(r.given); err != nil {
			return nil, err
		}
		at := tableKey{r.table.name, r.key}
		if seen[at] {
			return nil, invalid("Provided list of item keys contains duplicates")
		}
		seen[at] = true
	}
	done, err := leave(call, len(list))
	if err != nil {
		return nil, err
	}
	// Not in the order of the request: AWS has no order, and who relies on
	// one is to find out.
	unread := list[done:]
	list = list[:done]
	slices.SortStableFunc(list, func(a, b *batchRead) int { return cmp.Compare(a.key, b.key) })
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]attributes{}, UnprocessedKeys: map[string]types.KeysAndAttributes{}}
	bytes := 0
	for i, r := range list {
		item, ok := r.table.content.Get(moment(tx, call, r.from.ConsistentRead), r.key)
		if bytes += ddbexpr.Size(item); bytes > maxBatchSize {
			unread = append(unread, list[i:]...)
			break
		}
		if out.Responses[r.ref] == nil {
			out.Responses[r.ref] = []attributes{}
		}
		if ok {
			out.Responses[r.ref] = append(out.Responses[r.ref], fromItem(r.projection.Of(item)))
		}
		used.add(r.table, readUnits(ddbexpr.Size(item), r.from.ConsistentRead))
	}
	for _, r := range unread {
		left, ok := out.UnprocessedKeys[r.ref]
		if !ok {
			left.ExpressionAttributeNames = maps.Clone(r.from.ExpressionAttributeNames)
			if r.from.ConsistentRead != nil {
				left.ConsistentRead = aws.Bool(*r.from.ConsistentRead)
			}
			if r.from.ProjectionExpression != nil {
				left.ProjectionExpression = aws.String(*r.from.ProjectionExpression)
			}
		}
		left.Keys = append(left.Keys, fromItem(r.given))
		out.UnprocessedKeys[r.ref] = left
	}
	out.ConsumedCapacity = used.each()
	return out, nil
}

// batchReads reads what a batch asks for, table by table in the order of their
// names.
func batchReads(call *awstest.Call, in *dynamodb.BatchGetItemInput) (list []*batchRead, err error) {
	if len(in.RequestItems) == 0 {
		return nil, member("{}", "requestItems", "have length greater than or equal to 1")
	}
	for _, ref := range slices.Sorted(maps.Keys(in.RequestItems)) {
		from := in.RequestItems[ref]
		if len(from.AttributesToGet) > 0 {
			return nil, call.NotModelled("the legacy parameter AttributesToGet")
		}
		if len(from.Keys) == 0 {
			return nil, member("[]", "requestItems."+ref+".member.keys", "have length greater than or equal to 1")
		}
		p, err := projection(from.ProjectionExpression, from.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		for _, key := range from.Keys {
			given, err := toItem(key)
			if err != nil {
				return nil, err
			}
			list = append(list, &batchRead{ref: ref, given: given, from: &from, projection: p})
		}
	}
	if len(list) > maxBatchReads {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	return list, nil
}
