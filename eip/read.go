package eip

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
)

// A lister reads things by their IDs in one call. One ID is given as such, and is an error of EC2 if it does not exist.
// Several are given as a filter, so that one that does not exist costs the others nothing: it is missing in the map.
type lister[T any] func(ctx context.Context, ids []string) (map[string]T, error)

// maxFilterValues is how many values a filter takes.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html (read 2026-11)
const maxFilterValues = 200

func filter(name string, values ...string) []types.Filter {
	return []types.Filter{{Name: &name, Values: values}}
}

func (r *Remapper) listAddresses(ctx context.Context, ids []string) (map[string]types.Address, error) {
	in := &ec2.DescribeAddressesInput{AllocationIds: ids}
	if len(ids) > 1 {
		in = &ec2.DescribeAddressesInput{Filters: filter("allocation-id", ids...)}
	}
	list, err := r.describe(ctx, in)
	if err != nil {
		return nil, err
	}
	found := make(map[string]types.Address, len(list))
	for _, a := range list {
		found[aws.ToString(a.AllocationId)] = a
	}
	return found, nil
}

func (r *Remapper) describe(ctx context.Context, in *ec2.DescribeAddressesInput) ([]types.Address, error) {
	ctx, cancel := context.WithTimeout(ctx, r.opts.CallTimeout)
	defer cancel()
	out, err := r.api.DescribeAddresses(ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Addresses, nil
}

func (r *Remapper) listInstances(ctx context.Context, ids []string) (map[string]types.Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, r.opts.CallTimeout)
	defer cancel()
	in := &ec2.DescribeInstancesInput{InstanceIds: ids}
	if len(ids) > 1 {
		in = &ec2.DescribeInstancesInput{Filters: filter("instance-id", ids...)}
	}
	found := make(map[string]types.Instance, len(ids))
	for pages := ec2.NewDescribeInstancesPaginator(r.api, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, reservation := range out.Reservations {
			for _, i := range reservation.Instances {
				found[aws.ToString(i.InstanceId)] = i
			}
		}
	}
	return found, nil
}

func (r *Remapper) listInterfaces(ctx context.Context, ids []string) (map[string]types.NetworkInterface, error) {
	ctx, cancel := context.WithTimeout(ctx, r.opts.CallTimeout)
	defer cancel()
	in := &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: ids}
	if len(ids) > 1 {
		in = &ec2.DescribeNetworkInterfacesInput{Filters: filter("network-interface-id", ids...)}
	}
	found := make(map[string]types.NetworkInterface, len(ids))
	for pages := ec2.NewDescribeNetworkInterfacesPaginator(r.api, in); pages.HasMorePages(); {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, n := range out.NetworkInterfaces {
			found[aws.ToString(n.NetworkInterfaceId)] = n
		}
	}
	return found, nil
}

// listZones reads zones by their names, and has every one in the map: what EC2 does not say of a zone is left to EC2.
func (r *Remapper) listZones(ctx context.Context, names []string) (map[string]types.AvailabilityZone, error) {
	ctx, cancel := context.WithTimeout(ctx, r.opts.CallTimeout)
	defer cancel()
	out, err := r.api.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{ZoneNames: names, AllAvailabilityZones: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	found := make(map[string]types.AvailabilityZone, len(names))
	for _, name := range names {
		found[name] = types.AvailabilityZone{}
	}
	for _, z := range out.AvailabilityZones {
		found[aws.ToString(z.ZoneName)] = z
	}
	return found, nil
}

// ask reads one thing by its ID: by a call of its own, or in the round of reads that the move is part of. The call is
// added to count.
func ask[T any](ctx context.Context, m *move, list lister[T], in func(*rounds) *queue[T], count *int, id string, missing awserr.Resource) (T, error) {
	var found map[string]T
	var err error
	if m.rounds == nil {
		*count++
		found, err = list(ctx, []string{id})
	} else {
		var calls int
		found, calls, err = in(m.rounds).ask(m.rounds, id)
		*count += calls
	}
	thing, ok := found[id]
	if err == nil && !ok { // EC2 answers with an error to an ID; not all that speak its protocol do, and filters never
		err = awserr.NoSuch(missing)
	}
	return thing, err
}

// read reads the address, and remembers the association that it shows.
func (m *move) read(ctx context.Context) (types.Address, Association, error) {
	a, err := ask(ctx, m, m.listAddresses, (*rounds).addressQueue, &m.res.Calls.Describe, m.req.AllocationID, awserr.Address)
	if err != nil {
		return types.Address{}, Association{}, err
	}
	now := associationOf(a)
	m.history.note(m.req.AllocationID, now.ID)
	m.res.PublicIP = parseIP(a.PublicIp)
	return a, now, nil
}
