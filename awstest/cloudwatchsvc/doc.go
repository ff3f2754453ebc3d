// Package cloudwatchsvc is Amazon CloudWatch in memory: an adapter of [awstest].
package cloudwatchsvc
