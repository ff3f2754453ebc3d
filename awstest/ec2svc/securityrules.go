package ec2svc

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// readRules reads permissions, of which each peer is a rule.
func readRules(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region, list []types.IpPermission) (rules []ec2model.Rule, err error) {
	if len(list) == 0 {
		return nil, missing("IpPermissions")
	}
	for _, p := range list {
		base := ec2model.Rule{Protocol: protocolName(aws.ToString(p.IpProtocol))}
		if base.Ports, err = readPorts(base.Protocol, p.FromPort, p.ToPort); err != nil {
			return nil, err
		}
		if len(p.PrefixListIds) > 0 {
			return nil, call.NotModelled("a prefix list in a rule")
		}
		count := len(rules)
		add := func(peer string, description *string) {
			rule := base
			rule.Peer, rule.Description = peer, aws.ToString(description)
			rules = append(rules, rule)
		}
		for _, r := range p.IpRanges {
			peer, err := readRange(r.CidrIp, netip.Addr.Is4)
			if err != nil {
				return nil, err
			}
			add(peer, r.Description)
		}
		for _, r := range p.Ipv6Ranges {
			peer, err := readRange(r.CidrIpv6, netip.Addr.Is6)
			if err != nil {
				return nil, err
			}
			add(peer, r.Description)
		}
		for _, r := range p.UserIdGroupPairs {
			g, err := securityGroup(tx, region, r.GroupId, r.GroupName)
			if err != nil {
				return nil, err
			}
			add(g.ID, r.Description)
		}
		if len(rules) == count {
			return nil, awstest.Errorf("MissingParameter", "One of the parameters cidrIp, cidrIpv6, prefixListId or groups must be specified for a rule")
		}
	}
	return rules, nil
}

// protocolName returns a protocol by the name under which EC2 shows it.
// Source: types.IpPermission of the SDK (read 2026-11)
func protocolName(text string) string {
	switch text {
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "1":
		return "icmp"
	case "58":
		return "icmpv6"
	}
	return text
}

// readPorts reads ports, which count for protocols that have them.
func readPorts(protocol string, from, to *int32) (ec2model.Ports, error) {
	switch protocol {
	case "":
		return ec2model.Ports{}, missing("IpProtocol")
	case "tcp", "udp":
		if from == nil || to == nil || *from < 0 || *to > 65535 || *from > *to {
			return ec2model.Ports{}, awstest.Errorf("InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with %s.", protocol)
		}
	case "icmp", "icmpv6":
		if from == nil && to == nil {
			from, to = aws.Int32(-1), aws.Int32(-1)
		}
	default:
		return ec2model.Ports{}, nil // any port, whatever ports are given
	}
	return ec2model.Ports{Given: true, From: aws.ToInt32(from), To: aws.ToInt32(to)}, nil
}

// readRange reads a range of addresses, of which EC2 keeps the network alone.
func readRange(text *string, family func(netip.Addr) bool) (string, error) {
	p, err := netip.ParsePrefix(aws.ToString(text))
	if err != nil || !family(p.Addr()) {
		return "", awstest.Errorf("InvalidParameterValue", "CIDR block %s is malformed", aws.ToString(text))
	}
	return p.Masked().String(), nil
}

// showRules are rules in the shape of EC2, those of one protocol and its ports together.
func showRules(tx *awstest.Tx, rules []ec2model.Rule) (out []types.IpPermission) {
	type key struct {
		protocol string
		ports    ec2model.Ports
	}
	var order []key
	for _, rule := range rules {
		k := key{rule.Protocol, rule.Ports}
		at := slices.Index(order, k)
		if at < 0 {
			at = len(order)
			order = append(order, k)
			p := types.IpPermission{IpProtocol: aws.String(rule.Protocol)}
			if rule.Ports.Given {
				p.FromPort, p.ToPort = aws.Int32(rule.Ports.From), aws.Int32(rule.Ports.To)
			}
			out = append(out, p)
		}
		var description *string
		if rule.Description != "" {
			description = aws.String(rule.Description)
		}
		switch p, err := netip.ParsePrefix(rule.Peer); {
		case err != nil:
			out[at].UserIdGroupPairs = append(out[at].UserIdGroupPairs,
				types.UserIdGroupPair{GroupId: aws.String(rule.Peer), UserId: aws.String(tx.Cloud().AccountID()), Description: description})
		case p.Addr().Is4():
			out[at].IpRanges = append(out[at].IpRanges, types.IpRange{CidrIp: aws.String(rule.Peer), Description: description})
		default:
			out[at].Ipv6Ranges = append(out[at].Ipv6Ranges, types.Ipv6Range{CidrIpv6: aws.String(rule.Peer), Description: description})
		}
	}
	return out
}
