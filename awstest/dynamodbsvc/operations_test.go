package dynamodbsvc_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*dynamodb.Client](t, dynamodbsvc.New(), serviceID))
}

func codes(t *testing.T) map[string]bool {
	return svctest.Codes(t, "dynamodbsvc.go", "[a-ce-z]*.go", "../internal/ddbexpr/*.go", "../internal/ddbmodel/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

// A code that the SDK has a type for reaches the caller in that type.
func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	all := codes(t)
	for _, injected := range []string{"LimitExceededException", "ReplicatedWriteConflictException", "RequestLimitExceeded", "ThrottlingException", "TransactionInProgressException"} {
		all[injected] = true
	}
	inBubble(t, func(w *world) {
		svctest.ErrorTypes(w, w.cloud, serviceID, all, w.Client, func(code string) *dynamodb.Client {
			return dynamodb.New(dynamodb.Options{
				Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
				HTTPClient: svctest.Answer(`{"__type":"` + code + `","message":"no"}`),
			})
		})
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: serviceID, Operation: "GetItem", Resource: "plain"},
			func() error {
				_, err := w.GetItem(w.Context(), &dynamodb.GetItemInput{TableName: aws.String("plain"), Key: it("pk", "a")})
				return err
			},
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "ProvisionedThroughputExceededException", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "InternalServerError", Status: 500, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDeniedException", Status: 400, Attempts: 1},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	plain := aws.String("plain")
	for name, c := range map[string]struct {
		input any
		says  string
	}{
		"an operation": {&dynamodb.ExecuteStatementInput{Statement: aws.String("SELECT")}, ".ExecuteStatement"},
		"streams": {&dynamodb.CreateTableInput{TableName: plain, StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true)}},
			".CreateTable: parameter StreamSpecification"},
		"global indexes": {&dynamodb.CreateTableInput{TableName: plain, GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("i"), KeySchema: []types.KeySchemaElement{}, Projection: &types.Projection{},
		}}}, ".CreateTable: parameter GlobalSecondaryIndexes"},
		"local indexes": {&dynamodb.CreateTableInput{TableName: plain, LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String("i"), KeySchema: []types.KeySchemaElement{}, Projection: &types.Projection{},
		}}}, ".CreateTable: parameter LocalSecondaryIndexes"},
		"replicas": {&dynamodb.UpdateTableInput{TableName: plain, ReplicaUpdates: []types.ReplicationGroupUpdate{{}}}, ".UpdateTable: parameter ReplicaUpdates"},
		"Expected": {&dynamodb.PutItemInput{TableName: plain, Item: it("pk", "a"), Expected: map[string]types.ExpectedAttributeValue{"a": {}}},
			".PutItem: parameter Expected"},
		"AttributeUpdates": {&dynamodb.UpdateItemInput{TableName: plain, Key: it("pk", "a"), AttributeUpdates: map[string]types.AttributeValueUpdate{"a": {}}},
			".UpdateItem: parameter AttributeUpdates"},
		"ConditionalOperator": {&dynamodb.DeleteItemInput{TableName: plain, Key: it("pk", "a"), ConditionalOperator: "AND"}, ".DeleteItem: parameter ConditionalOperator"},
		"KeyConditions": {&dynamodb.QueryInput{TableName: plain, KeyConditions: map[string]types.Condition{"pk": {ComparisonOperator: "EQ"}}},
			".Query: parameter KeyConditions"},
		"an index":   {&dynamodb.ScanInput{TableName: plain, IndexName: aws.String("i")}, ".Scan: parameter IndexName"},
		"ScanFilter": {&dynamodb.ScanInput{TableName: plain, ScanFilter: map[string]types.Condition{"pk": {ComparisonOperator: "EQ"}}}, ".Scan: parameter ScanFilter"},
		"AttributesToGet": {&dynamodb.GetItemInput{TableName: plain, Key: it("pk", "a"), AttributesToGet: []string{"a"}},
			".GetItem: parameter AttributesToGet"},
		"AttributesToGet of a batch": {&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			"plain": {Keys: []map[string]types.AttributeValue{it("pk", "a")}, AttributesToGet: []string{"a"}},
		}}, ".BatchGetItem: the legacy parameter AttributesToGet"},
		"metrics": {&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{}}, ReturnItemCollectionMetrics: "SIZE"},
			".TransactWriteItems: parameter ReturnItemCollectionMetrics"},
		"an item twice in a transaction": {&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: plain, Key: it("pk", "a")}}, {Get: &types.Get{TableName: plain, Key: it("pk", "a")}},
		}}, ".TransactGetItems: an item that is asked for twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svctest.NotModelled(t, dynamodbsvc.New(instantly), func(cloud *awstest.Cloud) error {
				client := dynamodb.NewFromConfig(cloud.Config(region))
				svctest.Must(client.CreateTable(t.Context(), tableInput("plain")))(t)
				_, err := svctest.Call(t.Context(), client, c.input)
				return err
			}, "awstest: "+serviceID+c.says+" is not modelled")
		})
	}
}

func TestServiceTwice(t *testing.T) {
	t.Parallel()
	if _, err := awstest.New([]awstest.Service{dynamodbsvc.New(), dynamodbsvc.New()}); err == nil {
		t.Error("a cloud has DynamoDB twice")
	}
}

func TestOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{dynamodbsvc.New(func(o *dynamodbsvc.Options) {
		o.Creating, o.Updating, o.Deleting, o.TimeToLiveChange, o.Expiry = -2, -2, -2, -2, -2
	})})
	for _, field := range []string{"Creating", "Updating", "Deleting", "TimeToLiveChange", "Expiry"} {
		if err == nil || !strings.Contains(err.Error(), "dynamodbsvc.Options."+field+": -2ns must not be negative") {
			t.Errorf("nothing about %s in %v", field, err)
		}
	}
}
