package conformance_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumeStatus.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
var volumeScenarios = []scenario{
	{
		name: "a volume is created and deleted",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			out := must(s.createVolume(zone, func(in *ec2.CreateVolumeInput) {
				in.VolumeType = types.VolumeTypeGp3
				in.TagSpecifications = s.tagged(types.ResourceTypeVolume, tag("role", "data"))
			}))(s)
			id := *out.VolumeId
			s.call(id, "the volume")
			s.is("state in the answer", string(out.State), "creating")
			s.shows("state", "available", func() string { return s.volumeState(id) })
			v := must(s.describeVolume(id))(s)
			s.is("zone", told(v.AvailabilityZone), zone)
			s.is("type and size", fmt.Sprintf("%s, %d GiB, %d IOPS", v.VolumeType, *v.Size, aws.ToInt32(v.Iops)), "gp3, 1 GiB, 3000 IOPS")
			s.is("throughput", fmt.Sprint(aws.ToInt32(v.Throughput)), "125")
			s.is("encryption", fmt.Sprint(aws.ToBool(v.Encrypted)), "false")
			s.call(s.mark, "MARK")
			s.is("tags", tagsOf(v.Tags), markKey+"=MARK role=data")
			_, err := s.ec2.DeleteVolume(s.Context(), &ec2.DeleteVolumeInput{VolumeId: &id})
			s.accepted("deletion", err)
			s.shows("deleted", "InvalidVolume.NotFound", func() string { return s.volumeState(id) })
			_, err = s.ec2.DeleteVolume(s.Context(), &ec2.DeleteVolumeInput{VolumeId: &id})
			s.refused("deletion again", err, "InvalidVolume.NotFound")
		},
		differs: []difference{
			{on: motoName, at: "state in the answer", does: "available"},
			{on: motoName, at: "throughput", does: "0"},
		},
	},
	{
		name: "volumes are refused",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			for what, c := range map[string]struct {
				change func(*ec2.CreateVolumeInput)
				codes  []string
			}{
				"no zone":              {func(in *ec2.CreateVolumeInput) { in.AvailabilityZone = nil }, []string{"MissingParameter"}},
				"an unknown zone":      {func(in *ec2.CreateVolumeInput) { in.AvailabilityZone = aws.String("us-east-1z") }, []string{"InvalidZone.NotFound"}},
				"no size":              {func(in *ec2.CreateVolumeInput) { in.Size = nil }, []string{"MissingParameter"}},
				"too large a size":     {func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(16_385) }, []string{"InvalidParameterValue"}},
				"an unknown type":      {func(in *ec2.CreateVolumeInput) { in.VolumeType = "gp9" }, []string{"UnknownVolumeType", "InvalidParameterValue"}},
				"io1 without IOPS":     {func(in *ec2.CreateVolumeInput) { in.VolumeType, in.Size = "io1", aws.Int32(4) }, []string{"MissingParameter", "InvalidParameterDependency"}},
				"gp2 with IOPS":        {func(in *ec2.CreateVolumeInput) { in.Iops = aws.Int32(3000) }, []string{"InvalidParameterCombination", "InvalidParameterDependency"}},
				"a key, unencrypted":   {func(in *ec2.CreateVolumeInput) { in.KmsKeyId = aws.String("alias/aws/ebs") }, []string{"InvalidParameterDependency"}},
				"no more than a trial": {func(in *ec2.CreateVolumeInput) { in.DryRun = aws.Bool(true) }, []string{"DryRunOperation"}},
			} {
				_, err := s.createVolume(zone, c.change)
				s.refused(what, err, c.codes...)
			}
			s.is("an unknown one", s.volumeState("vol"+unknown), "InvalidVolume.NotFound")
			_, err := s.ec2.DeleteVolume(s.Context(), &ec2.DeleteVolumeInput{VolumeId: aws.String("vol" + unknown)})
			s.refused("deletion of an unknown one", err, "InvalidVolume.NotFound")
		},
		differs: []difference{
			{on: motoName, at: "no zone", does: "accepted"},
			{on: motoName, at: "an unknown zone", does: "accepted"},
			{on: motoName, at: "too large a size", does: "accepted"},
			{on: motoName, at: "an unknown type", does: "accepted"},
		},
	},
	{
		name: "a repeated token makes no second volume",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			token := func(in *ec2.CreateVolumeInput) { in.ClientToken = &s.mark }
			first := must(s.createVolume(zone, token))(s)
			again := must(s.createVolume(zone, token))(s)
			s.is("the repeat", same(*again.VolumeId, *first.VolumeId), "the same")
			_, err := s.createVolume(zone, token, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(2) })
			s.refused("another request", err, "IdempotentParameterMismatch")
		},
		differs: []difference{
			{on: motoName, at: "the repeat", does: "another", because: "tokens of volumes are ignored"},
			{on: motoName, at: "another request", does: "accepted", because: "tokens of volumes are ignored"},
		},
	},
	{
		name: "a volume is encrypted with the account's key by default",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			id := s.volume("the volume", zone, func(in *ec2.CreateVolumeInput) { in.Encrypted = aws.Bool(true) })
			v := must(s.describeVolume(id))(s)
			s.is("encryption", fmt.Sprintf("%v, with a key %v", aws.ToBool(v.Encrypted), v.KmsKeyId != nil), "true, with a key true")
		},
	},
	{
		// AWS does not say how it ends: the volume may be gone, or in the state error.
		name: "a volume with a key that is not there fails later",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			out, err := s.createVolume(zone, func(in *ec2.CreateVolumeInput) {
				in.Encrypted, in.KmsKeyId = aws.Bool(true), aws.String("alias/awsha-"+s.mark)
			})
			if !s.accepted("the call", err) {
				return
			}
			s.shows("the volume", "failed", func() string {
				switch state := s.volumeState(*out.VolumeId); state {
				case "InvalidVolume.NotFound", "error":
					return "failed"
				default:
					return state
				}
			})
		},
		differs: []difference{
			{on: motoName, at: "the volume", does: "available", because: "keys of volumes are not looked at"},
		},
	},
	{
		name: "volumes are filtered",
		run: func(s *session) {
			subnets := s.subnets()
			one := s.volume("the first", *subnets[0].AvailabilityZone)
			two := s.volume("the second", *subnets[1].AvailabilityZone, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(2) })
			mine := "tag:" + markKey
			for what, c := range map[string]struct {
				filters []types.Filter
				want    string
			}{
				"all of them":   {filters(mine, s.mark), s.set([]string{one, two})},
				"of one zone":   {filters(mine, s.mark, "availability-zone", *subnets[1].AvailabilityZone), s.told(two)},
				"of one size":   {filters(mine, s.mark, "size", "1"), s.told(one)},
				"of a state":    {filters(mine, s.mark, "status", "available"), s.set([]string{one, two})},
				"of another":    {filters(mine, s.mark, "status", "in-use"), "nothing"},
				"that are open": {filters(mine, s.mark, "encrypted", "false"), s.set([]string{one, two})},
			} {
				s.shows(what, c.want, func() string {
					out, err := s.ec2.DescribeVolumes(s.Context(), &ec2.DescribeVolumesInput{Filters: c.filters})
					if err != nil {
						return outcome(err)
					}
					var ids []string
					for i := range out.Volumes {
						ids = append(ids, *out.Volumes[i].VolumeId)
					}
					return s.set(ids)
				})
			}
		},
	},
	{
		name: "volumes have status checks",
		run: func(s *session) {
			id := s.volume("the volume", *s.subnets()[0].AvailabilityZone)
			s.shows("status", "ok, io-enabled passed", func() string { return s.volumeStatus(id) })
			s.is("status of an unknown one", s.volumeStatus("vol"+unknown), "InvalidVolume.NotFound")
		},
		differs: []difference{
			{on: motoName, at: "status", does: "not implemented"},
			{on: motoName, at: "status of an unknown one", does: "not implemented"},
		},
	},
}

// createVolume makes a volume of a gibibyte, which goes at the end.
func (s *session) createVolume(zone string, change ...func(*ec2.CreateVolumeInput)) (*ec2.CreateVolumeOutput, error) {
	in := &ec2.CreateVolumeInput{AvailabilityZone: &zone, Size: aws.Int32(1), TagSpecifications: s.tagged(types.ResourceTypeVolume)}
	for _, fn := range change {
		fn(in)
	}
	out, err := s.ec2.CreateVolume(s.Context(), in)
	if err != nil {
		return nil, err
	}
	id := *out.VolumeId
	s.cleanly(id, func(ctx context.Context) error { return s.deleteVolume(ctx, id) })
	return out, nil
}

// deleteVolume deletes a volume in whatever state it is.
func (s *session) deleteVolume(ctx context.Context, id string) error {
	v, err := s.describeVolume(id)
	if err != nil {
		return unless(err, "InvalidVolume.NotFound")
	}
	if len(v.Attachments) > 0 && v.Attachments[0].State != types.VolumeAttachmentStateDetaching {
		a := v.Attachments[0]
		if _, err := s.ec2.DetachVolume(ctx, &ec2.DetachVolumeInput{VolumeId: &id, InstanceId: a.InstanceId, Device: a.Device}); err != nil {
			return err
		}
	}
	switch v.State {
	case types.VolumeStateDeleting:
		return nil
	case types.VolumeStateCreating, types.VolumeStateInUse:
		err := ec2.NewVolumeAvailableWaiter(s.ec2, func(o *ec2.VolumeAvailableWaiterOptions) { o.MinDelay, o.MaxDelay = s.pause, s.pause }).
			Wait(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{id}}, s.patience)
		if err != nil {
			return err
		}
	}
	_, err = s.ec2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &id})
	return unless(err, "InvalidVolume.NotFound")
}

// volume returns a volume that is available.
func (s *session) volume(name, zone string, change ...func(*ec2.CreateVolumeInput)) string {
	s.Helper()
	id := *must(s.createVolume(zone, change...))(s).VolumeId
	s.call(id, name)
	if got := s.await("", "available", func() string { return s.volumeState(id) }); got != "available" {
		s.Fatalf("%s (%s) is %s and not available", name, id, got)
	}
	return id
}

func (s *session) describeVolume(id string) (*types.Volume, error) {
	// Also when the scenario is over.
	out, err := s.ec2.DescribeVolumes(context.WithoutCancel(s.Context()), &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
	if err != nil {
		return nil, err
	}
	return &out.Volumes[0], nil
}

func (s *session) volumeState(id string) string {
	v, err := s.describeVolume(id)
	if err != nil {
		return outcome(err)
	}
	return string(v.State)
}

func (s *session) volumeStatus(id string) string {
	out, err := s.ec2.DescribeVolumeStatus(s.Context(), &ec2.DescribeVolumeStatusInput{VolumeIds: []string{id}})
	switch {
	case err != nil:
		return outcome(err)
	case len(out.VolumeStatuses) == 0:
		return "not shown"
	}
	status := out.VolumeStatuses[0].VolumeStatus
	for _, d := range status.Details {
		if d.Name == types.VolumeStatusNameIoEnabled {
			return string(status.Status) + ", io-enabled " + told(d.Status)
		}
	}
	return string(status.Status)
}
