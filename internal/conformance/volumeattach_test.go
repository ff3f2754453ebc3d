package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html (read 2026-11)
var attachmentScenarios = []scenario{
	{
		name: "a volume is attached and detached",
		run: func(s *session) {
			m := s.launch("the instance")
			id := s.volume("the volume", m.zone)
			out := must(s.attachVolume(id, m.id, "/dev/sdf"))(s)
			s.is("state in the answer", string(out.State), "attaching")
			s.shows("attached", "in-use, attached to the instance as /dev/sdf", func() string { return s.told(s.attachment(id)) })
			s.shows("devices of the instance", "/dev/sdf", func() string { return s.devices(m.id) })
			_, err := s.attachVolume(id, m.id, "/dev/sdg")
			s.refused("attaching it again", err, "VolumeInUse")
			_, err = s.ec2.DeleteVolume(s.Context(), &ec2.DeleteVolumeInput{VolumeId: &id})
			s.refused("deletion meanwhile", err, "VolumeInUse")
			other := s.volume("the other volume", m.zone)
			_, err = s.attachVolume(other, m.id, "/dev/sdf")
			s.refused("a device that is taken", err, "InvalidParameterValue")
			_, err = s.detachVolume(id, func(in *ec2.DetachVolumeInput) { in.InstanceId = aws.String("i" + unknown) })
			s.refused("detaching it from another", err, "InvalidAttachment.NotFound", "InvalidInstanceID.NotFound")

			answer, err := s.detachVolume(id, func(in *ec2.DetachVolumeInput) { in.InstanceId, in.Device = &m.id, aws.String("/dev/sdf") })
			if s.accepted("detaching", err) {
				s.is("state in the answer to it", string(answer.State), "detaching")
			}
			s.shows("detached", "available", func() string { return s.attachment(id) })
			_, err = s.detachVolume(id)
			s.refused("detaching it again", err, "IncorrectState")
		},
		differs: []difference{
			{on: motoName, at: "attaching it again", does: "accepted"},
			{on: motoName, at: "a device that is taken", does: "accepted"},
			{on: motoName, at: "detaching it again", does: "not implemented"},
		},
	},
	{
		name: "a volume is detached by its ID alone",
		run: func(s *session) {
			m := s.launch("the instance")
			id := s.volume("the volume", m.zone)
			must(s.attachVolume(id, m.id, "/dev/sdf"))(s)
			s.shows("attached", "in-use, attached to the instance as /dev/sdf", func() string { return s.told(s.attachment(id)) })
			_, err := s.detachVolume(id)
			s.accepted("detaching", err)
			s.shows("detached", "available", func() string { return s.told(s.attachment(id)) })
		},
		differs: []difference{
			{on: motoName, at: "detaching", does: "not implemented"},
			{on: motoName, at: "detached", does: "in-use, attached to the instance as /dev/sdf"},
		},
	},
	{
		name: "volumes are refused where they do not belong",
		run: func(s *session) {
			m := s.launch("the instance")
			here, there := s.volume("the volume here", m.zone), s.volume("the volume in the other zone", *s.subnets()[1].AvailabilityZone)
			_, err := s.attachVolume(there, m.id, "/dev/sdf")
			s.refused("across zones", err, "InvalidVolume.ZoneMismatch")
			_, err = s.attachVolume("vol"+unknown, m.id, "/dev/sdf")
			s.refused("an unknown volume", err, "InvalidVolume.NotFound")
			_, err = s.attachVolume(here, "i"+unknown, "/dev/sdf")
			s.refused("to an unknown instance", err, "InvalidInstanceID.NotFound")
			root := s.root(m.id)
			_, err = s.detachVolume(root, func(in *ec2.DetachVolumeInput) { in.InstanceId, in.Device = &m.id, aws.String(s.rootDevice(m.id)) })
			s.refused("detaching the root volume of one that runs", err, "IncorrectState", "OperationNotPermitted")
			must(s.terminate(m.id))(s)
			s.shows("state", "terminated", func() string { return s.state(m.id) })
			_, err = s.attachVolume(here, m.id, "/dev/sdf")
			s.refused("to a terminated instance", err, "IncorrectState")
		},
		differs: []difference{
			{on: motoName, at: "across zones", does: "accepted"},
			{on: motoName, at: "detaching the root volume of one that runs", does: "accepted"},
			{on: motoName, at: "to a terminated instance", does: "accepted"},
		},
	},
	{
		name: "volumes of a launch go with the instance, and others stay",
		run: func(s *session) {
			m := s.launch("the instance", func(in *ec2.RunInstancesInput) {
				in.BlockDeviceMappings = []types.BlockDeviceMapping{
					{DeviceName: aws.String("/dev/sdg"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(1)}},
					{DeviceName: aws.String("/dev/sdh"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(1), DeleteOnTermination: aws.Bool(false)}},
				}
			})
			later := s.volume("the one that was attached later", m.zone)
			must(s.attachVolume(later, m.id, "/dev/sdi"))(s)
			s.shows("attached", "in-use, attached to the instance as /dev/sdi", func() string { return s.told(s.attachment(later)) })
			s.shows("devices", "/dev/sdg, /dev/sdh, /dev/sdi", func() string { return s.devices(m.id) })
			root, goes, stays := s.root(m.id), s.volumeAt(m.id, "/dev/sdg"), s.volumeAt(m.id, "/dev/sdh")
			s.is("root volume, goes, stays", fmt.Sprint(root != "", goes != "", stays != ""), "true true true")
			s.cleanly(stays, func(ctx context.Context) error { return s.deleteVolume(ctx, stays) })
			must(s.terminate(m.id))(s)
			s.shows("state", "terminated", func() string { return s.state(m.id) })
			if root != "" {
				s.shows("the root volume", "InvalidVolume.NotFound", func() string { return s.attachment(root) })
			}
			s.shows("one of the launch", "InvalidVolume.NotFound", func() string { return s.attachment(goes) })
			s.shows("one of the launch that is to stay", "available", func() string { return s.attachment(stays) })
			s.shows("one that was attached later", "available", func() string { return s.attachment(later) })
		},
		differs: []difference{
			{on: motoName, at: "root volume, goes, stays", does: "false true true", because: "block device mappings replace the root volume"},
			{on: motoName, at: "one of the launch", does: "available", because: "volumes of a launch stay by default"},
		},
	},
	{
		name: "a root volume is detached while the instance is stopped",
		run: func(s *session) {
			m := s.launch("the instance")
			root, device := s.root(m.id), s.rootDevice(m.id)
			must(s.stop(m.id))(s)
			s.shows("state", "stopped", func() string { return s.state(m.id) })
			_, err := s.detachVolume(root, func(in *ec2.DetachVolumeInput) { in.InstanceId, in.Device = &m.id, &device })
			s.accepted("detaching", err)
			s.shows("the volume", "available", func() string { return s.told(s.attachment(root)) })
			_, err = s.attachVolume(root, m.id, device)
			s.accepted("attaching it to the stopped instance", err)
			s.shows("the volume then", "in-use, attached to the instance as "+device, func() string { return s.told(s.attachment(root)) })
			must(s.start(m.id))(s)
			s.shows("state then", "running", func() string { return s.state(m.id) })
			must(s.terminate(m.id))(s)
			s.shows("state in the end", "terminated", func() string { return s.state(m.id) })
			s.shows("the volume in the end", "available", func() string { return s.attachment(root) }) // what was attached later stays
			s.accepted("its deletion", s.deleteVolume(s.Context(), root))
		},
	},
}

func (s *session) attachVolume(id, instance, device string) (*ec2.AttachVolumeOutput, error) {
	return s.ec2.AttachVolume(s.Context(), &ec2.AttachVolumeInput{VolumeId: &id, InstanceId: &instance, Device: &device})
}

func (s *session) detachVolume(id string, change ...func(*ec2.DetachVolumeInput)) (*ec2.DetachVolumeOutput, error) {
	in := &ec2.DetachVolumeInput{VolumeId: &id}
	for _, fn := range change {
		fn(in)
	}
	return s.ec2.DetachVolume(s.Context(), in)
}

// attachment tells the state of a volume, and where it is attached.
func (s *session) attachment(id string) string {
	v, err := s.describeVolume(id)
	if err != nil {
		return outcome(err)
	}
	if len(v.Attachments) == 0 {
		return string(v.State)
	}
	a := v.Attachments[0]
	return string(v.State) + ", " + string(a.State) + " to " + told(a.InstanceId) + " as " + told(a.Device)
}

// devices tells the devices of an instance but for the root one.
func (s *session) devices(instance string) string {
	i := must(s.instance(instance))(s)
	var names []string
	for _, d := range i.BlockDeviceMappings {
		if name := told(d.DeviceName); name != told(i.RootDeviceName) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// volumeAt returns the volume that an instance has as a device, if any.
func (s *session) volumeAt(instance, device string) string {
	s.Helper()
	i := must(s.instance(instance))(s)
	for _, d := range i.BlockDeviceMappings {
		if told(d.DeviceName) == device {
			return *d.Ebs.VolumeId
		}
	}
	return ""
}

func (s *session) rootDevice(instance string) string {
	s.Helper()
	return told(must(s.instance(instance))(s).RootDeviceName)
}

func (s *session) root(instance string) string {
	s.Helper()
	return s.volumeAt(instance, s.rootDevice(instance))
}
