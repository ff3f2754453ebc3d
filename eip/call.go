package eip

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// retry repeats a call while again says so, for at most RetryTimeout, and reports each pause.
func (m *move) retry(ctx context.Context, again func(error, time.Duration) (retry.Policy, bool), call func(context.Context) error) error {
	return retry.Do(ctx, m.opts.RetryTimeout, call, again, func(err error, pause time.Duration) {
		m.emit(ctx, Event{Kind: KindRetry, Pause: pause, Err: err})
	})
}

// read reads who holds the address, and which service manages it, if one does.
func (m *move) read(ctx context.Context) (now Association, managedBy types.ServiceManaged, err error) {
	list, err := m.describe(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{m.req.AllocationID}})
	if err != nil {
		return Association{}, "", err
	}
	if len(list) != 1 { // EC2 answers InvalidAllocationID.NotFound; not all that speak its protocol do
		return Association{}, "", awserr.NoAddress()
	}
	now = associationOf(list[0])
	m.history.note(m.req.AllocationID, now.ID)
	return now, list[0].ServiceManaged, nil
}

func (m *move) describe(ctx context.Context, in *ec2.DescribeAddressesInput) ([]types.Address, error) {
	ctx, cancel := context.WithTimeout(ctx, m.opts.CallTimeout)
	defer cancel()
	m.res.Calls.Describe++
	out, err := m.api.DescribeAddresses(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Addresses, nil
}

func (m *move) sendDisassociate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.opts.CallTimeout)
	defer cancel()
	m.res.Calls.Disassociate++
	_, err := m.api.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: &m.res.Before.ID})
	return err
}

func (m *move) sendAssociate(ctx context.Context) (associationID string, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.opts.CallTimeout)
	defer cancel()
	in := &ec2.AssociateAddressInput{
		AllocationId:       &m.req.AllocationID,
		AllowReassociation: aws.Bool(false), // nil would mean true: take it from whoever has it
	}
	if id := m.req.Target.NetworkInterfaceID; id != "" {
		in.NetworkInterfaceId = &id
	}
	if id := m.req.Target.InstanceID; id != "" {
		in.InstanceId = &id
	}
	if ip := m.req.Target.PrivateIP; ip.IsValid() {
		in.PrivateIpAddress = aws.String(ip.String())
	}
	m.res.Calls.Associate++
	out, err := m.api.AssociateAddress(ctx, in, sendOnce)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.AssociationId), nil
}

// sendOnce keeps the SDK's retryer from repeating a call whose reply was lost. It keeps the client's own retryer
// otherwise, and with it the rate limit that all of the client's calls share.
func sendOnce(o *ec2.Options) { o.RetryMaxAttempts = 1 }
