// Package ec2svc is Amazon EC2 for awstest: zones, subnets, network
// interfaces, Elastic IP addresses, instances, status checks and tags.
package ec2svc
