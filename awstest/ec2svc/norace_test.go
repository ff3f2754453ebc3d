//go:build !race

package ec2svc_test

const underRace = false
