package r53hc

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Dimension is a part of the identity of a metric.
type Dimension struct{ Name, Value string }

// Series identifies a metric in CloudWatch: what a [Publisher] puts and [Ensure] makes an alarm of must be the same. All
// processes that look at one pool publish one series.
type Series struct {
	// Namespace of the metric. Default "awsha/healthcheck". It must not begin with "AWS/" or a colon.
	Namespace string

	// Dimensions tell pools apart, such as {"Pool", "web"}; 1 to 30. CloudWatch does not add up over dimensions: an alarm
	// looks at exactly these.
	Dimensions []Dimension
}

const (
	defaultNamespace = "awsha/healthcheck"

	// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html (read 2026-11)
	maxDimensions = 30
	maxText       = 255 // of the namespace and of metric names
	maxValue      = 1024
)

// complete fills in the default and reports mistakes.
func (s *Series) complete(c *checks) {
	orDefault(&s.Namespace, defaultNamespace)
	c.require(printable(s.Namespace) && len(s.Namespace) <= maxText && !strings.HasPrefix(s.Namespace, "AWS/") && !strings.HasPrefix(s.Namespace, ":"),
		"Namespace", s.Namespace, "must have at most 255 characters of ASCII and must not begin with AWS/ or a colon")
	c.require(1 <= len(s.Dimensions) && len(s.Dimensions) <= maxDimensions, "Dimensions", len(s.Dimensions), "must be from 1 to 30, so that the pool can be told from others")
	seen := map[string]bool{}
	for i, d := range s.Dimensions {
		field := fmt.Sprintf("Dimensions[%d]", i)
		c.require(printable(d.Name) && len(d.Name) <= maxText && !strings.HasPrefix(d.Name, ":"), field+".Name", d.Name, "must have from 1 to 255 characters of ASCII and must not begin with a colon")
		c.require(printable(d.Value) && len(d.Value) <= maxValue, field+".Value", d.Value, "must have from 1 to 1024 characters of ASCII")
		c.require(!seen[d.Name], field+".Name", d.Name, "must not be there twice")
		seen[d.Name] = true
	}
}

// printable tells whether CloudWatch takes a text as a part of the identity of a metric.
func printable(text string) bool {
	return strings.TrimSpace(text) != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// dimensions are those of the series as CloudWatch has them.
func (s *Series) dimensions() (all []types.Dimension) {
	for _, d := range s.Dimensions {
		all = append(all, types.Dimension{Name: aws.String(d.Name), Value: aws.String(d.Value)})
	}
	return all
}
