package ec2model

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// VolumeShape is the type, the size and the performance of a volume. Zero is
// what is left to AWS.
type VolumeShape struct {
	Type       string
	SizeGiB    int32
	IOPS       int32
	Throughput int32 // in MiB/s
}

// volumeType is what a type of volume allows.
type volumeType struct {
	name             string
	minGiB, maxGiB   int32
	minIOPS, maxIOPS int32 // that can be asked for; 0: none can
	iopsPerGiB       int32 // at most
	needsIOPS        bool
	noBoot           bool // not for root volumes
}

// Source: CreateVolumeInput of the SDK; ratios of IOPS to GiB
// https://docs.aws.amazon.com/ebs/latest/userguide/provisioned-iops.html and
// https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html (read 2026-11)
var volumeTypes = []volumeType{
	{name: "gp2", minGiB: 1, maxGiB: 16_384},
	{name: "gp3", minGiB: 1, maxGiB: 65_536, minIOPS: baseIOPS, maxIOPS: 80_000, iopsPerGiB: 500},
	{name: "io1", minGiB: 4, maxGiB: 16_384, minIOPS: 100, maxIOPS: 64_000, iopsPerGiB: 50, needsIOPS: true},
	{name: "io2", minGiB: 4, maxGiB: 65_536, minIOPS: 100, maxIOPS: 256_000, iopsPerGiB: 1000, needsIOPS: true},
	{name: "st1", minGiB: 125, maxGiB: 16_384, noBoot: true},
	{name: "sc1", minGiB: 125, maxGiB: 16_384, noBoot: true},
	{name: "standard", minGiB: 1, maxGiB: 1024},
}

// The default type, and the performance that gp3 and gp2 have by themselves.
// Source: CreateVolumeInput of the SDK; gp2
// https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html (read 2026-11)
const (
	defaultVolumeType              = "gp2"
	baseIOPS                       = 3000
	baseThroughput, mostThroughput = 125, 2000
	iopsPerThroughput              = 4 // of gp3, at least
	gp2PerGiB, gp2Least, gp2Most   = 3, 100, 16_000
)

func (s VolumeShape) find() (volumeType, bool) {
	name := s.Type
	if name == "" {
		name = defaultVolumeType
	}
	i := slices.IndexFunc(volumeTypes, func(t volumeType) bool { return t.name == name })
	if i < 0 {
		return volumeType{name: name}, false
	}
	return volumeTypes[i], true
}

// check holds a spec against the rules of its type. AWS documents the rules;
// where it documents no code, the one here is that of values out of range.
func (s VolumeSpec) check() error {
	t, known := s.find()
	switch {
	case !known:
		return awstest.Errorf("UnknownVolumeType", "Unsupported volume type '%s' for volume creation.", t.name)
	case s.Key != "" && !s.Encrypted:
		return awstest.Errorf("InvalidParameterDependency", "The parameter [KmsKeyId] requires the parameter Encrypted to be set.")
	case s.SizeGiB == 0:
		return awstest.Errorf("MissingParameter", "The request must contain the parameter size/snapshot")
	case s.SizeGiB < t.minGiB:
		return awstest.Errorf("InvalidParameterValue", "Volume of %dGiB is too small for volume type %s; minimum is %dGiB.", s.SizeGiB, t.name, t.minGiB)
	case s.SizeGiB > t.maxGiB:
		return awstest.Errorf("InvalidParameterValue", "Volume of %dGiB is too large for volume type %s; maximum is %dGiB.", s.SizeGiB, t.name, t.maxGiB)
	}
	if err := s.checkIOPS(t); err != nil {
		return err
	}
	return s.checkThroughput(t)
}

func (s VolumeShape) checkIOPS(t volumeType) error {
	most := s.SizeGiB * t.iopsPerGiB
	if !t.needsIOPS {
		most = max(most, baseIOPS)
	}
	switch {
	case s.IOPS == 0 && t.needsIOPS:
		return awstest.Errorf("MissingParameter", "The parameter iops must be specified for %s volumes.", t.name)
	case s.IOPS == 0:
		return nil
	case t.maxIOPS == 0:
		return awstest.Errorf("InvalidParameterCombination", "The parameter iops is not supported for %s volumes.", t.name)
	case s.IOPS < t.minIOPS:
		return awstest.Errorf("InvalidParameterValue", "Volume iops of %d is too low; minimum is %d.", s.IOPS, t.minIOPS)
	case s.IOPS > t.maxIOPS:
		return awstest.Errorf("InvalidParameterValue", "Volume iops of %d is too high; maximum is %d.", s.IOPS, t.maxIOPS)
	case s.IOPS > most:
		return awstest.Errorf("InvalidParameterValue", "Iops to volume size ratio of %f is too high; maximum is %d", float64(s.IOPS)/float64(s.SizeGiB), t.iopsPerGiB)
	}
	return nil
}

func (s VolumeShape) checkThroughput(t volumeType) error {
	switch {
	case s.Throughput == 0:
		return nil
	case t.name != "gp3":
		return awstest.Errorf("InvalidParameterCombination", "The parameter throughput is not supported for %s volumes.", t.name)
	case s.Throughput < baseThroughput || s.Throughput > mostThroughput:
		return awstest.Errorf("InvalidParameterValue", "Volume throughput of %d is not valid; it must be between %d and %d.", s.Throughput, baseThroughput, mostThroughput)
	case s.Throughput*iopsPerThroughput > max(s.IOPS, baseIOPS):
		return awstest.Errorf("InvalidParameterValue", "Throughput (MiBps) to iops ratio is too high; maximum is 0.25 MiBps per iops.")
	}
	return nil
}

// completed returns the shape with what AWS adds to it.
func (s VolumeShape) completed() VolumeShape {
	t, _ := s.find()
	s.Type = t.name
	switch s.Type {
	case "gp2":
		s.IOPS = min(max(s.SizeGiB*gp2PerGiB, gp2Least), gp2Most)
	case "gp3":
		s.IOPS, s.Throughput = max(s.IOPS, baseIOPS), max(s.Throughput, baseThroughput)
	}
	return s
}
