package snapshot

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// targets returns instances and volumes, each volume in one of them: those of instances first, whose volumes are taken at one instant.
func (v *volumes) targets(ctx context.Context, p *Policy) (targets []Target, missing []error, err error) {
	f := volumeFinder{region: v.region, policy: p, taken: make(map[string]bool)}
	if f.left, err = v.region.excluded(ctx, &p.Targets.Exclude); err != nil {
		return nil, nil, err
	}
	if err := f.instances(ctx); err != nil {
		return nil, nil, err
	}
	if err := f.volumes(ctx); err != nil {
		return nil, nil, err
	}
	return f.targets, f.missing, nil
}

type volumeFinder struct {
	region  *region
	policy  *Policy
	left    map[string]bool // volumes that are left out
	taken   map[string]bool // volumes that are in a target
	targets []Target
	missing []error
}

// excluded reads which volumes are left out.
func (r *region) excluded(ctx context.Context, s *Selector) (map[string]bool, error) {
	left := make(map[string]bool)
	for _, id := range s.IDs {
		left[id] = true
	}
	if len(s.Tags) == 0 {
		return left, nil
	}
	volumes, err := r.describeVolumes(ctx, tagFilters(s.Tags))
	for i := range volumes {
		left[aws.ToString(volumes[i].VolumeId)] = true
	}
	return left, err
}

func (f *volumeFinder) instances(ctx context.Context) error {
	found, err := selected(ctx, &f.policy.Targets.Instances, "instance-id", f.region.describeInstances, instanceOf)
	if err != nil {
		return err
	}
	f.missing = f.region.absent(f.policy.Targets.Instances.IDs, opDescribeInstances, func(id string) bool { return found[id] != nil })
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if t := f.set(found[id]); len(t.Volumes) > 0 {
			f.targets = append(f.targets, t)
		}
	}
	return nil
}

func instanceOf(i *types.Instance) string { return aws.ToString(i.InstanceId) }

// set is the target of an instance: those of its volumes that are not left out, and in no other set.
func (f *volumeFinder) set(i *types.Instance) Target {
	t := Target{Series: Series{Kind: KindInstance, ID: instanceOf(i)}, Region: f.policy.Region, Tags: tagMap(i.Tags)}
	for id, device := range volumesOf(i) {
		boot := device == aws.ToString(i.RootDeviceName)
		switch {
		case boot && (f.policy.Targets.ExcludeBoot || f.left[id] || f.taken[id]):
			t.excludeBoot = true
		case f.left[id] || f.taken[id]:
			t.exclude = append(t.exclude, id)
		default:
			f.taken[id] = true
			t.Volumes = append(t.Volumes, id)
		}
	}
	slices.Sort(t.Volumes)
	slices.Sort(t.exclude)
	if len(t.exclude) > maxExcluded {
		f.missing = append(f.missing, &OpError{
			Op: opCreateSnapshots.name, Region: f.policy.Region, Resource: t.ID,
			Err: fmt.Errorf("%d of its volumes would have to be excluded, and EC2 excludes 40", len(t.exclude)),
		})
		t.Volumes = nil
	}
	return t
}

// volumesOf returns the devices of the volumes that an instance has, by the volumes' IDs.
func volumesOf(i *types.Instance) map[string]string {
	devices := make(map[string]string, len(i.BlockDeviceMappings))
	for k := range i.BlockDeviceMappings {
		if d := &i.BlockDeviceMappings[k]; d.Ebs != nil && d.Ebs.VolumeId != nil {
			devices[*d.Ebs.VolumeId] = aws.ToString(d.DeviceName)
		}
	}
	return devices
}

func (f *volumeFinder) volumes(ctx context.Context) error {
	found, err := selected(ctx, &f.policy.Targets.Volumes, "volume-id", f.region.describeVolumes,
		func(v *types.Volume) string { return aws.ToString(v.VolumeId) })
	if err != nil {
		return err
	}
	f.missing = append(f.missing, f.region.absent(f.policy.Targets.Volumes.IDs, opDescribeVolumes, func(id string) bool { return found[id] != nil })...)
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if f.left[id] || f.taken[id] {
			continue
		}
		f.taken[id] = true
		f.targets = append(f.targets, Target{
			Series: Series{Kind: KindVolume, ID: id}, Region: f.policy.Region, Volumes: []string{id}, Tags: tagMap(found[id].Tags),
		})
	}
	return nil
}
