package healthcheck

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
)

// TLSOptions say how a checker speaks TLS. The zero value is how Elastic Load Balancing does it: encrypted, with any
// certificate.
type TLSOptions struct {
	// Verify checks the certificate of the target: that it is valid now, for ServerName, and issued by an authority that
	// Config.RootCAs or this machine trusts. Default: any certificate passes, since a target that shows an old one still
	// works for a load balancer that does not look.
	// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
	// (read 2026-11).
	Verify bool

	// ServerName is what the target is asked for (SNI) and what its certificate must be for: a name, or an IP address, which
	// is never sent. Default: that of Config, Target.Host or the host of Target.Addr, the first that there is.
	// HTTPOptions.Host has no part in it.
	ServerName string

	// Config is for the rest: client certificates, authorities, versions, a VerifyConnection of your own. It is copied and
	// its InsecureSkipVerify is overwritten by Verify. Default: that of crypto/tls, so TLS 1.2 and 1.3. Where checks cost too
	// much, CurvePreferences without the post-quantum ones save a third of a handshake.
	Config *tls.Config
}

// tlsConnector makes TLS connections over others.
type tlsConnector struct {
	config *tls.Config
	resume bool // sessions, of which each probe keeps one
}

// connector returns what o describes, for connections of one application protocol, or adds what is wrong with o to m.
func (o *TLSOptions) connector(m *mistakes, protocol string, resume bool) *tlsConnector {
	if o == nil {
		return nil
	}
	config := o.Config.Clone()
	if config == nil {
		config = &tls.Config{} //nolint:gosec // the minimum is that of crypto/tls
	}
	config.ServerName = cmp.Or(o.ServerName, config.ServerName)
	m.require(isServerName(config.ServerName), "TLS.ServerName", config.ServerName, "must be a host without a port")
	m.require(!o.Verify || !config.InsecureSkipVerify, "TLS.Verify", o.Verify, "must not be with Config.InsecureSkipVerify")
	if protocol != "" {
		m.require(config.NextProtos == nil || slices.Contains(config.NextProtos, protocol), "TLS.Config.NextProtos",
			config.NextProtos, "must be empty or list "+protocol)
		config.NextProtos = []string{protocol}
	}
	config.InsecureSkipVerify = !o.Verify
	// A resumed session shows no certificate, so that one which is to be verified is asked for each time.
	resume = resume && !o.Verify && config.VerifyConnection == nil && config.VerifyPeerCertificate == nil &&
		config.ClientSessionCache == nil && !config.SessionTicketsDisabled
	return &tlsConnector{config: config, resume: resume}
}

// isServerName reports whether s may be a name or an IP address.
func isServerName(s string) bool {
	return isHost(s) && (!strings.Contains(s, ":") || net.ParseIP(strings.Trim(s, "[]")) != nil)
}

// client makes a TLS connection to a target that is called name over conn, and closes conn if it cannot.
func (c *tlsConnector) client(ctx context.Context, conn net.Conn, name string, s *session) (*tls.Conn, error) {
	config := c.config
	if config.ServerName == "" || s != nil {
		config = config.Clone()
		config.ServerName = cmp.Or(config.ServerName, name)
		if s != nil {
			config.ClientSessionCache = s
		}
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // the close by HandshakeContext does without
	}
	over := tls.Client(conn, config)
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if plain, ok := errors.AsType[tls.RecordHeaderError](err); ok {
			plain.Conn = nil // a result is kept, and a connection need not be
			err = plain
		}
		return nil, err
	}
	return over, nil
}

// session is a tls.ClientSessionCache of the one target of a probe. A shared one, by name, would offer the session of one
// target to the others behind the same name.
type session struct {
	latest atomic.Pointer[tls.ClientSessionState]
}

func (s *session) Get(string) (*tls.ClientSessionState, bool) {
	latest := s.latest.Load()
	return latest, latest != nil
}

func (s *session) Put(_ string, latest *tls.ClientSessionState) { s.latest.Store(latest) }
