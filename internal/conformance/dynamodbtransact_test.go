package conformance_test

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html (read 2026-11)
var transactScenarios = []scenario{
	{
		name: "a transaction is all or nothing",
		run: func(s *session) {
			t := s.transactions()
			journal := func(token int) error {
				return t.write("", t.put(dynItem("pk", "record"), "attribute_not_exists(pk)"), t.update("head", "SET seq = seq + :one", "token1 = :t", dynItem(":one", 1, ":t", token)),
					t.remove("old", "attribute_exists(pk)"), t.check("other", "attribute_not_exists(pk)"))
			}
			must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &t.table, Item: dynItem("pk", "head", "token1", 4, "seq", 7)}))(s)
			must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &t.table, Item: dynItem("pk", "old")}))(s)
			s.is("an old token", reasonsOf(journal(3)), "None, ConditionalCheckFailed, None, None")
			s.is("the record then", s.readItem(t.table, dynItem("pk", "record")), "no item")
			s.is("the old one then", s.readItem(t.table, dynItem("pk", "old")), `pk="old"`)
			s.is("the right token", reasonsOf(journal(4)), "accepted")
			s.is("the record", s.readItem(t.table, dynItem("pk", "record")), `pk="record"`)
			s.is("the head", s.readItem(t.table, dynItem("pk", "head")), `pk="head" seq=8 token1=4`)
			s.is("the old one", s.readItem(t.table, dynItem("pk", "old")), "no item")
			s.is("what was checked", s.readItem(t.table, dynItem("pk", "other")), "no item")
			s.is("again", reasonsOf(journal(3)), `ConditionalCheckFailed pk="record", ConditionalCheckFailed, ConditionalCheckFailed, None`)
		},
	},
	{
		name: "a transaction is known by its token",
		run: func(s *session) {
			t := s.transactions()
			increment := func(token string, by int) error {
				return t.write(token, t.update("a", "ADD n :by", "", dynItem(":by", by)))
			}
			s.accepted("once", increment("token-"+s.mark, 5))
			s.accepted("twice", increment("token-"+s.mark, 5))
			s.is("count", s.readItem(t.table, dynItem("pk", "a")), `n=5 pk="a"`)
			s.refused("with another amount", increment("token-"+s.mark, 6), "IdempotentParameterMismatchException")
			s.accepted("without a token", increment("", 1))
			s.accepted("without a token again", increment("", 1))
			s.is("count in the end", s.readItem(t.table, dynItem("pk", "a")), `n=7 pk="a"`)
			s.refused("a long token", increment(strings.Repeat("t", 37), 1), "ValidationException")
		},
		differs: []difference{
			{on: motoName, at: "a long token", does: "accepted"},
			{on: motoName, at: "count", does: `n=10 pk="a"`},
			{on: motoName, at: "count in the end", does: `n=18 pk="a"`},
			{on: motoName, at: "with another amount", does: "accepted"},
		},
	},
	{
		name: "a transaction is refused",
		run: func(s *session) {
			t := s.transactions()
			must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &t.table, Item: dynItem("pk", "text", "n", "x")}))(s)
			var many, heavy []types.TransactWriteItem
			for i := range 101 {
				many = append(many, t.put(dynItem("pk", fmt.Sprint(i)), ""))
			}
			for i := range 50 {
				heavy = append(heavy, t.put(dynItem("pk", fmt.Sprint(i), "x", strings.Repeat("x", 100_000)), ""))
			}
			s.refused("none", t.write("", []types.TransactWriteItem{}...), "ValidationException")
			s.refused("101", t.write("", many...), "ValidationException")
			s.accepted("100", t.write("", many[:100]...))
			s.refused("more than 4 MB", t.write("", heavy...), "ValidationException")
			s.refused("one item twice", t.write("", t.put(dynItem("pk", "a"), ""), t.check("a", "attribute_exists(pk)")), "ValidationException")
			s.refused("a syntax error", t.write("", t.check("a", "hello!")), "ValidationException")
			s.is("a wrong key", reasonsOf(t.write("", t.put(dynItem("pk", "b"), ""), t.put(dynItem("pk", 7), ""))), "None, ValidationError")
			s.is("a wrong operand", reasonsOf(t.write("", t.update("text", "ADD n :one", "", dynItem(":one", 1)), t.put(dynItem("pk", "b"), ""))), "ValidationError, None")
			s.is("what was not put", s.readItem(t.table, dynItem("pk", "b")), "no item")
			table := t.table + "x"
			_, err := s.dynamodb.TransactWriteItems(s.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: &table, Item: dynItem("pk", "a")}}}})
			s.refused("an unknown table", err, "ResourceNotFoundException")
		},
		differs: []difference{
			{on: motoName, at: "a syntax error", does: "not implemented"},
			{on: motoName, at: "a wrong key", does: "ValidationException"},
			{on: motoName, at: "a wrong operand", does: "ValidationException"},
			{on: motoName, at: "more than 4 MB", does: "accepted"},
			{on: motoName, at: "none", does: "accepted"},
		},
	},
	{
		name: "a transaction reads",
		run: func(s *session) {
			t := s.transactions()
			must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &t.table, Item: dynItem("pk", "a", "x", 1, "y", 2)}))(s)
			get := func(projection string, pks ...any) string {
				in := &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{}}
				for _, pk := range pks {
					item := types.TransactGetItem{Get: &types.Get{TableName: &t.table, Key: dynItem("pk", pk)}}
					if projection != "" {
						item.Get.ProjectionExpression = &projection
					}
					in.TransactItems = append(in.TransactItems, item)
				}
				out, err := s.dynamodb.TransactGetItems(s.Context(), in)
				if err != nil {
					return reasonsOf(err)
				}
				var items []string
				for _, r := range out.Responses {
					items = append(items, dynText(r.Item))
				}
				return cmp.Or(strings.Join(items, ", "), "nothing")
			}
			s.is("two", get("", "none", "a"), `no item, pk="a" x=1 y=2`)
			s.is("a part", get("x", "a"), "x=1")
			s.is("nothing", get(""), "ValidationException")
			s.is("a wrong key", get("", "a", 7), "None, ValidationError")
		},
		differs: []difference{
			{on: motoName, at: "a part", does: `pk="a" x=1 y=2`},
			{on: motoName, at: "a wrong key", does: `pk="a" x=1 y=2, no item`},
			{on: motoName, at: "nothing", does: "nothing"},
		},
	},
}

// transactor writes transactions on a table.
type transactor struct {
	s     *session
	table string
}

func (s *session) transactions() *transactor { return &transactor{s, s.table("t")} }

func (t *transactor) write(token string, items ...types.TransactWriteItem) error {
	in := &dynamodb.TransactWriteItemsInput{TransactItems: items}
	if token != "" {
		in.ClientRequestToken = &token
	}
	_, err := t.s.dynamodb.TransactWriteItems(t.s.Context(), in)
	return err
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (t *transactor) put(item map[string]types.AttributeValue, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: &t.table, Item: item, ConditionExpression: orNil(condition), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}}
}

func (t *transactor) update(pk, update, condition string, values map[string]types.AttributeValue) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{TableName: &t.table, Key: dynItem("pk", pk), UpdateExpression: &update, ConditionExpression: orNil(condition), ExpressionAttributeValues: values}}
}

func (t *transactor) remove(pk, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{Delete: &types.Delete{TableName: &t.table, Key: dynItem("pk", pk), ConditionExpression: orNil(condition)}}
}

func (t *transactor) check(pk, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &t.table, Key: dynItem("pk", pk), ConditionExpression: aws.String(condition)}}
}

// reasonsOf tells why a transaction was cancelled, or its outcome.
func reasonsOf(err error) string {
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return outcome(err)
	}
	var reasons []string
	for _, r := range cancelled.CancellationReasons {
		text := aws.ToString(r.Code)
		if r.Item != nil {
			text += " " + dynText(r.Item)
		}
		reasons = append(reasons, text)
	}
	return strings.Join(reasons, ", ")
}
