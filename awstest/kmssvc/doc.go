// Package kmssvc is AWS KMS in memory: an adapter of [awstest].
package kmssvc
