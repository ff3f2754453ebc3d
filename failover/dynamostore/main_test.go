package dynamostore_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/failover/dynamostore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCloud returns a DynamoDB with the table "failover".
func newCloud(t testing.TB, optFns ...func(*awstest.Options)) (*awstest.Cloud, *dynamodb.Client) {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately })}, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	client := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
	if err := createTable(client, "failover", "group S", "name S"); err != nil {
		t.Fatal(err)
	}
	return cloud, client
}

// createTable makes a table of key attributes such as "group S".
func createTable(client *dynamodb.Client, table string, key ...string) error {
	in := &dynamodb.CreateTableInput{TableName: &table, BillingMode: types.BillingModePayPerRequest}
	for i, attribute := range key {
		kind := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i]
		name := aws.String(attribute[:len(attribute)-2])
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: name, KeyType: kind})
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: name, AttributeType: types.ScalarAttributeType(attribute[len(attribute)-1:]),
		})
	}
	_, err := client.CreateTable(context.Background(), in)
	return err
}

func newStore(t testing.TB, api dynamostore.API, optFns ...func(*dynamostore.Options)) *dynamostore.Store {
	t.Helper()
	s, err := dynamostore.New(api, "failover", optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func inject(t testing.TB, cloud *awstest.Cloud, m awstest.Match, e awstest.Effect) (heal func()) {
	t.Helper()
	m.Service = dynamodb.ServiceID
	heal, err := cloud.Inject(m, e)
	if err != nil {
		t.Fatal(err)
	}
	return heal
}
