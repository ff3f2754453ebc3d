package dynamodedupe_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/awsha/awsha/queueworker/dynamodedupe"
)

// instant is a DynamoDB that answers at once.
type instant struct{ dynamodedupe.API }

func (instant) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return &dynamodb.UpdateItemOutput{}, nil
}

// BenchmarkStore is what a message costs besides its two calls.
func BenchmarkStore(b *testing.B) {
	store := newStore(b, instant{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Begin(b.Context(), "key", "token", time.Minute); err != nil {
			b.Fatal(err)
		}
		if err := store.Complete(b.Context(), "key", "token", time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}
