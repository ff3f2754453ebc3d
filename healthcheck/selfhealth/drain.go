package selfhealth

import (
	"context"
	"time"
)

// Drain turns /readyz to 503 at once and for good, and then waits d, so that load balancers stop sending requests before the
// caller shuts the server down; see [DrainTime] for how long. /livez is not moved. Zero only turns /readyz.
//
// It returns nil when d has passed, and the cause of ctx when that ends first; the process is draining in both cases. It can be
// called more than once; each call waits its own d.
//
// The order at the end of a process is: Drain, then http.Server.Shutdown, which waits for requests, then the end of Run.
// Until Shutdown the process serves as ever. A supervisor must grant it the time for all of that, such as
// terminationGracePeriodSeconds in Kubernetes and stopTimeout in ECS.
func (h *Health) Drain(ctx context.Context, d time.Duration) error {
	h.mu.Lock()
	h.draining = true
	h.mu.Unlock()
	h.signal()
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// DrainTime is how long Drain should wait for a load balancer that finds the process by its health checks alone: with the
// interval and the unhealthy threshold of the target group, (unhealthyThreshold + 1)·interval.
//
// The first check that sees 503 may start a whole interval after Drain, so that the last of unhealthyThreshold in a row starts
// after unhealthyThreshold·interval. One interval more is there because AWS calls the interval approximate, and for the news
// to get around; AWS promises no number for that. With the defaults of an Application Load Balancer, 30 s and 2, it is 90 s.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (read 2026-11).
//
// Network Load Balancers were seen to open new connections for 30 to 40 s after a target had turned unhealthy, and for two
// minutes after it was deregistered, whatever the deregistration delay: add as much. These are reports of users, and AWS
// documents neither.
// Source: https://github.com/aws/containers-roadmap/issues/470,
// https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366 (read 2026-11).
func DrainTime(interval time.Duration, unhealthyThreshold int) time.Duration {
	return time.Duration(unhealthyThreshold+1) * interval
}
