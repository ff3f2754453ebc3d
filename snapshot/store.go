package snapshot

import (
	"context"
	"errors"
)

// store is where AWS keeps the points of some kinds of targets, in one region: as snapshots of EBS, as images, or as snapshots of RDS. What is
// decided about them, and in which order, is the same for all.
type store interface {
	// targets returns what a policy selects, in the order of IDs, and an error for each that is named and not there.
	targets(ctx context.Context, p *Policy) (targets []Target, missing []error, err error)

	// points returns the points of a policy that have all of the tags, which are pairs of key and value.
	points(ctx context.Context, policy string, tags ...string) ([]*Point, error)
	// readings returns how to read points again, in as few calls as there can be.
	readings(points []*Point) []reading
	// holds reads what keeps points from being deleted that would be.
	holds(ctx context.Context, points []*Point, hold func(id string, h Hold)) error

	// creates, copies and deletes return by which operation create, copy and delete call AWS, once.
	creates(k Kind) operation
	create(ctx context.Context, t *Target, id *identity, tags map[string]string) ([]*Point, error)
	copies() (operation, *slots)
	copy(ctx context.Context, source *Point, rule *CopyRule, id *identity, tags map[string]string) (*Point, error)
	deletes(id string) operation
	delete(ctx context.Context, id string) error
}

// reading is a read of points that are waited for.
type reading struct {
	want []*Point
	read func(context.Context) ([]*Point, error)
}

// store returns where the points of a kind are.
func (r *region) store(k Kind) store {
	switch k {
	case KindImage:
		return &r.images
	case KindDatabase:
		return &r.databases
	case KindCluster:
		return &r.clusters
	}
	return &r.volumes
}

// stores returns where the points of a policy are.
func (r *region) stores(p *Policy) (list []store, err error) {
	t := &p.Targets
	if (!t.Volumes.IsZero() || !t.Instances.IsZero() || !t.Images.IsZero()) && r.clients.EC2 == nil {
		return nil, &OpError{Op: "Clients", Region: r.name, Err: errors.New("EC2 is not set, and the policy has volumes, instances or images")}
	}
	if !t.Volumes.IsZero() || !t.Instances.IsZero() {
		list = append(list, &r.volumes)
	}
	if !t.Images.IsZero() {
		list = append(list, &r.images)
	}
	if !t.Databases.IsZero() {
		list = append(list, &r.databases)
	}
	if !t.Clusters.IsZero() {
		list = append(list, &r.clusters)
	}
	if (!t.Databases.IsZero() || !t.Clusters.IsZero()) && r.clients.RDS == nil {
		return nil, &OpError{Op: "Clients", Region: r.name, Err: errors.New("RDS is not set, and the policy has databases or clusters")}
	}
	return list, nil
}

// points returns what there is of a policy in a region, and has all of the tags, which are pairs of key and value.
func (r *region) points(ctx context.Context, p *Policy, tags ...string) (points []*Point, err error) {
	stores, err := r.stores(p)
	if err != nil {
		return nil, err
	}
	for _, s := range stores {
		some, err := s.points(ctx, p.Name, tags...)
		if err != nil {
			return nil, err
		}
		points = append(points, some...)
	}
	return points, nil
}
