package elbv2hc

import (
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/healthcheck"
)

// Checker returns a checker that asks what the load balancer asks, by HTTP, gRPC or TCP: the same path or method, and the same
// codes pass. It connects as the options say, which begin with TLS, and any certificate, where the group is checked by
// HTTPS.
//
// What healthcheck refuses is its *FieldError.
func (g *Group) Checker(optFns ...func(*healthcheck.ConnOptions)) (healthcheck.Checker, error) {
	var conn healthcheck.ConnOptions
	if g.Check.Protocol == types.ProtocolEnumHttps {
		conn.TLS = &healthcheck.TLSOptions{}
	}
	for _, fn := range optFns {
		fn(&conn)
	}
	switch {
	case g.Check.Protocol == types.ProtocolEnumTcp:
		return healthcheck.TCP(func(o *healthcheck.TCPOptions) { o.ConnOptions = conn })
	case g.Check.GRPC:
		return healthcheck.GRPC(func(o *healthcheck.GRPCOptions) {
			o.ConnOptions, o.Path, o.Matcher = conn, g.Check.Path, g.Check.Matcher
		})
	}
	return healthcheck.HTTP(func(o *healthcheck.HTTPOptions) {
		if g.Kind != healthcheck.ALBLimits {
			healthcheck.NLBHTTPCheck(o)
		}
		if g.Check.Matcher != "" {
			o.Matcher = g.Check.Matcher
		}
		o.ConnOptions, o.Path = conn, g.Check.Path
	})
}
