package snapshot

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

var (
	opCreateVolume         = operation{name: "CreateVolume", pace: paceCreate, repeat: true} // it has a token
	opDescribeVolumeStatus = operation{name: "DescribeVolumeStatus", pace: paceRead, repeat: true}
)

// RestoreRequest says what to restore, and how.
type RestoreRequest struct {
	// Policy is what has taken the snapshots, and Series what of.
	Policy *Policy
	Series Series
	// Region is where to restore: the policy's own, or one where it has copies. Default the policy's own.
	Region string
	// Zone is the Availability Zone, by name or ID.
	Zone string
	// At asks for the newest point whose data are not younger. Zero is the newest of all.
	At time.Time
	// MaxAge is how much of the data may be lost at most: if the newest are older, nothing is made, and the error is ErrTooOld. What an earlier
	// call with the same Token has begun is ended. Zero is any.
	MaxAge time.Duration
	// Volumes are those to restore of an instance, by the IDs that they had. None is all.
	Volumes []string

	// KMSKeyID encrypts the volumes with that key of the region. Empty is that of the snapshot.
	KMSKeyID string
	// Type, IOPS and Throughput (in MiB/s) are those of the volumes. Zero is AWS's default, and not what the volume had: snapshots do not know.
	Type       string
	IOPS       int32
	Throughput int32
	// SizeGiB makes the volumes larger than they were. Zero is as they were.
	SizeGiB int32
	// InitializationRate is at how many MiB/s the data are fetched from the snapshot, 100 to 300, which costs by the GiB. Zero is when they are needed, as slowly as that
	// is. Source: https://docs.aws.amazon.com/ebs/latest/userguide/initalize-volume.html (read 2026-11)
	InitializationRate int32
	// Initialized has Restore wait until all data have been fetched.
	Initialized bool

	// Tags are given to the volumes.
	Tags map[string]string

	// Token makes Restore repeatable: with the same one, after a crash too, the same volumes are returned and none made twice. If there is a newer
	// point meanwhile, that holds once reads show the volumes that were made, which AWS may take up to Options.ReadLag for: name At to be sure earlier. It
	// costs a read more. Default a new one.
	Token string

	again bool // the token may have been used before
}

// Restored is what Restore has made.
type Restored struct {
	Volumes []RestoredVolume
	Time    time.Time     // whose data they have
	Age     time.Duration // of the data, when Restore was called: what has been lost
}

// RestoredVolume is a volume made of a snapshot.
type RestoredVolume struct {
	ID     string
	Point  *Point // what it was made of
	Region string
}

// Restore makes volumes of a completed point, in any zone of a region that has it, and waits until they are available.
//
// It takes the read of Points, a CreateVolume for each volume, and a read for all of them from time to time, as for Wait. AWS looks at keys
// after it has answered: a volume whose key cannot be used vanishes, which is an [ErrFailed] here. If any volume fails, those that were made stay: Restored has
// them, and the same Token makes the rest.
//
// Without a completed point the error is [ErrNoPoint], and [ErrTooOld] if its data are older than may be lost.
func (m *Manager) Restore(ctx context.Context, req RestoreRequest) (*Restored, error) {
	if err := req.complete(); err != nil {
		return nil, err
	}
	began := time.Now()
	r := m.region(req.Region)
	set, err := r.newest(ctx, &req)
	if err != nil {
		return nil, err
	}
	restored := &Restored{Time: set[0].Time, Age: began.Sub(set[0].Time)}
	var errs []error
	for _, point := range set {
		id, err := r.createVolume(ctx, &req, point)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		restored.Volumes = append(restored.Volumes, RestoredVolume{ID: id, Point: point, Region: r.name})
	}
	errs = append(errs, r.awaitVolumes(ctx, restored.Volumes, req.Initialized))
	return restored, errors.Join(errs...)
}

func (q *RestoreRequest) complete() error {
	var m mistakes
	m.require(q.Policy != nil, "Policy", nil, "must be set")
	if q.Policy != nil {
		if err := q.Policy.Validate(); err != nil {
			return err
		}
		orDefault(&q.Region, q.Policy.Region)
		of := q.Region == q.Policy.Region || slices.ContainsFunc(q.Policy.Copies, func(c CopyRule) bool { return c.Region == q.Region })
		m.require(of, "Region", q.Region, "must be that of the policy or of one of its copies")
	}
	m.require(q.Series.Kind == KindVolume || q.Series.Kind == KindInstance, "Series.Kind", string(q.Series.Kind), "must be volume or instance")
	m.require(q.Series.ID != "", "Series.ID", nil, "must be set")
	m.require(q.Zone != "", "Zone", nil, "must be set")
	m.require(q.MaxAge >= 0, "MaxAge", q.MaxAge, "must not be negative")
	m.require(q.InitializationRate == 0 || q.InitializationRate >= 100 && q.InitializationRate <= 300, "InitializationRate", q.InitializationRate,
		"must be 100 to 300 MiB/s")
	for key := range q.Tags {
		m.require(!reserved(key), join("Tags", key), nil, `must not begin with "aws:", "rds:" or "awsha:"`)
	}
	q.Volumes = slices.Compact(slices.Sorted(slices.Values(q.Volumes)))
	q.again = q.Token != ""
	orDefault(&q.Token, rand.Text())
	return m.err()
}

// newest returns the newest completed point of a series that is asked for.
func (r *region) newest(ctx context.Context, req *RestoreRequest) ([]*Point, error) {
	points, err := r.store(req.Series.Kind).points(ctx, req.Policy.Name, tagSeries, req.Series.String())
	if err != nil {
		return nil, err
	}
	begun, err := r.begun(ctx, req)
	if err != nil {
		return nil, err
	}
	for _, set := range sets(points) {
		if !completed(set) || !req.At.IsZero() && set[0].Time.After(req.At) {
			continue
		}
		if len(begun) > 0 && !slices.ContainsFunc(set, func(p *Point) bool { return begun[p.ID] }) {
			continue
		}
		if len(req.Volumes) > 0 {
			set = slices.DeleteFunc(set, func(p *Point) bool { return !slices.Contains(req.Volumes, p.VolumeID) })
			if len(set) < len(req.Volumes) {
				continue // it was taken without one of them
			}
		}
		if age := time.Since(set[0].Time); req.MaxAge > 0 && age > req.MaxAge && len(begun) == 0 {
			return nil, &OpError{
				Op: opDescribeSnapshots.name, Region: r.name, Resource: req.Series.String(), Kind: ErrTooOld,
				Err: failure(fmt.Sprintf("the newest data are of %s ago, and %s may be lost", age.Round(time.Second), req.MaxAge)),
			}
		}
		slices.SortFunc(set, func(a, b *Point) int { return cmp.Compare(a.VolumeID, b.VolumeID) })
		return set, nil
	}
	none := &OpError{Op: opDescribeSnapshots.name, Region: r.name, Resource: req.Series.String(), Kind: ErrNoPoint}
	if len(begun) > 0 {
		none.Err = failure("volumes were made of " + strings.Join(slices.Sorted(maps.Keys(begun)), ", ") + " under this token, and there is no such point any more")
	}
	return nil, none
}

// begun returns the snapshots of which this request has made volumes before.
func (r *region) begun(ctx context.Context, req *RestoreRequest) (map[string]bool, error) {
	if !req.again {
		return nil, nil
	}
	volumes, err := r.describeVolumes(ctx, r.madeFor(req.Token))
	ids := make(map[string]bool, len(volumes))
	for i := range volumes {
		ids[aws.ToString(volumes[i].SnapshotId)] = true
	}
	return ids, err
}

// madeFor finds the volumes of a request.
func (r *region) madeFor(text string) []types.Filter {
	return []types.Filter{tagFilter(tagOwner, r.manager.opts.Owner), tagFilter(tagRestore, token(text))}
}

// maxTokens is how many tokens are tried: one whose volume has vanished is burned.
const maxTokens = 4

// createVolume makes a volume of a snapshot, or returns the one that this request made before.
func (r *region) createVolume(ctx context.Context, req *RestoreRequest, point *Point) (id string, err error) {
	tags := maps.Clone(req.Tags)
	if tags == nil {
		tags = make(map[string]string)
	}
	tags[tagOwner], tags[tagRestore] = r.manager.opts.Owner, token(req.Token)
	for n := range maxTokens {
		in := req.input(point, tags)
		in.ClientToken = aws.String(token(req.Token, point.ID, strconv.Itoa(n)))
		err = r.do(ctx, opCreateVolume, point.ID, func(ctx context.Context) error {
			out, err := r.clients.EC2.CreateVolume(ctx, in, once)
			if err == nil {
				id = aws.ToString(out.VolumeId)
			}
			return err
		})
		switch {
		case err == nil:
			return id, nil
		case errors.Is(err, ErrQuota): // the limit is looked at before the token
			if found := r.restored(ctx, req.Token, point.ID); found != "" {
				return found, nil
			}
			return "", err
		case awserr.Of(err) != awserr.Burned:
			return "", err
		}
	}
	return "", err
}

func (q *RestoreRequest) input(point *Point, tags map[string]string) *ec2.CreateVolumeInput {
	in := &ec2.CreateVolumeInput{
		SnapshotId: &point.ID, VolumeType: types.VolumeType(q.Type),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVolume, Tags: tagList(tags)}},
	}
	if zoneID.MatchString(q.Zone) {
		in.AvailabilityZoneId = &q.Zone
	} else {
		in.AvailabilityZone = &q.Zone
	}
	in.Size, in.Iops, in.Throughput, in.VolumeInitializationRate = ifSet(q.SizeGiB), ifSet(q.IOPS), ifSet(q.Throughput), ifSet(q.InitializationRate)
	if q.KMSKeyID != "" {
		in.Encrypted, in.KmsKeyId = aws.Bool(true), &q.KMSKeyID
	}
	return in
}

func ifSet(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}

// restored returns the volume that a request made of a snapshot before; empty if there is none.
func (r *region) restored(ctx context.Context, text, snapshot string) string {
	volumes, err := r.describeVolumes(ctx, append(r.madeFor(text), types.Filter{Name: aws.String("snapshot-id"), Values: []string{snapshot}}))
	if err != nil || len(volumes) == 0 {
		return ""
	}
	return aws.ToString(volumes[0].VolumeId)
}

// token derives a client token: 64 characters at most, the same for the same parts.
func token(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%q", part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// volumePolling is how often new volumes are looked at: they need seconds to be available, and minutes to hours to be initialized.
func volumePolling(o *Options) retry.Policy {
	return retry.Policy{First: 300 * time.Millisecond, Max: o.MaxPollInterval, Growth: 1.1, Jitter: 0.2}
}

// awaitVolumes waits until volumes are available, and initialized.
func (r *region) awaitVolumes(ctx context.Context, volumes []RestoredVolume, initialized bool) error {
	w := volumeWait{region: r, left: make(map[string]time.Time), seen: make(map[string]bool)}
	for i := range volumes {
		w.left[volumes[i].ID] = time.Now()
	}
	const forever = 1 << 62
	poll := func(look func(context.Context)) {
		retry.Poll(ctx, forever, volumePolling(&r.manager.opts), func(ctx context.Context) bool {
			look(ctx)
			return len(w.left) == 0
		})
	}
	if poll(w.available); initialized {
		for i := range volumes {
			if !w.failed[volumes[i].ID] {
				w.left[volumes[i].ID] = time.Now()
			}
		}
		poll(w.initialized)
	}
	for id := range w.left {
		w.fail(id, opError(opDescribeVolumes.name, r.name, id, context.Cause(ctx)))
	}
	return errors.Join(w.errs...)
}

type volumeWait struct {
	region *region
	left   map[string]time.Time // since when it has not been seen
	seen   map[string]bool
	failed map[string]bool
	errs   []error
}

func (w *volumeWait) fail(id string, err error) {
	if w.failed == nil {
		w.failed = make(map[string]bool)
	}
	w.failed[id] = true
	delete(w.left, id)
	w.errs = append(w.errs, err)
}

// available looks at the states of volumes.
func (w *volumeWait) available(ctx context.Context) {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(w.left)), maxFilterValues) {
		volumes, err := w.region.describeVolumes(ctx, []types.Filter{{Name: aws.String("volume-id"), Values: ids}})
		if w.refused(ctx, ids, err) || err != nil {
			continue // it is looked again
		}
		found := make(map[string]types.VolumeState, len(volumes))
		for i := range volumes {
			found[aws.ToString(volumes[i].VolumeId)] = volumes[i].State
		}
		for _, id := range ids {
			w.take(id, found[id])
		}
	}
}

// refused ends the wait for volumes if a read of them was refused for good. In an outage it is waited on.
func (w *volumeWait) refused(ctx context.Context, ids []string, err error) bool {
	if err == nil || ctx.Err() != nil || outage(err) {
		return false
	}
	for _, id := range ids {
		w.fail(id, err)
	}
	return true
}

// outage tells an error of a read that may be over some time.
func outage(err error) bool {
	switch awserr.Of(err) {
	case awserr.Throttle, awserr.Transient, awserr.Unsent:
		return true
	}
	return false
}

func (w *volumeWait) take(id string, state types.VolumeState) {
	switch state {
	case types.VolumeStateAvailable, types.VolumeStateInUse:
		delete(w.left, id)
	case types.VolumeStateCreating:
		w.seen[id], w.left[id] = true, time.Now()
	case "":
		// One that was shown and is not any more is gone; one that was never shown may be behind.
		limit := w.region.manager.opts.ReadLag
		if w.seen[id] {
			limit /= 10
		}
		if time.Since(w.left[id]) >= limit {
			w.fail(id, &OpError{Op: opCreateVolume.name, Region: w.region.name, Resource: id, Kind: ErrFailed, Err: errVanished})
		}
	default:
		w.fail(id, &OpError{Op: opCreateVolume.name, Region: w.region.name, Resource: id, Kind: ErrFailed, Err: failure("its state is " + state)})
	}
}

// errVanished is best evidence.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html, KmsKeyId (read 2026-11)
const errVanished = failure("the volume has vanished: AWS deletes volumes whose key it cannot use")

// vanished looks which of volumes that were available have gone.
func (w *volumeWait) vanished(ctx context.Context, ids []string) {
	volumes, err := w.region.describeVolumes(ctx, []types.Filter{{Name: aws.String("volume-id"), Values: ids}})
	if err != nil {
		w.refused(ctx, ids, err)
		return
	}
	there := make(map[string]bool, len(volumes))
	for i := range volumes {
		there[aws.ToString(volumes[i].VolumeId)] = true
	}
	for _, id := range ids {
		if !there[id] {
			w.fail(id, &OpError{Op: opDescribeVolumes.name, Region: w.region.name, Resource: id, Kind: ErrFailed, Err: failure("the volume has been deleted")})
		}
	}
}

// initialized looks how far the data are.
func (w *volumeWait) initialized(ctx context.Context) {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(w.left)), maxFilterValues) {
		var out *ec2.DescribeVolumeStatusOutput
		if err := w.region.do(ctx, opDescribeVolumeStatus, "", func(ctx context.Context) (err error) {
			out, err = w.region.clients.EC2.DescribeVolumeStatus(ctx, &ec2.DescribeVolumeStatusInput{
				VolumeIds: ids,
			}, once)
			return err
		}); err != nil {
			if errors.Is(err, ErrNotFound) { // one has vanished, and AWS tells of none then
				w.vanished(ctx, ids)
			} else {
				w.refused(ctx, ids, err)
			}
			continue
		}
		for i := range out.VolumeStatuses {
			s := &out.VolumeStatuses[i]
			if d := s.InitializationStatusDetails; d != nil && aws.ToInt64(d.Progress) >= 100 {
				delete(w.left, aws.ToString(s.VolumeId))
			}
		}
	}
}
