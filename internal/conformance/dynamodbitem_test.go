package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html (read 2026-11)
var itemScenarios = []scenario{
	{
		name: "an item keeps its types",
		run: func(s *session) {
			table := s.table("t")
			for at, c := range map[string]struct{ given, want any }{
				"text":              {"ä", "ä"},
				"empty text":        {"", ""},
				"bytes":             {[]byte{0, 255}, []byte{0, 255}},
				"no bytes":          {[]byte{}, []byte{}},
				"truth":             {true, true},
				"null":              {nil, nil},
				"a list":            {[]any{"a", 1, []any{}}, []any{"a", 1, []any{}}},
				"a map":             {dynItem("x", dynItem()), dynItem("x", dynItem())},
				"a set":             {dynSet("b", "a"), dynSet("a", "b")},
				"zeros":             {dynNumber("0012.500"), dynNumber("12.5")},
				"an exponent":       {dynNumber("1.5E3"), dynNumber("1500")},
				"38 digits":         {dynNumber("-0.12345678901234567890123456789012345678"), dynNumber("-0.12345678901234567890123456789012345678")},
				"a number set":      {&types.AttributeValueMemberNS{Value: []string{"2", "1.0"}}, &types.AttributeValueMemberNS{Value: []string{"1", "2"}}},
				"a negative nought": {dynNumber("-0"), dynNumber("0")},
			} {
				must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "a", "x", c.given)}))(s)
				s.is(at, s.readItem(table, dynItem("pk", "a")), dynText(dynItem("pk", "a", "x", c.want)))
			}
		},
		differs: []difference{
			{on: motoName, at: "a negative nought", does: `pk="a" x=-0`},
			{on: motoName, at: "a number set", does: `pk="a" x=[1.0 2]`},
			{on: motoName, at: "an exponent", does: `pk="a" x=1.5E3`},
			{on: motoName, at: "zeros", does: `pk="a" x=0012.500`},
		},
	},
	{
		name: "an item is refused",
		run: func(s *session) {
			table, sorted := s.table("t"), s.table("s", types.ScalarAttributeTypeS)
			deep := dynValue("x")
			for range 40 {
				deep = dynValue([]any{deep})
			}
			for at, item := range map[string]map[string]types.AttributeValue{
				"no key":            dynItem("x", "a"),
				"a key's type":      dynItem("pk", 1),
				"an empty key":      dynItem("pk", ""),
				"a long key":        dynItem("pk", strings.Repeat("k", 2049)),
				"39 digits":         dynItem("pk", "a", "x", dynNumber(strings.Repeat("1", 39))),
				"a large number":    dynItem("pk", "a", "x", dynNumber("1e126")),
				"a small number":    dynItem("pk", "a", "x", dynNumber("1e-131")),
				"no number":         dynItem("pk", "a", "x", dynNumber("NaN")),
				"an empty set":      dynItem("pk", "a", "x", dynSet()),
				"a set's duplicate": dynItem("pk", "a", "x", dynSet("a", "a")),
				"more than 400 KB":  dynItem("pk", "a", "x", strings.Repeat("x", 400<<10)),
				"40 levels":         dynItem("pk", "a", "x", deep),
			} {
				_, err := s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item})
				s.refused(at, err, "ValidationException")
			}
			_, err := s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &sorted, Item: dynItem("pk", "a", "sk", strings.Repeat("k", 1025))})
			s.refused("a long sort key", err, "ValidationException")
			_, err = s.dynamodb.GetItem(s.Context(), &dynamodb.GetItemInput{TableName: &sorted, Key: dynItem("pk", "a")})
			s.refused("half a key", err, "ValidationException")
			_, err = s.dynamodb.DeleteItem(s.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: dynItem("pk", "a", "x", "y")})
			s.refused("more than a key", err, "ValidationException")
			_, err = s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "large", "x", strings.Repeat("x", 400<<10-100))})
			s.accepted("nearly 400 KB", err)
		},
		differs: []difference{
			{on: motoName, at: "39 digits", does: "accepted"},
			{on: motoName, at: "40 levels", does: "accepted"},
			{on: motoName, at: "a large number", does: "accepted"},
			{on: motoName, at: "a set's duplicate", does: "accepted"},
			{on: motoName, at: "nearly 400 KB", does: "ValidationException"},
		},
	},
	{
		name: "a condition means what it says",
		run: func(s *session) {
			table := s.table("t")
			item := dynItem("pk", "a", "str", "hello", "twin", "hello", "num", 5, "bin", []byte{1, 2}, "yes", true, "nil", nil, "arr", []any{"a", 2},
				"box", dynItem("x", 1), "tags", dynSet("a", "b"))
			must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}))(s)
			all := dynItem(":hello", "hello", ":hell", "hell", ":a", "a", ":z", "z", ":one", 1, ":two", 2, ":five", dynNumber("5.0"), ":six", 6, ":text5", "5",
				":yes", true, ":arr", []any{"a", 2}, ":set", dynSet("b", "a"), ":S", "S", ":N", "N", ":b2", []byte{2})
			try := func(condition string) string {
				in := &dynamodb.PutItemInput{TableName: &table, Item: item, ConditionExpression: &condition, ExpressionAttributeValues: map[string]types.AttributeValue{}}
				for _, ref := range strings.FieldsFunc(condition, func(c rune) bool { return strings.ContainsRune(" (),<>=.", c) }) {
					if v, ok := all[ref]; ok {
						in.ExpressionAttributeValues[ref] = v
					}
				}
				if len(in.ExpressionAttributeValues) == 0 {
					in.ExpressionAttributeValues = nil
				}
				_, err := s.dynamodb.PutItem(s.Context(), in)
				switch got := outcome(err); got {
				case "accepted":
					return "true"
				case "ConditionalCheckFailedException":
					return "false"
				default:
					return got
				}
			}
			for condition, want := range map[string]string{
				"str = :hello": "true", "str = twin": "true", "num = :five": "true", "num = :text5": "false", "nothing = :one": "false", "arr = :arr": "true", "tags = :set": "true",
				"str <> :hello": "false", "nothing <> :one": "true", "nothing <> naught": "true", "nothing = naught": "false",
				"num < :six": "true", "num >= :six": "false", "num < :z": "false", "str < :z": "true", "arr < :one": "false", "nothing < :one": "false",
				"num BETWEEN :one AND :six": "true", "num between :one and :two": "false", "num IN (:one, :five)": "true", "num IN (:text5)": "false",
				"attribute_exists(box.x)": "true", "attribute_exists(arr[1])": "true", "attribute_exists(arr[2])": "false", "attribute_exists(str.x)": "false",
				"attribute_not_exists(nothing)": "true", "attribute_not_exists(nil)": "false",
				"attribute_type(str, :S)": "true", "attribute_type(str, :N)": "false",
				"begins_with(str, :hell)": "true", "begins_with(num, :hell)": "false", "begins_with(bin, :b2)": "false",
				"contains(str, :hell)": "true", "contains(tags, :a)": "true", "contains(tags, :one)": "false", "contains(arr, :two)": "true", "contains(bin, :b2)": "true",
				"size(str) = :five": "true", "size(tags) = :two": "true", "size(box) < :two": "true", "size(num) = :one": "false", "size(nothing) < :six": "false",
				"NOT str = :hello": "false", "NOT nothing = :one": "true", "str = :hello OR str = :z AND num = :one": "true", "(str = :hello OR str = :z) AND num = :one": "false",
				"NOT str = :z AND num = :one": "false", "num BETWEEN :one AND :six AND str = :z": "false",

				"str = ": "ValidationException", "": "ValidationException", "str == :hello": "ValidationException", "str": "ValidationException", "name = :a": "ValidationException",
				"str = :undefined": "ValidationException", "#undefined = :a": "ValidationException", "num < :arr": "ValidationException", "num BETWEEN :two AND :one": "ValidationException",
				"dog(str)": "ValidationException", "size(str)": "ValidationException", "attribute_exists(:a)": "ValidationException", "attribute_type(str, :z)": "ValidationException",
				"begins_with(str, :one)": "ValidationException", "num = num": "ValidationException", "((num = :one))": "ValidationException", "_x = :one": "ValidationException",
			} {
				s.is("condition "+condition, try(condition), want)
			}
		},
		differs: []difference{
			{on: motoName, at: "condition ", does: "true"},
			{on: motoName, at: "condition #undefined = :a", does: "not implemented"},
			{on: motoName, at: "condition _x = :one", does: "false"},
			{on: motoName, at: "condition arr < :one", does: "not implemented"},
			{on: motoName, at: "condition attribute_exists(:a)", does: "not implemented"},
			{on: motoName, at: "condition attribute_type(str, :z)", does: "false"},
			{on: motoName, at: "condition begins_with(str, :one)", does: "false"},
			{on: motoName, at: "condition contains(bin, :b2)", does: "false"},
			{on: motoName, at: "condition dog(str)", does: "not implemented"},
			{on: motoName, at: "condition nothing <> naught", does: "false"},
			{on: motoName, at: "condition nothing = naught", does: "true"},
			{on: motoName, at: "condition num < :arr", does: "not implemented"},
			{on: motoName, at: "condition num < :z", does: "not implemented"},
			{on: motoName, at: "condition num = num", does: "true"},
			{on: motoName, at: "condition num BETWEEN :two AND :one", does: "false"},
			{on: motoName, at: "condition size(nothing) < :six", does: "not implemented"},
			{on: motoName, at: "condition size(num) = :one", does: "not implemented"},
			{on: motoName, at: "condition size(str)", does: "not implemented"},
			{on: motoName, at: "condition str", does: "not implemented"},
			{on: motoName, at: "condition str = ", does: "not implemented"},
			{on: motoName, at: "condition str = :undefined", does: "not implemented"},
			{on: motoName, at: "condition str == :hello", does: "not implemented"},
		},
	},
	{
		name: "an update does what it says",
		run: func(s *session) {
			table := s.table("t")
			all := dynItem(":one", 1, ":two", 2, ":s", "s", ":list", []any{"z"}, ":ab", dynSet("a", "b"), ":a", dynSet("a"))
			try := func(update string) string {
				must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "a", "n", 5, "s", "text", "arr", []any{0, 1, 2, 3}, "box", dynItem("x", 1), "tags", dynSet("b", "c"))}))(s)
				in := &dynamodb.UpdateItemInput{TableName: &table, Key: dynItem("pk", "a"), UpdateExpression: &update}
				for ref, v := range all {
					if slicesContainsWord(update, ref) {
						if in.ExpressionAttributeValues == nil {
							in.ExpressionAttributeValues = map[string]types.AttributeValue{}
						}
						in.ExpressionAttributeValues[ref] = v
					}
				}
				if _, err := s.dynamodb.UpdateItem(s.Context(), in); err != nil {
					return outcome(err)
				}
				return s.readItem(table, dynItem("pk", "a"))
			}
			rest := func(pairs ...any) string {
				item := dynItem("pk", "a", "n", 5, "s", "text", "arr", []any{0, 1, 2, 3}, "box", dynItem("x", 1), "tags", dynSet("b", "c"))
				for i := 0; i < len(pairs); i += 2 {
					if pairs[i+1] == "removed" {
						delete(item, pairs[i].(string))
						continue
					}
					item[pairs[i].(string)] = dynValue(pairs[i+1])
				}
				return dynText(item)
			}
			for update, want := range map[string]string{
				"SET x1 = :s, n = :one":                   rest("x1", "s", "n", 1),
				"SET n = n + :one, x1 = n":                rest("n", 6, "x1", 5),
				"SET n = :two - n":                        rest("n", -3),
				"SET x1 = if_not_exists(x1, :one) + :two": rest("x1", 3),
				"SET n = if_not_exists(n, :one)":          rest(),
				"SET arr = list_append(arr, :list)":       rest("arr", []any{0, 1, 2, 3, "z"}),
				"SET arr[1] = :s, arr[9] = :one":          rest("arr", []any{0, "s", 2, 3, 1}),
				"SET arr[3] = :s REMOVE arr[1]":           rest("arr", []any{0, 2, "s"}),
				"REMOVE arr[0], arr[2]":                   rest("arr", []any{1, 3}),
				"SET box.y = :one REMOVE box.x":           rest("box", dynItem("y", 1)),
				"REMOVE s, nothing":                       rest("s", "removed"),
				"ADD n :two, x1 :one":                     rest("n", 7, "x1", 1),
				"ADD tags :ab":                            rest("tags", dynSet("a", "b", "c")),
				"DELETE tags :ab":                         rest("tags", dynSet("c")),
				"DELETE nothing :ab":                      rest(),
				"REMOVE s SET x1 = s":                     rest("s", "removed", "x1", "text"),

				"SET x1 = nothing": "ValidationException", "SET s = s + :one": "ValidationException", "SET nothing.x = :one": "ValidationException", "SET s.x = :one": "ValidationException",
				"REMOVE s.x": "ValidationException", "ADD s :one": "ValidationException", "ADD n :s": "ValidationException", "DELETE tags :one": "ValidationException",
				"SET pk = :s": "ValidationException", "REMOVE pk": "ValidationException", "SET n = :one SET s = :s": "ValidationException", "SET n = :one REMOVE n": "ValidationException",
				"SET box.x = :one, box = :s": "ValidationException", "SET arr[0] = :one, arr.x = :two": "ValidationException", "SET status = :one": "ValidationException",
				"SET n = :one + :two + :one": "ValidationException", "": "ValidationException", "PUT n = :one": "ValidationException", "SET n = :one, x1 = :undefined": "ValidationException",
			} {
				s.is("update "+update, try(update), want)
			}
		},
		differs: []difference{
			{on: motoName, at: "update REMOVE s.x", does: "not implemented"},
			{on: motoName, at: "update SET arr[0] = :one, arr.x = :two", does: `arr=[1 1 2 3] box={x=1} n=5 pk="a" s="text" tags=[b c]`},
			{on: motoName, at: "update SET n = :one + :two + :one", does: `arr=[0 1 2 3] box={x=1} n=4 pk="a" s="text" tags=[b c]`},
			{on: motoName, at: "update SET s.x = :one", does: `arr=[0 1 2 3] box={x=1} n=5 pk="a" s="text" tags=[b c]`},
		},
	},
	{
		name: "a write returns what was there, or is",
		run: func(s *session) {
			table := s.table("t")
			reset := func() {
				must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "a", "n", 1, "box", dynItem("x", 1, "y", 2))}))(s)
			}
			for returns, want := range map[types.ReturnValue]string{
				types.ReturnValueNone: "no item", types.ReturnValueAllOld: `box={x=1 y=2} n=1 pk="a"`, types.ReturnValueUpdatedOld: "box={x=1} n=1",
				types.ReturnValueAllNew: `box={x=7 y=2} n=7 pk="a" z=7`, types.ReturnValueUpdatedNew: "box={x=7} n=7 z=7",
			} {
				reset()
				out, err := s.dynamodb.UpdateItem(s.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: dynItem("pk", "a"), UpdateExpression: aws.String("SET n = :v, box.x = :v, z = :v"),
					ExpressionAttributeValues: dynItem(":v", 7), ReturnValues: returns})
				if s.accepted("updating for "+string(returns), err) {
					s.is("update "+string(returns), dynText(out.Attributes), want)
				}
			}
			reset()
			put := must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "a"), ReturnValues: types.ReturnValueAllOld}))(s)
			s.is("put ALL_OLD", dynText(put.Attributes), `box={x=1 y=2} n=1 pk="a"`)
			put = must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "b"), ReturnValues: types.ReturnValueAllOld}))(s)
			s.is("put ALL_OLD of nothing", dynText(put.Attributes), "no item")
			_, err := s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "a"), ReturnValues: types.ReturnValueAllNew})
			s.refused("put ALL_NEW", err, "ValidationException")
			del := must(s.dynamodb.DeleteItem(s.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: dynItem("pk", "b"), ReturnValues: types.ReturnValueAllOld}))(s)
			s.is("delete ALL_OLD", dynText(del.Attributes), `pk="b"`)
			_, err = s.dynamodb.DeleteItem(s.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: dynItem("pk", "b")})
			s.accepted("deleting what is not there", err)

			failed := func(key string, show types.ReturnValuesOnConditionCheckFailure) string {
				_, err := s.dynamodb.UpdateItem(s.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: dynItem("pk", key), UpdateExpression: aws.String("SET n = :v"),
					ConditionExpression: aws.String("n = :v"), ExpressionAttributeValues: dynItem(":v", 7), ReturnValuesOnConditionCheckFailure: show})
				if failure, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
					return failure.ErrorMessage() + ": " + dynText(failure.Item)
				}
				return outcome(err)
			}
			s.is("failure", failed("a", types.ReturnValuesOnConditionCheckFailureNone), "The conditional request failed: no item")
			s.is("failure ALL_OLD", failed("a", types.ReturnValuesOnConditionCheckFailureAllOld), `The conditional request failed: pk="a"`)
			s.is("failure ALL_OLD of nothing", failed("b", types.ReturnValuesOnConditionCheckFailureAllOld), "The conditional request failed: no item")
		},
		differs: []difference{
			{on: motoName, at: "update UPDATED_OLD", does: "box={x=1 y=2} n=1"},
		},
	},
	{
		name: "an update makes an item, unless it only takes away",
		run: func(s *session) {
			table := s.table("t")
			for update, want := range map[string]string{
				"":                            `pk="a"`,
				"SET n = :v":                  `n=1 pk="a"`,
				"ADD n :v":                    `n=1 pk="a"`,
				"REMOVE n":                    "no item",
				"SET n = if_not_exists(n,:v)": `n=1 pk="a"`,
			} {
				in := &dynamodb.UpdateItemInput{TableName: &table, Key: dynItem("pk", "a")}
				if update != "" {
					in.UpdateExpression = &update
				}
				if strings.Contains(update, ":v") {
					in.ExpressionAttributeValues = dynItem(":v", 1)
				}
				_, err := s.dynamodb.UpdateItem(s.Context(), in)
				s.accepted("updating with "+update, err)
				s.is("item after "+update, s.readItem(table, dynItem("pk", "a")), want)
				must(s.dynamodb.DeleteItem(s.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: dynItem("pk", "a")}))(s)
			}
		},
		differs: []difference{
			{on: motoName, at: "item after REMOVE n", does: `pk="a"`},
			{on: motoName, at: "updating with ", does: "not implemented"},
		},
	},
	{
		name: "names and values of expressions are used, all of them",
		run: func(s *session) {
			table := s.table("t")
			try := func(condition string, names map[string]string, values map[string]types.AttributeValue) error {
				in := &dynamodb.DeleteItemInput{TableName: &table, Key: dynItem("pk", "a"), ExpressionAttributeNames: names, ExpressionAttributeValues: values}
				if condition != "" {
					in.ConditionExpression = &condition
				}
				_, err := s.dynamodb.DeleteItem(s.Context(), in)
				return err
			}
			s.accepted("used", try("attribute_not_exists(#n) OR #n = :v", map[string]string{"#n": "name"}, dynItem(":v", 1)))
			s.refused("an unused name", try("attribute_not_exists(x1)", map[string]string{"#n": "name"}, nil), "ValidationException")
			s.refused("an unused value", try("attribute_not_exists(x1)", nil, dynItem(":v", 1)), "ValidationException")
			s.refused("a name without an expression", try("", map[string]string{"#n": "name"}, nil), "ValidationException")
			s.refused("a value without an expression", try("", nil, dynItem(":v", 1)), "ValidationException")
			s.refused("a name without #", try("attribute_not_exists(n)", map[string]string{"n": "name"}, nil), "ValidationException")
			s.refused("no names", try("attribute_not_exists(x1)", map[string]string{}, nil), "ValidationException")
			s.refused("no values", try("attribute_not_exists(x1)", nil, dynItem()), "ValidationException")
			out, err := s.dynamodb.GetItem(s.Context(), &dynamodb.GetItemInput{TableName: &table, Key: dynItem("pk", "a"), ProjectionExpression: aws.String("x1, box.y"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
			if s.accepted("a projection of nothing", err) {
				s.is("capacity", fmt.Sprint(aws.ToFloat64(out.ConsumedCapacity.CapacityUnits)), "0.5")
			}
		},
		differs: []difference{
			{on: motoName, at: "a name without #", does: "accepted"},
			{on: motoName, at: "a value without an expression", does: "accepted"},
			{on: motoName, at: "an unused value", does: "accepted"},
			{on: motoName, at: "no names", does: "accepted"},
		},
	},
}

// slicesContainsWord tells whether a reference stands in an expression.
func slicesContainsWord(expression, ref string) bool {
	return slices.Contains(strings.FieldsFunc(expression, func(c rune) bool { return strings.ContainsRune(" (),", c) }), ref)
}
