package kmsmodel

import (
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// KeySpec is what a key is made from: a symmetric one, to encrypt and decrypt.
type KeySpec struct {
	Description string
	MultiRegion bool
}

// CreateKey makes a key. It is enabled.
func (r *Region) CreateKey(tx *awstest.Tx, spec KeySpec) Key {
	return r.create(tx, Key{Manager: Customer, Description: spec.Description, MultiRegion: spec.MultiRegion})
}

func (r *Region) create(tx *awstest.Tx, k Key) Key {
	n := tx.NewID("key")
	n = n[len(n)-12:]
	k.ID = "00000000-0000-4000-8000-" + n
	if k.MultiRegion {
		k.ID = "mrk-" + strings.Repeat("0", 20) + n
	}
	k.ARN, k.State, k.connected, k.Created = r.arn("key/"+k.ID), Enabled, Enabled, tx.Now()
	r.keys.Put(tx.Now(), k.ID, k)
	return k
}

// managed makes the key of a predefined alias, and its alias point to it.
func (r *Region) managed(tx *awstest.Tx, name string) Key {
	if a, _ := r.aliases.Get(tx.Now(), name); a.Key != "" {
		k, _ := r.keys.Get(tx.Now(), a.Key) // to a read of the past it has no key yet
		return k
	}
	k := r.create(tx, Key{Manager: AWS, Description: "Default key that protects my " + name[len(reservedPrefix):] + " data when no other key is defined"})
	r.aliases.Put(tx.Now(), name, Alias{Name: name, ARN: r.arn(name), Key: k.ID, Created: tx.Now(), Updated: tx.Now()})
	return k
}

// own returns a key that its owner may change.
func (r *Region) own(tx *awstest.Tx, ref string) (Key, error) {
	k, err := r.KeyByID(tx.Now(), ref)
	if err == nil && k.Manager == AWS {
		err = denied() // its policy lets the account look at it only
	}
	return k, err
}

func denied() error {
	return awstest.Errorf("AccessDeniedException", "You are not authorized to perform this operation on this key.")
}

// SetEnabled enables or disables a key. It may be what it is asked to be. The
// state of a key that is unavailable does not change until it is available.
func (r *Region) SetEnabled(tx *awstest.Tx, ref string, enabled bool) error {
	k, err := r.own(tx, ref)
	switch {
	case err != nil:
		return err
	case k.State == PendingDeletion:
		return k.pending()
	}
	state := Disabled
	if enabled {
		state = Enabled
	}
	r.change(tx, k.ID, func(k *Key) { k.connected = state })
	return nil
}

// The days that a deletion waits.
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html (read 2026-11)
const (
	minWindow     = 7
	maxWindow     = 30
	DefaultWindow = 30
)

// ScheduleDeletion makes a key unusable at once and deletes it after some days,
// with its aliases.
func (r *Region) ScheduleDeletion(tx *awstest.Tx, ref string, days int) (Key, error) {
	k, err := r.own(tx, ref)
	switch {
	case err != nil:
		return k, err
	case days < minWindow || days > maxWindow:
		return k, awstest.Errorf("ValidationException", "1 validation error detected: Value '%d' at 'pendingWindowInDays' failed to satisfy constraint: Member must be between %d and %d", days, minWindow, maxWindow)
	case k.State == PendingDeletion:
		err = k.pending()
		return k, err
	}
	at := tx.Now().Add(time.Duration(days) * 24 * time.Hour)
	r.change(tx, k.ID, func(k *Key) { k.connected, k.Deletion = PendingDeletion, at })
	r.deletion[k.ID] = tx.Schedule(at, func(tx *awstest.Tx) {
		tx.WhenFree(nil, k.ID, func(tx *awstest.Tx) { r.delete(tx, k.ID, at) })
	})
	return r.byID(tx.Now(), k.ID)
}

// delete ends a key whose deletion was scheduled for a time, unless that has
// been cancelled while it was held up.
func (r *Region) delete(tx *awstest.Tx, id string, scheduled time.Time) {
	k, ok := r.keys.Get(tx.Now(), id)
	if !ok || k.State != PendingDeletion || !k.Deletion.Equal(scheduled) {
		return
	}
	for name, a := range r.aliases.All(tx.Now()) {
		if a.Key == id {
			r.aliases.Delete(tx.Now(), name)
		}
	}
	r.keys.Delete(tx.Now(), id)
	delete(r.deletion, id)
}

// CancelDeletion takes a deletion back. The key is disabled then.
func (r *Region) CancelDeletion(tx *awstest.Tx, ref string) (Key, error) {
	k, err := r.own(tx, ref)
	switch {
	case err != nil:
		return k, err
	case k.State != PendingDeletion:
		return k, awstest.Errorf("KMSInvalidStateException", "%s is not pending deletion.", k.ARN)
	}
	r.deletion[k.ID].Cancel(tx)
	delete(r.deletion, k.ID)
	r.change(tx, k.ID, func(k *Key) { k.connected, k.Deletion = Disabled, time.Time{} })
	return r.byID(tx.Now(), k.ID)
}
