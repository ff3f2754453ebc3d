// Package doctest holds the pages in docs to the code that they speak of.
//
// It has tests and nothing else:
//
//   - docs/operations.md is made from the package pages of awstest's adapters. After a change there, go test ./internal/doctest -update makes it anew.
//   - every block of Go in a guide stands, as it is, in a file beside the guide, where it is compiled and run.
package doctest
