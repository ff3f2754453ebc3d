package dynamodbsvc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestEveryTypeComesBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "a", "s", "", "n", number("0012.50e1"), "b", []byte{0, 255}, "yes", true, "nil", nil,
			"l", []any{"x", 1, []any{}}, "m", it("k", it()), "ss", stringSet("b", "a"),
			"ns", &types.AttributeValueMemberNS{Value: []string{"10", "9.0"}}, "bs", &types.AttributeValueMemberBS{Value: [][]byte{{2}, {1}}}))
		w.expect("plain", it("pk", "a"), it("pk", "a", "s", "", "n", number("125"), "b", []byte{0, 255}, "yes", true, "nil", nil,
			"l", []any{"x", 1, []any{}}, "m", it("k", it()), "ss", stringSet("a", "b"),
			"ns", &types.AttributeValueMemberNS{Value: []string{"9", "10"}}, "bs", &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}}))
	})
}

// What a caller does with its own values afterwards, or with those that it
// got, is nobody else's business.
func TestItemsAreNotShared(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		bytes := []byte("abc")
		given := it("pk", "a", "b", bytes, "m", it("x", []any{"y"}))
		w.put("plain", given)
		bytes[0] = 'X'
		given["m"].(*types.AttributeValueMemberM).Value["x"] = value("changed")
		got := w.get("plain", it("pk", "a"))
		got["b"].(*types.AttributeValueMemberB).Value[1] = 'Y'
		got["m"].(*types.AttributeValueMemberM).Value["x"].(*types.AttributeValueMemberL).Value[0] = value("changed")
		w.expect("plain", it("pk", "a"), it("pk", "a", "b", []byte("abc"), "m", it("x", []any{"y"})))
	})
}

func TestPutItem(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		put := func(it item, condition string, values item, returns types.ReturnValue) (item, error) {
			in := &dynamodb.PutItemInput{TableName: aws.String("plain"), Item: it, ExpressionAttributeValues: values, ReturnValues: returns}
			if condition != "" {
				in.ConditionExpression = &condition
			}
			out, err := w.PutItem(w.Context(), in)
			if err != nil {
				return nil, err
			}
			return out.Attributes, nil
		}
		old := svctest.Must(put(it("pk", "a", "v", 1, "x", "y"), "attribute_not_exists(pk)", nil, types.ReturnValueAllOld))(w)
		if old != nil {
			w.Errorf("there was no %v", old)
		}
		_, err := put(it("pk", "a", "v", 2), "attribute_not_exists(pk)", nil, "")
		svctest.WantCode(w, err, "ConditionalCheckFailedException")
		w.expect("plain", it("pk", "a"), it("pk", "a", "v", 1, "x", "y"))
		old = svctest.Must(put(it("pk", "a", "v", 2), "v = :v", it(":v", 1), types.ReturnValueAllOld))(w)
		if d := diff(it("pk", "a", "v", 1, "x", "y"), old); d != "" {
			w.Error(d)
		}
		w.expect("plain", it("pk", "a"), it("pk", "a", "v", 2)) // the whole item
		if old := svctest.Must(put(it("pk", "a", "v", 3), "", nil, types.ReturnValueNone))(w); old != nil {
			w.Errorf("%v", old)
		}
		for _, returns := range []types.ReturnValue{types.ReturnValueAllNew, types.ReturnValueUpdatedOld, types.ReturnValueUpdatedNew} {
			_, err = put(it("pk", "a", "v", 4), "", nil, returns)
			wantInvalid(w, err, "ReturnValues can only be ALL_OLD or NONE")
		}
		_, err = put(it("pk", "a", "v", 4), "", nil, "DOG")
		svctest.WantCode(w, err, "ValidationException")
		w.expect("plain", it("pk", "a"), it("pk", "a", "v", 3))
	})
}

func TestDeleteItem(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		remove := func(condition string, values item, returns types.ReturnValue) (item, error) {
			in := &dynamodb.DeleteItemInput{TableName: aws.String("sorted"), Key: it("pk", "a", "sk", 1), ExpressionAttributeValues: values, ReturnValues: returns}
			if condition != "" {
				in.ConditionExpression = &condition
			}
			out, err := w.DeleteItem(w.Context(), in)
			if err != nil {
				return nil, err
			}
			return out.Attributes, nil
		}
		if old := svctest.Must(remove("", nil, types.ReturnValueAllOld))(w); old != nil { // not there
			w.Errorf("%v", old)
		}
		_, err := remove("attribute_exists(pk)", nil, "")
		svctest.WantCode(w, err, "ConditionalCheckFailedException")
		w.put("sorted", it("pk", "a", "sk", 1, "v", 1))
		w.put("sorted", it("pk", "a", "sk", 2))
		_, err = remove("v = :v", it(":v", 2), "")
		svctest.WantCode(w, err, "ConditionalCheckFailedException")
		_, err = remove("", nil, types.ReturnValueAllNew)
		wantInvalid(w, err, "ReturnValues can only be ALL_OLD or NONE")
		if d := diff(it("pk", "a", "sk", 1, "v", 1), svctest.Must(remove("v = :v", it(":v", 1), types.ReturnValueAllOld))(w)); d != "" {
			w.Error(d)
		}
		w.expect("sorted", it("pk", "a", "sk", 1), nil)
		w.expect("sorted", it("pk", "a", "sk", 2), it("pk", "a", "sk", 2))
	})
}

func TestUpdateItemReturns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before item // nil: there is none
		update string
		want   map[types.ReturnValue]item
	}{
		"a change": {it("pk", "a", "v", 1, "x", "y"), "SET v = :v, n1 = :v REMOVE x", map[types.ReturnValue]item{
			types.ReturnValueNone: nil, "": nil, types.ReturnValueAllOld: it("pk", "a", "v", 1, "x", "y"), types.ReturnValueUpdatedOld: it("v", 1, "x", "y"),
			types.ReturnValueAllNew: it("pk", "a", "v", 7, "n1", 7), types.ReturnValueUpdatedNew: it("v", 7, "n1", 7),
		}},
		"a new item": {nil, "SET v = :v", map[types.ReturnValue]item{
			types.ReturnValueAllOld: nil, types.ReturnValueUpdatedOld: nil, types.ReturnValueAllNew: it("pk", "a", "v", 7), types.ReturnValueUpdatedNew: it("v", 7),
		}},
		"a part": {it("pk", "a", "m", it("x", 1, "y", 2), "l", []any{1, 2, 3}, "v", 7), "SET m.x = :v, l[1] = :v REMOVE m.z", map[types.ReturnValue]item{
			types.ReturnValueUpdatedOld: it("m", it("x", 1), "l", []any{2}), types.ReturnValueUpdatedNew: it("m", it("x", 7), "l", []any{7}),
		}},
		"what only takes away, of nothing": {nil, "REMOVE v", map[types.ReturnValue]item{types.ReturnValueAllNew: nil, types.ReturnValueUpdatedNew: nil}},
		"no expression":                    {nil, "", map[types.ReturnValue]item{types.ReturnValueAllNew: it("pk", "a"), types.ReturnValueUpdatedNew: nil}},
		"no expression, of an item":        {it("pk", "a", "v", 1), "", map[types.ReturnValue]item{types.ReturnValueAllNew: it("pk", "a", "v", 1), types.ReturnValueUpdatedOld: nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				for returns, want := range c.want {
					svctest.Must(w.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("plain"), Key: it("pk", "a")}))(w)
					if c.before != nil {
						w.put("plain", c.before)
					}
					in := updateInput("a", c.update, "", nil)
					if strings.Contains(c.update, ":v") {
						in.ExpressionAttributeValues = it(":v", 7)
					}
					in.ReturnValues = returns
					out := svctest.Must(w.UpdateItem(w.Context(), in))(w)
					if d := diff(want, out.Attributes); d != "" {
						w.Errorf("%s: %s", returns, d)
					}
				}
				if strings.HasPrefix(c.update, "REMOVE") && w.get("plain", it("pk", "a")) != nil {
					w.Error("an item was made")
				}
			})
		})
	}
}

// The trap of every counter and every lease: UpdateItem makes what is not
// there.
func TestUpdateItemMakesAnItem(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for range 2 {
			if err := w.update("a", "ADD token1 :one SET holder = :h", "", it(":one", 1, ":h", "me")); err != nil {
				w.Error(err)
			}
		}
		w.expect("plain", it("pk", "a"), it("pk", "a", "token1", 2, "holder", "me"))
		svctest.WantCode(w, w.update("b", "SET holder = :h", "attribute_exists(pk)", it(":h", "me")), "ConditionalCheckFailedException")
		w.expect("plain", it("pk", "b"), nil)
	})
}

func TestFailedConditionShowsTheItem(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		table, condition := aws.String("plain"), aws.String("v = :v")
		const show = types.ReturnValuesOnConditionCheckFailureAllOld
		for _, there := range []bool{false, true} {
			var want item
			if there {
				want = it("pk", "a", "v", 1, "x", "y")
				w.put("plain", want)
			}
			for _, c := range []struct {
				show types.ReturnValuesOnConditionCheckFailure
				want item
			}{{show, want}, {types.ReturnValuesOnConditionCheckFailureNone, nil}, {"", nil}} {
				for _, in := range []any{
					&dynamodb.PutItemInput{TableName: table, Item: it("pk", "a"), ConditionExpression: condition, ExpressionAttributeValues: it(":v", 2), ReturnValuesOnConditionCheckFailure: c.show},
					&dynamodb.DeleteItemInput{TableName: table, Key: it("pk", "a"), ConditionExpression: condition, ExpressionAttributeValues: it(":v", 2), ReturnValuesOnConditionCheckFailure: c.show},
					&dynamodb.UpdateItemInput{TableName: table, Key: it("pk", "a"), ConditionExpression: condition, UpdateExpression: aws.String("SET x = :v"), ExpressionAttributeValues: it(":v", 2), ReturnValuesOnConditionCheckFailure: c.show},
				} {
					_, err := svctest.Call(w.Context(), w.Client, in)
					failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
					if !ok || failed.ErrorMessage() != "The conditional request failed" {
						w.Fatalf("%T: %v", in, err)
					}
					svctest.WantStatus(w, err, 400)
					if d := diff(c.want, failed.Item); d != "" {
						w.Errorf("%T: %s", in, d)
					}
				}
			}
		}
	})
}

func TestWritesAreRefused(t *testing.T) {
	t.Parallel()
	deep := value("x")
	for range 33 {
		deep = value([]any{deep})
	}
	large := strings.Repeat("x", 400<<10-len("pkax")) // with the key and the names exactly 400 KB
	for name, c := range map[string]struct {
		input any
		want  string
	}{
		"no key":             {&dynamodb.PutItemInput{Item: it("x", "a")}, "One or more parameter values were invalid: Missing the key pk in the item"},
		"a key's type":       {&dynamodb.PutItemInput{Item: it("pk", 1)}, "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"},
		"an empty key":       {&dynamodb.PutItemInput{Item: it("pk", "")}, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		"too much key":       {&dynamodb.DeleteItemInput{Key: it("pk", "a", "x", "y")}, "The provided key element does not match the schema"},
		"another key":        {&dynamodb.UpdateItemInput{Key: it("x", "a")}, "The provided key element does not match the schema"},
		"a number's text":    {&dynamodb.PutItemInput{Item: it("pk", "a", "n", number("dog"))}, "The parameter cannot be converted to a numeric value: dog"},
		"39 digits":          {&dynamodb.PutItemInput{Item: it("pk", "a", "n", number(strings.Repeat("1", 39)))}, "Attempting to store more than 38 significant digits in a Number"},
		"an empty set":       {&dynamodb.PutItemInput{Item: it("pk", "a", "x", stringSet())}, "One or more parameter values were invalid: An string set  may not be empty"},
		"a member twice":     {&dynamodb.PutItemInput{Item: it("pk", "a", "x", &types.AttributeValueMemberNS{Value: []string{"1", "1.0"}})}, "One or more parameter values were invalid: Input collection [1, 1] contains duplicates."},
		"a false null":       {&dynamodb.PutItemInput{Item: it("pk", "a", "x", []any{&types.AttributeValueMemberNULL{}})}, "One or more parameter values were invalid: Null attribute value types must have the value of true"},
		"no value":           {&dynamodb.PutItemInput{Item: item{"pk": value("a"), "x": nil, "y": nil}}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		"one of many":        {&dynamodb.PutItemInput{Item: it("pk", "a", "b", 1, "c", 1, "d", 1, "e", 1, "f", number("x"), "g", 1, "h", 1, "i", 1, "j", 1, "k", 1, "l", 1, "m", 1)}, "The parameter cannot be converted to a numeric value: x"},
		"an empty name":      {&dynamodb.PutItemInput{Item: it("pk", "a", "", "x")}, "One or more parameter values were invalid: Attribute names must have from 1 to 65535 bytes"},
		"too deep":           {&dynamodb.PutItemInput{Item: it("pk", "a", "x", deep)}, "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
		"too large":          {&dynamodb.PutItemInput{Item: it("pk", "a", "x", large+"x")}, "Item size has exceeded the maximum allowed size"},
		"grown too large":    {&dynamodb.UpdateItemInput{Key: it("pk", "b"), UpdateExpression: aws.String("SET y = :y"), ExpressionAttributeValues: it(":y", "")}, "Item size to update has exceeded the maximum allowed size"},
		"grown too deep":     {&dynamodb.UpdateItemInput{Key: it("pk", "a"), UpdateExpression: aws.String("SET x = :x"), ExpressionAttributeValues: it(":x", deep)}, "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
		"the key's update":   {&dynamodb.UpdateItemInput{Key: it("pk", "a"), UpdateExpression: aws.String("SET pk = :x"), ExpressionAttributeValues: it(":x", "a")}, "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"},
		"the key's part":     {&dynamodb.UpdateItemInput{Key: it("pk", "a"), UpdateExpression: aws.String("REMOVE pk.x")}, "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"},
		"a condition":        {&dynamodb.DeleteItemInput{Key: it("pk", "a"), ConditionExpression: aws.String("a = = b")}, `Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"`},
		"an empty condition": {&dynamodb.DeleteItemInput{Key: it("pk", "a"), ConditionExpression: aws.String("")}, "Invalid ConditionExpression: The expression can not be empty;"},
		"an update":          {&dynamodb.UpdateItemInput{Key: it("pk", "a"), UpdateExpression: aws.String("SET ttl = :x"), ExpressionAttributeValues: it(":x", 1)}, "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: ttl"},
		"names for nothing":  {&dynamodb.PutItemInput{Item: it("pk", "a"), ExpressionAttributeNames: map[string]string{"#a": "a"}}, "ExpressionAttributeNames can only be specified when using expressions"},
		"values for nothing": {&dynamodb.UpdateItemInput{Key: it("pk", "a"), ExpressionAttributeValues: it(":a", "a")}, "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null"},
		"no names":           {&dynamodb.DeleteItemInput{Key: it("pk", "a"), ConditionExpression: aws.String("attribute_exists(a)"), ExpressionAttributeNames: map[string]string{}}, "ExpressionAttributeNames must not be empty"},
		"no values":          {&dynamodb.DeleteItemInput{Key: it("pk", "a"), ConditionExpression: aws.String("attribute_exists(a)"), ExpressionAttributeValues: it()}, "ExpressionAttributeValues must not be empty"},
		"a wrong value":      {&dynamodb.DeleteItemInput{Key: it("pk", "a"), ConditionExpression: aws.String("a = :a"), ExpressionAttributeValues: it(":a", number(""))}, "The parameter cannot be converted to a numeric value"},
		"an unused value":    {&dynamodb.UpdateItemInput{Key: it("pk", "a"), UpdateExpression: aws.String("SET a = :a"), ConditionExpression: aws.String("a = :b"), ExpressionAttributeValues: it(":a", "", ":b", "", ":c", "")}, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:c}"},
		"what to show":       {&dynamodb.DeleteItemInput{Key: it("pk", "a"), ReturnValuesOnConditionCheckFailure: "DOG"}, "1 validation error detected: Value 'DOG' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD NONE]"},
		"what it costs":      {&dynamodb.DeleteItemInput{Key: it("pk", "a"), ReturnConsumedCapacity: "DOG"}, "1 validation error detected: Value 'DOG' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES TOTAL NONE]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.put("plain", it("pk", "b", "x", large)) // which just fits
				switch in := c.input.(type) {
				case *dynamodb.PutItemInput:
					in.TableName = aws.String("plain")
				case *dynamodb.UpdateItemInput:
					in.TableName = aws.String("plain")
				case *dynamodb.DeleteItemInput:
					in.TableName = aws.String("plain")
				}
				_, err := svctest.Call(w.Context(), w.Client, c.input)
				wantInvalid(w, err, c.want)
				w.expect("plain", it("pk", "a"), nil)
				w.expect("plain", it("pk", "b"), it("pk", "b", "x", large))
			})
		})
	}
}

// A condition is looked at first: an update that does not fit the item is no
// error where nothing is to be updated.
func TestConditionComesBeforeTheUpdate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "a", "v", "text"))
		svctest.WantCode(w, w.update("a", "SET v = v + :one", "attribute_not_exists(pk)", it(":one", 1)), "ConditionalCheckFailedException")
		wantInvalid(w, w.update("a", "SET v = v + :one", "attribute_exists(pk)", it(":one", 1)), "An operand in the update expression has an incorrect data type")
		w.expect("plain", it("pk", "a"), it("pk", "a", "v", "text"))
	})
}

func TestUnknownTable(t *testing.T) {
	t.Parallel()
	none := aws.String("none")
	inBubble(t, func(w *world) {
		for _, in := range []any{
			&dynamodb.PutItemInput{TableName: none, Item: it("pk", "a")}, &dynamodb.UpdateItemInput{TableName: none, Key: it("pk", "a")},
			&dynamodb.DeleteItemInput{TableName: none, Key: it("pk", "a")}, &dynamodb.GetItemInput{TableName: none, Key: it("pk", "a")},
			&dynamodb.QueryInput{TableName: none, KeyConditionExpression: aws.String("pk = :a"), ExpressionAttributeValues: it(":a", "a")}, &dynamodb.ScanInput{TableName: none},
			&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"none": {Keys: []item{it("pk", "a")}}}},
			&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"none": {{PutRequest: &types.PutRequest{Item: it("pk", "a")}}}}},
			&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: none, Item: it("pk", "a")}}}},
			&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: none, Key: it("pk", "a")}}}},
			&dynamodb.UpdateTimeToLiveInput{TableName: none, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("x"), Enabled: aws.Bool(true)}},
			&dynamodb.DescribeTimeToLiveInput{TableName: none},
		} {
			_, err := svctest.Call(w.Context(), w.Client, in)
			svctest.WantCode(w, err, "ResourceNotFoundException")
		}
	})
}

func TestConflictOfAWrite(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("plain", it("pk", "a", "v", 1))
		heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: serviceID, Resource: "a"}, dynamodbsvc.Conflict()))(w)
		for _, in := range []any{
			&dynamodb.PutItemInput{TableName: aws.String("plain"), Item: it("pk", "a")}, updateInput("a", "ADD v :one", "", it(":one", 1)),
			&dynamodb.DeleteItemInput{TableName: aws.String("plain"), Key: it("pk", "a")},
		} {
			_, err := svctest.Call(w.Context(), w.Client, in)
			if _, ok := errors.AsType[*types.TransactionConflictException](err); !ok {
				w.Errorf("%T: %v", in, err)
			}
			if n := w.cloud.Count(serviceID, svctest.NameOf(in)); svctest.NameOf(in) != "PutItem" && n != 1 {
				w.Errorf("%T: the SDK tries %d times", in, n) // it does not retry a conflict
			}
		}
		w.expect("plain", it("pk", "a"), it("pk", "a", "v", 1)) // reads do not meet it
		heal()
		if err := w.update("a", "ADD v :one", "", it(":one", 1)); err != nil {
			w.Error(err)
		}
	})
}
