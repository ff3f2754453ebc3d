package dynamodbsvc_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
)

// A lease is taken, and the second one who wants it sees who has it.
func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately })})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
	if _, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("leases"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("lease"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("lease"), AttributeType: types.ScalarAttributeTypeS}},
	}); err != nil {
		log.Fatal(err)
	}

	for _, candidate := range []string{"alice", "bob"} {
		out, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String("leases"), Key: map[string]types.AttributeValue{"lease": &types.AttributeValueMemberS{Value: "failover"}},
			UpdateExpression:    aws.String("SET holder = :me ADD fence :one"),
			ConditionExpression: aws.String("attribute_not_exists(holder)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":me": &types.AttributeValueMemberS{Value: candidate}, ":one": &types.AttributeValueMemberN{Value: "1"},
			},
			ReturnValues: types.ReturnValueAllNew, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		if taken, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
			fmt.Println(candidate, "waits for", taken.Item["holder"].(*types.AttributeValueMemberS).Value)
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(candidate, "has token", out.Attributes["fence"].(*types.AttributeValueMemberN).Value)
	}
	// Output:
	// alice has token 1
	// bob waits for alice
}

// The reply of a conditional write is lost. The SDK sends it again, and the
// write fails on what it has written itself.
func Example_lostReply() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately })})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
	if _, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("jobs"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("job"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("job"), AttributeType: types.ScalarAttributeTypeS}},
	}); err != nil {
		log.Fatal(err)
	}
	if _, err := cloud.LoseReply(dynamodb.ServiceID, "PutItem", 1); err != nil {
		log.Fatal(err)
	}

	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String("jobs"),
		Item:                map[string]types.AttributeValue{"job": &types.AttributeValueMemberS{Value: "1"}, "by": &types.AttributeValueMemberS{Value: "me"}},
		ConditionExpression: aws.String("attribute_not_exists(job)"), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		log.Fatal(err)
	}
	fmt.Println(failed.ErrorCode(), "by", failed.Item["by"].(*types.AttributeValueMemberS).Value)
	// Output: ConditionalCheckFailedException by me
}
