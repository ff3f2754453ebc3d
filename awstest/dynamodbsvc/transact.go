package dynamodbsvc

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

// Limits of transactions.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (read 2026-11)
const (
	maxTransaction     = 100
	maxTransactionSize = 4 << 20
)

func (s *service) addTransactions(e *awstest.Endpoint) {
	awstest.Handle(e, s.transactWriteItems, "TransactItems", "ClientRequestToken", "ReturnConsumedCapacity")
	awstest.Handle(e, s.transactGetItems, "TransactItems", "ReturnConsumedCapacity")
}

// step is one write of a transaction.
type step struct {
	*write
	table     *table
	key       ddbmodel.Key
	old, item ddbexpr.Map
}

func (s *service) transactWriteItems(tx *awstest.Tx, call *awstest.Call, in *dynamodb.TransactWriteItemsInput) (*dynamodb.TransactWriteItemsOutput, error) {
	used, err := measure(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	steps, err := transaction(in)
	if err != nil {
		return nil, err
	}
	r, token := s.region(call), aws.ToString(in.ClientRequestToken)
	if in.ClientRequestToken != nil && (token == "" || len(token) > 36) {
		return nil, member(token, "clientRequestToken", "have length from 1 to 36")
	}
	earlier, known := r.tokens.find(tx.Now(), token)
	if known && !sameWrites(earlier, steps) {
		return nil, awstest.Errorf("IdempotentParameterMismatchException", "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical")
	}
	reasons := newReasons(len(steps))
	for i, st := range steps {
		if st.table, err = s.open(tx, call, &st.ref); err != nil {
			return nil, err
		}
		if st.key, err = st.locate(st.table); err != nil {
			// Keys are looked at before anything else, and only the first
			// mistake is reported.
			reasons[i] = validation(err)
			return nil, cancelled(call, reasons)
		}
	}
	if known {
		for _, st := range steps {
			item, _ := st.table.content.Get(tx.Now(), st.key)
			used.add(st.table, transactional*units(ddbexpr.Size(item), readUnit))
		}
		return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: used.each()}, nil
	}
	if err := apart(steps); err != nil {
		return nil, err
	}
	if conflicts(call) {
		reasons[0] = types.CancellationReason{Code: aws.String("TransactionConflict"), Message: aws.String(ongoing)}
		return nil, cancelled(call, reasons)
	}
	if !try(tx, steps, reasons) {
		return nil, cancelled(call, reasons)
	}
	for _, st := range steps {
		if st.verb != check {
			s.store(tx, st.table, st.key, st.item)
		}
		used.add(st.table, transactional*written(st.old, st.item))
	}
	r.tokens.note(tx.Now(), token, steps)
	return &dynamodb.TransactWriteItemsOutput{ConsumedCapacity: used.each()}, nil
}

// transaction reads the writes.
func transaction(in *dynamodb.TransactWriteItemsInput) ([]*step, error) {
	if n := len(in.TransactItems); n < 1 || n > maxTransaction {
		return nil, member(n, "transactItems", fmt.Sprintf("have length less than or equal to %d, and greater than or equal to 1", maxTransaction))
	}
	var steps []*step
	bytes := 0
	for i := range in.TransactItems {
		rq, err := transactRequest(&in.TransactItems[i])
		if err != nil {
			return nil, err
		}
		w, err := rq.parse()
		if err != nil {
			return nil, err
		}
		bytes += ddbexpr.Size(w.given)
		steps = append(steps, &step{write: w})
	}
	if bytes > maxTransactionSize {
		return nil, invalid("Transaction payload size cannot exceed %d bytes", maxTransactionSize)
	}
	return steps, nil
}

func transactRequest(item *types.TransactWriteItem) (*request, error) {
	var all []*request
	if p := item.Put; p != nil {
		all = append(all, &request{put, p.TableName, p.Item, p.ConditionExpression, nil, p.ExpressionAttributeNames, p.ExpressionAttributeValues, p.ReturnValuesOnConditionCheckFailure})
	}
	if u := item.Update; u != nil {
		all = append(all, &request{update, u.TableName, u.Key, u.ConditionExpression, u.UpdateExpression, u.ExpressionAttributeNames, u.ExpressionAttributeValues, u.ReturnValuesOnConditionCheckFailure})
	}
	if d := item.Delete; d != nil {
		all = append(all, &request{remove, d.TableName, d.Key, d.ConditionExpression, nil, d.ExpressionAttributeNames, d.ExpressionAttributeValues, d.ReturnValuesOnConditionCheckFailure})
	}
	if c := item.ConditionCheck; c != nil {
		all = append(all, &request{check, c.TableName, c.Key, c.ConditionExpression, nil, c.ExpressionAttributeNames, c.ExpressionAttributeValues, c.ReturnValuesOnConditionCheckFailure})
	}
	if len(all) != 1 {
		return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	return all[0], nil
}

// apart refuses two writes of one item.
func apart(steps []*step) error {
	seen := map[tableKey]bool{}
	for _, st := range steps {
		at := tableKey{st.table.name, st.key}
		if seen[at] {
			return invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[at] = true
	}
	return nil
}

// try finds the result of every write, and the reasons why there is none.
// Nothing is stored yet.
func try(tx *awstest.Tx, steps []*step, reasons []types.CancellationReason) (ok bool) {
	ok = true
	for i, st := range steps {
		st.old, _ = st.table.content.Get(tx.Now(), st.key)
		if !st.condition.Holds(st.old) {
			ok = false
			reasons[i] = types.CancellationReason{Code: aws.String("ConditionalCheckFailed"), Message: aws.String(conditionFailed)}
			if st.showOld {
				reasons[i].Item = fromItem(st.old)
			}
			continue
		}
		var err error
		if st.item, err = st.result(st.old); err != nil {
			ok = false
			reasons[i] = validation(err)
		}
	}
	return ok
}

func newReasons(n int) []types.CancellationReason {
	reasons := make([]types.CancellationReason, n)
	for i := range reasons {
		reasons[i].Code = aws.String("None")
	}
	return reasons
}

func validation(err error) types.CancellationReason {
	return types.CancellationReason{Code: aws.String("ValidationError"), Message: aws.String(reason(err))}
}

// cancelled is the error of a transaction, with a reason for each item.
func cancelled(call *awstest.Call, reasons []types.CancellationReason) error {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = *r.Code
	}
	e := awstest.Errorf("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons %s", join(codes))
	return detailed(call, &types.TransactionCanceledException{Message: aws.String(e.Message), CancellationReasons: reasons})
}

// reason is the message of an error of ours.
func reason(err error) string {
	if api, ok := errors.AsType[*awstest.APIError](err); ok {
		return api.Message
	}
	return err.Error()
}
