// Package eipmock has moq mocks of the interfaces of package eip, for the single odd reply in a test.
// For whole moves, faults and races, package awstest behaves like EC2 behind the real client.
package eipmock
