package ec2model

import "github.com/awsha/awsha/awstest"

// denied is what EC2 answers for an address or an interface that a service of
// AWS holds, however many permissions the caller has. Accounts have seen it
// with the interfaces and addresses of NAT gateways and load balancers. That
// it is the same with addresses that show ServiceManaged, and with interfaces
// of another account in a shared subnet, is likely but not documented.
// Source: AssociateAddress https://github.com/hashicorp/terraform-provider-aws/issues/3572,
// DisassociateAddress https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/831,
// ReleaseAddress https://github.com/genevieve/leftovers/issues/33 (read 2026-11)
func denied() error {
	return awstest.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
}

// own returns an interface as it is, if the account may change it.
func (r *Region) own(tx *awstest.Tx, id string) (Interface, error) {
	n, err := r.Interface(tx.Now(), id)
	if err == nil && !n.ours(tx) {
		err = denied()
	}
	return n, err
}

// ours tells whether the account may change the interface.
func (n *Interface) ours(tx *awstest.Tx) bool {
	return n.Owner == tx.Cloud().AccountID() && n.Requester == ""
}

// free refuses an address that a service manages, or that is on an interface
// which the account may not change.
func (r *Region) free(tx *awstest.Tx, a Address) error {
	if a.Service != "" {
		return denied()
	}
	if a.Interface == "" {
		return nil
	}
	_, err := r.own(tx, a.Interface)
	return err
}

// SetService hands an address to a service, or back for the empty one.
func (r *Region) SetService(tx *awstest.Tx, allocation, service string) {
	change(tx, r.addresses, allocation, func(a *Address) { a.Service = service })
}

// SetOwner gives an interface, which must not be attached, to an account.
func (r *Region) SetOwner(tx *awstest.Tx, networkInterface, account string) {
	change(tx, r.interfaces, networkInterface, func(n *Interface) { n.Owner = account })
}

// SetRequester hands an interface, which must not be attached, to a service,
// or back for the empty one.
func (r *Region) SetRequester(tx *awstest.Tx, networkInterface, requester string) {
	change(tx, r.interfaces, networkInterface, func(n *Interface) { n.Requester = requester })
}

// SetSnapshotOwner gives a snapshot to an account, or back for the empty one. What the account counts of its own is as before.
func (r *Region) SetSnapshotOwner(tx *awstest.Tx, id, account string) {
	change(tx, r.snapshots, id, func(s *Snapshot) { s.Owner = account })
}

// SetSnapshotService hands a snapshot to AWS Backup, or not, with the tags by which services show what they manage.
func (r *Region) SetSnapshotService(tx *awstest.Tx, id string, backup bool, tags Tags) {
	change(tx, r.snapshots, id, func(s *Snapshot) {
		for _, t := range s.Tags.Reserved() {
			s.Tags = s.Tags.Without(t.Key, nil)
		}
		for _, t := range tags {
			s.Tags = s.Tags.With(t)
		}
		s.Backup = backup
	})
}
