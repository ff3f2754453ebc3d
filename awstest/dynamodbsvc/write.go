package dynamodbsvc

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

// verb is what a write does with its item.
type verb uint8

const (
	put verb = iota
	update
	remove
	check // nothing
)

// write is what is to be done with one item, whichever operation asks for it.
type write struct {
	verb      verb
	ref       string // the table, as the request names it
	given     ddbexpr.Map
	condition *ddbexpr.Condition
	update    *ddbexpr.Update
	showOld   bool      // to who fails the condition
	texts     [2]string // of condition and update; two requests with other texts are not the same
}

// request is the parameters that the writes of all operations have.
type request struct {
	verb              verb
	table             *string
	item              attributes // to put, or the key
	condition, update *string
	names             map[string]string
	values            attributes
	onFailure         types.ReturnValuesOnConditionCheckFailure
}

// parse reads what can be read without a table.
func (rq *request) parse() (*write, error) {
	w := &write{verb: rq.verb, ref: aws.ToString(rq.table), texts: [2]string{aws.ToString(rq.condition), aws.ToString(rq.update)}}
	if err := oneOf(rq.onFailure, "returnValuesOnConditionCheckFailure", rq.onFailure.Values()); err != nil {
		return nil, err
	}
	w.showOld = rq.onFailure == types.ReturnValuesOnConditionCheckFailureAllOld
	var err error
	if w.given, err = toItem(rq.item); err != nil {
		return nil, err
	}
	if rq.verb == put {
		if err := checkItem(w.given, "Item size has exceeded the maximum allowed size"); err != nil {
			return nil, err
		}
	}
	null := "ConditionExpression is null"
	if rq.verb == update {
		null = "UpdateExpression and ConditionExpression are null"
	}
	scope, err := newScope(rq.names, rq.values, null, rq.condition, rq.update)
	if err != nil {
		return nil, err
	}
	if rq.condition != nil {
		if w.condition, err = scope.Condition("ConditionExpression", *rq.condition); err != nil {
			return nil, err
		}
	}
	if rq.update != nil {
		if w.update, err = scope.Update(*rq.update); err != nil {
			return nil, err
		}
	}
	return w, scope.Unused()
}

// newScope reads the names and values of a request, which make no sense unless
// it has one of the expressions; null is how AWS says that it has none.
func newScope(names map[string]string, values attributes, null string, expressions ...*string) (*ddbexpr.Scope, error) {
	some := false
	for _, e := range expressions {
		some = some || e != nil
	}
	switch {
	case !some && names != nil:
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	case !some && values != nil:
		return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: %s", null)
	case names != nil && len(names) == 0:
		return nil, invalid("ExpressionAttributeNames must not be empty")
	case values != nil && len(values) == 0:
		return nil, invalid("ExpressionAttributeValues must not be empty")
	}
	given, err := toItem(values)
	if err != nil {
		return nil, err
	}
	return ddbexpr.NewScope(names, given)
}

// checkItem holds an item that is to be stored to its limits.
func checkItem(item ddbexpr.Map, tooLarge string) error {
	if ddbexpr.Size(item) > ddbexpr.MaxItemSize {
		return invalid("%s", tooLarge)
	}
	return ddbexpr.CheckDepth(item)
}

// locate returns the key of the item, once the table is known.
func (w *write) locate(t *table) (ddbmodel.Key, error) {
	if w.verb == put {
		return t.schema.ItemKey(w.given)
	}
	if w.update != nil {
		for _, path := range w.update.Paths() {
			if t.schema.Has(path.Top()) {
				return "", invalid("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", path.Top())
			}
		}
	}
	return t.schema.Key(w.given)
}

// result returns the item after the write, nil if there is none.
func (w *write) result(old ddbexpr.Map) (ddbexpr.Map, error) {
	switch w.verb {
	case put:
		return w.given, nil
	case remove:
		return nil, nil
	case check:
		return old, nil
	}
	base := old
	if old == nil {
		base = w.given // the key
	}
	if w.update == nil {
		return base, nil
	}
	item, err := w.update.Apply(base, old != nil)
	switch {
	case err != nil:
		return nil, err
	case old == nil && !w.update.Creates():
		return nil, nil
	}
	return item, checkItem(item, "Item size to update has exceeded the maximum allowed size")
}

// store makes the result of a write the item of its key.
func (s *service) store(tx *awstest.Tx, t *table, k ddbmodel.Key, item ddbexpr.Map) {
	t.content.look(tx.Now())
	if item == nil {
		t.content.Delete(tx.Now(), k) // and if it is noted to expire, that will find nothing
		return
	}
	t.content.Put(tx.Now(), k, item)
	if t.ttl.enabled {
		s.age(t, tx.Now(), k, item)
	}
}

// written is the larger of the item before and after, which is what a write
// costs.
func written(old, item ddbexpr.Map) float64 {
	return units(max(ddbexpr.Size(old), ddbexpr.Size(item)), writeUnit)
}

const conditionFailed = "The conditional request failed"

// failed is the error of a condition that does not hold, with the item if it
// is asked for and there.
func (w *write) failed(call *awstest.Call, old ddbexpr.Map) error {
	if !w.showOld || old == nil {
		return awstest.Errorf("ConditionalCheckFailedException", conditionFailed)
	}
	return detailed(call, &types.ConditionalCheckFailedException{Message: aws.String(conditionFailed), Item: fromItem(old)})
}

// tableKey tells items of all tables apart.
type tableKey struct {
	table string
	key   ddbmodel.Key
}

// join lists names as messages do.
func join(list []string) string { return "[" + strings.Join(list, ", ") + "]" }
