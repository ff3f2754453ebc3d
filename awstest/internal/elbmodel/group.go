package elbmodel

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Group is a target group.
type Group struct {
	ARN, Name  string
	Protocol   string
	Port       uint16
	TargetType string // instance or ip
	VPC        string
	Check      Check
	attributes map[string]string
	targets    []*target // as registered
	uses       int       // listeners that forward to it
}

// Check is how a group's targets are checked.
type Check struct {
	Protocol string // HTTP, HTTPS or TCP
	Port     string // a number, or TrafficPort
	Path     string
	Interval time.Duration
	Timeout  time.Duration
	Rise     int // passes that make an unhealthy target healthy
	Fall     int // failures that make a healthy target unhealthy
	Matcher  string
	codes    []codeRange
}

// TrafficPort checks a target on the port that it gets traffic on.
const TrafficPort = "traffic-port"

type codeRange struct{ first, last int }

// protocols of load balancers and the kind of group that they make.
var layer7 = map[string]bool{"HTTP": true, "HTTPS": true}

// DefaultCheck returns the health check of a new group.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html (read 2026-11)
func DefaultCheck(groupProtocol, checkProtocol string) Check {
	c := Check{Protocol: checkProtocol, Port: TrafficPort, Interval: 30 * time.Second, Timeout: 5 * time.Second, Rise: 5, Fall: 2}
	if c.Protocol == "" {
		c.Protocol = "TCP"
		if layer7[groupProtocol] {
			c.Protocol = "HTTP"
		}
	}
	if !layer7[c.Protocol] {
		c.Timeout = 10 * time.Second
		return c
	}
	c.Path, c.Matcher = "/", "200"
	if !layer7[groupProtocol] {
		c.Matcher = "200-399"
		c.Timeout = 6 * time.Second
		if c.Protocol == "HTTPS" {
			c.Timeout = 10 * time.Second
		}
	}
	return c
}

// validate holds a check against the rules of the API.
func (c *Check) validate(groupProtocol string) error {
	invalid := func(format string, args ...any) error { return awstest.Errorf("ValidationError", format, args...) }
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	switch {
	case c.Protocol != "TCP" && !layer7[c.Protocol]:
		return invalid("Health check protocol '%s' is not supported", c.Protocol)
	case c.Protocol == "TCP" && layer7[groupProtocol]:
		return invalid("Health check protocol 'TCP' is not supported for target groups with the '%s' protocol", groupProtocol)
	case c.Interval < 5*time.Second || c.Interval > 300*time.Second:
		return invalid("Health check interval '%d' must be between 5 and 300 seconds", seconds(c.Interval))
	case c.Timeout < 2*time.Second || c.Timeout > 120*time.Second:
		return invalid("Health check timeout '%d' must be between 2 and 120 seconds", seconds(c.Timeout))
	case c.Interval <= c.Timeout:
		return invalid("Health check interval must be greater than the timeout.")
	case c.Rise < 2 || c.Rise > 10:
		return invalid("Healthy threshold count '%d' must be between 2 and 10", c.Rise)
	case c.Fall < 2 || c.Fall > 10:
		return invalid("Unhealthy threshold count '%d' must be between 2 and 10", c.Fall)
	}
	if c.Port != TrafficPort {
		if n, err := strconv.ParseUint(c.Port, 10, 16); err != nil || n == 0 {
			return invalid("Health check port '%s' must be '%s' or a number from 1 to 65535", c.Port, TrafficPort)
		}
	}
	if !layer7[c.Protocol] {
		if c.Path != "" || c.Matcher != "" {
			return invalid("Health check path and matcher cannot be specified for a health check with the '%s' protocol", c.Protocol)
		}
		return nil
	}
	if !strings.HasPrefix(c.Path, "/") || len(c.Path) > 1024 {
		return invalid("Health check path '%s' must begin with a '/' character, and can be at most 1024 characters in length", c.Path)
	}
	last := 499
	if !layer7[groupProtocol] {
		last = 599
	}
	codes, ok := parseMatcher(c.Matcher, 200, last)
	if !ok {
		return invalid("Health check matcher HTTP code '%s' must be a value or a range within 200-%d, or a list of them", c.Matcher, last)
	}
	c.codes = codes
	return nil
}

// parseMatcher reads "200", "200,202" or "200-299,301".
func parseMatcher(text string, first, last int) ([]codeRange, bool) {
	var ranges []codeRange
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if errA != nil || errB != nil || a < first || b > last || b < a {
			return nil, false
		}
		ranges = append(ranges, codeRange{a, b})
	}
	return ranges, true
}

func (c *Check) matches(status int) bool {
	return slices.ContainsFunc(c.codes, func(r codeRange) bool { return r.first <= status && status <= r.last })
}

// defaultAttributes of a group, as far as the model looks at them.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11)
var defaultAttributes = map[string]string{
	"deregistration_delay.timeout_seconds": "300",
}

// CreateGroup makes a target group. Its name, protocol, port, type and check
// are taken from g.
func (r *Region) CreateGroup(tx *awstest.Tx, g Group) (*Group, error) {
	if !validName(g.Name) {
		return nil, awstest.Errorf("ValidationError", "The target group name '%s' must have 1 to 32 letters, digits or hyphens, and must not begin or end with a hyphen", g.Name)
	}
	if err := g.Check.validate(g.Protocol); err != nil {
		return nil, err
	}
	for old := range inOrder(r, r.groups) {
		if old.Name == g.Name {
			return nil, awstest.Errorf("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", g.Name)
		}
	}
	g.ARN = r.arn(tx, "targetgroup/"+g.Name)
	g.attributes = maps.Clone(defaultAttributes)
	r.groups[g.ARN] = &g
	return &g, nil
}

// Group returns a target group by its ARN.
func (r *Region) Group(arn string) (*Group, error) {
	if g, ok := r.groups[arn]; ok {
		return g, nil
	}
	return nil, awstest.Errorf("TargetGroupNotFound", "Target group '%s' not found", arn)
}

// Groups yields the target groups.
func (r *Region) Groups() iter.Seq[*Group] { return inOrder(r, r.groups) }

// ModifyCheck replaces a group's health check.
func (r *Region) ModifyCheck(g *Group, c Check) error {
	if err := c.validate(g.Protocol); err != nil {
		return err
	}
	g.Check = c
	return nil
}

// DeleteGroup deletes a target group that no listener uses.
func (r *Region) DeleteGroup(tx *awstest.Tx, arn string) error {
	g, err := r.Group(arn)
	if err != nil {
		return err
	}
	if g.uses > 0 {
		return awstest.Errorf("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
	}
	for _, t := range slices.Clone(g.targets) {
		r.drop(tx, g, t)
	}
	delete(r.groups, arn)
	return nil
}

// Attributes returns a group's attributes.
func (g *Group) Attributes() map[string]string { return maps.Clone(g.attributes) }

// SetAttributes changes a group's attributes, all or none.
func (g *Group) SetAttributes(changes map[string]string) error {
	for key, value := range changes {
		n, err := strconv.Atoi(value)
		if key == "deregistration_delay.timeout_seconds" && (err != nil || n < 0 || n > 3600) {
			return awstest.Errorf("ValidationError", "'%s' must be between 0 and 3600 inclusive", key)
		}
	}
	maps.Copy(g.attributes, changes)
	return nil
}

// KnownAttribute tells whether the model looks at an attribute.
func KnownAttribute(key string) bool { return defaultAttributes[key] != "" }

func (g *Group) drainingTime() time.Duration {
	n, _ := strconv.Atoi(g.attributes["deregistration_delay.timeout_seconds"]) // SetAttributes has checked it
	return time.Duration(n) * time.Second
}

// BalancersOf returns the load balancers that forward to a group.
func (r *Region) BalancersOf(g *Group) (list []*LoadBalancer) {
	for l := range inOrder(r, r.listeners) {
		if l.Group == g && !slices.Contains(list, l.Balancer) {
			list = append(list, l.Balancer)
		}
	}
	return list
}

// checkPort returns the port that a target is checked on.
func (g *Group) checkPort(t TargetKey) uint16 {
	if n, err := strconv.ParseUint(g.Check.Port, 10, 16); err == nil {
		return uint16(n)
	}
	return t.Port
}

// CheckPort returns it as the API shows it.
func (g *Group) CheckPort(t TargetKey) string { return fmt.Sprint(g.checkPort(t)) }
