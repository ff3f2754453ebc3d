package r53model

import (
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type is how a health check comes to its verdict.
type Type string

// The types of health checks that are modelled.
const (
	HTTP       Type = "HTTP"
	HTTPS      Type = "HTTPS"
	HTTPMatch  Type = "HTTP_STR_MATCH"
	HTTPSMatch Type = "HTTPS_STR_MATCH"
	TCP        Type = "TCP"
	Calculated Type = "CALCULATED"
	Metric     Type = "CLOUDWATCH_METRIC"
)

// Endpoint tells whether checkers look at something.
func (t Type) Endpoint() bool { return t != Calculated && t != Metric }

func (t Type) tls() bool   { return t == HTTPS || t == HTTPSMatch }
func (t Type) match() bool { return t == HTTPMatch || t == HTTPSMatch }

// What an alarm without enough data is taken for.
const (
	Healthy         = "Healthy"
	Unhealthy       = "Unhealthy"
	LastKnownStatus = "LastKnownStatus"
)

// Config is what a health check is configured to. What its type has no use for
// is zero.
type Config struct {
	Type               Type
	Inverted, Disabled bool

	// Of endpoints. Without an address, the name is looked up at each check.
	Address        string
	Port           int32
	Name           string // fully qualified domain name
	Path           string
	Search         string
	Interval       time.Duration
	Threshold      int32
	Regions        []string // nil is all of them
	SNI            bool
	MeasureLatency bool

	// Of calculated ones.
	Children []string // IDs
	Needed   int32    // of them to be healthy

	// Of alarms.
	AlarmRegion, AlarmName, Insufficient string
}

// SetDefaults fills in what was not given.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html (read 2026-11)
func (c *Config) SetDefaults() {
	if c.Type == Metric && c.Insufficient == "" {
		c.Insufficient = LastKnownStatus
	}
	if !c.Type.Endpoint() {
		return
	}
	if c.Port == 0 && c.Type != TCP {
		c.Port = 80
		if c.Type.tls() {
			c.Port = 443
		}
	}
	if c.Interval == 0 {
		c.Interval = 30 * time.Second
	}
	if c.Threshold == 0 {
		c.Threshold = 3
	}
}

// Limits of health checks.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html (read 2026-11)
const (
	maxText      = 255 // of names, paths and search strings
	maxThreshold = 10
	minRegions   = 3
	maxChildren  = 255
	maxNeeded    = 256
)

// check holds a configuration with its defaults against the rules.
func (c *Config) check() error {
	switch {
	case c.Type == Calculated:
		return c.checkCalculated()
	case c.Type == Metric:
		return c.checkMetric()
	case len(c.Children) > 0 || c.Needed != 0:
		return invalid("Child health checks and their threshold are for health checks of type CALCULATED only")
	case c.AlarmName != "" || c.AlarmRegion != "" || c.Insufficient != "":
		return invalid("An alarm is for health checks of type CLOUDWATCH_METRIC only")
	}
	return c.checkEndpoint()
}

func (c *Config) checkEndpoint() error {
	switch {
	case !slices.Contains([]Type{HTTP, HTTPS, HTTPMatch, HTTPSMatch, TCP}, c.Type):
		return invalid("%q is not a type of health checks", c.Type)
	case c.Address == "" && c.Name == "":
		return invalid("Either IPAddress or FullyQualifiedDomainName must be specified")
	case c.Port < 1 || c.Port > 65535:
		return invalid("Port must be from 1 to 65535")
	case len(c.Name) > maxText || len(c.Path) > maxText || len(c.Search) > maxText:
		return invalid("FullyQualifiedDomainName, ResourcePath and SearchString have at most %d characters", maxText)
	case c.Type == TCP && c.Path != "":
		return invalid("ResourcePath is not for health checks of type TCP")
	case c.Type.match() != (c.Search != ""):
		return invalid("SearchString is for health checks of type HTTP_STR_MATCH and HTTPS_STR_MATCH, which need one")
	case c.Interval != 10*time.Second && c.Interval != 30*time.Second:
		return invalid("RequestInterval must be 10 or 30")
	case c.Threshold < 1 || c.Threshold > maxThreshold:
		return invalid("FailureThreshold must be from 1 to %d", maxThreshold)
	}
	if c.Address != "" {
		if err := checkAddress(c.Address); err != nil {
			return err
		}
	}
	return c.checkRegions()
}

func (c *Config) checkRegions() error {
	for i, name := range c.Regions {
		switch {
		case !slices.ContainsFunc(fleet, func(m checker) bool { return m.region == name }):
			return invalid("%q is not a region of health checkers", name)
		case slices.Contains(c.Regions[:i], name):
			return invalid("%q is named twice", name)
		}
	}
	if len(c.Regions) > 0 && len(c.Regions) < minRegions {
		return invalid("At least %d regions must be specified", minRegions)
	}
	return nil
}

// unreachable are ranges that the checkers cannot reach, besides those that
// package netip knows. The documentation ranges belong to them in AWS; here they
// are where public addresses come from.
// Source: https://www.rfc-editor.org/rfc/rfc5735 and rfc6598 (read 2026-11)
var unreachable = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
}

func checkAddress(text string) error {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return invalid("%q is not an IP address", text)
	}
	if addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() ||
		slices.ContainsFunc(unreachable, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return invalid("The IP address %s is in a local, private, non-routable or multicast range", text)
	}
	return nil
}

// endpointless refuses what only endpoints have.
func (c *Config) endpointless() error {
	bare := Config{
		Type: c.Type, Inverted: c.Inverted, Disabled: c.Disabled, Children: c.Children, Needed: c.Needed,
		AlarmRegion: c.AlarmRegion, AlarmName: c.AlarmName, Insufficient: c.Insufficient,
	}
	if !bare.Equal(c) {
		return invalid("Health checks of type %s have no endpoint", c.Type)
	}
	return nil
}

func (c *Config) checkCalculated() error {
	switch {
	case c.AlarmName != "" || c.AlarmRegion != "" || c.Insufficient != "":
		return invalid("An alarm is for health checks of type CLOUDWATCH_METRIC only")
	case len(c.Children) > maxChildren:
		return invalid("A health check has at most %d child health checks", maxChildren)
	case c.Needed < 0 || c.Needed > maxNeeded:
		return invalid("HealthThreshold must be from 0 to %d", maxNeeded)
	}
	for i, id := range c.Children {
		if slices.Contains(c.Children[:i], id) {
			return invalid("The child health check %s is named twice", id)
		}
	}
	return c.endpointless()
}

func (c *Config) checkMetric() error {
	switch {
	case len(c.Children) > 0 || c.Needed != 0:
		return invalid("Child health checks and their threshold are for health checks of type CALCULATED only")
	case c.AlarmName == "" || c.AlarmRegion == "":
		return invalid("AlarmIdentifier is required for health checks of type CLOUDWATCH_METRIC")
	case !slices.Contains([]string{Healthy, Unhealthy, LastKnownStatus}, c.Insufficient):
		return invalid("%q is not a status for insufficient data", c.Insufficient)
	}
	return c.endpointless()
}

// Equal tells whether two configurations are the same.
func (c *Config) Equal(o *Config) bool {
	a, b := *c, *o
	a.Regions, b.Regions, a.Children, b.Children = nil, nil, nil, nil
	return reflect.DeepEqual(a, b) && slices.Equal(c.Regions, o.Regions) && slices.Equal(c.Children, o.Children)
}

// hostHeader is what the endpoint is asked for by.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html (read 2026-11)
func (c *Config) hostHeader() string {
	host := c.Name
	if host == "" {
		host = c.Address
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
	}
	if (c.Port == 80 && !c.Type.tls()) || (c.Port == 443 && c.Type.tls()) {
		return host
	}
	return host + ":" + strconv.Itoa(int(c.Port))
}

// clone is a copy that shares nothing.
func (c *Config) clone() Config {
	o := *c
	o.Regions, o.Children = slices.Clone(c.Regions), slices.Clone(c.Children)
	return o
}
