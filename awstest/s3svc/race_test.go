//go:build race

package s3svc_test

const raceEnabled = true
