package main

import (
	"flag"
	"os"
	"testing"
	"testing/synctest"
)

// bubble calls what it is given in virtual time: whenever all that this has begun waits for something to come, the clock is put forward to
// when it comes.
type bubble func(func())

// inTest ends the process with the status that body returns. Virtual time is testing/synctest's, and that is for tests; so body is run as one.
func inTest(body func(bubble) int) {
	testing.Init()
	_ = flag.CommandLine.Parse(nil) // the flags of tests stay as they are: body has its own
	story := testing.InternalTest{Name: "story", F: func(t *testing.T) {
		os.Exit(body(func(tell func()) { synctest.Test(t, func(*testing.T) { tell() }) }))
	}}
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{story}, nil, nil)
}
