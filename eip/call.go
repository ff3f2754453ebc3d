package eip

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/internal/awserr"
)

// end ends an association, of whichever address. That EC2 does not know it is success too; gone tells that it was then not
// this move that ended it.
func (m *move) end(ctx context.Context, associationID string) (gone bool, err error) {
	lost := false // a try may have ended it, without an answer
	err = m.retry(ctx, repeatable, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, m.opts.CallTimeout)
		defer cancel()
		if err := m.fence(); err != nil {
			return err
		}
		m.res.Calls.Disassociate++
		_, err := m.api.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: &associationID}, sendOnce)
		lost = lost || classOf(err) == awserr.Transient
		return err
	})
	if awserr.Missing(err) == awserr.Association {
		gone, err = !lost, nil // a throttled try, or one that was not sent, has ended nothing
	}
	if err == nil && !gone {
		m.history.end(associationID)
	}
	return gone, err
}

func (m *move) sendAssociate(ctx context.Context) (associationID string, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.opts.CallTimeout)
	defer cancel()
	if err := m.fence(); err != nil {
		return "", err
	}
	m.res.Calls.Associate++
	out, err := m.api.AssociateAddress(ctx, m.associateInput(), sendOnce)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.AssociationId), nil
}

// associateInput names the interface; an instance only if that is all that is known.
func (m *move) associateInput() *ec2.AssociateAddressInput {
	in := &ec2.AssociateAddressInput{
		AllocationId: &m.req.AllocationID,
		// Nil would mean true: take it from whoever has it.
		AllowReassociation: aws.Bool(m.req.Guard == GuardLease),
	}
	if id := m.to.NetworkInterfaceID; id != "" {
		in.NetworkInterfaceId = &id
	} else {
		in.InstanceId = &m.to.InstanceID
	}
	if ip := m.to.PrivateIP; ip.IsValid() {
		in.PrivateIpAddress = aws.String(ip.String())
	}
	return in
}

// sendOnce keeps the SDK's retryer from repeating a call: an associate whose reply was lost, or anything without the fence being
// asked again. It keeps the client's own retryer otherwise, and with it the rate limit that all of the client's calls share.
func sendOnce(o *ec2.Options) { o.RetryMaxAttempts = 1 }

// fence asks whether the caller may still act. The answer is as old as the call that follows is late.
func (m *move) fence() error {
	if m.req.Fence == nil {
		return nil
	}
	if err := m.req.Fence.Valid(); err != nil {
		return &fencedError{err}
	}
	return nil
}

// fencedError is what a fence said. It matches ErrFenced beside what it wraps.
type fencedError struct{ err error }

func (e *fencedError) Error() string        { return e.err.Error() }
func (e *fencedError) Unwrap() error        { return e.err }
func (e *fencedError) Is(target error) bool { return target == ErrFenced }
