// Package elbv2svc is Elastic Load Balancing v2 for awstest: load balancers,
// listeners, target groups, and health checks that really ask the targets,
// behind the SDK's own *elasticloadbalancingv2.Client.
//
//	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), elbv2svc.New()})
//	client := elasticloadbalancingv2.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse what a program does with target groups when
// targets, zones or Elastic Load Balancing itself fail: how long detection
// takes, where the traffic goes meanwhile, what a registration or a drain
// looks like while it lasts.
//
// It models what high availability depends on and nothing else: it has no
// rules, no Gateway Load Balancers and no Lambda targets. What it does not
// know it refuses with [awstest.ErrNotModelled], an operation, a parameter, a
// part of a parameter or an attribute alike, and [awstest.Cloud.Close] returns
// the refusal once more.
//
// # How it works
//
// A load balancer is provisioning, and then active, after
// Options.Provisioning. A target goes through these states:
//
//	registered ------> initial --one pass--> healthy
//	                      |                    |  ^
//	          (unhealthy threshold)            |  | (healthy threshold)
//	                      v                    v  |
//	                  unhealthy <-------------- unhealthy
//	deregistered ----> draining --deregistration delay--> not registered
//	unused: the group has no listener, the zone is not enabled for the load
//	        balancer, the instance is stopped or terminated
//
// The first check is Options.Registration after the registration, or after
// the load balancer has become active. From then on checks start at a fixed
// rate, whatever the target takes to answer. A check is an HTTP GET of the
// path, or a connection, over the data plane of the cloud: a handler of
// [awstest.Instance.Serve] is called with it, a listener of
// [awstest.Instance.Listen] gets a connection. So a target without power or
// network times out, and one that does not listen refuses. From a death to
// unhealthy it takes from (threshold - 1) to (threshold) intervals, and a
// timeout where nothing answers.
//
// The name of an active load balancer leads [awstest.Cloud.Dial] to the
// healthy targets of the port's listener in turn, and, if they are fewer than
// the group's minimum for routing (1, unless an attribute says otherwise), to
// all of them but those that drain or are unused: it fails open. Without a
// target or without a listener the connection is refused.
//
// Without cross-zone load balancing, which is how network load balancers begin,
// the name leads to the zones in turn, and then to the targets of the zone; the
// minimum for routing counts for each zone. A zone below the minimum for DNS is
// passed over, unless all are. With cross-zone load balancing all targets count
// together, so that no zone is passed over.
//
// A load balancer that is active and enabled for it (zonal_shift.config.enabled)
// can be shifted away from a zone with arczonalshiftsvc, an autoshift that is
// under way included: its name leads no new connection to the targets of that
// zone, whatever the load balancer's cross-zone setting, as long as a target
// elsewhere is healthy. With none there the shift has no effect. Connections
// that are there live on, and checks go on.
//
// Describe operations stand behind changes by [awstest.Options].VisibilityLag
// or by the effect [awstest.Stale], DescribeTargetHealth included; whether an
// instance is stopped is always seen as of now. Changes, checks and traffic
// look at the present.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there. Tags are accepted and ignored.
//
//   - CreateLoadBalancer: application and network, names, subnets of several zones; the same request again returns what is there, by all but its tags. Security groups are shown and not looked at. IPv4 only; no addresses in subnet mappings.
//   - DescribeLoadBalancers: ARNs, names, pages.
//   - DeleteLoadBalancer: with its listeners; its targets stay registered, and one that does not exist is no error. No deletion protection.
//   - CreateListener: HTTP and HTTPS of application, TCP and TLS of network load balancers; the same request again returns what is there. One action that forwards to one target group: no weights, no stickiness, no other actions. Certificates and policies are shown and not looked at.
//   - DescribeListeners: by load balancer, by ARN, pages.
//   - DeleteListener: without its last listener a group is not in use, and its checks end; with a new one they begin anew.
//   - CreateTargetGroup: HTTP, HTTPS, TCP and TLS, instances and IPv4 addresses, settings and defaults of the health check; the same request again returns what is there, by all but its tags. HTTP/1.1 checks only, in the clear, also where the protocol is HTTPS.
//   - ModifyTargetGroup: holds from the next check on.
//   - DescribeTargetGroups: ARNs, names, load balancer, pages.
//   - DeleteTargetGroup: refused while a listener forwards to it; one that does not exist is no error.
//   - DescribeLoadBalancerAttributes: load_balancing.cross_zone.enabled and zonal_shift.config.enabled. No other attribute.
//   - ModifyLoadBalancerAttributes: the same. Cross-zone of an application load balancer cannot be changed; its groups can do without.
//   - DescribeTargetGroupAttributes: deregistration_delay.timeout_seconds, load_balancing.cross_zone.enabled, the minimum counts and percentages of target_group_health; of HTTP and HTTPS groups also slow_start.duration_seconds, load_balancing.algorithm.type and anomaly_mitigation. Stickiness is shown, and off. No other attribute.
//   - ModifyTargetGroupAttributes: the same, with the rules of ranges, of combinations and of protocols. The delay holds for later deregistrations; cross-zone and the minimums hold for the next connection. Slow start, the algorithm and anomaly mitigation have no effect: targets get connections in turn.
//   - RegisterTargets: all or none, ports, again while draining. Instances must be running, in this region; addresses must be private, and their Availability Zone is checked and has no effect. No quotas.
//   - DeregisterTargets: those that are not registered are passed over; the state is draining for the whole delay. A group that is not in use has nothing to drain.
//   - DescribeTargetHealth: states, reasons and descriptions. A target that never was is not registered, where AWS may answer InvalidTarget; a terminated instance stays, as unused, until it is deregistered. The administrative override says whether a zonal shift keeps traffic from a target: no_override or zonal_shift_active, whatever the type of the load balancer; never zonal_shift_delegated_to_dns, of which AWS does not say when it is shown. No anomalies.
//
// A marker is a place in the result: what is added or goes between two pages
// may move a resource from one to the next.
//
// # Simplified
//
// A load balancer has no nodes: there is one checker for it and not one per
// zone, nothing of it fails with a zone, and its name leads connections
// straight to the targets. So there is no
// 502, 503 or 504 of its own, HTTPS is not ended at it, an internal one
// is reached from everywhere, and a connection outlives what happens to its
// target's registration. In AWS, name servers take up to a minute more to
// forget a zone. Nothing makes a target Target.IpUnusable, as load balancers
// have no addresses, nor is there Elb.InternalError. The timeouts by default are
// those of the guides (5 s for HTTP and HTTPS groups), not those of the SDK's
// comment.
//
// # Errors
//
// An error is the SDK's type of its code where the SDK has one for it in that
// operation, else a *smithy.GenericAPIError, inside a response error with an
// HTTP status and a request ID. DeleteTargetGroup, for one, has
// *types.ResourceInUseException, but leaves TargetGroupNotFound, which an effect
// may reject it with, generic. The codes are those of
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
// (read 2026-11); the status is 400 unless noted.
//
//   - AccessDenied: status 403, by the effect [awstest.Deny].
//   - DuplicateListener: the port is taken by a listener with other settings.
//   - DuplicateLoadBalancerName: the name is taken by one with other settings.
//   - DuplicateTargetGroupName: the name is taken by one with other settings.
//   - IncompatibleProtocols: a listener and a target group that do not fit.
//   - InvalidConfigurationRequest: two subnets of one zone; cross-zone of an application load balancer.
//   - InvalidTarget: RegisterTargets of instances that do not exist or do not run.
//   - ListenerNotFound
//   - LoadBalancerNotFound
//   - ResourceInUse: DeleteTargetGroup of one that a listener forwards to.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - SubnetNotFound
//   - TargetGroupAssociationLimit: a second load balancer for a target group.
//   - TargetGroupNotFound
//   - Throttling: by the effect [awstest.Throttle].
//   - ValidationError: anything else that breaks a rule; what is no ARN of its kind.
//
// # Cost
//
// A check of a handler costs about 5 µs of CPU and no goroutine between
// checks. A describe looks at all resources of its kind in the region.
package elbv2svc
