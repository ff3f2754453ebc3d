package dynamodedupe_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/dynamodedupe"
)

func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately })})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
	if err := createTable(client); err != nil {
		log.Fatal(err)
	}

	store, err := dynamodedupe.New(client, "handled", func(o *dynamodedupe.Options) { o.Prefix = "payments#" })
	if err != nil {
		log.Fatal(err)
	}
	charge := queueworker.HandlerFunc(func(_ context.Context, m *queueworker.Message) error {
		fmt.Println("charge", m.Body)
		return nil
	})
	h := queueworker.Chain(charge, queueworker.Deduplicate(store)) // or Options.Middleware
	for range 2 {
		fmt.Println(h.Handle(context.Background(), &queueworker.Message{ID: "m-1", Body: "9.99"}))
	}
	// Output:
	// charge 9.99
	// <nil>
	// <nil>
}
