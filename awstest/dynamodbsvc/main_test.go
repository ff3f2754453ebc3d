package dynamodbsvc_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	serviceID = dynamodb.ServiceID
	region    = "us-east-1"
)

// world is a cloud with DynamoDB and two tables: "plain" has a partition key
// pk, "sorted" a numeric sort key sk as well.
type world struct {
	*testing.T
	*dynamodb.Client
	cloud *awstest.Cloud
}

// instantly makes tables active and gone at once.
func instantly(o *dynamodbsvc.Options) {
	o.Creating, o.Updating, o.Deleting = dynamodbsvc.Immediately, dynamodbsvc.Immediately, dynamodbsvc.Immediately
}

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	inBubbleWith(t, instantly, test, optFns...)
}

func inBubbleWith(t *testing.T, options func(*dynamodbsvc.Options), test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	svctest.InBubble(t, []awstest.Service{dynamodbsvc.New(options)}, func(t *testing.T, cloud *awstest.Cloud) {
		w := &world{T: t, Client: dynamodb.NewFromConfig(cloud.Config(region)), cloud: cloud}
		w.create("plain")
		w.create("sorted", types.ScalarAttributeTypeN)
		test(w)
	}, optFns...)
}

func tableInput(name string, sort ...types.ScalarAttributeType) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	}
	for _, kind := range sort {
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("sk"), AttributeType: kind})
	}
	return in
}

func (w *world) create(name string, sort ...types.ScalarAttributeType) *types.TableDescription {
	w.Helper()
	return svctest.Must(w.CreateTable(w.Context(), tableInput(name, sort...)))(w).TableDescription
}

type item = map[string]types.AttributeValue

// it makes an item of names and Go values in turn.
func it(pairs ...any) item {
	made := item{}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i].(string)] = value(pairs[i+1])
	}
	return made
}

type number string // one that is written out

func value(v any) types.AttributeValue {
	switch v := v.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case int:
		return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
	case int64:
		return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
	case number:
		return &types.AttributeValueMemberN{Value: string(v)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []byte:
		return &types.AttributeValueMemberB{Value: v}
	case nil:
		return &types.AttributeValueMemberNULL{Value: true}
	case []any:
		list := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
		for _, e := range v {
			list.Value = append(list.Value, value(e))
		}
		return list
	case item:
		return &types.AttributeValueMemberM{Value: v}
	case types.AttributeValue:
		return v
	}
	panic(fmt.Sprintf("%T", v))
}

func stringSet(members ...string) types.AttributeValue {
	return &types.AttributeValueMemberSS{Value: members}
}

// diff compares what the SDK returns.
func diff(want, got any) string {
	return cmp.Diff(want, got, cmpopts.IgnoreUnexported(
		types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{}, types.AttributeValueMemberBOOL{},
		types.AttributeValueMemberNULL{}, types.AttributeValueMemberL{}, types.AttributeValueMemberM{}, types.AttributeValueMemberSS{},
		types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{}, types.ConsumedCapacity{}, types.Capacity{}, types.CancellationReason{},
		types.KeysAndAttributes{}, types.WriteRequest{}, types.PutRequest{}, types.DeleteRequest{}, types.ItemResponse{}, types.Tag{},
		types.TimeToLiveDescription{}))
}

func (w *world) put(table string, it item) {
	w.Helper()
	svctest.Must(w.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: &table, Item: it}))(w)
}

// get reads consistently; nil is no item.
func (w *world) get(table string, key item) item {
	w.Helper()
	return svctest.Must(w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)}))(w).Item
}

func (w *world) expect(table string, key, want item) {
	w.Helper()
	if d := diff(want, w.get(table, key)); d != "" {
		w.Errorf("the item is not what it should be (-want +got): %s", d)
	}
}

// updateInput is an UpdateItem of the table "plain".
func updateInput(pk, update, condition string, values item) *dynamodb.UpdateItemInput {
	in := &dynamodb.UpdateItemInput{TableName: aws.String("plain"), Key: it("pk", pk), ExpressionAttributeValues: values}
	if update != "" {
		in.UpdateExpression = &update
	}
	if condition != "" {
		in.ConditionExpression = &condition
	}
	return in
}

func (w *world) update(pk, update, condition string, values item) error {
	_, err := w.UpdateItem(w.Context(), updateInput(pk, update, condition, values))
	return err
}

// wantInvalid asserts a ValidationException and its message; what says which
// case it is of.
func wantInvalid(t testing.TB, err error, message string, what ...any) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != "ValidationException" || api.ErrorMessage() != message {
		t.Errorf("%s\n got %v,\nwant ValidationException: %s", fmt.Sprint(what...), err, message)
		return
	}
	svctest.WantStatus(t, err, 400)
}
