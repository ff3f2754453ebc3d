//go:build !race

package sqssvc_test

const raceEnabled = false
