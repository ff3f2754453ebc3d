package snapshot

import (
	"context"
	"errors"
)

// Target is what a snapshot, a set of them or an image is taken of.
type Target struct {
	Series
	Region  string
	Volumes []string          // of an instance those that are taken, of a volume itself; none of a database
	Tags    map[string]string // of it

	// Which of the instance's volumes the call leaves out: by ID for a set, by device for an image.
	exclude     []string
	excludeBoot bool
	reboot      bool
}

// Targets returns what a policy would take now, in the order of their kinds and IDs, instances first. It takes the reads that find them. The error
// joins an [*OpError] for each target that is named and not there; the others are returned all the same.
func (m *Manager) Targets(ctx context.Context, p *Policy) ([]Target, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	targets, missing, err := m.find(ctx, p)
	return targets, errors.Join(err, errors.Join(missing...))
}

// find returns the targets of a policy, and an error for each that is named and not there.
func (m *Manager) find(ctx context.Context, p *Policy) (targets []Target, missing []error, err error) {
	stores, err := m.region(p.Region).stores(p)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range stores {
		some, absent, err := s.targets(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		targets, missing = append(targets, some...), append(missing, absent...)
	}
	return targets, missing, nil
}

// absent returns an error for each of the IDs that were not found.
func (r *region) absent(ids []string, op operation, found func(id string) bool) (missing []error) {
	for _, id := range ids {
		if !found(id) {
			missing = append(missing, &OpError{Op: op.name, Region: r.name, Resource: id, Kind: ErrNotFound})
		}
	}
	return missing
}
