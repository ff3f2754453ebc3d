package conformance_test

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
var interfaceScenarios = []scenario{
	{
		name: "an address stays on an interface that changes instances",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			one, two := s.launch("the first", inZone(zone)), s.launch("the second", inZone(zone))
			eni, a := s.nics("the interface")[0], s.allocate("the address")
			id := must(s.associate(a, toInterface(eni), nil))(s)
			s.shows("status before", "available", func() string { return s.nicStatus(eni) })
			attachment := s.attach(eni, one.id)
			s.shows("status while attached", "in-use", func() string { return s.nicStatus(eni) })
			s.shows("instance while attached", one.id, func() string { return told(s.address(a).InstanceId) })
			_, err := s.ec2.DetachNetworkInterface(s.Context(), &ec2.DetachNetworkInterfaceInput{AttachmentId: &attachment})
			s.accepted("detaching", err)
			s.shows("status after detaching", "available", func() string { return s.nicStatus(eni) })
			s.is("holder after detaching", s.holder(a), eni)
			s.shows("instance after detaching", "none", func() string { return told(s.address(a).InstanceId) })
			s.attach(eni, two.id)
			s.shows("instance after moving", two.id, func() string { return told(s.address(a).InstanceId) })
			s.is("association after moving", same(told(s.address(a).AssociationId), id), "the same")
		},
		differs: []difference{
			{on: motoName, at: "instance while attached", does: "none"},
			{on: motoName, at: "instance after moving", does: "none"},
		},
	},
	{
		name: "an address is free when its interface is deleted",
		run: func(s *session) {
			eni, a := s.nics("the interface")[0], s.allocate("the address")
			must(s.associate(a, toInterface(eni), nil))(s)
			_, err := s.ec2.DeleteNetworkInterface(s.Context(), &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &eni})
			s.accepted("deleting the interface", err)
			s.shows("interface", "InvalidNetworkInterfaceID.NotFound", func() string { return s.nicStatus(eni) })
			s.shows("holder", "nobody", func() string { return s.holder(a) })
		},
		differs: []difference{
			{on: motoName, at: "holder", does: "the interface"},
		},
	},
	{
		name: "an interface is attached once",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			one, two, eni := s.launch("the first", inZone(zone)), s.launch("the second", inZone(zone)), s.nics("the interface")[0]
			s.attach(eni, one.id)
			s.shows("status", "in-use", func() string { return s.nicStatus(eni) })
			_, err := s.ec2.AttachNetworkInterface(s.Context(), &ec2.AttachNetworkInterfaceInput{NetworkInterfaceId: &eni, InstanceId: &two.id, DeviceIndex: aws.Int32(1)})
			s.refused("attaching it again", err, "InvalidNetworkInterface.InUse")
		},
		differs: []difference{
			{on: motoName, at: "attaching it again", does: "accepted"},
		},
	},
	{
		name: "an interface is not deleted while it is attached",
		run: func(s *session) {
			m, eni := s.launch("the instance", inZone(*s.subnets()[0].AvailabilityZone)), s.nics("the interface")[0]
			s.attach(eni, m.id)
			for name, id := range map[string]string{"secondary": eni, "primary": m.eni} {
				_, err := s.ec2.DeleteNetworkInterface(s.Context(), &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &id})
				s.refused("deleting the "+name+" one", err, "InvalidNetworkInterface.InUse")
				s.shows("status of the "+name+" one", "in-use", func() string { return s.nicStatus(id) })
			}
		},
		differs: []difference{
			{on: motoName, at: "deleting the secondary one", does: "accepted"},
			{on: motoName, at: "status of the secondary one", does: "InvalidNetworkInterfaceID.NotFound"},
			{on: motoName, at: "deleting the primary one", does: "accepted"},
			{on: motoName, at: "status of the primary one", does: "InvalidNetworkInterfaceID.NotFound"},
		},
	},
	{
		name: "interfaces are found",
		run: func(s *session) {
			m := s.launch("the instance", inZone(*s.subnets()[0].AvailabilityZone))
			enis := s.nics("the attached one", "the free one")
			s.attach(enis[0], m.id)
			s.call(s.mark, "MARK")
			for _, c := range []struct {
				want    string
				filters []string
			}{
				{"the attached one, the interface of the instance", []string{"attachment.instance-id", m.id}},
				{"the free one", []string{"network-interface-id", enis[1]}},
				{"the attached one, the free one", []string{"tag:" + markKey, s.mark}},
				{"the free one", []string{"tag:" + markKey, s.mark, "status", "available"}},
				{"the attached one, the free one", []string{"tag:" + markKey, s.mark, "subnet-id", *s.subnets()[0].SubnetId}},
				{"the interface of the instance", []string{"private-ip-address", m.private, "subnet-id", *s.subnets()[0].SubnetId}},
			} {
				s.shows("by "+s.told(spelt(c.filters)), c.want, func() string {
					out, err := s.ec2.DescribeNetworkInterfaces(s.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: filters(c.filters...)})
					if err != nil {
						return outcome(err)
					}
					var ids []string
					for i := range out.NetworkInterfaces {
						ids = append(ids, *out.NetworkInterfaces[i].NetworkInterfaceId)
					}
					return s.set(ids)
				})
			}
			s.is("an unknown one", s.nicStatus("eni"+unknown), "InvalidNetworkInterfaceID.NotFound")
			s.is("a malformed one", s.nicStatus("eni-1"), "InvalidNetworkInterfaceId.Malformed")
		},
		differs: []difference{
			{on: motoName, at: "a malformed one", does: "InvalidNetworkInterfaceID.NotFound"},
		},
	},
}

// attach attaches an interface as the second of an instance.
func (s *session) attach(eni, instance string) (attachment string) {
	s.Helper()
	out := must(s.ec2.AttachNetworkInterface(s.Context(), &ec2.AttachNetworkInterfaceInput{NetworkInterfaceId: &eni, InstanceId: &instance, DeviceIndex: aws.Int32(1)}))(s)
	id := *out.AttachmentId
	s.cleanly(id, func(ctx context.Context) error {
		if _, err := s.ec2.DetachNetworkInterface(ctx, &ec2.DetachNetworkInterfaceInput{AttachmentId: &id}); err != nil {
			return unless(err, "InvalidAttachmentID.NotFound")
		}
		return ec2.NewNetworkInterfaceAvailableWaiter(s.ec2, func(o *ec2.NetworkInterfaceAvailableWaiterOptions) {
			o.MinDelay, o.MaxDelay = max(s.pause, time.Second), 15*time.Second
		}).Wait(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{eni}}, s.patience)
	})
	return id
}

// nicStatus tells the status of an interface, or why it cannot be told.
func (s *session) nicStatus(eni string) string {
	out, err := s.ec2.DescribeNetworkInterfaces(s.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{eni}})
	switch {
	case err != nil:
		return outcome(err)
	case len(out.NetworkInterfaces) != 1:
		return "none in the reply"
	}
	return string(out.NetworkInterfaces[0].Status)
}
