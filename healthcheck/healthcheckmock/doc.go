// Package healthcheckmock has mocks of the interfaces of package healthcheck,
// and of the ports of its bridges to AWS, for the tests of those who use them.
// They are written by moq, and import the SDK's clients of all bridges.
package healthcheckmock
