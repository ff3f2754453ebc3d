package dynamodedupe

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../queueworkermock/dynamodedupe.go -pkg queueworkermock . API:DynamoDedupeAPIMock

// API is what the package calls of DynamoDB; *dynamodb.Client is one. Implementations are safe for concurrent use, end a call when its
// context ends, and return errors in the SDK's form.
type API interface {
	// UpdateItem needs dynamodb:UpdateItem. It is called to begin, extend and complete a claim, always with a condition.
	UpdateItem(ctx context.Context, params *dynamodb.UpdateItemInput, optFns ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)

	// DeleteItem needs dynamodb:DeleteItem. It is called to abandon a claim, always with a condition.
	DeleteItem(ctx context.Context, params *dynamodb.DeleteItemInput, optFns ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

var _ API = (*dynamodb.Client)(nil)
