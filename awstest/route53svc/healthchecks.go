package route53svc

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/r53model"
)

func (s *service) addHealthChecks(e *awstest.Endpoint) {
	awstest.Handle(e, s.create, "CallerReference", "HealthCheckConfig")
	awstest.Handle(e, s.get, "HealthCheckId")
	awstest.Handle(e, s.update, "HealthCheckId", "AlarmIdentifier", "ChildHealthChecks", "Disabled", "EnableSNI", "FailureThreshold",
		"FullyQualifiedDomainName", "HealthCheckVersion", "HealthThreshold", "IPAddress", "InsufficientDataHealthStatus", "Inverted",
		"Port", "Regions", "ResetElements", "ResourcePath", "SearchString")
	awstest.Handle(e, s.remove, "HealthCheckId")
	awstest.Handle(e, s.list, "Marker", "MaxItems")
	awstest.Handle(e, s.count)
}

func (s *service) create(tx *awstest.Tx, call *awstest.Call, in *route53.CreateHealthCheckInput) (*route53.CreateHealthCheckOutput, error) {
	config, err := readConfig(call, in.HealthCheckConfig)
	if err != nil {
		return nil, err
	}
	hc, err := s.model.Create(tx, call, aws.ToString(in.CallerReference), config)
	if err != nil {
		return nil, err
	}
	return &route53.CreateHealthCheckOutput{
		HealthCheck: show(hc),
		Location:    aws.String("https://route53.amazonaws.com/2013-04-01/healthcheck/" + hc.ID),
	}, nil
}

func (s *service) get(_ *awstest.Tx, call *awstest.Call, in *route53.GetHealthCheckInput) (*route53.GetHealthCheckOutput, error) {
	hc, err := s.model.HealthCheck(call.At, aws.ToString(in.HealthCheckId))
	if err != nil {
		return nil, err
	}
	return &route53.GetHealthCheckOutput{HealthCheck: show(hc)}, nil
}

func (s *service) update(tx *awstest.Tx, call *awstest.Call, in *route53.UpdateHealthCheckInput) (*route53.UpdateHealthCheckOutput, error) {
	if in.HealthCheckVersion != nil && *in.HealthCheckVersion < 1 {
		return nil, invalid("HealthCheckVersion must be at least 1")
	}
	given := r53model.Given{Children: len(in.ChildHealthChecks) > 0, Alarm: in.AlarmIdentifier != nil}
	hc, err := s.model.Update(tx, call, aws.ToString(in.HealthCheckId), aws.ToInt64(in.HealthCheckVersion), given, func(c *r53model.Config) error {
		return change(c, in)
	})
	if err != nil {
		return nil, err
	}
	return &route53.UpdateHealthCheckOutput{HealthCheck: show(hc)}, nil
}

// change writes what the call gives into a configuration. What is reset is reset
// first.
func change(c *r53model.Config, in *route53.UpdateHealthCheckInput) error {
	for _, name := range in.ResetElements {
		switch name {
		case types.ResettableElementNameChildHealthChecks:
			c.Children = nil
		case types.ResettableElementNameFullyQualifiedDomainName:
			c.Name = ""
		case types.ResettableElementNameRegions:
			c.Regions = nil
		case types.ResettableElementNameResourcePath:
			c.Path = ""
		default:
			return invalid("%q cannot be reset", name)
		}
	}
	set(&c.Disabled, in.Disabled)
	set(&c.Inverted, in.Inverted)
	set(&c.SNI, in.EnableSNI)
	set(&c.Threshold, in.FailureThreshold)
	set(&c.Needed, in.HealthThreshold)
	set(&c.Port, in.Port)
	set(&c.Name, in.FullyQualifiedDomainName)
	set(&c.Address, in.IPAddress)
	set(&c.Path, in.ResourcePath)
	set(&c.Search, in.SearchString)
	if in.AlarmIdentifier != nil {
		c.AlarmName, c.AlarmRegion = aws.ToString(in.AlarmIdentifier.Name), string(in.AlarmIdentifier.Region)
	}
	if in.InsufficientDataHealthStatus != "" {
		c.Insufficient = string(in.InsufficientDataHealthStatus)
	}
	if len(in.ChildHealthChecks) > 0 {
		c.Children = slices.Clone(in.ChildHealthChecks)
	}
	if len(in.Regions) > 0 {
		c.Regions = regions(in.Regions)
	}
	return nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *service) remove(tx *awstest.Tx, _ *awstest.Call, in *route53.DeleteHealthCheckInput) (*route53.DeleteHealthCheckOutput, error) {
	return &route53.DeleteHealthCheckOutput{}, s.model.Delete(tx, aws.ToString(in.HealthCheckId))
}

// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHealthChecks.html (read 2026-11)
const (
	maxItems     = 1000
	defaultItems = 100 // what AWS's own examples show; the reference does not say
)

// list returns a page. Its marker is the ID of the health check that the next
// page begins with, and which may be gone by then.
func (s *service) list(_ *awstest.Tx, call *awstest.Call, in *route53.ListHealthChecksInput) (*route53.ListHealthChecksOutput, error) {
	items := int(aws.ToInt32(in.MaxItems))
	switch {
	case in.MaxItems == nil:
		items = defaultItems
	case items < 1:
		return nil, invalid("MaxItems must be at least 1")
	}
	items = min(items, maxItems)
	all := s.model.HealthChecks(call.At)
	if marker := aws.ToString(in.Marker); marker != "" {
		start := slices.IndexFunc(all, func(hc *r53model.HealthCheck) bool { return hc.ID == marker })
		if start < 0 {
			return nil, invalid("The marker %s is no health check", marker)
		}
		all = all[start:]
	}
	out := &route53.ListHealthChecksOutput{Marker: aws.String(aws.ToString(in.Marker)), MaxItems: aws.Int32(int32(items))}
	if len(all) > items {
		out.IsTruncated, out.NextMarker = true, aws.String(all[items].ID)
		all = all[:items]
	}
	for _, hc := range all {
		out.HealthChecks = append(out.HealthChecks, *show(hc))
	}
	return out, nil
}

func (s *service) count(_ *awstest.Tx, call *awstest.Call, _ *route53.GetHealthCheckCountInput) (*route53.GetHealthCheckCountOutput, error) {
	return &route53.GetHealthCheckCountOutput{HealthCheckCount: aws.Int64(s.model.Count(call.At))}, nil
}

// readConfig reads the configuration of a new health check.
func readConfig(call *awstest.Call, in *types.HealthCheckConfig) (r53model.Config, error) {
	switch {
	case in.Type == types.HealthCheckTypeRecoveryControl || in.RoutingControlArn != nil:
		return r53model.Config{}, call.NotModelled("a health check of a routing control")
	case in.RequestInterval != nil && *in.RequestInterval == 0, in.FailureThreshold != nil && *in.FailureThreshold == 0:
		return r53model.Config{}, invalid("RequestInterval must be 10 or 30, and FailureThreshold at least 1")
	}
	c := r53model.Config{
		Type: r53model.Type(in.Type), Inverted: aws.ToBool(in.Inverted), Disabled: aws.ToBool(in.Disabled),
		Address: aws.ToString(in.IPAddress), Port: aws.ToInt32(in.Port), Name: aws.ToString(in.FullyQualifiedDomainName),
		Path: aws.ToString(in.ResourcePath), Search: aws.ToString(in.SearchString),
		Interval: time.Duration(aws.ToInt32(in.RequestInterval)) * time.Second, Threshold: aws.ToInt32(in.FailureThreshold),
		Regions: regions(in.Regions), SNI: aws.ToBool(in.EnableSNI), MeasureLatency: aws.ToBool(in.MeasureLatency),
		Children: slices.Clone(in.ChildHealthChecks), Needed: aws.ToInt32(in.HealthThreshold),
		Insufficient: string(in.InsufficientDataHealthStatus),
	}
	if in.AlarmIdentifier != nil {
		c.AlarmName, c.AlarmRegion = aws.ToString(in.AlarmIdentifier.Name), string(in.AlarmIdentifier.Region)
	}
	if in.EnableSNI == nil && strings.HasPrefix(string(in.Type), "HTTPS") {
		c.SNI = true // as the console has it; the reference names no default
	}
	return c, nil
}

func regions(in []types.HealthCheckRegion) (names []string) {
	for _, r := range in {
		names = append(names, string(r))
	}
	return names
}
