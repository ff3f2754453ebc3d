// Package stepmock has generated mocks of what the ready-made steps call. They are apart from package failovermock, so that a test of a store or of
// a plan does not compile the clients of all these services.
package stepmock
