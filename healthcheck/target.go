package healthcheck

import (
	"net"
	"strconv"
)

// Target is one thing to be checked. Two targets with the same ID are the same target only if all of their fields are
// equal: a new address behind an old ID is a new target, whose health is not known.
type Target struct {
	// ID names the target within its pool. Required.
	ID string
	// Zone is the Availability Zone by which targets are counted, by name or by ID. Empty is a zone of its own.
	Zone string
	// Addr is where to connect, "host:port", with IPv6 hosts in brackets. A host name is resolved anew by each connection;
	// an IP address, as Elastic Load Balancing has it, leaves nothing to resolve and nothing ambiguous. HTTP, TCP and GRPC
	// require it, Func does not.
	Addr string
	// Host is what the target is called: the Host header and the name on its certificate, unless the checker has others, and
	// the Host of requests by Transport. Default: that of Addr.
	Host string
	// CheckPort is the port of checks. Zero is that of Addr, as Elastic Load Balancing's traffic-port.
	CheckPort uint16
	// Weight is the target's share under WeightedRandom, beside those of the others. Zero means 1.
	Weight uint16
}

// CheckAddr is where checks connect: Addr, with CheckPort in place of its port if there is one. It is empty without Addr.
func (t Target) CheckAddr() string {
	if t.CheckPort == 0 || t.Addr == "" {
		return t.Addr
	}
	host, _, err := net.SplitHostPort(t.Addr)
	if err != nil {
		return t.Addr // Register refuses it
	}
	return net.JoinHostPort(host, strconv.Itoa(int(t.CheckPort)))
}

// validateTargets returns every mistake in the arguments of Register.
func validateTargets(ts []Target) []error {
	var errs []error
	mistake := func(i int, field, value, rule string) {
		errs = append(errs, &FieldError{Field: "Target[" + strconv.Itoa(i) + "]." + field, Value: value, Rule: rule})
	}
	seen := make(map[string]int, len(ts))
	for i, t := range ts {
		first, again := seen[t.ID]
		switch {
		case t.ID == "":
			mistake(i, "ID", t.ID, "must not be empty")
		case again:
			mistake(i, "ID", t.ID, "is that of Target["+strconv.Itoa(first)+"] too")
		default:
			seen[t.ID] = i
		}
		if t.Addr != "" && !validAddr(t.Addr) {
			mistake(i, "Addr", t.Addr, "must be host:port with a port from 1 to 65535")
		}
		if !isPlain(t.Host) {
			mistake(i, "Host", t.Host, "must be a host, with a port or without")
		}
	}
	return errs
}

func validAddr(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || !isPlain(host) {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// isPlain reports whether s is visible ASCII, which is what may stand in a request line or a Host header.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
