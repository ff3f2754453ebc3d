package ec2svc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// operations returns the operations that are modelled.
func operations(t *testing.T) []string {
	t.Helper()
	return svctest.Operations[*ec2.Client](t, ec2svc.New(), ec2.ServiceID)
}

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, operations(t))
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	codes := svctest.Codes(t, "*.go", "../internal/ec2model/*.go")
	kinds := must(parser.ParseFile(token.NewFileSet(), "describe.go", nil, parser.SkipObjectResolution))(t)
	ast.Inspect(kinds, func(n ast.Node) bool { // kind{prefix, name, malformed, notFound}
		if lit, ok := n.(*ast.CompositeLit); ok {
			if k, ok := lit.Type.(*ast.Ident); ok && k.Name == "kind" {
				for _, e := range lit.Elts[2:] {
					if code := must(strconv.Unquote(e.(*ast.BasicLit).Value))(t); code != "" {
						codes[code] = true
					}
				}
			}
		}
		return true
	})
	svctest.PageListsCodes(t, codes)
}

// inputs has an input for every operation, on resources that exist. One after
// the other, they succeed.
func inputs(w *world) []any {
	id, down := w.running(zoneA), inState(stopped)(w)
	nic, attached, useless := w.nic(zoneA), w.nic(zoneA), w.nic(zoneB)
	a, free, unwanted := w.allocate(), w.allocate(), w.allocate()
	attachment := must(w.attach(attached, id, 1))(w)
	association := *must(w.AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &attached}))(w).AssociationId
	attachedGateway, vpc := w.gateway()
	spareGateway, uselessGateway := w.newGateway(), w.newGateway()
	web, old := w.template("web", large()), w.template("old", large())
	w.addVersion(web, large())
	spare, wanted, used := w.volume(zoneA), w.volume(zoneA), w.attached(w.volume(zoneA), id, "/dev/sdf")
	done, unneeded, rooted := w.completed(wanted), w.completed(used), w.running(zoneA)
	guard, unused := w.group("guard"), w.group("unused")
	image, unwantedImage := w.image(down, "image"), w.image(w.running(zoneA), "unwanted")
	return []any{
		&ec2.CreateSecurityGroupInput{GroupName: aws.String("new"), Description: aws.String("new")},
		&ec2.DeleteSecurityGroupInput{GroupId: &unused},
		&ec2.DescribeSecurityGroupsInput{},
		&ec2.AuthorizeSecurityGroupIngressInput{GroupId: &guard, IpPermissions: allow("tcp", 443, "0.0.0.0/0")},
		&ec2.AuthorizeSecurityGroupEgressInput{GroupId: &guard, IpPermissions: allow("tcp", 443, "0.0.0.0/0")},
		&ec2.RevokeSecurityGroupIngressInput{GroupId: &guard, IpPermissions: allow("tcp", 443, "0.0.0.0/0")},
		&ec2.RevokeSecurityGroupEgressInput{GroupId: &guard, IpPermissions: allow("tcp", 443, "0.0.0.0/0")},
		&ec2.ModifyInstanceAttributeInput{InstanceId: &down, Groups: []string{guard}},
		&ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: &nic, Groups: []string{guard}},
		&ec2.CreateSnapshotInput{VolumeId: &wanted},
		&ec2.CreateSnapshotsInput{InstanceSpecification: &types.InstanceSpecification{InstanceId: &rooted}},
		&ec2.CopySnapshotInput{SourceRegion: aws.String(region), SourceSnapshotId: &done},
		&ec2.DeleteSnapshotInput{SnapshotId: &unneeded},
		&ec2.DescribeSnapshotsInput{},
		&ec2.LockSnapshotInput{SnapshotId: &done, LockMode: types.LockModeGovernance, LockDuration: aws.Int32(1)},
		&ec2.DescribeLockedSnapshotsInput{},
		&ec2.UnlockSnapshotInput{SnapshotId: &done},
		&ec2.CreateImageInput{InstanceId: aws.String(w.running(zoneA)), Name: aws.String("new")},
		&ec2.CopyImageInput{SourceRegion: aws.String(region), SourceImageId: &image, Name: aws.String("copy")},
		&ec2.DescribeImagesInput{},
		&ec2.EnableImageDeprecationInput{ImageId: &image, DeprecateAt: aws.Time(time.Now().Add(time.Hour))},
		&ec2.DisableImageDeprecationInput{ImageId: &image},
		&ec2.EnableImageDeregistrationProtectionInput{ImageId: &image},
		&ec2.DisableImageDeregistrationProtectionInput{ImageId: &image},
		&ec2.DisableImageInput{ImageId: &image},
		&ec2.EnableImageInput{ImageId: &image},
		&ec2.DeregisterImageInput{ImageId: &unwantedImage},
		// The gateway can go when no address is in its way.
		&ec2.DisassociateAddressInput{AssociationId: &association},
		&ec2.DetachInternetGatewayInput{InternetGatewayId: &attachedGateway, VpcId: &vpc},
		&ec2.AttachInternetGatewayInput{InternetGatewayId: &spareGateway, VpcId: &vpc},
		&ec2.AllocateAddressInput{},
		&ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: &nic, SecondaryPrivateIpAddressCount: aws.Int32(1)},
		&ec2.AssociateAddressInput{AllocationId: &free, InstanceId: &down},
		&ec2.AttachNetworkInterfaceInput{NetworkInterfaceId: &nic, InstanceId: &id, DeviceIndex: aws.Int32(2)},
		&ec2.CreateInternetGatewayInput{},
		&ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("new"), LaunchTemplateData: large()},
		&ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: &web, LaunchTemplateData: large()},
		&ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneA))},
		&ec2.AttachVolumeInput{VolumeId: &wanted, InstanceId: &id, Device: aws.String("/dev/sdg")},
		&ec2.CreateVolumeInput{AvailabilityZoneId: aws.String(zoneA), Size: aws.Int32(1)},
		&ec2.DeleteVolumeInput{VolumeId: &spare},
		&ec2.DescribeVolumesInput{},
		&ec2.DescribeVolumeStatusInput{},
		&ec2.DetachVolumeInput{VolumeId: &used},
		&ec2.CreateTagsInput{Resources: []string{id}, Tags: tagList("a=b")},
		&ec2.DeleteInternetGatewayInput{InternetGatewayId: &uselessGateway},
		&ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &old},
		&ec2.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: &web, Versions: []string{"2"}},
		&ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &useless},
		&ec2.DeleteTagsInput{Resources: []string{id}},
		&ec2.DescribeAddressesInput{},
		&ec2.DescribeAvailabilityZonesInput{},
		&ec2.CreateCapacityReservationInput{
			InstanceType: aws.String("m7g.large"), InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: aws.Int32(1),
			AvailabilityZoneId: aws.String(zoneA),
		},
		&ec2.CancelCapacityReservationInput{CapacityReservationId: aws.String(w.reservation(zoneA, 1))},
		&ec2.DescribeCapacityReservationsInput{},
		&ec2.DescribeReservedInstancesInput{},
		&ec2.DescribeInstanceTypeOfferingsInput{},
		&ec2.DescribeInstanceTypesInput{},
		&ec2.DescribeInstanceStatusInput{},
		&ec2.DescribeInstancesInput{},
		&ec2.DescribeInternetGatewaysInput{},
		&ec2.DescribeLaunchTemplatesInput{},
		&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: &web},
		&ec2.DescribeNetworkInterfacesInput{},
		&ec2.DescribeSubnetsInput{},
		&ec2.DescribeTagsInput{},
		&ec2.DescribeVpcsInput{},
		&ec2.DetachNetworkInterfaceInput{AttachmentId: &attachment},
		&ec2.ModifyLaunchTemplateInput{LaunchTemplateId: &web, DefaultVersion: aws.String("1")},
		&ec2.RebootInstancesInput{InstanceIds: []string{id}},
		&ec2.ReleaseAddressInput{AllocationId: &unwanted},
		run(1),
		&ec2.StartInstancesInput{InstanceIds: []string{down}},
		&ec2.StopInstancesInput{InstanceIds: []string{id}},
		&ec2.TerminateInstancesInput{InstanceIds: []string{id, down}},
	}
}

// everything describes all that there is.
func (w *world) everything() []any {
	w.Helper()
	return []any{
		must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{}))(w).Reservations,
		must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{}))(w).NetworkInterfaces,
		must(w.DescribeAddresses(w.Context(), &ec2.DescribeAddressesInput{}))(w).Addresses,
		must(w.DescribeTags(w.Context(), &ec2.DescribeTagsInput{}))(w).Tags,
		must(w.DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{}))(w).Subnets,
		must(w.DescribeInternetGateways(w.Context(), &ec2.DescribeInternetGatewaysInput{}))(w).InternetGateways,
		must(w.DescribeLaunchTemplates(w.Context(), &ec2.DescribeLaunchTemplatesInput{}))(w).LaunchTemplates,
		must(w.DescribeSecurityGroups(w.Context(), &ec2.DescribeSecurityGroupsInput{}))(w).SecurityGroups,
		must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{}))(w).Volumes,
		must(w.DescribeSnapshots(w.Context(), &ec2.DescribeSnapshotsInput{}))(w).Snapshots,
		must(w.DescribeLockedSnapshots(w.Context(), &ec2.DescribeLockedSnapshotsInput{}))(w).Snapshots,
		must(w.DescribeImages(w.Context(), &ec2.DescribeImagesInput{IncludeDisabled: aws.Bool(true)}))(w).Images,
	}
}

var unexported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && !ast.IsExported(field.Name())
}, cmp.Ignore())

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		list := inputs(w)
		before := w.everything()
		for _, input := range list {
			field := reflect.ValueOf(input).Elem().FieldByName("DryRun")
			if !field.IsValid() {
				if svctest.NameOf(input) != "AssignPrivateIpAddresses" {
					w.Errorf("%s has no DryRun", svctest.NameOf(input))
				}
				continue
			}
			field.Set(reflect.ValueOf(aws.Bool(true)))
			_, err := svctest.Call(w.Context(), w.Client, input)
			wantCode(w, err, "DryRunOperation")
			wantStatus(w, err, 412)
			heal := must(w.cloud.Inject(awstest.Match{Service: "EC2", Operation: svctest.NameOf(input)}, awstest.Deny()))(w)
			_, err = svctest.Call(w.Context(), w.Client, input)
			wantCode(w, err, "UnauthorizedOperation")
			wantStatus(w, err, 403)
			heal()
			field.Set(reflect.ValueOf(aws.Bool(false)))
		}
		if diff := cmp.Diff(before, w.everything(), unexported); diff != "" {
			w.Errorf("dry runs changed something: %s", diff)
		}
	})
}

func TestEveryOperationSucceeds(t *testing.T) {
	want := operations(t)
	t.Parallel()
	inBubble(t, func(w *world) {
		var names []string
		for _, input := range inputs(w) {
			if _, err := svctest.Call(w.Context(), w.Client, input); err != nil {
				w.Errorf("%s: %v", svctest.NameOf(input), err)
			}
			names = append(names, svctest.NameOf(input))
		}
		slices.Sort(names)
		if diff := cmp.Diff(want, names); diff != "" {
			w.Errorf("what is modelled (-) and what is called (+): %s", diff)
		}
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		call := func() error {
			_, err := w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{})
			return err
		}
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: "EC2", Operation: "DescribeInstances"}, call,
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "RequestLimitExceeded", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "Unavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "UnauthorizedOperation", Status: 403, Attempts: 1},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(*ec2.Client) error
		says string
	}{
		"an operation": {func(c *ec2.Client) error {
			_, err := c.DescribeKeyPairs(t.Context(), &ec2.DescribeKeyPairsInput{})
			return err
		}, "awstest: EC2.DescribeKeyPairs is not modelled"},
		"a parameter": {func(c *ec2.Client) error {
			_, err := c.RunInstances(t.Context(), run(1, func(in *ec2.RunInstancesInput) { in.InstanceMarketOptions = &types.InstanceMarketOptionsRequest{} }))
			return err
		}, "awstest: EC2.RunInstances: parameter InstanceMarketOptions is not modelled"},
		"a parameter of a parameter": {func(c *ec2.Client) error {
			_, err := c.RunInstances(t.Context(), run(1, func(in *ec2.RunInstancesInput) {
				in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), AssociatePublicIpAddress: aws.Bool(true)}}
			}))
			return err
		}, "awstest: EC2.RunInstances: AssociatePublicIpAddress of a network interface at launch is not modelled"},
		"a placement": {func(c *ec2.Client) error {
			_, err := c.RunInstances(t.Context(), run(1, func(in *ec2.RunInstancesInput) { in.Placement.Tenancy = types.TenancyHost }))
			return err
		}, "awstest: EC2.RunInstances: placement other than by Availability Zone is not modelled"},
		"a member of a launch template": {func(c *ec2.Client) error {
			_, err := c.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("web"), LaunchTemplateData: large(func(d *types.RequestLaunchTemplateData) {
				d.HibernationOptions = &types.LaunchTemplateHibernationOptionsRequest{}
			})})
			return err
		}, "awstest: EC2.CreateLaunchTemplate: launch template data HibernationOptions is not modelled"},
		"a place for a snapshot": {func(c *ec2.Client) error {
			_, err := c.CreateSnapshot(t.Context(), &ec2.CreateSnapshotInput{VolumeId: aws.String("vol-12345678"), Location: types.SnapshotLocationEnumLocal})
			return err
		}, "awstest: EC2.CreateSnapshot: parameter Location is not modelled"},
		"those who may restore a snapshot": {func(c *ec2.Client) error {
			_, err := c.DescribeSnapshots(t.Context(), &ec2.DescribeSnapshotsInput{RestorableByUserIds: []string{"self"}})
			return err
		}, "awstest: EC2.DescribeSnapshots: parameter RestorableByUserIds is not modelled"},
		"a volume for many": {func(c *ec2.Client) error {
			_, err := c.CreateVolume(t.Context(), volumeIn(zoneA, func(in *ec2.CreateVolumeInput) { in.MultiAttachEnabled = aws.Bool(true) }))
			return err
		}, "awstest: EC2.CreateVolume: Multi-Attach is not modelled"},
		"a snapshot of a launch": {func(c *ec2.Client) error {
			_, err := c.RunInstances(t.Context(), run(1, func(in *ec2.RunInstancesInput) {
				in.BlockDeviceMappings = []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdf"), Ebs: &types.EbsBlockDevice{SnapshotId: aws.String("snap-12345678")}}}
			}))
			return err
		}, "awstest: EC2.RunInstances: SnapshotId of a block device mapping is not modelled"},
		"an instance store": {func(c *ec2.Client) error {
			_, err := c.RunInstances(t.Context(), run(1, func(in *ec2.RunInstancesInput) {
				in.BlockDeviceMappings = []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdf"), VirtualName: aws.String("ephemeral0")}}
			}))
			return err
		}, "awstest: EC2.RunInstances: VirtualName of a block device mapping is not modelled"},
		"a filter": {func(c *ec2.Client) error {
			_, err := c.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{filter("affinity", "host")}})
			return err
		}, `awstest: EC2.DescribeInstances: filter "affinity" is not modelled`},
		"a filter on tags that there are none of": {func(c *ec2.Client) error {
			_, err := c.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: []types.Filter{filter("tag:a", "b")}})
			return err
		}, `awstest: EC2.DescribeSubnets: filter "tag:a" is not modelled`},
		"a filter without values": {func(c *ec2.Client) error {
			_, err := c.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{Filters: []types.Filter{filter("public-ip")}})
			return err
		}, `awstest: EC2.DescribeAddresses: filter "public-ip" without values is not modelled`},
		"tags of a subnet": {func(c *ec2.Client) error {
			_, err := c.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{"subnet-12345678"}, Tags: tagList("a=b")})
			return err
		}, "awstest: EC2.CreateTags: tags of subnet-12345678 is not modelled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svctest.NotModelled(t, ec2svc.New(), func(cloud *awstest.Cloud) error { return c.call(ec2.NewFromConfig(cloud.Config(region))) }, c.says)
		})
	}
}
