//go:build race

package ec2svc_test

// underRace tells that everything takes ten times as long.
const underRace = true
