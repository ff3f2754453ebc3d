package healthcheck

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

const (
	// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
	// (HealthCheckPath, read 2026-11) and, for the matcher,
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html (read 2026-11).
	defaultGRPCPath    = "/AWS.ALB/healthcheck"
	defaultGRPCMatcher = "12"
	maxGRPCCode        = 99

	// Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md (read 2026-11).
	grpcHealthPath = "/grpc.health.v1.Health/Check"

	maxGRPCMessage = 8 << 10
	// maxGRPCAnswer bounds what one check reads of a connection: header, message and trailer, and what HTTP/2 has around them.
	maxGRPCAnswer = 128 << 10
)

// GRPCOptions are the options of a gRPC checker. The zero value of each field means its default.
type GRPCOptions struct {
	// ConnOptions are how to connect: by HTTP/2 with prior knowledge in the clear, and with TLS by what the target agrees
	// to, which must be HTTP/2.
	ConnOptions

	// Path is the method that is called, with an empty message, "/package.Service/Method". Default "/AWS.ALB/healthcheck",
	// which no server has. With Health it must be empty.
	Path string

	// Matcher lists the gRPC status codes that pass, from 0 to 99: "0", "0,12" or "0-99". Default "12", UNIMPLEMENTED: with
	// the default Path, any gRPC server that is alive. With Health it must be empty.
	Matcher string

	// Host is the :authority of requests. Default: Target.Host, or else the address of the target, port included. It has no
	// part in where the connection goes, nor in what its certificate must say.
	Host string

	// Health asks the health service of the gRPC project, grpc.health.v1.Health/Check, and a target passes when that says
	// SERVING. A check of Elastic Load Balancing cannot: it sees the status code only, which is 0 for NOT_SERVING as well.
	Health bool

	// Service is what Health asks about. Default: the server as a whole.
	Service string

	// Reuse makes every so many checks of a target use one connection: the k-th reconnects. Default, and 1: a new
	// connection for each check. A kept one takes a goroutine and about 28 KiB. If the target has closed it, or closes it
	// without an answer, the check makes a new one within its time, so that it may be sent twice. A request that is reset
	// (RST_STREAM) on a connection that stays open has failed.
	Reuse int
}

// GRPC returns a Checker that calls a method of each target and looks at the status code of the answer, as an Application Load
// Balancer does for target groups of version GRPC, or asks its health service. Every mistake in the options is a *FieldError of
// the error that it returns.
//
// An answer without a grpc-status fails, whatever its HTTP status: what does not speak gRPC does not pass as a server that
// does not know the method. A check reads no more than 32 KiB of header, 8 KiB of message and 128 KiB in all. Redirects are
// never followed and no proxy is used.
func GRPC(optFns ...func(*GRPCOptions)) (Checker, error) {
	var o GRPCOptions
	for _, fn := range optFns {
		fn(&o)
	}
	m := mistakes{options: "GRPCOptions"}
	c := &grpcChecker{connector: o.connector(&m, "h2", false), host: o.Host, health: o.Health, reuse: o.Reuse, message: grpcMessage(nil)}
	if o.Health {
		m.require(o.Path == "", "Path", o.Path, "must be empty with Health")
		m.require(o.Matcher == "", "Matcher", o.Matcher, "must be empty with Health")
		o.Path, o.Matcher = grpcHealthPath, "0"
		c.message = grpcMessage(healthCheckRequest(o.Service))
	} else {
		m.require(o.Service == "", "Service", o.Service, "must be empty without Health")
	}
	orDefault(&o.Path, defaultGRPCPath)
	orDefault(&o.Matcher, defaultGRPCMatcher)
	path, _ := url.ParseRequestURI(o.Path)
	m.require(isPath(o.Path), "Path", o.Path, `must be of the form "/package.Service/Method"`)
	m.require(len(o.Path) <= maxPath, "Path", o.Path, fmt.Sprintf("must have at most %d bytes", maxPath))
	var ok bool
	c.codes, ok = parseMatcher(o.Matcher, 0, maxGRPCCode)
	m.require(ok, "Matcher", o.Matcher, `must be codes from 0 to 99 such as "0", "0,12" or "0-99"`)
	m.require(isHost(o.Host), "Host", o.Host, "must be a host, with a port or without")
	m.require(len(o.Service) <= maxPath, "Service", o.Service, fmt.Sprintf("must have at most %d bytes", maxPath))
	m.require(o.Reuse >= 0, "Reuse", o.Reuse, "must not be negative")
	if len(m.errs) > 0 {
		return nil, errors.Join(m.errs...)
	}
	c.url = *path
	c.url.Scheme = "http"
	if o.TLS != nil {
		c.url.Scheme = "https"
	}
	c.header = http.Header{
		"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {defaultUserAgent},
	}
	c.transport = newGRPCTransport()
	return c, nil
}

// newGRPCTransport returns what speaks HTTP/2 over connections that exist already, TLS and all: one made by a Transport goes on
// being made when the check that wanted it has ended.
// Source: https://github.com/golang/go/issues/76784 (read 2026-11).
func newGRPCTransport() *http.Transport {
	t := &http.Transport{
		DialContext:            dialedBefore,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerConnection: 64 << 10, MaxReceiveBufferPerStream: 16 << 10},
	}
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}
