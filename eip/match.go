package eip

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// movable refuses an address that EC2 would not move.
func (m *move) movable() error {
	switch {
	case m.address.ServiceManaged != "":
		rule := "must not be an address that a service manages, which is " + string(m.address.ServiceManaged)
		return m.field("AllocationID", m.req.AllocationID, rule)
	case m.address.Domain != "" && m.address.Domain != types.DomainTypeVpc:
		return m.field("AllocationID", m.req.AllocationID, "must be an address for VPCs; its domain is "+string(m.address.Domain))
	}
	return nil
}

// match holds address and target against each other, as far as both were read.
func (m *move) match(ctx context.Context, there place) error {
	if err := m.matchHands(there); err != nil || m.address == nil {
		return err
	}
	if err := m.matchAccount(there); err != nil {
		return err
	}
	return m.matchGroup(ctx, there)
}

func (m *move) matchHands(there place) error {
	if there.managed {
		return m.field("Target", m.req.Target.String(), "must not be a network interface that a service of AWS manages")
	}
	return nil
}

func (m *move) matchAccount(there place) error {
	if owner := aws.ToString(m.address.NetworkInterfaceOwnerId); owner != "" && there.account != "" && owner != there.account {
		rule := fmt.Sprintf("must be of the account that owns the interface with the address, which is %s; it is of %s", owner, there.account)
		return m.field("Target", m.req.Target.String(), rule)
	}
	return nil
}

func (m *move) matchGroup(ctx context.Context, there place) error {
	group, err := m.borderGroup(ctx, aws.ToString(m.address.NetworkBorderGroup), there.zone)
	switch {
	case err != nil:
		return m.fail(ctx, OpInspect, kindOf(err), err)
	case group != aws.ToString(m.address.NetworkBorderGroup):
		rule := fmt.Sprintf("must be in the network border group of the address, which is %s; it is in %s", *m.address.NetworkBorderGroup, group)
		return m.field("Target", m.req.Target.String(), rule)
	}
	return nil
}

// borderGroup returns the network border group of a zone. The zones of a Region are in the group of its name, so that want is
// believed of us-east-1a if it is us-east-1; Local and Wavelength Zones have groups of their own, which are read once.
func (m *move) borderGroup(ctx context.Context, want, zone string) (string, error) {
	if want == "" || zone == "" || len(zone) == len(want)+1 && strings.HasPrefix(zone, want) {
		return want, nil
	}
	if group, ok := m.groups.Load(zone); ok {
		return group.(string), nil
	}
	group := want // where EC2 does not say, it is left to EC2
	err := m.retry(ctx, repeatable, func(ctx context.Context) error {
		z, err := ask(ctx, m, m.listZones, (*rounds).zoneQueue, &m.res.Calls.Inspect, zone, "")
		if err == nil && aws.ToString(z.NetworkBorderGroup) != "" {
			group = *z.NetworkBorderGroup
			m.groups.Store(zone, group)
		}
		return err
	})
	return group, err
}
