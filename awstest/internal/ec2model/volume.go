package ec2model

import (
	"iter"
	"net/http"
	"time"

	"github.com/awsha/awsha/awstest"
)

// VolumeState is the state of a volume, by EC2's name.
type VolumeState string

// The states of a volume. One that is attached, or about to be, or not yet
// detached, is in use.
const (
	VolumeCreating  VolumeState = "creating"
	VolumeAvailable VolumeState = "available"
	VolumeInUse     VolumeState = "in-use"
	VolumeDeleting  VolumeState = "deleting"
	VolumeError     VolumeState = "error"
)

// Volume is an EBS volume.
type Volume struct {
	ID         string
	Zone       *awstest.Zone
	Type       string
	SizeGiB    int32
	IOPS       int32 // 0 for types that have none
	Throughput int32 // in MiB/s; 0 for types that have none
	Encrypted  bool
	Key        string // ARN; as the request has it if it leads to no key
	CreatedAt  time.Time
	Tags       Tags
	State      VolumeState
	Attachment Attachment

	Content       string    // what has been written to it
	Snapshot      string    // what it was made of; empty if it was empty
	Rate          int32     // of its initialization, in MiB/s; 0 if none was asked for
	InitializedAt time.Time // when all of the snapshot has been fetched

	turn int // counts what happens to it: an end that comes too late ends nothing
}

// Volume returns a volume as of a moment.
func (r *Region) Volume(at time.Time, id string) (Volume, error) {
	if v, ok := r.volumes.Get(at, id); ok {
		return v, nil
	}
	return Volume{}, awstest.Errorf("InvalidVolume.NotFound", "The volume '%s' does not exist.", id)
}

// Volumes yields the volumes as of a moment.
func (r *Region) Volumes(at time.Time) iter.Seq2[string, Volume] { return r.volumes.All(at) }

// SetVolumeTags replaces the tags of a volume.
func (r *Region) SetVolumeTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.volumes, id, func(v *Volume) { v.Tags = tags })
}

// VolumeSpec is what a volume is to be like.
type VolumeSpec struct {
	VolumeShape
	Encrypted bool
	Key       string // ID, alias or ARN; default: the key of the account for EBS
	Tags      Tags
	Snapshot  string // what it is made of
	Rate      int32  // of initialization, in MiB/s
}

// defaultKey is the key of a volume for which none is named.
const defaultKey = "alias/aws/ebs"

// CreateVolume makes a volume in a zone. Whether its key can be used shows when
// it has been created, or not.
func (r *Region) CreateVolume(tx *awstest.Tx, zoneID, zoneName string, spec VolumeSpec, clientToken, request string) (Volume, error) {
	zone, err := r.volumeZone(zoneID, zoneName)
	if err != nil {
		return Volume{}, err
	}
	// That the token is known in the whole region, AWS does not say.
	t := token{operation: "CreateVolume", text: clientToken}
	if ids, known, err := r.recall(t, request); err != nil {
		return Volume{}, err
	} else if known {
		if v, err := r.Volume(tx.Now(), ids[0]); err == nil && v.State != VolumeDeleting {
			return v, nil
		}
		// As accounts answer: https://github.com/crossplane-contrib/provider-aws/issues/1858 (read 2026-11)
		return Volume{}, awstest.Errorf("IdempotentParameterMismatch", "The client token you have provided is associated with a resource that is already deleted. Please use a different client token.")
	}
	spec, err = r.fromSnapshot(tx, spec)
	if err != nil {
		return Volume{}, err
	}
	if err := spec.check(); err != nil {
		return Volume{}, err
	}
	if tx.Down(zone) {
		return Volume{}, noVolumeCapacity()
	}
	v := r.newVolume(tx, zone, spec, VolumeCreating)
	r.remember(t, request, v.ID)
	r.laterVolume(tx, v, r.model.opts.VolumeCreating, func(tx *awstest.Tx, v Volume) {
		if !r.unlocks(tx, v) {
			r.volumes.Delete(tx.Now(), v.ID) // it vanishes without a word
			return
		}
		r.turn(tx, v.ID, func(v *Volume) { v.State = VolumeAvailable })
	})
	return v, nil
}

func (r *Region) volumeZone(id, name string) (*awstest.Zone, error) {
	switch {
	case id == "" && name == "":
		return nil, awstest.Errorf("MissingParameter", "The request must contain the parameter AvailabilityZone")
	case id != "" && name != "":
		return nil, awstest.Errorf("InvalidParameterCombination", "You may specify either an Availability Zone or an Availability Zone ID, but not both")
	}
	if zone := r.findZone(id, name); zone != nil {
		return zone, nil
	}
	return nil, awstest.Errorf("InvalidZone.NotFound", "The zone '%s' does not exist.", id+name)
}

// noVolumeCapacity is what a zone without power or network answers. AWS
// documents no error for that; of those that it lists, this one asks for
// another zone.
func noVolumeCapacity() error {
	return &awstest.APIError{
		Code:    "InsufficientVolumeCapacity",
		Message: "There is not enough capacity to fulfill your EBS volume provision request.",
		Status:  http.StatusInternalServerError,
	}
}

// newVolume makes a volume from a spec that has been checked.
func (r *Region) newVolume(tx *awstest.Tx, zone *awstest.Zone, spec VolumeSpec, state VolumeState) Volume {
	shape := spec.completed()
	v := Volume{
		ID: tx.NewID("vol"), Zone: zone, Type: shape.Type, SizeGiB: shape.SizeGiB, IOPS: shape.IOPS, Throughput: shape.Throughput,
		Encrypted: spec.Encrypted, CreatedAt: tx.Now(), Tags: spec.Tags, State: state, Snapshot: spec.Snapshot, Rate: spec.Rate,
	}
	if v.Encrypted {
		v.Key = r.keyOf(tx, spec.Key)
	}
	if s, err := r.Snapshot(tx.Now(), spec.Snapshot); err == nil {
		v.Content, v.InitializedAt = s.Content, tx.Now().Add(r.initialization(s, spec.Rate))
	}
	r.volumes.Put(tx.Now(), v.ID, v)
	return v
}

// keyOf returns the key that a reference leads to, by ARN; the reference itself if it leads nowhere, and the account's key for EBS if there
// is none.
func (r *Region) keyOf(tx *awstest.Tx, ref string) string {
	if ref == "" {
		ref = defaultKey
	}
	if k, err := r.model.keys.Region(r.region).Key(tx, tx.Now(), ref); err == nil {
		return k.ARN
	}
	return ref
}

// unlocks tells whether the key of a volume, if it has one, can be used now.
func (r *Region) unlocks(tx *awstest.Tx, v Volume) bool {
	return !v.Encrypted || r.model.keys.Region(r.region).Usable(tx, v.Key) == nil
}

// turn changes a volume in a way that puts an end to what was under way.
func (r *Region) turn(tx *awstest.Tx, id string, edit func(*Volume)) Volume {
	return change(tx, r.volumes, id, func(v *Volume) {
		v.turn++
		edit(v)
	})
}

// laterVolume ends a transition of a volume after d, unless something else has
// happened to it by then. A dead zone holds it up, and so does cloud.Stick.
func (r *Region) laterVolume(tx *awstest.Tx, v Volume, d time.Duration, finish func(*awstest.Tx, Volume)) {
	tx.Schedule(tx.Now().Add(d), func(tx *awstest.Tx) { r.whenFree(tx, v, finish) })
}

func (r *Region) whenFree(tx *awstest.Tx, v Volume, finish func(*awstest.Tx, Volume)) {
	tx.WhenFree(v.Zone, v.ID, func(tx *awstest.Tx) {
		if now, ok := r.volumes.Get(tx.Now(), v.ID); ok && now.turn == v.turn {
			finish(tx, now)
		}
	})
}

// DeleteVolume deletes a volume that is not in use.
func (r *Region) DeleteVolume(tx *awstest.Tx, id string) error {
	v, err := r.Volume(tx.Now(), id)
	switch {
	case err != nil:
		return err
	case v.Attachment.Instance != "":
		return awstest.Errorf("VolumeInUse", "Volume %s is currently attached to %s", id, v.Attachment.Instance)
	case v.State != VolumeAvailable && v.State != VolumeError:
		return awstest.Errorf("IncorrectState", "Volume '%s' is in the '%s' state.", id, v.State)
	}
	r.deleteVolume(tx, id)
	return nil
}

func (r *Region) deleteVolume(tx *awstest.Tx, id string) {
	v := r.turn(tx, id, func(v *Volume) { v.State = VolumeDeleting })
	r.laterVolume(tx, v, r.model.opts.VolumeDeleting, func(tx *awstest.Tx, v Volume) { r.volumes.Delete(tx.Now(), v.ID) })
}

// FailVolume makes the hardware of a volume fail: its data are lost, and it
// stays where it is attached. One that is being deleted is past that.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-describing-volumes.html (read 2026-11)
func (r *Region) FailVolume(tx *awstest.Tx, v Volume) {
	if v.State != VolumeDeleting {
		r.Stall(tx, v.ID)
		change(tx, r.volumes, v.ID, func(v *Volume) {
			v.State = VolumeError
			if v.Attachment.Instance == "" {
				v.turn++ // it is not created any more
			}
		})
	}
}
