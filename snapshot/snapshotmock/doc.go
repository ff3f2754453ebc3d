// Package snapshotmock has moq mocks of the interfaces of package snapshot, for the single odd reply in a test.
// For whole slots, faults and restores, package awstest behaves like EC2 behind the real client.
package snapshotmock
