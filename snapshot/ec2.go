package snapshot

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Limits of EC2. Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html and API_InstanceSpecification.html (read
// 2026-11)
const (
	maxFilterValues = 200
	maxResults      = 1000
	maxExcluded     = 40
)

var (
	opDescribeVolumes   = operation{name: "DescribeVolumes", pace: paceRead, repeat: true}
	opDescribeInstances = operation{name: "DescribeInstances", pace: paceRead, repeat: true}
	opDescribeSnapshots = operation{name: "DescribeSnapshots", pace: paceRead, repeat: true}
	opDescribeImages    = operation{name: "DescribeImages", pace: paceRead, repeat: true}
)

// pages calls read for each page of a list.
func pages(ctx context.Context, r *region, op operation, read func(ctx context.Context, next *string) (*string, error)) error {
	for next := (*string)(nil); ; {
		var after *string
		if err := r.do(ctx, op, "", func(ctx context.Context) (err error) {
			after, err = read(ctx, next)
			return err
		}); err != nil {
			return err
		}
		if next = after; next == nil || *next == "" {
			return nil
		}
	}
}

func (r *region) describeVolumes(ctx context.Context, filters []types.Filter) (volumes []types.Volume, err error) {
	err = pages(ctx, r, opDescribeVolumes, func(ctx context.Context, next *string) (*string, error) {
		out, err := r.clients.EC2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: filters, MaxResults: aws.Int32(maxResults), NextToken: next}, once)
		if err != nil {
			return nil, err
		}
		volumes = append(volumes, out.Volumes...)
		return out.NextToken, nil
	})
	return volumes, err
}

// describeInstances returns the instances that can be taken: those that are there and will be.
func (r *region) describeInstances(ctx context.Context, filters []types.Filter) (instances []types.Instance, err error) {
	filters = append(slices.Clone(filters), types.Filter{
		Name: aws.String("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"},
	})
	err = pages(ctx, r, opDescribeInstances, func(ctx context.Context, next *string) (*string, error) {
		out, err := r.clients.EC2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filters, MaxResults: aws.Int32(maxResults), NextToken: next}, once)
		if err != nil {
			return nil, err
		}
		for i := range out.Reservations {
			instances = append(instances, out.Reservations[i].Instances...)
		}
		return out.NextToken, nil
	})
	return instances, err
}

// describeSnapshots returns this account's snapshots.
func (r *region) describeSnapshots(ctx context.Context, filters []types.Filter) (snapshots []types.Snapshot, err error) {
	err = pages(ctx, r, opDescribeSnapshots, func(ctx context.Context, next *string) (*string, error) {
		out, err := r.clients.EC2.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{
			OwnerIds: []string{"self"}, Filters: filters, MaxResults: aws.Int32(maxResults), NextToken: next,
		}, once)
		if err != nil {
			return nil, err
		}
		snapshots = append(snapshots, out.Snapshots...)
		return out.NextToken, nil
	})
	return snapshots, err
}

// describeImages returns this account's images, disabled and deprecated ones included.
func (r *region) describeImages(ctx context.Context, filters []types.Filter) (images []types.Image, err error) {
	err = pages(ctx, r, opDescribeImages, func(ctx context.Context, next *string) (*string, error) {
		out, err := r.clients.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
			Owners: []string{"self"}, Filters: filters, IncludeDeprecated: aws.Bool(true), IncludeDisabled: aws.Bool(true),
			MaxResults: aws.Int32(maxResults), NextToken: next,
		}, once)
		if err != nil {
			return nil, err
		}
		images = append(images, out.Images...)
		return out.NextToken, nil
	})
	return images, err
}

// selected reads what a selector finds, by ID. IDs are asked for by a filter, since one that does not exist would else fail the call.
func selected[T any](
	ctx context.Context, s *Selector, idFilter string, describe func(context.Context, []types.Filter) ([]T, error), id func(*T) string,
) (map[string]*T, error) {
	var queries [][]types.Filter
	for ids := range slices.Chunk(s.IDs, maxFilterValues) {
		queries = append(queries, []types.Filter{{Name: &idFilter, Values: ids}})
	}
	if len(s.Tags) > 0 {
		queries = append(queries, tagFilters(s.Tags))
	}
	found := make(map[string]*T)
	for _, q := range queries {
		list, err := describe(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range list {
			found[id(&list[i])] = &list[i]
		}
	}
	return found, nil
}

// literal keeps * and ? in the values of filters from standing for other characters.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)

// tagFilters finds what has all of the tags.
func tagFilters(tags map[string]string) []types.Filter {
	filters := make([]types.Filter, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, tagFilter(key, tags[key]))
	}
	return filters
}

func tagFilter(key, value string) types.Filter {
	return types.Filter{Name: aws.String("tag:" + key), Values: []string{literal.Replace(value)}}
}

// ownFilters finds what is of a policy of this owner, and has all of the tags, which are pairs of key and value.
func (r *region) ownFilters(policy string, tags []string) []types.Filter {
	filters := []types.Filter{tagFilter(tagOwner, r.manager.opts.Owner), tagFilter(tagPolicy, policy)}
	for i := 0; i < len(tags); i += 2 {
		filters = append(filters, tagFilter(tags[i], tags[i+1]))
	}
	return filters
}

func tagMap(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for i := range tags {
		m[aws.ToString(tags[i].Key)] = aws.ToString(tags[i].Value)
	}
	return m
}

func tagList(tags map[string]string) []types.Tag {
	list := make([]types.Tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

// specify gives tags to what a call makes.
func specify(tags map[string]string, to ...types.ResourceType) []types.TagSpecification {
	list := make([]types.TagSpecification, len(to))
	for i, t := range to {
		list[i] = types.TagSpecification{ResourceType: t, Tags: tagList(tags)}
	}
	return list
}
