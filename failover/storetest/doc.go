// Package storetest has the tests that every implementation of [failover.Store] must pass: leases, journals and votes are as good as the
// store under them, and what is wrong with one shows only when it matters.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) failover.Store { return newStore(t) })
//	}
//
// # When to use it
//
// Use it for a store of your own, and for the stores of package failover on a service that claims to be like AWS's: an emulator, or
// an object store that says it has S3's conditional writes. A service that passes may still lose writes when a part of it fails; no
// test of this kind shows that.
//
// # How it works
//
// [Run] has a subtest for each rule, and all of them run in parallel. Each uses groups of its own, whose names no other run has, so that
// open may return the same store every time, and one that holds entries of others. Nothing is deleted, for a [failover.Store] cannot: after
// a run on a real table or bucket its entries are left. They are in groups whose names begin with "storetest-" or, for those with odd
// names, that contain it.
//
// # Cost
//
// A run calls Put about 2,500 times, Get 1,300 times and List 150 times; 1,100 of the writes are for the rule about long lists, which testing's
// -short leaves out. All of it is less than 3 MB.
//
// # Limits
//
// Groups and names are UTF-8, of 1 to 200 bytes, without control characters; a store may refuse others. Errors of the
// service that are not about a rule fail the test, except where writers race: there they are repeated.
package storetest
