package ec2svc

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// instanceFilters look at the interfaces as of the moment of the call.
func instanceFilters(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region) filterable[ec2model.Instance] {
	type instance = ec2model.Instance
	primary := func(i instance) []ec2model.PrivateIP {
		attached := region.Attached(call.At, i)
		if len(attached) == 0 {
			return nil
		}
		return attached[0].Private[:1]
	}
	// each is a filter on all of the interfaces.
	each := func(of func(ec2model.Interface) []string) func(instance) []string {
		return func(i instance) (list []string) {
			for _, n := range region.Attached(call.At, i) {
				list = append(list, of(n)...)
			}
			return list
		}
	}
	elastic := func(of func(ec2model.Address) string) func(instance) []string {
		return each(func(n ec2model.Interface) []string { return associations(call, region, n.Private, of) })
	}
	// primaryOf is a filter on the primary interface.
	primaryOf := func(of func(ec2model.Interface) []string) func(instance) []string {
		return func(i instance) []string {
			attached := region.Attached(call.At, i)
			if len(attached) == 0 {
				return nil
			}
			return of(attached[0])
		}
	}
	// eachVolume is a filter on all of the volumes.
	eachVolume := func(name string) func(instance) []string {
		of := volumeFilters[name]
		return func(i instance) (list []string) {
			for _, v := range region.AttachedVolumes(call.At, i) {
				list = append(list, of(v)...)
			}
			return list
		}
	}
	interfaces := interfaceFilters(tx, call, region)
	return filterable[instance]{
		"instance-id":          one(func(i instance) string { return i.ID }),
		"instance-state-name":  one(func(i instance) string { return string(i.State) }),
		"instance-type":        one(func(i instance) string { return i.Type }),
		"image-id":             one(func(i instance) string { return i.Image }),
		"availability-zone":    one(func(i instance) string { return i.Zone.Name() }),
		"availability-zone-id": one(func(i instance) string { return i.Zone.ID() }),
		"subnet-id":            one(func(i instance) string { return i.Subnet.ID }),
		"vpc-id":               one(func(i instance) string { return i.Subnet.VPC }),
		"owner-id":             one(func(instance) string { return tx.Cloud().AccountID() }),
		"reservation-id":       one(func(i instance) string { return i.Reservation }),
		"client-token":         ifAny(func(i instance) string { return i.Token }),
		"key-name":             ifAny(func(i instance) string { return i.KeyName }),
		"private-ip-address":   func(i instance) []string { return privateAddresses(ec2model.Interface{Private: primary(i)}) },
		"ip-address":           func(i instance) []string { return associations(call, region, primary(i), publicIP) },

		"root-device-name": one(func(i instance) string { return i.RootDevice }),
		"root-device-type": one(func(instance) string { return "ebs" }),

		"block-device-mapping.attach-time":           eachVolume("attachment.attach-time"),
		"block-device-mapping.delete-on-termination": eachVolume("attachment.delete-on-termination"),
		"block-device-mapping.device-name":           eachVolume("attachment.device"),
		"block-device-mapping.volume-id":             eachVolume("volume-id"),

		"network-interface.network-interface-id":                 each(interfaces["network-interface-id"]),
		"instance.group-id":                                      primaryOf(interfaces["group-id"]),
		"instance.group-name":                                    primaryOf(interfaces["group-name"]),
		"network-interface.group-id":                             each(interfaces["group-id"]),
		"network-interface.group-name":                           each(interfaces["group-name"]),
		"network-interface.subnet-id":                            each(interfaces["subnet-id"]),
		"network-interface.status":                               each(interfaces["status"]),
		"network-interface.owner-id":                             each(interfaces["owner-id"]),
		"network-interface.attachment.attachment-id":             each(interfaces["attachment.attachment-id"]),
		"network-interface.attachment.status":                    each(interfaces["attachment.status"]),
		"network-interface.addresses.private-ip-address":         each(privateAddresses),
		"network-interface.addresses.association.allocation-id":  elastic(allocation),
		"network-interface.addresses.association.association-id": elastic(association),
		"network-interface.addresses.association.public-ip":      elastic(publicIP),
	}
}
