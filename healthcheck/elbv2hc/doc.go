// Package elbv2hc joins healthcheck and Elastic Load Balancing: it follows the health of a target group as the load balancer
// sees it, waits for targets to come into service or to drain, and keeps registrations equal to what is wanted.
//
//	follower, err := elbv2hc.Follow(elasticloadbalancingv2.NewFromConfig(cfg), targetGroupARN)
//	...
//	go follower.Run(ctx)
//	pool, err := healthcheck.New(follower, follower.Options)
package elbv2hc
