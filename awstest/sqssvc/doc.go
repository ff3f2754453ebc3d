// Package sqssvc is Amazon SQS in memory: an adapter of [awstest].
package sqssvc
