package s3model

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Version is a version of an object, or a delete marker.
type Version struct {
	Key, ID  string
	Modified time.Time // in whole seconds, as HTTP has it
	Object   *Object   // nil of a delete marker
	Tags     []Tag     // replaced, never changed

	seq     uint64 // the order of creation, in all buckets
	replica bool
	copies  []*replication
}

// IsMarker tells whether the version is a delete marker.
func (v *Version) IsMarker() bool { return v.Object == nil }

// stack is the versions of a key, the current one first. It is never empty
// where a bucket keeps it.
type stack struct{ versions []*Version }

func (s *stack) index(id string) int {
	return slices.IndexFunc(s.versions, func(v *Version) bool { return v.ID == id })
}

// insert puts a version in the place that its creation gives it: a replica may
// come after younger versions.
func (s *stack) insert(v *Version) {
	i := slices.IndexFunc(s.versions, func(w *Version) bool { return w.seq < v.seq })
	if i < 0 {
		i = len(s.versions)
	}
	s.versions = slices.Insert(s.versions, i, v)
}

func (s *stack) remove(id string) *Version {
	i := s.index(id)
	if i < 0 {
		return nil
	}
	v := s.versions[i]
	s.versions = slices.Delete(s.versions, i, i+1)
	return v
}

// edit changes the versions of a key, and keeps the indices of the bucket.
func (b *Bucket) edit(key string, fn func(*stack)) {
	s, ok := b.keys.Get(key)
	if !ok {
		s = &stack{}
		b.keys.Put(key, s)
	}
	fn(s)
	if len(s.versions) == 0 {
		b.keys.Delete(key)
		b.current.Delete(key)
		return
	}
	if v := s.versions[0]; v.IsMarker() {
		b.current.Delete(key)
	} else {
		b.current.Put(key, v)
	}
}

// add makes a version the current one, with an ID as the versioning of the
// bucket asks for: without it, it takes the place of the one without ID.
func (b *Bucket) add(tx *awstest.Tx, v *Version) *Version {
	b.model.seq++
	v.seq = b.model.seq
	if v.Modified.IsZero() {
		v.Modified = tx.Now().UTC().Truncate(time.Second)
	}
	b.edit(v.Key, func(s *stack) {
		v.ID = versionID(v.seq)
		if b.Settings(tx.Now()).Versioning != Enabled {
			v.ID = Null
			s.remove(Null)
		}
		s.insert(v)
	})
	b.replicate(tx, v)
	return v
}

// Put makes an object the current version of a key. Conditions are checked
// before, by [Bucket.Check].
func (b *Bucket) Put(tx *awstest.Tx, key string, o *Object, tags []Tag) *Version {
	return b.add(tx, &Version{Key: key, Object: o, Tags: tags})
}

// Version returns a version; an empty ID is the current one. A delete marker
// is returned too, with the error that it means.
func (b *Bucket) Version(key, id string) (*Version, error) {
	s, ok := b.keys.Get(key)
	if id == "" {
		switch {
		case !ok:
			return nil, noSuchKey()
		case s.versions[0].IsMarker():
			return s.versions[0], noSuchKey()
		}
		return s.versions[0], nil
	}
	if err := checkVersionID(id); err != nil {
		return nil, err
	}
	if !ok {
		return nil, noSuchVersion()
	}
	i := s.index(id)
	switch {
	case i < 0:
		return nil, noSuchVersion()
	case s.versions[i].IsMarker():
		return s.versions[i], isMarker()
	}
	return s.versions[i], nil
}

// ShownID returns the ID of a version as responses name it: not at all while
// the bucket never had versioning.
func (b *Bucket) ShownID(tx *awstest.Tx, v *Version) string {
	if b.Settings(tx.Now()).Versioning == Unversioned {
		return ""
	}
	return v.ID
}

// Deletion is what a delete has done.
type Deletion struct {
	// VersionID of the delete marker that was made, or of what was deleted
	// for good; empty if the bucket has no versioning and none was named.
	VersionID string
	Marker    bool // a delete marker was made, or deleted
}

// Remove deletes a key, which is no error if it does not exist. Without an ID, a bucket
// that has or had versioning gets a delete marker; with one, that version is
// gone for good.
func (b *Bucket) Remove(tx *awstest.Tx, key, id, ifMatch string) (Deletion, error) {
	if err := b.checkDelete(key, ifMatch); err != nil {
		return Deletion{}, err
	}
	if id != "" {
		if err := checkVersionID(id); err != nil {
			return Deletion{}, err
		}
		var gone *Version
		b.edit(key, func(s *stack) { gone = s.remove(id) })
		return Deletion{VersionID: id, Marker: gone != nil && gone.IsMarker()}, nil
	}
	if b.Settings(tx.Now()).Versioning == Unversioned {
		b.edit(key, func(s *stack) { s.remove(Null) })
		return Deletion{}, nil
	}
	v := b.add(tx, &Version{Key: key})
	return Deletion{VersionID: v.ID, Marker: true}, nil
}
