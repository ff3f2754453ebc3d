// Package autoscalingsvc is Amazon EC2 Auto Scaling in memory: an adapter of [awstest].
package autoscalingsvc
