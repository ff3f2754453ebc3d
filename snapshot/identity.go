package snapshot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The tags by which a snapshot says what it is. They are sent with the call that makes it, so that none is ever without them.
const (
	tagPrefix = "awsha:"

	tagOwner  = tagPrefix + "owner"    // Options.Owner: whose it is
	tagPolicy = tagPrefix + "policy"   // the name of its policy
	tagSeries = tagPrefix + "series"   // what it is a backup of, such as "instance/i-0123456789abcdef0"
	tagSlot   = tagPrefix + "slot"     // for which time of the schedule, as in 2026-11-23T03:00:00Z
	tagSet    = tagPrefix + "set"      // what was made by one call
	tagSource = tagPrefix + "src"      // of a copy: the region and the ID of what it was made of, with a slash between
	tagTime   = tagPrefix + "src-time" // of a copy: when its data was taken
	tagOf     = tagPrefix + "of"       // how many snapshots the set has; of an original, if there are several
	tagVolume = tagPrefix + "volume"   // of a copy: the volume, which a copy does not say itself

	tagRestore  = tagPrefix + "restore"       // of what was restored: for which request
	tagRestored = tagPrefix + "restored-from" // of a database: the point. Not that of a copy, since snapshots of it may inherit it
	tagAsOf     = tagPrefix + "restored-time" // of a database: when its data was taken
)

// Series is what a snapshot is a backup of. Snapshots of one series are held against each other by a retention.
type Series struct {
	Kind Kind
	ID   string // of the volume, the instance, the database or the cluster
}

// Kind is a kind of target.
type Kind string

// The kinds of targets.
const (
	// KindVolume is an EBS volume, of which a snapshot is taken.
	KindVolume Kind = "volume"
	// KindInstance is an EC2 instance: snapshots of all its volumes are taken at one instant.
	KindInstance Kind = "instance"
	// KindImage is an EC2 instance of which an image is made.
	KindImage Kind = "image"
	// KindDatabase is a DB instance of RDS.
	KindDatabase Kind = "database"
	// KindCluster is a DB cluster of RDS.
	KindCluster Kind = "cluster"
)

var kinds = [...]Kind{KindVolume, KindInstance, KindImage, KindDatabase, KindCluster}

// String returns the series as it stands in the tag: "volume/vol-0123456789abcdef0".
func (s Series) String() string { return string(s.Kind) + "/" + s.ID }

// ParseSeries reads what String returns.
func ParseSeries(text string) (Series, error) {
	kind, id, ok := strings.Cut(text, "/")
	if !ok || id == "" || !slices.Contains(kinds[:], Kind(kind)) {
		return Series{}, fmt.Errorf("snapshot: %q is no series: want one such as volume/vol-0123456789abcdef0", text)
	}
	return Series{Kind: Kind(kind), ID: id}, nil
}

// MarshalText writes the series as String does, also as the key of a map in JSON.
func (s Series) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Series) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSeries(string(text))
	return err
}

// Ref names a snapshot, an image, or a snapshot of a database or cluster.
type Ref struct {
	Region string `json:"region"`
	ID     string `json:"id"`   // such as snap-0123456789abcdef0; of RDS, the identifier
	Kind   Kind   `json:"kind"` // of what it is a backup
}

func (r Ref) String() string { return r.Region + "/" + r.ID }

// Point is a snapshot of a policy, an image, or one of a database, as it was read.
type Point struct {
	Ref

	Policy string    `json:"policy,omitzero"` // its name
	Series Series    `json:"series,omitzero"`
	Slot   time.Time `json:"slot,omitzero"`   // of the schedule; in UTC
	Set    string    `json:"set,omitzero"`    // what was made by one call has the same
	Time   time.Time `json:"time,omitzero"`   // whose data it has; of a copy, that of its source
	Begun  time.Time `json:"begun,omitzero"`  // when AWS began to make it; of a copy, when the copy began
	Source Ref       `json:"source,omitzero"` // of a copy: what it was made of

	// Members is how many snapshots the set has, if all are there and have been copied; zero if it is not of a set and no copy.
	Members int `json:"members,omitzero"`

	State    State  `json:"state"`
	Message  string `json:"message,omitzero"`  // why it failed, as AWS says
	Progress string `json:"progress,omitzero"` // such as "42%"; empty where AWS does not tell

	VolumeID  string            `json:"volume,omitzero"`    // of a snapshot of EBS: what it was taken of
	SizeGiB   int64             `json:"size_gib,omitzero"`  // of the volume or the database
	KMSKeyID  string            `json:"kms_key,omitzero"`   // empty if it is not encrypted
	Snapshots []string          `json:"snapshots,omitzero"` // of an image: what it consists of
	Tags      map[string]string `json:"tags,omitzero"`

	Deprecated time.Time `json:"deprecated,omitzero"` // when an image is deprecated; zero if it is not to be

	archived  bool   // in the archive tier of EBS
	protected string // how an image is protected from being deregistered
	arn       string // of RDS
	engine    string // of a cluster
}

// identity is what the tags of a snapshot say.
type identity struct {
	policy  string
	series  Series
	slot    time.Time
	set     string
	source  Ref
	time    time.Time
	members int
	volume  string

	failed int    // how many have failed before, whose names are taken
	token  string // of the calls that make it; not derived, since what it had made may be gone
}

const slotFormat = time.RFC3339

// point begins a point with what its tags say.
func (i *identity) point(region, id string) *Point {
	return &Point{
		Ref: Ref{Region: region, ID: id, Kind: i.series.Kind}, Policy: i.policy, Series: i.series, Slot: i.slot, Set: i.set, Members: i.members,
		Source: i.source, Time: i.time, VolumeID: i.volume,
	}
}

// description is for people.
func (i *identity) description() string {
	text := "awsha " + i.policy + " " + i.slot.Format(slotFormat)
	if i.source.ID != "" {
		text += " of " + i.source.String()
	}
	return text
}

// name is that of what is kept by name, the same for the same purpose, so that it is made once. It has lower-case letters, digits and single
// hyphens, and at most 160 characters, or 116 for an image: AWS takes 255 for RDS, and 128 for images.
// Source: CreateDBSnapshotInput.DBSnapshotIdentifier and CreateImageInput.Name of the SDK (read 2026-11)
func (i *identity) name(owner string) string {
	digest := token(owner, i.policy, i.series.String(), i.slot.Format(slotFormat), i.source.String(), strconv.Itoa(i.failed))
	return i.stem() + digest[:8]
}

// stem is the name without what it ends with.
func (i *identity) stem() string {
	words := strings.FieldsFunc(i.policy, func(r rune) bool { return r == '-' })
	return strings.Join(append([]string{"awsha"}, append(words, i.series.ID, strings.ToLower(i.slot.Format("20060102T150405Z")))...), "-") + "-"
}

// named tells a name that this package has given. What somebody has copied under another name has the tags too, and is theirs.
func (i *identity) named(name string) bool { return strings.HasPrefix(name, i.stem()) }

// tags returns the identity as tags, beside those of owner.
func (i *identity) tags(owner string) map[string]string {
	tags := map[string]string{
		tagOwner: owner, tagPolicy: i.policy, tagSeries: i.series.String(), tagSlot: i.slot.UTC().Format(slotFormat), tagSet: i.set,
	}
	if i.source.ID != "" {
		tags[tagSource] = i.source.String()
		tags[tagTime] = i.time.UTC().Format(time.RFC3339Nano)
		tags[tagVolume] = i.volume
	}
	if i.source.ID != "" || i.members > 1 {
		tags[tagOf] = strconv.Itoa(i.members)
	}
	return tags
}

// identify reads the tags of a snapshot of this owner; ok is false for what is not, or not readably, one of its own.
func identify(tags map[string]string, owner string) (i identity, ok bool) {
	if tags[tagOwner] != owner || tags[tagPolicy] == "" {
		return i, false
	}
	var err error
	i.policy, i.set = tags[tagPolicy], tags[tagSet]
	if i.series, err = ParseSeries(tags[tagSeries]); err != nil {
		return i, false
	}
	if i.slot, err = time.Parse(slotFormat, tags[tagSlot]); err != nil {
		return i, false
	}
	i.slot = i.slot.UTC()
	of, counted := tags[tagOf]
	if counted {
		if i.members, err = strconv.Atoi(of); err != nil || i.members < 1 {
			return i, false
		}
	}
	source, isCopy := tags[tagSource]
	if !isCopy {
		return i, true
	}
	region, id, found := strings.Cut(source, "/")
	i.source = Ref{Region: region, ID: id, Kind: i.series.Kind}
	if i.time, err = time.Parse(time.RFC3339Nano, tags[tagTime]); err != nil {
		return i, false
	}
	i.volume = tags[tagVolume]
	return i, found && id != "" && counted
}
