// Package svctest is what the tests of awstest's adapters have in common: clouds in bubbles, assertions about errors, and
// checks that hold an adapter's page to its source.
//
// It knows no SDK client, so that the tests of an adapter compile the client of their own service and no other.
package svctest
