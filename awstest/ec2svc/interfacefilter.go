package ec2svc

import (
	"strconv"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// interfaceFilters look at the addresses as of the moment of the call.
// Filters named association.* are read as those of the field Association,
// which is the primary private address's, and addresses.association.* as those
// of all: AWS's page does not settle it.
func interfaceFilters(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region) filterable[ec2model.Interface] {
	type nic = ec2model.Interface
	account := tx.Cloud().AccountID()
	primary := func(of func(ec2model.Address) string) func(nic) []string {
		return func(n nic) []string { return associations(call, region, n.Private[:1], of) }
	}
	every := func(of func(ec2model.Address) string) func(nic) []string {
		return func(n nic) []string { return associations(call, region, n.Private, of) }
	}
	attached := func(value func(nic) string) func(nic) []string {
		return func(n nic) []string {
			if n.Instance == "" {
				return nil
			}
			return []string{value(n)}
		}
	}
	own := func(ec2model.Address) string { return account }
	return filterable[nic]{
		"network-interface-id":             one(func(n nic) string { return n.ID }),
		"subnet-id":                        one(func(n nic) string { return n.Subnet.ID }),
		"vpc-id":                           one(func(n nic) string { return n.Subnet.VPC }),
		"availability-zone":                one(func(n nic) string { return n.Subnet.Zone.Name() }),
		"availability-zone-id":             one(func(n nic) string { return n.Subnet.Zone.ID() }),
		"description":                      one(func(n nic) string { return n.Description }),
		"group-id":                         func(n nic) []string { return n.Groups },
		"group-name":                       groupNames(call, region),
		"status":                           one(func(n nic) string { return string(interfaceStatus(n)) }),
		"owner-id":                         one(func(n nic) string { return n.Owner }),
		"requester-id":                     ifAny(func(n nic) string { return n.Requester }),
		"requester-managed":                one(func(n nic) string { return strconv.FormatBool(n.Requester != "") }),
		"private-ip-address":               one(func(n nic) string { return n.Private[0].Addr.String() }),
		"attachment.instance-id":           attached(func(n nic) string { return n.Instance }),
		"attachment.instance-owner-id":     attached(func(nic) string { return account }),
		"attachment.attachment-id":         attached(func(n nic) string { return n.Attachment }),
		"attachment.device-index":          attached(func(n nic) string { return strconv.Itoa(int(n.DeviceIndex)) }),
		"attachment.delete-on-termination": attached(func(n nic) string { return strconv.FormatBool(n.DeleteOnTermination) }),
		"attachment.status":                attached(func(nic) string { return "attached" }),
		"addresses.private-ip-address":     privateAddresses,
		"addresses.association.owner-id":   every(own),
		"addresses.association.public-ip":  every(publicIP),
		"association.allocation-id":        primary(allocation),
		"association.association-id":       primary(association),
		"association.ip-owner-id":          primary(own),
		"association.public-ip":            primary(publicIP),
	}
}

// groupNames are the names of the security groups of an interface.
func groupNames(call *awstest.Call, region *ec2model.Region) func(ec2model.Interface) []string {
	return func(n ec2model.Interface) (list []string) {
		for _, g := range showGroups(call, region, n) {
			list = append(list, *g.GroupName)
		}
		return list
	}
}

// associations are what the Elastic IP addresses of private ones have.
func associations(call *awstest.Call, region *ec2model.Region, private []ec2model.PrivateIP, of func(ec2model.Address) string) (list []string) {
	for _, p := range private {
		if a, err := region.Address(call.At, p.Allocation); err == nil {
			list = append(list, of(a))
		}
	}
	return list
}

func allocation(a ec2model.Address) string { return a.Allocation }

func association(a ec2model.Address) string { return a.Association }

func publicIP(a ec2model.Address) string { return a.IP.String() }

func privateAddresses(n ec2model.Interface) (list []string) {
	for _, p := range n.Private {
		list = append(list, p.Addr.String())
	}
	return list
}
