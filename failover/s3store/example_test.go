package s3store_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/s3svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/s3store"
)

func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{s3svc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := s3.NewFromConfig(cloud.Config("us-east-1"))
	if err := createBucket(client); err != nil {
		log.Fatal(err)
	}

	store, err := s3store.New(client, bucket, func(o *s3store.Options) { o.Prefix = "orders/" })
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	version, err := store.Put(ctx, "leases", "eu-west-1/db", []byte("controller-a"), "") // nobody has it
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.Put(ctx, "leases", "eu-west-1/db", []byte("controller-b"), "")
	fmt.Println("b:", errors.Is(err, failover.ErrChanged))
	if _, err = store.Put(ctx, "leases", "eu-west-1/db", []byte("controller-a"), version); err != nil {
		log.Fatal(err)
	}
	_, err = store.Put(ctx, "leases", "eu-west-1/db", []byte("controller-a"), version) // the value is the same; it was put again since
	fmt.Println("late:", errors.Is(err, failover.ErrChanged))
	entries, err := store.List(ctx, "leases")
	fmt.Printf("%s: %s %v\n", entries[0].Name, entries[0].Value, err)
	// Output:
	// b: true
	// late: true
	// eu-west-1/db: controller-a <nil>
}
