package ec2model

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// fromSnapshot completes the spec of a volume by the snapshot that it is made of.
func (r *Region) fromSnapshot(tx *awstest.Tx, spec VolumeSpec) (VolumeSpec, error) {
	if spec.Snapshot == "" {
		if spec.Rate != 0 { // AWS documents no code
			return spec, awstest.Errorf("InvalidParameterCombination", "The parameter VolumeInitializationRate requires a snapshot.")
		}
		return spec, nil
	}
	s, err := r.Snapshot(tx.Now(), spec.Snapshot)
	switch {
	case err != nil:
		return spec, err
	case s.State != SnapshotCompleted:
		return spec, awstest.Errorf("IncorrectState", "Snapshot is in invalid state - %s", s.State)
	case spec.SizeGiB != 0 && spec.SizeGiB < s.SizeGiB:
		return spec, awstest.Errorf("InvalidParameterValue", "Volume of %dGiB is smaller than snapshot '%s', expect size >= %dGiB", spec.SizeGiB, s.ID, s.SizeGiB)
	case spec.Rate != 0 && (spec.Rate < leastRate || spec.Rate > mostRate):
		return spec, awstest.Errorf("InvalidParameterValue", "Value (%d) for parameter VolumeInitializationRate is invalid. It must be between %d and %d.", spec.Rate, leastRate, mostRate)
	}
	if spec.SizeGiB == 0 {
		spec.SizeGiB = s.SizeGiB
	}
	if s.Encrypted && spec.Key == "" { // under its own key, whatever the request says
		spec.Encrypted, spec.Key = true, s.Key
	}
	return spec, nil
}

// Rates of initialization in MiB/s; the default is simplified: AWS fetches blocks when they are read, and the rest in its own time.
// Source: CreateVolumeInput.VolumeInitializationRate of the SDK (read 2026-11)
const leastRate, mostRate, defaultRate = 100, 300, 50

// initialization is how long it takes to fetch all of a snapshot.
func (r *Region) initialization(s Snapshot, rate int32) time.Duration {
	if rate == 0 {
		rate = defaultRate
	}
	return time.Duration(s.SizeGiB) * 1024 / time.Duration(rate) * time.Second
}

// Initialized returns how much of the snapshot of a volume has been fetched, in percent, and for how long the rest takes; ok is false for
// one that was made of none.
func (v *Volume) Initialized(now time.Time) (percent int64, left time.Duration, ok bool) {
	if v.Snapshot == "" {
		return 0, 0, false
	}
	whole := v.InitializedAt.Sub(v.CreatedAt)
	if left = v.InitializedAt.Sub(now); left <= 0 || whole <= 0 {
		return 100, 0, true
	}
	return int64(100 * (whole - left) / whole), left, true
}

// Write replaces what is on a volume.
func (r *Region) Write(tx *awstest.Tx, volume, content string) {
	change(tx, r.volumes, volume, func(v *Volume) { v.Content = content })
}
