// Package elbv2svc is Elastic Load Balancing v2 for awstest: load balancers,
// listeners, target groups, and health checks that really ask the targets.
package elbv2svc
