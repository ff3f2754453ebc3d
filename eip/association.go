package eip

import (
	"fmt"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Association is the link of an address to a private address of an interface. Zero is none: the address is free.
type Association struct {
	ID                 string // "eipassoc-..."; EC2 never uses one again
	NetworkInterfaceID string
	InstanceID         string // empty if the interface is attached to none
	PrivateIP          netip.Addr
}

// String names the owner and the association ID.
func (a Association) String() string {
	switch {
	case a == Association{}:
		return "nobody"
	case a.NetworkInterfaceID == "" && a.InstanceID == "":
		return a.ID
	case a.NetworkInterfaceID == "":
		return fmt.Sprintf("%s (%s)", a.InstanceID, a.ID)
	case a.InstanceID == "":
		return fmt.Sprintf("%s (%s)", a.NetworkInterfaceID, a.ID)
	}
	return fmt.Sprintf("%s of %s (%s)", a.NetworkInterfaceID, a.InstanceID, a.ID)
}

// String names the address.
func (o Occupant) String() string {
	switch {
	case o == Occupant{}:
		return "none"
	case o.AllocationID == "":
		return o.PublicIP.String()
	}
	return fmt.Sprintf("%s (%s)", o.AllocationID, o.AssociationID)
}

// agrees tells whether b has everything that a names.
func (a Association) agrees(b Association) bool {
	return (a.ID == "" || a.ID == b.ID) &&
		(a.NetworkInterfaceID == "" || a.NetworkInterfaceID == b.NetworkInterfaceID) &&
		(a.InstanceID == "" || a.InstanceID == b.InstanceID) &&
		(!a.PrivateIP.IsValid() || a.PrivateIP == b.PrivateIP)
}

// associationOf returns the association that a read shows.
func associationOf(a types.Address) Association {
	if aws.ToString(a.AssociationId) == "" {
		return Association{}
	}
	return Association{
		ID:                 *a.AssociationId,
		NetworkInterfaceID: aws.ToString(a.NetworkInterfaceId),
		InstanceID:         aws.ToString(a.InstanceId),
		PrivateIP:          parseIP(a.PrivateIpAddress),
	}
}
