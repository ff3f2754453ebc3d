//go:build !race

package svctest

const raceEnabled = false
