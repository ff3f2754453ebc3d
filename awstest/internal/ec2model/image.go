package ec2model

import (
	"iter"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// ImageState is the state of an image, by EC2's name.
type ImageState string

// The states of an image.
const (
	ImagePending   ImageState = "pending"
	ImageAvailable ImageState = "available"
	ImageFailed    ImageState = "failed"
	ImageDisabled  ImageState = "disabled"
)

// Image is an image of this account's.
type Image struct {
	ID          string
	Name        string
	Description string
	State       ImageState
	Message     string // why it failed
	CreatedAt   time.Time
	RootDevice  string
	Devices     []ImageDevice
	Instance    string // what it was made of, or
	Source      string // the image that it is a copy of
	SourceIn    string // and the region of that
	DeprecateAt time.Time
	Protection  Protection
	Tags        Tags
}

// ImageDevice is a volume that an instance of an image gets.
type ImageDevice struct {
	Name, Snapshot, Type string
	SizeGiB              int32
	Encrypted, Keep      bool
}

// Snapshots returns what the image consists of.
func (i *Image) Snapshots() []string {
	ids := make([]string, len(i.Devices))
	for k := range i.Devices {
		ids[k] = i.Devices[k].Snapshot
	}
	return ids
}

// Protection is whether an image may be deregistered.
type Protection struct {
	On, Cooldown bool
	Until        time.Time // of the cooldown, once it is off
}

// holds tells whether the image may not be deregistered.
func (p Protection) holds(at time.Time) bool { return p.On || at.Before(p.Until) }

// Image returns an image as of a moment.
func (r *Region) Image(at time.Time, id string) (Image, error) {
	if i, ok := r.images.Get(at, id); ok {
		return i, nil
	}
	return Image{}, awstest.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", id)
}

// ownImage returns an image that is to be changed.
func (r *Region) ownImage(tx *awstest.Tx, id string) (Image, error) {
	if r.deregistered[id] {
		return Image{}, noLonger(id)
	}
	return r.Image(tx.Now(), id)
}

// noLonger is what accounts answer: https://github.com/aeternity/infrastructure/pull/89 (read 2026-11)
func noLonger(id string) error {
	return awstest.Errorf("InvalidAMIID.Unavailable", "The image ID '%s' is no longer available", id)
}

// Images yields the images as of a moment.
func (r *Region) Images(at time.Time) iter.Seq2[string, Image] { return r.images.All(at) }

// SetImageTags replaces the tags of an image.
func (r *Region) SetImageTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.images, id, func(i *Image) { i.Tags = tags })
}

// ImageSpec is what an image is to be like.
type ImageSpec struct {
	Name, Description string
	Reboot            bool
	Without           []string // devices
	Tags              Tags
	SnapshotTags      Tags
}

// CreateImage makes an image of an instance, with snapshots of its volumes at one instant.
func (r *Region) CreateImage(tx *awstest.Tx, instance string, spec ImageSpec) (Image, error) {
	i, err := r.Instance(tx.Now(), instance)
	if err != nil {
		return Image{}, err
	}
	if i.State != Running && i.State != Stopped && i.State != Stopping {
		return Image{}, awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be imaged.", instance)
	}
	if err := r.freeImageName(spec.Name); err != nil {
		return Image{}, err
	}
	volumes, err := r.imaged(tx, i, spec.Without)
	if err != nil {
		return Image{}, err
	}
	specs := make([]SnapshotSpec, len(volumes))
	for n, v := range volumes {
		if err := r.snapshotable(tx, v); err != nil {
			return Image{}, err
		}
		specs[n].Tags = spec.SnapshotTags
	}
	if err := r.roomForPending(len(volumes)); err != nil {
		return Image{}, err
	}
	if spec.Reboot && i.State == Running {
		if err := r.Reboot(tx, []Instance{i}); err != nil {
			return Image{}, err
		}
	}
	image := Image{
		ID: tx.NewID("ami"), Name: spec.Name, Description: spec.Description, State: ImagePending, CreatedAt: tx.Now(), RootDevice: i.RootDevice,
		Instance: i.ID, Tags: spec.Tags,
	}
	for n := range specs {
		specs[n].Description = "Created by CreateImage(" + i.ID + ") for " + image.ID
	}
	for n, s := range r.newSnapshots(tx, volumes, specs) {
		v := volumes[n]
		image.Devices = append(image.Devices, ImageDevice{
			Name: v.Attachment.Device, Snapshot: s.ID, Type: v.Type, SizeGiB: v.SizeGiB, Encrypted: v.Encrypted, Keep: !v.Attachment.DeleteOnTermination,
		})
	}
	r.register(tx, image)
	return image, nil
}

// imaged returns the volumes of an instance that an image is made of. AWS documents that the root volume is among them, and no codes.
func (r *Region) imaged(tx *awstest.Tx, i Instance, without []string) (volumes []Volume, err error) {
	attached := r.AttachedVolumes(tx.Now(), i)
	for _, device := range without {
		switch {
		case device == i.RootDevice:
			return nil, awstest.Errorf("InvalidBlockDeviceMapping", "The root device '%s' cannot be left out.", device)
		case !slices.ContainsFunc(attached, func(v Volume) bool { return v.Attachment.Device == device }):
			return nil, awstest.Errorf("InvalidBlockDeviceMapping", "The instance '%s' has no device '%s'.", i.ID, device)
		}
	}
	for _, v := range attached {
		if !slices.Contains(without, v.Attachment.Device) {
			volumes = append(volumes, v)
		}
	}
	if len(volumes) == 0 {
		return nil, awstest.Errorf("InvalidParameterValue", "The instance '%s' has no volumes.", i.ID)
	}
	return volumes, nil
}

// freeImageName refuses a name that another image has, failed ones included.
func (r *Region) freeImageName(name string) error {
	if id, taken := r.imageNames[name]; taken {
		return awstest.Errorf("InvalidAMIName.Duplicate", "AMI name %s is already in use by AMI %s", name, id)
	}
	return nil
}

// register makes an image that becomes available with its snapshots.
func (r *Region) register(tx *awstest.Tx, i Image) {
	r.images.Put(tx.Now(), i.ID, i)
	r.imageNames[i.Name] = i.ID
	for _, id := range i.Snapshots() {
		r.imageOf[id] = i.ID
	}
}

// CopyImage makes a copy, in this region, of an image of a region.
func (r *Region) CopyImage(tx *awstest.Tx, from *Region, id, clientToken, request string, spec ImageSpec, as CopySpec) (Image, error) {
	t := token{operation: "CopyImage", text: clientToken}
	if ids, known, err := r.recall(t, request); err != nil {
		return Image{}, err
	} else if known {
		return r.ownImage(tx, ids[0])
	}
	source, err := from.ownImage(tx, id)
	switch {
	case err != nil:
		return Image{}, err
	case source.State != ImageAvailable:
		return Image{}, awstest.Errorf("IncorrectState", "The image '%s' is in the '%s' state.", id, source.State)
	case as.Key != "" && !as.Encrypted:
		return Image{}, awstest.Errorf("InvalidParameterDependency", "The parameter [KmsKeyId] requires the parameter Encrypted to be set.")
	case r.imageCopies >= maxImageCopies:
		return Image{}, awstest.Errorf("ResourceLimitExceeded", "Too many AMI copies in progress. The limit is %d for this destination region.", maxImageCopies)
	}
	if err := r.freeImageName(spec.Name); err != nil {
		return Image{}, err
	}
	if err := r.roomForSnapshots(len(source.Devices)); err != nil {
		return Image{}, err
	}
	image := Image{
		ID: tx.NewID("ami"), Name: spec.Name, Description: spec.Description, State: ImagePending, CreatedAt: tx.Now(), RootDevice: source.RootDevice,
		Source: source.ID, SourceIn: from.region.Name(), Tags: spec.Tags,
	}
	as.Tags, as.Description = spec.SnapshotTags, "Copied for DestinationAmi "+image.ID+" from SourceAmi "+source.ID
	for _, d := range source.Devices {
		s, err := from.Snapshot(tx.Now(), d.Snapshot)
		if err != nil {
			return Image{}, err // an image holds its snapshots: it cannot be
		}
		d.Snapshot = r.beginCopy(tx, from, s, as, true)
		d.Encrypted = d.Encrypted || as.Encrypted
		image.Devices = append(image.Devices, d)
	}
	r.imageCopies++
	r.register(tx, image)
	r.remember(t, request, image.ID)
	return image, nil
}

// maxImageCopies is how many images may be copied to a region at a time.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/CopyingAMIs.html (read 2026-11)
const maxImageCopies = 100

// settle takes in that a snapshot has ended: the image that it belongs to is available when all of its snapshots are completed, and has failed if
// any has.
func (r *Region) settle(tx *awstest.Tx, snapshot string) {
	image, err := r.Image(tx.Now(), r.imageOf[snapshot])
	if err != nil || image.State != ImagePending {
		return
	}
	state, message := ImageAvailable, ""
	for _, id := range image.Snapshots() {
		s, err := r.Snapshot(tx.Now(), id)
		switch {
		case err == nil && s.State == SnapshotPending:
			return
		case err != nil || s.State == SnapshotError:
			state, message = ImageFailed, s.Message
		}
	}
	if image.Source != "" {
		r.imageCopies--
	}
	change(tx, r.images, image.ID, func(i *Image) { i.State, i.Message = state, message })
}

// imageWith returns the image that a snapshot belongs to; empty if it belongs to none.
func (r *Region) imageWith(tx *awstest.Tx, snapshot string) string {
	if image, err := r.Image(tx.Now(), r.imageOf[snapshot]); err == nil {
		return image.ID
	}
	return ""
}

// Deregistered is what became of a snapshot of an image, by EC2's names.
type Deregistered struct{ Snapshot, Result string }

// Deregister takes an image away, and its snapshots if that is asked for. What was launched of it stays.
func (r *Region) Deregister(tx *awstest.Tx, id string, withSnapshots bool) (results []Deregistered, err error) {
	image, err := r.ownImage(tx, id)
	if err != nil {
		return nil, err
	}
	if image.Protection.holds(tx.Now()) { // AWS documents no code
		return nil, notPermitted(id, "is protected from being deregistered")
	}
	if image.State == ImagePending && image.Source != "" {
		r.imageCopies--
	}
	r.images.Delete(tx.Now(), id)
	delete(r.imageNames, image.Name)
	r.deregistered[id] = true
	for _, snapshot := range image.Snapshots() {
		delete(r.imageOf, snapshot)
		if !withSnapshots {
			continue
		}
		result := "success"
		if r.DeleteSnapshot(tx, snapshot) != nil {
			result = "client-error"
		}
		results = append(results, Deregistered{snapshot, result})
	}
	return results, nil
}

// Disable makes an available image one that cannot be launched, and Enable a disabled one one that can.
func (r *Region) Disable(tx *awstest.Tx, id string) error {
	return r.turnImage(tx, id, ImageAvailable, ImageDisabled)
}

// Enable makes a disabled image available.
func (r *Region) Enable(tx *awstest.Tx, id string) error {
	return r.turnImage(tx, id, ImageDisabled, ImageAvailable)
}

// turnImage changes the state of an image. One that has it already is no mistake, and for others AWS documents no code.
func (r *Region) turnImage(tx *awstest.Tx, id string, from, to ImageState) error {
	image, err := r.ownImage(tx, id)
	switch {
	case err != nil:
		return err
	case image.State == to:
		return nil
	case image.State != from:
		return awstest.Errorf("IncorrectState", "The image '%s' is in the '%s' state.", id, image.State)
	}
	change(tx, r.images, id, func(i *Image) { i.State = to })
	return nil
}

// Deprecate says when an image is deprecated; a zero time is never.
func (r *Region) Deprecate(tx *awstest.Tx, id string, at time.Time) error {
	if _, err := r.ownImage(tx, id); err != nil {
		return err
	}
	change(tx, r.images, id, func(i *Image) { i.DeprecateAt = at })
	return nil
}

// protectionCooldown is how long an image stays protected after its protection has been switched off.
// Source: DisableImageDeregistrationProtection of the SDK (read 2026-11)
const protectionCooldown = 24 * time.Hour

// Protect keeps an image from being deregistered, or lets it be, after the cooldown if there is one.
func (r *Region) Protect(tx *awstest.Tx, id string, on, cooldown bool) (Protection, error) {
	image, err := r.ownImage(tx, id)
	if err != nil {
		return Protection{}, err
	}
	p := Protection{On: on, Cooldown: cooldown}
	if !on && image.Protection.On && image.Protection.Cooldown {
		p.Until = tx.Now().Add(protectionCooldown)
	}
	change(tx, r.images, id, func(i *Image) { i.Protection = p })
	return p, nil
}

// launchable returns the image of a launch, or nothing for one that is not of this account: those are not modelled, and may be anything.
func (r *Region) launchable(tx *awstest.Tx, id string) (*Image, error) {
	if r.deregistered[id] {
		return nil, noLonger(id)
	}
	image, ok := r.images.Get(tx.Now(), id)
	switch {
	case !ok:
		return nil, nil
	case image.State != ImageAvailable:
		return nil, awstest.Errorf("InvalidAMIID.Unavailable", "The image ID '%s' is not available: it is %s.", id, image.State)
	}
	return &image, nil
}
