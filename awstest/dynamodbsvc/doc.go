// Package dynamodbsvc is Amazon DynamoDB in memory: an adapter of [awstest].
package dynamodbsvc
