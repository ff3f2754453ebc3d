package ec2svc_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// operations returns the names of the operations of the SDK's client that are
// modelled: those that a fault can be injected into.
func operations(t *testing.T) (names []string) {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
	if err != nil {
		t.Fatal(err)
	}
	client := reflect.TypeFor[*ec2.Client]()
	for method := range client.Methods() {
		name := method.Name
		if _, err := cloud.Inject(awstest.Match{Service: "EC2", Operation: name}, awstest.Throttle()); err == nil {
			names = append(names, name)
		}
	}
	if err := cloud.Close(); err != nil {
		t.Error(err)
	}
	return names
}

// packageDoc returns the first words of the list items of a section of the
// package's page.
func packageDoc(t *testing.T, section string) (items []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(file.Doc.Text(), "\n# "+section+"\n")
	if !found {
		t.Fatalf("doc.go has no section %s", section)
	}
	rest, _, _ = strings.Cut(rest, "\n# ")
	for line := range strings.Lines(rest) {
		if item, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok {
			item, _, _ = strings.Cut(item, ":")
			items = append(items, item)
		}
	}
	return items
}

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	documented := packageDoc(t, "Operations")
	slices.Sort(documented)
	if diff := cmp.Diff(operations(t), documented); diff != "" {
		t.Errorf("what is modelled (-) and what doc.go lists (+): %s", diff)
	}
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	codes := map[string]bool{}
	note := func(e ast.Expr) {
		if text, ok := e.(*ast.BasicLit); ok && text.Kind == token.STRING {
			if code, err := strconv.Unquote(text.Value); err == nil && code != "" {
				codes[code] = true
			}
		}
	}
	for _, pattern := range []string{"*.go", "../internal/ec2model/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Errorf" {
						note(n.Args[0])
					}
				case *ast.KeyValueExpr:
					if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Code" {
						note(n.Value)
					}
				case *ast.CompositeLit: // kind{prefix, name, malformed, notFound}
					if k, ok := n.Type.(*ast.Ident); ok && k.Name == "kind" {
						note(n.Elts[2])
						note(n.Elts[3])
					}
				}
				return true
			})
		}
	}
	documented := map[string]bool{}
	for _, code := range packageDoc(t, "Errors") {
		documented[code] = true
	}
	if diff := cmp.Diff(codes, documented); diff != "" {
		t.Errorf("codes in the source (-) and in doc.go (+): %s", diff)
	}
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
	return []any{
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

func nameOf(input any) string {
	return strings.TrimSuffix(reflect.TypeOf(input).Elem().Name(), "Input")
}

// call calls the operation that an input is of.
func (w *world) call(ctx context.Context, input any) (out any, err error) {
	results := reflect.ValueOf(w.Client).MethodByName(nameOf(input)).Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(input)})
	err, _ = results[1].Interface().(error)
	return results[0].Interface(), err
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
		must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{}))(w).Volumes,
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
				if nameOf(input) != "AssignPrivateIpAddresses" {
					w.Errorf("%s has no DryRun", nameOf(input))
				}
				continue
			}
			field.Set(reflect.ValueOf(aws.Bool(true)))
			_, err := w.call(w.Context(), input)
			wantCode(w, err, "DryRunOperation")
			wantStatus(w, err, 412)
			heal := must(w.cloud.Inject(awstest.Match{Service: "EC2", Operation: nameOf(input)}, awstest.Deny()))(w)
			_, err = w.call(w.Context(), input)
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
			if _, err := w.call(w.Context(), input); err != nil {
				w.Errorf("%s: %v", nameOf(input), err)
			}
			names = append(names, nameOf(input))
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
		for _, c := range []struct {
			effect   awstest.Effect
			code     string
			status   int
			attempts int
		}{
			{awstest.Throttle(), "RequestLimitExceeded", 503, 3},
			{awstest.Unavailable(), "Unavailable", 503, 3},
			{awstest.Deny(), "UnauthorizedOperation", 403, 1},
		} {
			before := w.cloud.Count("EC2", "DescribeInstances")
			heal := must(w.cloud.Inject(awstest.Match{Service: "EC2", Operation: "DescribeInstances"}, c.effect))(w)
			_, err := w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{})
			heal()
			wantCode(w, err, c.code)
			wantStatus(w, err, c.status)
			if n := w.cloud.Count("EC2", "DescribeInstances") - before; n != c.attempts {
				w.Errorf("%s: %d attempts, want %d", c.code, n, c.attempts)
			}
		}
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(*ec2.Client) error
		says string
	}{
		"an operation": {func(c *ec2.Client) error {
			_, err := c.DescribeImages(t.Context(), &ec2.DescribeImagesInput{})
			return err
		}, "awstest: EC2.DescribeImages is not modelled"},
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
			cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
			if err != nil {
				t.Fatal(err)
			}
			err = c.call(ec2.NewFromConfig(cloud.Config(region)))
			var nm *awstest.NotModelledError
			if !errors.Is(err, awstest.ErrNotModelled) || !errors.As(err, &nm) || nm.Error() != c.says {
				t.Errorf("got %v, want %s", err, c.says)
			}
			if n := len(cloud.Calls(awstest.Match{})); n > 1 {
				t.Errorf("%d attempts", n)
			}
			if err := cloud.Close(); err == nil || err.Error() != c.says {
				t.Errorf("Close returns %v", err)
			}
		})
	}
}
