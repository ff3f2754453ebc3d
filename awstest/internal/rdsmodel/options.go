package rdsmodel

import "time"

// Options are the durations of RDS.
type Options struct {
	// Creating is from the creation of a DB instance to its being backed up,
	// or available; Restoring is the same of one that is restored.
	Creating, Restoring time.Duration

	// BackingUp is how long a snapshot of an instance takes; Copying how long
	// a copy takes; CopyPending how long a copy to another region waits before it starts.
	BackingUp, Copying, CopyPending time.Duration

	// Modifying, Rebooting and Deleting are what their names say.
	Modifying, Rebooting, Deleting time.Duration

	// Failover is from the loss of the primary to the endpoint leading to the
	// standby, and how long a reboot with failover takes.
	Failover time.Duration

	// Lag is how far a read replica is behind its source; Promoting is how
	// long its promotion takes.
	Lag, Promoting time.Duration
}

// defaults are typical times of small databases where no source is named: AWS
// promises none.
func defaults() Options {
	return Options{
		Creating: 5 * time.Minute, Restoring: 10 * time.Minute,
		BackingUp: 2 * time.Minute, Copying: 10 * time.Minute, CopyPending: 30 * time.Second,
		Modifying: 3 * time.Minute, Rebooting: 30 * time.Second, Deleting: 2 * time.Minute,
		// Typically 60 to 120 seconds.
		// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html (read 2026-11)
		Failover: 90 * time.Second,
		Lag:      time.Second, Promoting: 5 * time.Minute,
	}
}
