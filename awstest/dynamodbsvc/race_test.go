//go:build race

package dynamodbsvc_test

const raceEnabled = true
