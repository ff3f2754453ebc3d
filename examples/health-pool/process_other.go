//go:build !linux

package main

import (
	"errors"
	"time"
)

var errNotLinux = errors.New("the load test measures on Linux only")

func cpuTime() (time.Duration, error) { return 0, errNotLinux }

func openFiles() (uint64, error) { return 0, errNotLinux }

func resident() (int64, error) { return 0, errNotLinux }
