// Package rehearsal shows the faults of awstest on all services at once: what a call meets that AWS rejects, delays, loses or
// answers from the past is the same for each of them, and a zone that dies dies for all.
//
// It has tests and nothing else.
package rehearsal
