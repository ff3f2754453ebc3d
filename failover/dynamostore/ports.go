package dynamostore

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../failovermock/dynamostore.go -pkg failovermock . API:DynamoStoreAPIMock

// API is what the package calls of DynamoDB; *dynamodb.Client is one. A cache in front of DynamoDB is none. Implementations are safe for
// concurrent use, end a call when its context ends, and return errors in the SDK's form.
type API interface {
	// GetItem needs dynamodb:GetItem. It is called once by Store.Get, strongly consistent.
	GetItem(ctx context.Context, params *dynamodb.GetItemInput, optFns ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)

	// Query needs dynamodb:Query. It is called by Store.List, once for each page of 1 MB, strongly consistent.
	Query(ctx context.Context, params *dynamodb.QueryInput, optFns ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)

	// PutItem needs dynamodb:PutItem. It is called once by Store.Put, always with a condition.
	PutItem(ctx context.Context, params *dynamodb.PutItemInput, optFns ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)

	// DescribeTable needs dynamodb:DescribeTable. It is called before the first of the others, until it has answered that the table will
	// do; never with Options.SkipTableCheck.
	DescribeTable(ctx context.Context, params *dynamodb.DescribeTableInput, optFns ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
}

var _ API = (*dynamodb.Client)(nil)
