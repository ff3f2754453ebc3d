package elbmodel

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Check is how a group's targets are checked.
type Check struct {
	Protocol string // HTTP, HTTPS or TCP
	Port     string // a number, or TrafficPort
	Path     string // of HTTP and HTTPS
	Matcher  string // of HTTP and HTTPS
	Interval time.Duration
	Timeout  time.Duration
	Rise     int // passes that make an unhealthy target healthy
	Fall     int // failures that make a healthy target unhealthy
}

// TrafficPort checks a target on the port that it gets traffic on.
const TrafficPort = "traffic-port"

// layer7 tells whether a protocol is that of requests and not of connections.
func layer7(protocol string) bool { return protocol == "HTTP" || protocol == "HTTPS" }

// DefaultCheck returns the health check of a new group. An empty protocol of
// the check is the default one.
//
// On the timeout of HTTP and HTTPS groups the guide of Application Load
// Balancers (5 s) and the SDK (6 s and 10 s) disagree; this is the guide's.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html (read 2026-11)
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html (read 2026-11)
func DefaultCheck(groupProtocol, checkProtocol string) Check {
	c := Check{Protocol: checkProtocol, Port: TrafficPort, Interval: 30 * time.Second, Rise: 5, Fall: 2}
	if c.Protocol == "" {
		c.Protocol = "TCP"
		if layer7(groupProtocol) {
			c.Protocol = "HTTP"
		}
	}
	switch {
	case layer7(groupProtocol):
		c.Timeout = 5 * time.Second
	case c.Protocol == "HTTP":
		c.Timeout = 6 * time.Second
	default:
		c.Timeout = 10 * time.Second
	}
	c.Path, c.Matcher = defaultPage(groupProtocol, c.Protocol)
	return c
}

// defaultPage returns what a check asks for and expects.
func defaultPage(groupProtocol, checkProtocol string) (path, matcher string) {
	switch {
	case !layer7(checkProtocol):
		return "", ""
	case layer7(groupProtocol):
		return "/", "200"
	}
	return "/", "200-399"
}

// SetProtocol changes the protocol of the check of a group. From TCP to HTTP
// or back, the path and the matcher start anew.
func (c *Check) SetProtocol(groupProtocol, p string) {
	if layer7(c.Protocol) != layer7(p) {
		c.Path, c.Matcher = defaultPage(groupProtocol, p)
	}
	c.Protocol = p
}

// validate holds a check against the rules of the API.
func (c *Check) validate(groupProtocol string) (matcher, error) {
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	switch {
	case c.Protocol != "TCP" && !layer7(c.Protocol):
		return nil, invalid("Health check protocol '%s' is not supported", c.Protocol)
	case c.Protocol == "TCP" && layer7(groupProtocol):
		return nil, invalid("Health check protocol 'TCP' is not supported for target groups with the '%s' protocol", groupProtocol)
	case c.Interval < 5*time.Second || c.Interval > 300*time.Second:
		return nil, invalid("Health check interval '%d' must be between 5 and 300 seconds", seconds(c.Interval))
	case c.Timeout < 2*time.Second || c.Timeout > 120*time.Second:
		return nil, invalid("Health check timeout '%d' must be between 2 and 120 seconds", seconds(c.Timeout))
	case c.Interval <= c.Timeout:
		return nil, invalid("Health check interval must be greater than the timeout.")
	case c.Rise < 2 || c.Rise > 10:
		return nil, invalid("Healthy threshold count '%d' must be between 2 and 10", c.Rise)
	case c.Fall < 2 || c.Fall > 10:
		return nil, invalid("Unhealthy threshold count '%d' must be between 2 and 10", c.Fall)
	}
	if c.Port != TrafficPort {
		if n, err := strconv.ParseUint(c.Port, 10, 16); err != nil || n == 0 {
			return nil, invalid("Health check port '%s' must be '%s' or a number from 1 to 65535", c.Port, TrafficPort)
		}
	}
	if !layer7(c.Protocol) {
		if c.Path != "" || c.Matcher != "" {
			return nil, invalid("Health check path and matcher cannot be specified for a health check with the '%s' protocol", c.Protocol)
		}
		return nil, nil
	}
	if !strings.HasPrefix(c.Path, "/") || len(c.Path) > 1024 {
		return nil, invalid("Health check path '%s' must begin with a '/' character, and can be at most 1024 characters in length", c.Path)
	}
	last := 599
	if layer7(groupProtocol) {
		last = 499
	}
	m, ok := parseMatcher(c.Matcher, last)
	if !ok {
		return nil, invalid("Health check matcher HTTP code '%s' must be a value or a range within 200-%d, or a list of them", c.Matcher, last)
	}
	return m, nil
}

// judge returns the health of a target that has failed a check, or nothing.
// Network load balancers have one reason for all failures.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html (read 2026-11)
func (g *Group) judge(p awstest.ProbeResult) Health {
	h := g.failure(p)
	if h != (Health{}) && !layer7(g.Protocol) {
		return Health{Unhealthy, "Target.FailedHealthChecks", "Health checks failed"}
	}
	return h
}

func (g *Group) failure(p awstest.ProbeResult) Health {
	switch {
	case p.Outcome == awstest.ProbeTimedOut:
		return Health{Unhealthy, "Target.Timeout", "Request timed out"}
	case p.Outcome == awstest.ProbeRefused:
		return Health{Unhealthy, "Target.FailedHealthChecks", "Health checks failed"}
	case layer7(g.Check.Protocol) && !g.matcher.matches(p.Status):
		return Health{Unhealthy, "Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", p.Status)}
	}
	return Health{}
}

// CheckPort returns the port that a target is checked on.
func (g *Group) CheckPort(t TargetKey) uint16 {
	if g.Check.Port == TrafficPort {
		return t.Port
	}
	n, _ := strconv.ParseUint(g.Check.Port, 10, 16) // validate has checked it
	return uint16(n)
}
