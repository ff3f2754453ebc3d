package ec2svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
)

// nic creates an interface in a zone and returns its ID.
func (w *world) nic(zoneID string) string {
	w.Helper()
	out := must(w.CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneID))}))(w)
	return *out.NetworkInterface.NetworkInterfaceId
}

func (w *world) describeNIC(id string) types.NetworkInterface {
	w.Helper()
	out := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{id}}))(w)
	return out.NetworkInterfaces[0]
}

func (w *world) attach(nic, instance string, device int32) (attachment string, err error) {
	out, err := w.AttachNetworkInterface(w.Context(), &ec2.AttachNetworkInterfaceInput{NetworkInterfaceId: &nic, InstanceId: &instance, DeviceIndex: &device})
	if err != nil {
		return "", err
	}
	return *out.AttachmentId, nil
}

func (w *world) detach(attachment string) error {
	_, err := w.DetachNetworkInterface(w.Context(), &ec2.DetachNetworkInterfaceInput{AttachmentId: &attachment})
	return err
}

func (w *world) deleteNIC(id string) error {
	_, err := w.DeleteNetworkInterface(w.Context(), &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &id})
	return err
}

func TestCreateInterface(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		subnet := w.subnet(zoneA)
		out := must(w.CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{
			SubnetId: &subnet, PrivateIpAddress: aws.String("172.31.80.200"), Description: aws.String("vip"),
			TagSpecifications: tags(types.ResourceTypeNetworkInterface, "Name", "vip"),
		}))(w)
		n := w.describeNIC(*out.NetworkInterface.NetworkInterfaceId)
		got := []any{*n.PrivateIpAddress, *n.Description, *n.SubnetId, n.Status, *n.AvailabilityZoneId, *n.TagSet[0].Value, n.Attachment == nil}
		if diff := cmp.Diff([]any{"172.31.80.200", "vip", subnet, types.NetworkInterfaceStatusAvailable, zoneA, "vip", true}, got); diff != "" {
			w.Error(diff)
		}
		subnets := must(w.DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{subnet}}))(w)
		if free := *subnets.Subnets[0].AvailableIpAddressCount; free != 4090 {
			w.Errorf("%d addresses free of 4,091 when one is taken", free)
		}
		for code, in := range map[string]*ec2.CreateNetworkInterfaceInput{
			"InvalidIPAddress.InUse":    {SubnetId: &subnet, PrivateIpAddress: aws.String("172.31.80.200")},
			"InvalidParameterValue":     {SubnetId: &subnet, PrivateIpAddress: aws.String("172.31.0.4")},
			"InvalidSubnetID.NotFound":  {SubnetId: aws.String("subnet-12345678")},
			"InvalidSubnetID.Malformed": {SubnetId: aws.String("subnet-1234567")},
		} {
			_, err := w.CreateNetworkInterface(w.Context(), in)
			wantCode(w, err, code)
		}
	})
}

func TestCreateInterfaceOncePerToken(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		in := &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneA)), ClientToken: aws.String("a")}
		first := must(w.CreateNetworkInterface(w.Context(), in))(w)
		again := must(w.CreateNetworkInterface(w.Context(), in))(w)
		if *first.NetworkInterface.NetworkInterfaceId != *again.NetworkInterface.NetworkInterfaceId {
			w.Error("one token made two interfaces")
		}
		in.Description = aws.String("another")
		_, err := w.CreateNetworkInterface(w.Context(), in)
		wantCode(w, err, "IdempotentParameterMismatch")
		must(w.cloud.LoseReply("EC2", "CreateNetworkInterface", 1))(w)
		w.nic(zoneA) // with a token of the SDK's, and two attempts
		all := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{}))(w)
		if len(all.NetworkInterfaces) != 2 {
			w.Errorf("there are %d interfaces, want 2", len(all.NetworkInterfaces))
		}
	})
}

func TestAttachAndDetach(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, nic, a := w.running(zoneA), w.nic(zoneA), w.allocate()
		machine, _ := w.cloud.Instance(id)
		must(machine.Serve(80, says("me")))(w)
		must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &nic}))(w)
		ip := *w.address(a).PublicIp
		wantAnswer(w, ip, "")

		attachment := must(w.attach(nic, id, 1))(w)
		n := w.describeNIC(nic)
		got := []any{n.Status, *n.Attachment.InstanceId, *n.Attachment.AttachmentId, *n.Attachment.DeviceIndex, *n.Attachment.DeleteOnTermination}
		if diff := cmp.Diff([]any{types.NetworkInterfaceStatusInUse, id, attachment, int32(1), false}, got); diff != "" {
			w.Error(diff)
		}
		w.holds(a, id, nic, "172.31.80.5")
		wantAnswer(w, ip, "me")
		i := w.instance(id)
		if len(i.NetworkInterfaces) != 2 || *i.NetworkInterfaces[1].NetworkInterfaceId != nic || *i.PrivateIpAddress != "172.31.80.4" {
			w.Errorf("the instance shows %d interfaces and %s", len(i.NetworkInterfaces), *i.PrivateIpAddress)
		}
		_, err := w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id})
		wantCode(w, err, "InvalidInstanceID") // it has two interfaces

		wantCode(w, w.deleteNIC(nic), "InvalidNetworkInterface.InUse")
		wantCode(w, w.detach(attachment), "")
		wantCode(w, w.detach(attachment), "InvalidAttachmentID.NotFound")
		wantCode(w, w.detach(nic), "InvalidNetworkInterfaceAttachmentId.Malformed")
		wantCode(w, w.detach(*w.instance(id).NetworkInterfaces[0].Attachment.AttachmentId), "OperationNotPermitted")
		w.holds(a, "", nic, "172.31.80.5")
		wantAnswer(w, ip, "")

		wantCode(w, w.deleteNIC(nic), "")
		wantCode(w, w.deleteNIC(nic), "InvalidNetworkInterfaceID.NotFound")
		w.holds(a, "", "", "")
	})
}

func TestAttachRefuses(t *testing.T) {
	t.Parallel()
	const refused = "IncorrectState"
	for name, c := range map[string]struct {
		into func(*world) string
		code string
	}{
		"pending":       {inState(pending), refused},
		"running":       {inState(isRunning), ""},
		"stopping":      {inState(stopping), refused},
		"stopped":       {inState(stopped), ""},
		"shutting down": {inState(shuttingDown), refused},
		"terminated":    {inState(terminated), refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				_, err := w.attach(w.nic(zoneA), c.into(w), 1)
				wantCode(w, err, c.code)
			})
		})
	}
	t.Run("otherwise", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id, nic := w.running(zoneA), w.nic(zoneA)
			refuse := func(nic, id string, device int32, code string) {
				w.Helper()
				_, err := w.attach(nic, id, device)
				wantCode(w, err, code)
			}
			refuse(nic, id, 0, "InvalidParameterValue") // the primary one is there
			refuse(w.nic(zoneB), id, 1, "InvalidParameterCombination")
			refuse("eni-12345678", id, 1, "InvalidNetworkInterfaceID.NotFound")
			refuse("nic", id, 1, "InvalidNetworkInterfaceId.Malformed")
			refuse(nic, "i-12345678", 1, "InvalidInstanceID.NotFound")
			refuse(nic, nic, 1, "InvalidInstanceID.Malformed")
			must(w.attach(nic, id, 1))(w)
			refuse(nic, id, 2, "InvalidNetworkInterface.InUse")
			refuse(w.nic(zoneA), id, 1, "InvalidParameterValue")
		})
	})
}

func TestSecondaryInterfaceOutlivesItsInstance(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, nic, a := w.running(zoneA), w.nic(zoneA), w.allocate()
		must(w.attach(nic, id, 1))(w)
		must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &nic}))(w)
		wantCode(w, w.terminate(id), "")
		time.Sleep(time.Minute)
		w.holds(a, "", nic, "172.31.80.5")
		other := w.running(zoneA)
		must(w.attach(nic, other, 1))(w)
		w.holds(a, other, nic, "172.31.80.5")
	})
}

func TestAssignPrivateAddresses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.running(zoneA)
		nic := w.eni(id)
		assign := func(count int32, addrs ...string) ([]string, error) {
			in := &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: &nic, PrivateIpAddresses: addrs}
			if count != 0 {
				in.SecondaryPrivateIpAddressCount = &count
			}
			out, err := w.AssignPrivateIpAddresses(w.Context(), in)
			if err != nil {
				return nil, err
			}
			var got []string
			for _, a := range out.AssignedPrivateIpAddresses {
				got = append(got, *a.PrivateIpAddress)
			}
			return got, nil
		}
		if diff := cmp.Diff([]string{"172.31.80.100"}, must(assign(0, "172.31.80.100"))(w)); diff != "" {
			w.Error(diff)
		}
		if diff := cmp.Diff([]string{"172.31.80.5", "172.31.80.6"}, must(assign(2))(w)); diff != "" {
			w.Error(diff)
		}
		for _, c := range []struct {
			count int32
			addrs []string
			code  string
		}{
			{0, nil, "InvalidParameterCombination"},
			{1, []string{"172.31.80.7"}, "InvalidParameterCombination"},
			{0, []string{"172.31.80.7", "172.31.80.100"}, "Resource.AlreadyAssigned"},
			{0, []string{"172.31.80.7", "172.31.80.7"}, "Resource.AlreadyAssigned"},
			{0, []string{"172.31.80.7", "172.31.95.255"}, "InvalidParameterValue"},
			{0, []string{"172.31.80.7", "x"}, "InvalidParameterValue"},
			{4088, nil, "InsufficientFreeAddressesInSubnet"},
		} {
			_, err := assign(c.count, c.addrs...)
			wantCode(w, err, c.code)
		}
		var got []string
		for _, p := range w.describeNIC(nic).PrivateIpAddresses {
			got = append(got, *p.PrivateIpAddress)
		}
		if diff := cmp.Diff([]string{"172.31.80.4", "172.31.80.100", "172.31.80.5", "172.31.80.6"}, got); diff != "" {
			w.Errorf("a refused call changed the addresses: %s", diff)
		}

		// An address on a secondary private one.
		a, b := w.allocate(), w.allocate()
		machine, _ := w.cloud.Instance(id)
		must(machine.Serve(80, says("me")))(w)
		must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, InstanceId: &id, PrivateIpAddress: aws.String("172.31.80.100")}))(w)
		w.associate(b, id)
		w.holds(a, id, nic, "172.31.80.100")
		w.holds(b, id, nic, "172.31.80.4")
		wantAnswer(w, *w.address(a).PublicIp, "me")
		if got := *w.instance(id).PublicIpAddress; got != *w.address(b).PublicIp {
			w.Errorf("the instance's public address is %s, not that of its primary private one", got)
		}
		nic = "eni-12345678"
		_, err := assign(1)
		wantCode(w, err, "InvalidNetworkInterfaceID.NotFound")
		nic = "nic"
		_, err = assign(1)
		wantCode(w, err, "InvalidNetworkInterfaceId.Malformed")
	})
}
