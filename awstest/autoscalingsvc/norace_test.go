//go:build !race

package autoscalingsvc_test

const raceEnabled = false
