package elbv2hc

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/healthcheck"
)

// Target is a registration in a target group. One instance or address can be registered several times, on different ports:
// ID and Port together name a registration.
type Target struct {
	// ID is an instance ID, an IP address, or the ARN of an Application Load Balancer or a Lambda function.
	ID string
	// Port is where the target gets traffic. Zero is every registration of the ID, and not allowed where targets are
	// registered, unless SyncOptions.Port stands in. A Lambda function has none.
	Port uint16
	// Zone is the name of an Availability Zone or "all". Only targets that are addresses may have one, and those outside
	// of the VPC must; a Lambda function may have "all". It is no part of the identity.
	Zone string
}

// String returns "i-1:80", "[::1]:80", or the ID alone without a port.
func (t Target) String() string {
	if t.Port == 0 {
		return t.ID
	}
	return net.JoinHostPort(t.ID, strconv.Itoa(int(t.Port)))
}

// TargetOf returns the registration that a target of a pool stands for: its ID if that is an instance ID ("i-" and 8 or 17
// hexadecimal digits), an IP address or an ARN, and else the host of its Addr; and the port of its Addr. Zone is left out: a pool may count zones by ID, which
// Elastic Load Balancing does not take, and within the VPC it finds the zone by itself.
func TargetOf(t healthcheck.Target) Target {
	host, port, err := net.SplitHostPort(t.Addr)
	if err != nil {
		return Target{ID: t.ID}.canonical()
	}
	n, _ := strconv.ParseUint(port, 10, 16) // the pool has checked it
	out := Target{ID: t.ID, Port: uint16(n)}
	if !isInstance(t.ID) && !isAddress(t.ID) && !isARN(t.ID) {
		out.ID = host
	}
	return out.canonical()
}

// canonical returns t with an address in the form in which any two of the same are equal: IPv6 has many, and one for IPv4.
func (t Target) canonical() Target {
	if addr, err := netip.ParseAddr(t.ID); err == nil {
		t.ID = addr.WithZone("").Unmap().String()
	}
	return t
}

func canonical(targets []Target) []Target {
	out := make([]Target, len(targets))
	for i, t := range targets {
		out[i] = t.canonical()
	}
	return out
}

// isInstance reports whether an ID is that of an instance, and not a name that begins like one.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html (read 2026-11)
func isInstance(id string) bool {
	digits, ok := strings.CutPrefix(id, "i-")
	return ok && (len(digits) == 8 || len(digits) == 17) && strings.Trim(digits, "0123456789abcdef") == ""
}

func isLambda(id string) bool { return isARN(id) && strings.Contains(id, ":lambda:") }

func isARN(id string) bool { return strings.HasPrefix(id, "arn:") }

func isAddress(id string) bool {
	_, err := netip.ParseAddr(id)
	return err == nil
}

// key is the identity of a registration.
type key struct {
	id   string
	port uint16
}

func (t Target) key() key { return key{t.ID, t.Port} }

// covers reports whether t, whose port may be zero, means the registration r.
func (t Target) covers(r Target) bool { return t.ID == r.ID && (t.Port == 0 || t.Port == r.Port) }

func compareTargets(a, b Target) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Port, b.Port))
}

// description is the target as Elastic Load Balancing has it.
func (t Target) description() types.TargetDescription {
	d := types.TargetDescription{Id: aws.String(t.ID)}
	if t.Port != 0 {
		d.Port = aws.Int32(int32(t.Port))
	}
	if t.Zone != "" {
		d.AvailabilityZone = aws.String(t.Zone)
	}
	return d
}

func descriptions(targets []Target) []types.TargetDescription {
	out := make([]types.TargetDescription, len(targets))
	for i, t := range targets {
		out[i] = t.description()
	}
	return out
}

// validateTargets returns every mistake in a list of targets. Those that are registered need a port.
func validateTargets(field string, targets []Target, registering bool) (errs []error) {
	seen := make(map[key]int, len(targets))
	for i, t := range targets {
		mistake := func(part string, value any, rule string, args ...any) {
			at := fmt.Sprintf("%s[%d].%s", field, i, part)
			errs = append(errs, &FieldError{Field: at, Value: value, Rule: fmt.Sprintf(rule, args...)})
		}
		first, again := seen[t.key()]
		switch {
		case t.ID == "":
			mistake("ID", t.ID, "must not be empty")
		case again:
			mistake("ID", t.String(), "is that of %s[%d] too", field, first)
		default:
			seen[t.key()] = i
		}
		if registering && t.Port == 0 && !isLambda(t.ID) {
			mistake("Port", t.Port, "must be from 1 to 65535: the port of the group is not known here")
		}
		if t.Zone != "" && t.ID != "" && !isAddress(t.ID) && (t.Zone != "all" || !isLambda(t.ID)) {
			mistake("Zone", t.Zone, "must be empty unless the target is an address, or all for a Lambda function")
		}
	}
	return errs
}

// sortTargets returns the targets by ID and port.
func sortTargets(targets []Target) []Target {
	slices.SortFunc(targets, compareTargets)
	return targets
}
