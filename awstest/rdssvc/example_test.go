package rdssvc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/rdssvc"
)

// A real client asks for a snapshot before the database is available.
func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{rdssvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := rds.NewFromConfig(cloud.Config("us-east-1"))

	made, err := client.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("orders"), DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("postgres"),
		AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("not a secret"),
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.CreateDBSnapshot(ctx, &rds.CreateDBSnapshotInput{
		DBSnapshotIdentifier: aws.String("orders-before-upgrade"), DBInstanceIdentifier: aws.String("orders"),
	})
	fmt.Println(*made.DBInstance.DBInstanceStatus, codeOf(err))
	// Output: creating InvalidDBInstanceState
}
