//go:build race

package svctest

// raceEnabled tells that the race detector slows everything.
const raceEnabled = true
