// Package kmsmodel is the part of AWS KMS that other services of awstest look
// at: which keys there are, what their state is, and whether one can be used.
// It knows no SDK client; its errors are those of KMS.
//
// Reads name the moment as of which they are served; changes and [Region.Use]
// look at the present.
package kmsmodel

import (
	"fmt"
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// serviceID is the SDK's service ID.
const serviceID = "KMS"

// State is the state of a key.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html (read 2026-11)
type State string

// The states that are modelled. Unavailable is that of a key in a custom key
// store that is disconnected.
const (
	Enabled         State = "Enabled"
	Disabled        State = "Disabled"
	PendingDeletion State = "PendingDeletion"
	Unavailable     State = "Unavailable"
)

// Manager is who manages a key.
type Manager string

// Keys that AWS manages are those behind alias/aws/ebs and its like.
const (
	AWS      Manager = "AWS"
	Customer Manager = "CUSTOMER"
)

// Key is a key. It is a value: a change makes a new one.
type Key struct {
	ID, ARN     string
	Description string
	Manager     Manager
	State       State
	MultiRegion bool // a primary key; there are no replicas
	Created     time.Time
	Deletion    time.Time // of a key that is pending deletion

	connected    State // what State is while the key is available
	denied       int   // faults in force that refuse its use
	disconnected int   // faults in force that make it unavailable
}

// Model is KMS in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	regions map[*awstest.Region]*Region
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		return &Model{cloud: c, regions: map[*awstest.Region]*Region{}}
	})
}

// Region is KMS in a region.
type Region struct {
	model    *Model
	region   *awstest.Region
	keys     *history.Table[string, Key]   // by ID
	aliases  *history.Table[string, Alias] // by name
	deletion map[string]*awstest.Event     // by key ID
}

// Region returns KMS in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		keys:     history.NewTable[string, Key](awstest.Memory),
		aliases:  history.NewTable[string, Alias](awstest.Memory),
		deletion: map[string]*awstest.Event{},
	}
	for _, name := range predefined {
		region.aliases.Put(time.Time{}, name, Alias{Name: name, ARN: region.arn(name)}) // it has always been there
	}
	m.regions[r] = region
	return region
}

func (r *Region) arn(resource string) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:%s", r.region.Name(), r.model.cloud.AccountID(), resource)
}

// Keys yields the keys as of a moment, in the order of their creation.
func (r *Region) Keys(at time.Time) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for _, k := range r.keys.All(at) {
			if !yield(k) {
				return
			}
		}
	}
}

// change puts what fn makes of a key in its place.
func (r *Region) change(tx *awstest.Tx, id string, fn func(*Key)) {
	k, ok := r.keys.Get(tx.Now(), id)
	if !ok {
		return
	}
	fn(&k)
	k.State = k.connected
	if k.disconnected > 0 && k.connected != PendingDeletion { // which stays to be seen, so that it can be cancelled
		k.State = Unavailable
	}
	r.keys.Put(tx.Now(), id, k)
}
