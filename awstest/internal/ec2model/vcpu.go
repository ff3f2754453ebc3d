package ec2model

import (
	"strconv"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// oddVCPUs are how many vCPUs some types have for which the name says otherwise.
// Source: the hardware specifications of https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/general-purpose-instances.html and its sister pages, by
// tables made of them: https://gist.github.com/jacobstanley/ca80ce80ad558606ce82008f7bdcde95,
// https://gist.github.com/loretoparisi/905c454228e8ac84b97b77c527018e31 (read 2026-11)
var oddVCPUs = map[string]int{
	"a1.metal": 16, "c1.medium": 2, "c1.xlarge": 8, "c4.8xlarge": 36, "m2.xlarge": 2, "m2.2xlarge": 4, "m2.4xlarge": 8,
	"t1.micro": 1, "t2.micro": 1, "t2.nano": 1, "t2.small": 1,
}

// VCPUs is how many vCPUs an instance type has: what the options say, or a table, or the size in its name. Large is two, and each doubling of the size is one
// of them; small sizes of burstable families have two as well. A size that tells nothing, such as metal, is one.
func (m *Model) VCPUs(instanceType string) int {
	if n, ok := m.opts.VCPUs[instanceType]; ok {
		return n
	}
	if n, ok := oddVCPUs[instanceType]; ok {
		return n
	}
	family, size, _ := strings.Cut(instanceType, ".")
	switch size {
	case "nano", "micro", "small", "medium":
		if strings.HasPrefix(family, "t") {
			return 2
		}
		return 1
	case "large":
		return 2
	case "xlarge":
		return 4
	}
	if bare, ok := strings.CutPrefix(size, "metal-"); ok { // metal-24xl
		size = bare + "arge"
	}
	if n, err := strconv.ParseInt(strings.TrimSuffix(size, "xlarge"), 10, 32); err == nil {
		return int(4 * n)
	}
	return 1
}

// overVCPUs is the text that accounts answer.
// Source: https://www.ctrlstack.com/resources/aws-flawed-silent-but-deadly-why-aws-errors-stink/ (read 2026-11), for its beginning
func (r *Region) overVCPUs() error {
	return awstest.Errorf("VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of %d allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.", r.model.opts.VCPUQuota)
}

// usedVCPUs counts the vCPUs of instances that are neither stopped nor terminated, and of what Capacity Reservations hold beside them.
// Source: VcpuLimitExceeded and InstanceLimitExceeded of https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, as quoted in
// https://pkg.go.dev/github.com/gardener/machine-controller-manager-provider-aws/pkg/aws/errors (read 2026-11)
func (r *Region) usedVCPUs(at time.Time) (n int) {
	for _, i := range r.instances.All(at) {
		if i.State != Stopped && i.State != Terminated {
			n += r.model.VCPUs(i.Type)
		}
	}
	for _, v := range r.reservations.All(at) {
		n += r.Free(at, v) * r.model.VCPUs(v.Type)
	}
	return n
}

// spare tells how many more of a type the quota allows, of those that are wanted.
func (r *Region) spare(tx *awstest.Tx, instanceType string, wanted int) int {
	if r.model.opts.VCPUQuota == 0 {
		return wanted
	}
	left := (r.model.opts.VCPUQuota - r.usedVCPUs(tx.Now())) / max(1, r.model.VCPUs(instanceType))
	return min(wanted, max(0, left))
}
