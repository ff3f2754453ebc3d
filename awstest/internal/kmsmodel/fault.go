package kmsmodel

import "github.com/awsha/awsha/awstest"

// Deny refuses the use of a key, as a key policy or a revoked grant does, until
// heal is called with the cloud locked. The key's state does not show it.
func (r *Region) Deny(tx *awstest.Tx, id string) (heal func(*awstest.Tx)) {
	r.change(tx, id, func(k *Key) { k.denied++ })
	return func(tx *awstest.Tx) { r.change(tx, id, func(k *Key) { k.denied-- }) }
}

// Disconnect makes a key unavailable, as one in a custom key store that is
// disconnected, until heal is called with the cloud locked. A key that is
// pending deletion stays so.
func (r *Region) Disconnect(tx *awstest.Tx, id string) (heal func(*awstest.Tx)) {
	r.change(tx, id, func(k *Key) { k.disconnected++ })
	return func(tx *awstest.Tx) { r.change(tx, id, func(k *Key) { k.disconnected-- }) }
}
