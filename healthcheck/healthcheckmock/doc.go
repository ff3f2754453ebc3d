// Package healthcheckmock has mocks of the interfaces of package healthcheck,
// for the tests of those who use it. They are written by moq and need nothing
// but the standard library.
package healthcheckmock
