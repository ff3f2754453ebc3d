package ec2svc

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// ManageAddress puts an Elastic IP address into the hands of a service of AWS,
// such as [types.ServiceManagedAlb], as no operation does; the empty service
// gives it back. DescribeAddresses shows the service, and AssociateAddress,
// DisassociateAddress and ReleaseAddress of the address are refused with
// AuthFailure from now on. An association stays as it is.
//
// Reads see it after the visibility lag, like any change. A mistake is a
// [*awstest.FieldError].
func ManageAddress(cloud *awstest.Cloud, region, allocationID string, by types.ServiceManaged) error {
	if by != "" && !slices.Contains(by.Values(), by) {
		return mistake("by", string(by), fmt.Sprintf("is not one of %v", by.Values()))
	}
	return update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		if _, err := r.Address(tx.Now(), allocationID); err != nil {
			return mistake("allocationID", allocationID, "is not an address of "+region)
		}
		r.SetService(tx, allocationID, string(by))
		return nil
	})
}

// ManageInterface makes a network interface requester-managed, as a service of
// AWS creates them in an account: by amazon-elb for a load balancer, say. The
// empty requester gives it back. From now on DescribeNetworkInterfaces shows
// the requester, and changing the interface or associating an address with it
// is refused with AuthFailure.
//
// The interface must not be attached to an instance, and stays available: the
// attachments that services have are not modelled. Otherwise it is like
// [ManageAddress].
func ManageInterface(cloud *awstest.Cloud, region, networkInterfaceID, requesterID string) error {
	return updateInterface(cloud, region, networkInterfaceID, func(tx *awstest.Tx, r *ec2model.Region) {
		r.SetRequester(tx, networkInterfaceID, requesterID)
	})
}

// ShareInterface makes a network interface another account's, as that account
// creates them in a shared subnet: the owner of the VPC sees it and cannot
// change it. From now on it is shown with its owner, an address on it as well,
// and changing the interface or associating an address with it is refused
// with AuthFailure. The account of the cloud as the owner gives it back.
//
// The interface must not be attached to an instance. Otherwise it is like
// [ManageAddress].
func ShareInterface(cloud *awstest.Cloud, region, networkInterfaceID, ownerAccountID string) error {
	if !accountID.MatchString(ownerAccountID) {
		return mistake("ownerAccountID", ownerAccountID, "must be twelve digits")
	}
	return updateInterface(cloud, region, networkInterfaceID, func(tx *awstest.Tx, r *ec2model.Region) {
		r.SetOwner(tx, networkInterfaceID, ownerAccountID)
	})
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

func updateInterface(cloud *awstest.Cloud, region, id string, change func(*awstest.Tx, *ec2model.Region)) error {
	return update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		n, err := r.Interface(tx.Now(), id)
		switch {
		case err != nil:
			return mistake("networkInterfaceID", id, "is not an interface of "+region)
		case n.Instance != "":
			return mistake("networkInterfaceID", id, "must not be attached to an instance")
		}
		change(tx, r)
		return nil
	})
}

// SnapshotService is a service that manages snapshots.
type SnapshotService string

// The services that manage snapshots; nobody is who makes them by EC2 alone.
const (
	ByNobody           SnapshotService = ""
	ByBackup           SnapshotService = "AWS Backup"
	ByLifecycleManager SnapshotService = "Data Lifecycle Manager"
)

// serviceTags are the tags by which services show what they manage.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/dlm-elements.html (read 2026-11), and
// https://github.com/openshift/installer/issues/9964 (read 2026-11)
var serviceTags = map[SnapshotService]ec2model.Tags{
	ByNobody:           nil,
	ByBackup:           {{Key: "aws:backup:source-resource", Value: "arn:aws:ec2:volume"}},
	ByLifecycleManager: {{Key: "aws:dlm:lifecycle-policy-id", Value: "policy-0123456789abcdef0"}, {Key: "aws:dlm:managed", Value: "true"}},
}

// ManageSnapshot makes a snapshot one that a service has made, as no operation
// does: it has the service's tags from now on, and DeleteSnapshot of one of AWS
// Backup is refused. Otherwise it is like [ManageAddress].
func ManageSnapshot(cloud *awstest.Cloud, region, snapshotID string, by SnapshotService) error {
	tags, known := serviceTags[by]
	if !known {
		return mistake("by", string(by), "is not ByNobody, ByBackup or ByLifecycleManager")
	}
	return updateSnapshot(cloud, region, snapshotID, func(tx *awstest.Tx, r *ec2model.Region) {
		r.SetSnapshotService(tx, snapshotID, by == ByBackup, tags)
	})
}

// ShareSnapshot makes a snapshot another account's, which shares it with the
// account of the cloud: it is shown with its owner and without its tags, can be
// copied and restored, and DeleteSnapshot and LockSnapshot are refused. The account of the
// cloud as the owner gives it back. Otherwise it is like [ManageAddress].
func ShareSnapshot(cloud *awstest.Cloud, region, snapshotID, ownerAccountID string) error {
	if !accountID.MatchString(ownerAccountID) {
		return mistake("ownerAccountID", ownerAccountID, "must be twelve digits")
	}
	return updateSnapshot(cloud, region, snapshotID, func(tx *awstest.Tx, r *ec2model.Region) {
		if ownerAccountID == tx.Cloud().AccountID() {
			ownerAccountID = ""
		}
		r.SetSnapshotOwner(tx, snapshotID, ownerAccountID)
	})
}

func updateSnapshot(cloud *awstest.Cloud, region, id string, change func(*awstest.Tx, *ec2model.Region)) error {
	return update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		if _, err := r.Snapshot(tx.Now(), id); err != nil {
			return mistake("snapshotID", id, "is not a snapshot of "+region)
		}
		change(tx, r)
		return nil
	})
}

// update changes EC2 of a region from outside of a call.
func update(cloud *awstest.Cloud, region string, change func(*awstest.Tx, *ec2model.Region) error) error {
	r, err := cloud.Region(region)
	if err != nil {
		return err
	}
	cloud.Update(func(tx *awstest.Tx) {
		model, ok := awstest.Lookup[ec2model.Model](tx)
		if !ok {
			err = mistake("cloud", "without EC2", "must be made with ec2svc.New")
			return
		}
		err = change(tx, model.Region(tx, r))
	})
	return err
}

func mistake(field, value, rule string) error {
	return &awstest.FieldError{Field: field, Value: fmt.Sprintf("%q", value), Rule: rule}
}
