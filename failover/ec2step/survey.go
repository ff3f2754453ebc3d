package ec2step

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"golang.org/x/sync/errgroup"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// SurveyRequest says what a [Survey] is about.
type SurveyRequest struct {
	Types   []string // instance types; empty: whatever is reserved or runs, and offerings are not read
	Subnets []string // by ID; empty: all of the Region

	// Instances reads the instances of the Region: for [Stability]. Without it they are read only if zonal Reserved Instances are there, of which they
	// take their part.
	Instances bool

	// Timeout bounds the reads that it can do without: what they do not show in time is unread. Default 1 minute; a [Launch] gives them 3 s.
	Timeout time.Duration
}

// Survey reads an [Inventory]. The reads are made at the same time, one call each and one more for each page: DescribeAvailabilityZones and
// DescribeSubnets, without which the error is a [*failover.CallError]; and DescribeInstanceTypeOfferings, DescribeCapacityReservations,
// DescribeReservedInstances, DescribeInstanceTypes and DescribeInstances, of which those that fail are named in Inventory.Unread. All of them are
// reads of the Region that AWS answers while a zone is down.
func Survey(ctx context.Context, api SurveyAPI, req SurveyRequest) (*Inventory, error) {
	s := surveyor{api: api, req: req, inv: Inventory{Time: time.Now()}}
	var must, may errgroup.Group
	must.Go(func() error { return s.zones(ctx) })
	must.Go(func() error { return s.subnets(ctx) })
	inTime, cancel := context.WithTimeout(ctx, awsstep.Default(req.Timeout, time.Minute))
	defer cancel()
	for _, read := range []func(context.Context) error{s.offerings, s.storage, s.reservations, s.reserved} {
		may.Go(func() error {
			if err := read(inTime); err != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.inv.Unread = append(s.inv.Unread, err.Error())
			}
			return nil
		})
	}
	err := must.Wait()
	_ = may.Wait()
	if err != nil {
		return nil, err
	}
	slices.Sort(s.inv.Unread)
	s.inv.Subnets = slices.DeleteFunc(s.inv.Subnets, func(n Subnet) bool { return s.inv.zone(n.ZoneID) == nil })
	return &s.inv, nil
}

type surveyor struct {
	api SurveyAPI
	req SurveyRequest
	mu  sync.Mutex
	inv Inventory
}

// failed names a read that failed.
func failed(action string, err error) error {
	return &failover.CallError{Action: action, Err: err}
}

func (s *surveyor) zones(ctx context.Context) error {
	out, err := awsstep.Call(ctx, "ec2:DescribeAvailabilityZones", "", s.api.DescribeAvailabilityZones, &ec2.DescribeAvailabilityZonesInput{})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, z := range out.AvailabilityZones {
		s.inv.Zones = append(s.inv.Zones, Zone{aws.ToString(z.ZoneId), aws.ToString(z.ZoneName), string(z.State)})
	}
	return nil
}

func (s *surveyor) subnets(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, awsstep.CallTimeout)
	defer cancel()
	p := ec2.NewDescribeSubnetsPaginator(s.api, &ec2.DescribeSubnetsInput{SubnetIds: s.req.Subnets})
	for p.HasMorePages() {
		out, err := p.NextPage(ctx)
		if err != nil {
			return failed("ec2:DescribeSubnets", err)
		}
		s.mu.Lock()
		for _, n := range out.Subnets {
			s.inv.Subnets = append(s.inv.Subnets, Subnet{
				aws.ToString(n.SubnetId), aws.ToString(n.AvailabilityZoneId), aws.ToString(n.VpcId), int(aws.ToInt32(n.AvailableIpAddressCount)),
			})
		}
		s.mu.Unlock()
	}
	return nil
}

func (s *surveyor) offerings(ctx context.Context) error {
	if len(s.req.Types) == 0 {
		return nil
	}
	offered := make(map[string][]string)
	p := ec2.NewDescribeInstanceTypeOfferingsPaginator(s.api, &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: types.LocationTypeAvailabilityZoneId, Filters: []types.Filter{filter("instance-type", s.req.Types...)},
	})
	for p.HasMorePages() {
		out, err := p.NextPage(ctx)
		if err != nil {
			return failed("ec2:DescribeInstanceTypeOfferings", err)
		}
		for _, o := range out.InstanceTypeOfferings {
			offered[string(o.InstanceType)] = append(offered[string(o.InstanceType)], aws.ToString(o.Location))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inv.Offered = offered
	return nil
}

func (s *surveyor) storage(ctx context.Context) error {
	if !s.req.Instances {
		return nil
	}
	p := ec2.NewDescribeInstanceTypesPaginator(s.api, &ec2.DescribeInstanceTypesInput{
		Filters: []types.Filter{filter("instance-storage-supported", "true")},
	})
	for p.HasMorePages() {
		out, err := p.NextPage(ctx)
		if err != nil {
			return failed("ec2:DescribeInstanceTypes", err)
		}
		s.mu.Lock()
		for _, t := range out.InstanceTypes {
			s.inv.OnInstanceStorage = append(s.inv.OnInstanceStorage, string(t.InstanceType))
		}
		s.mu.Unlock()
	}
	return nil
}

// reservations reads those that an ordinary launch can use: no capacity blocks, nothing on Outposts, in placement groups or that AWS may take back.
func (s *surveyor) reservations(ctx context.Context) error {
	filters := []types.Filter{filter("state", string(types.CapacityReservationStateActive))}
	if len(s.req.Types) > 0 {
		filters = append(filters, filter("instance-type", s.req.Types...))
	}
	p := ec2.NewDescribeCapacityReservationsPaginator(s.api, &ec2.DescribeCapacityReservationsInput{Filters: filters})
	for p.HasMorePages() {
		out, err := p.NextPage(ctx)
		if err != nil {
			return failed("ec2:DescribeCapacityReservations", err)
		}
		s.mu.Lock()
		for i := range out.CapacityReservations {
			r := &out.CapacityReservations[i]
			if r.ReservationType == types.CapacityReservationTypeCapacityBlock || r.OutpostArn != nil || r.PlacementGroupArn != nil || aws.ToBool(r.Interruptible) {
				continue
			}
			s.inv.Reservations = append(s.inv.Reservations, Reservation{
				ID: aws.ToString(r.CapacityReservationId), ZoneID: aws.ToString(r.AvailabilityZoneId), Type: aws.ToString(r.InstanceType),
				Platform: string(r.InstancePlatform), Tenancy: string(r.Tenancy), Targeted: r.InstanceMatchCriteria == types.InstanceMatchCriteriaTargeted,
				Total: int(aws.ToInt32(r.TotalInstanceCount)), Free: int(aws.ToInt32(r.AvailableInstanceCount)),
			})
		}
		s.mu.Unlock()
	}
	return nil
}

// reserved reads the zonal Reserved Instances, and the instances if they matter.
func (s *surveyor) reserved(ctx context.Context) error {
	filters := []types.Filter{filter("state", string(types.ReservedInstanceStateActive)), filter("scope", string(types.ScopeAvailabilityZone))}
	if len(s.req.Types) > 0 {
		filters = append(filters, filter("instance-type", s.req.Types...))
	}
	out, err := s.api.DescribeReservedInstances(ctx, &ec2.DescribeReservedInstancesInput{Filters: filters})
	if err != nil {
		err = failed("ec2:DescribeReservedInstances", err)
	}
	var all []Reserved
	if out != nil {
		for i := range out.ReservedInstances {
			r := &out.ReservedInstances[i]
			all = append(all, Reserved{
				aws.ToString(r.ReservedInstancesId), aws.ToString(r.AvailabilityZoneId), string(r.InstanceType),
				strings.TrimSuffix(string(r.ProductDescription), " (Amazon VPC)"), string(r.InstanceTenancy), int(aws.ToInt32(r.InstanceCount)),
			})
		}
	}
	if len(all) == 0 && !s.req.Instances {
		return err
	}
	if ierr := s.instances(ctx); ierr != nil { // what they take of the reserved is not known, so that nothing is known of it
		if err != nil {
			return fmt.Errorf("%w; %w", err, ierr)
		}
		return ierr
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inv.Reserved = all
	return err
}

func (s *surveyor) instances(ctx context.Context) error {
	p := ec2.NewDescribeInstancesPaginator(s.api, &ec2.DescribeInstancesInput{Filters: []types.Filter{filter("instance-state-name", "pending", "running")}})
	for p.HasMorePages() {
		out, err := p.NextPage(ctx)
		if err != nil {
			return failed("ec2:DescribeInstances", err)
		}
		s.mu.Lock()
		for _, r := range out.Reservations {
			for i := range r.Instances {
				s.inv.Instances = append(s.inv.Instances, s.instance(&r.Instances[i]))
			}
		}
		s.mu.Unlock()
	}
	return nil
}

func (s *surveyor) instance(i *types.Instance) Instance {
	v := Instance{
		ID: aws.ToString(i.InstanceId), Type: string(i.InstanceType), Platform: aws.ToString(i.PlatformDetails),
		Reservation: aws.ToString(i.CapacityReservationId), RootStore: string(i.RootDeviceType), Tags: make(map[string]string, len(i.Tags)),
	}
	if i.Placement != nil {
		v.ZoneID, v.Tenancy = aws.ToString(i.Placement.AvailabilityZoneId), string(i.Placement.Tenancy)
	}
	for _, m := range i.BlockDeviceMappings {
		if aws.ToString(m.DeviceName) != aws.ToString(i.RootDeviceName) {
			v.DataVolumes++
		}
	}
	for _, t := range i.Tags {
		v.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return v
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}
