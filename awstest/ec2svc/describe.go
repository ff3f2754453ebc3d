package ec2svc

import (
	"iter"
	"regexp"
	"strings"

	"github.com/awsha/awsha/awstest"
)

// kind is a kind of resource, as its IDs and the errors about them show it.
type kind struct {
	prefix    string
	name      string // in messages
	malformed string // error code; empty if EC2 has none for this kind
	notFound  string // error code
}

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
var (
	instanceKind    = kind{"i", "instance ID", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound"}
	interfaceKind   = kind{"eni", "networkInterface ID", "InvalidNetworkInterfaceId.Malformed", "InvalidNetworkInterfaceID.NotFound"}
	attachmentKind  = kind{"eni-attach", "attachment ID", "InvalidNetworkInterfaceAttachmentId.Malformed", "InvalidAttachmentID.NotFound"}
	subnetKind      = kind{"subnet", "subnet ID", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound"}
	vpcKind         = kind{"vpc", "vpc ID", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound"}
	gatewayKind     = kind{"igw", "internetGateway ID", "InvalidInternetGatewayId.Malformed", "InvalidInternetGatewayID.NotFound"}
	volumeKind      = kind{"vol", "volume", "InvalidVolumeID.Malformed", "InvalidVolume.NotFound"}
	snapshotKind    = kind{"snap", "snapshot", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound"}
	imageKind       = kind{"ami", "image id", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound"}
	reservationKind = kind{"cr", "Capacity Reservation ID", "InvalidCapacityReservationId.Malformed", "InvalidCapacityReservationId.NotFound"}
	templateKind    = kind{"lt", "launch template ID", "InvalidLaunchTemplateId.Malformed", "InvalidLaunchTemplateId.NotFound"}
	groupKind       = kind{"sg", "security group", "InvalidGroupId.Malformed", "InvalidGroup.NotFound"}
	addressKind     = kind{"eipalloc", "allocation ID", "", "InvalidAllocationID.NotFound"}
)

var idSuffix = regexp.MustCompile(`^[0-9a-f]{8}([0-9a-f]{9})?$`)

// is tells whether an ID has the form of this kind's.
func (k kind) is(id string) bool {
	suffix, ok := strings.CutPrefix(id, k.prefix+"-")
	return ok && idSuffix.MatchString(suffix)
}

// check tells IDs that cannot exist from those that do not.
func (k kind) check(ids ...string) error {
	for _, id := range ids {
		if k.malformed != "" && !k.is(id) {
			return awstest.Errorf(k.malformed, "Invalid id: \"%s\" (expecting \"%s-...\")", id, k.prefix)
		}
	}
	return nil
}

func (k kind) missing(ids []string) error {
	if len(ids) == 1 {
		return awstest.Errorf(k.notFound, "The %s '%s' does not exist", k.name, ids[0])
	}
	return awstest.Errorf(k.notFound, "The %ss '%s' do not exist", k.name, strings.Join(ids, ", "))
}

// find returns the resources that a request names, each once, in the order
// of their first mention; the error names every one that does not exist. No
// IDs name all of them.
func find[T any](k kind, ids []string, get func(id string) (T, error), all iter.Seq2[string, T]) ([]T, error) {
	var found []T
	if len(ids) == 0 {
		for _, v := range all {
			found = append(found, v)
		}
		return found, nil
	}
	if err := k.check(ids...); err != nil {
		return nil, err
	}
	var lost []string
	var why error
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		v, err := get(id)
		if err != nil {
			lost, why = append(lost, id), err
			continue
		}
		found = append(found, v)
	}
	switch len(lost) {
	case 0:
		return found, nil
	case 1:
		return nil, why
	}
	return nil, k.missing(lost)
}

// noPages refuses MaxResults beside instance IDs.
// Source: DescribeInstancesInput.MaxResults of the SDK (read 2026-11)
func noPages(ids []string, maxResults *int32) error {
	if len(ids) > 0 && maxResults != nil {
		return awstest.Errorf("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	return nil
}
