package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
)

func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately })})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
	if err := createTable(client, "failover", "group S", "name S"); err != nil {
		log.Fatal(err)
	}

	store, err := dynamostore.New(client, "failover")
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	version, err := store.Put(ctx, "leases", "orders", []byte("controller-a"), "") // nobody has it
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.Put(ctx, "leases", "orders", []byte("controller-b"), "")
	fmt.Println("b:", errors.Is(err, failover.ErrChanged))
	if _, err = store.Put(ctx, "leases", "orders", []byte("controller-a, again"), version); err != nil {
		log.Fatal(err)
	}
	entry, err := store.Get(ctx, "leases", "orders")
	fmt.Printf("%s %v\n", entry.Value, err)
	// Output:
	// b: true
	// controller-a, again <nil>
}
