// Package s3svc is Amazon S3 in memory: an adapter of [awstest].
package s3svc
