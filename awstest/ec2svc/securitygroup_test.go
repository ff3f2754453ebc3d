package ec2svc_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

// group makes a security group.
func (w *world) group(name string) string {
	w.Helper()
	out := must(w.CreateSecurityGroup(w.Context(), &ec2.CreateSecurityGroupInput{GroupName: &name, Description: aws.String("of a test")}))(w)
	return *out.GroupId
}

// isolation makes a group without rules.
func (w *world) isolation() string {
	w.Helper()
	id := w.group("isolation")
	must(w.RevokeSecurityGroupEgress(w.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: &id, IpPermissions: allow("-1", 0, "0.0.0.0/0")}))(w)
	return id
}

type permission = types.IpPermission

// allow is a permission for one port, of all protocols if the protocol is -1.
func allow(protocol string, port int32, cidr string) []types.IpPermission {
	p := types.IpPermission{IpProtocol: &protocol, IpRanges: []types.IpRange{{CidrIp: &cidr}}}
	if protocol != "-1" {
		p.FromPort, p.ToPort = &port, &port
	}
	return []types.IpPermission{p}
}

func (w *world) securityGroup(id string) types.SecurityGroup {
	w.Helper()
	return must(w.DescribeSecurityGroups(w.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}}))(w).SecurityGroups[0]
}

// setGroups replaces the groups of an interface.
func (w *world) setGroups(nic string, groups ...string) error {
	w.Helper()
	_, err := w.ModifyNetworkInterfaceAttribute(w.Context(), &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: &nic, Groups: groups})
	return err
}

func groupIDs(groups []types.GroupIdentifier) []string {
	ids := []string{}
	for _, g := range groups {
		ids = append(ids, *g.GroupId)
	}
	return ids
}

func (w *world) defaultGroup() string {
	w.Helper()
	out := must(w.DescribeSecurityGroups(w.Context(), &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"default"}}))(w)
	return *out.SecurityGroups[0].GroupId
}

// opens tells whether a connection opens within a second.
func opens(w *world, dial func(context.Context, string, string) (net.Conn, error), address string) bool {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Second)
	defer cancel()
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func (w *world) machine(id string) *awstest.Instance {
	w.Helper()
	m, ok := w.cloud.Instance(id)
	if !ok {
		w.Fatalf("no machine %s", id)
	}
	return m
}

func TestSecurityGroupsAreShown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		web, ops := w.group("Web"), w.group("ops")
		id := w.running(zoneA, func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{web, "sg-nobody"} })
		plain := w.running(zoneA)
		nic := *must(w.CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{
			SubnetId: aws.String(w.subnet(zoneA)), Groups: []string{ops, web},
		}))(w).NetworkInterface.NetworkInterfaceId
		i := w.instance(id)
		for what, c := range map[string]struct {
			got  []types.GroupIdentifier
			want []string
		}{
			"instance":                  {i.SecurityGroups, []string{web}},
			"its interface":             {i.NetworkInterfaces[0].Groups, []string{web}},
			"instance without a choice": {w.instance(plain).SecurityGroups, []string{w.defaultGroup()}},
			"interface":                 {w.describeNIC(nic).Groups, []string{web, ops}},
		} {
			if diff := cmp.Diff(c.want, groupIDs(c.got)); diff != "" {
				w.Errorf("%s: %s", what, diff)
			}
		}
		if name := *i.SecurityGroups[0].GroupName; name != "Web" {
			w.Errorf("the group is shown as %s", name)
		}
		for _, f := range []types.Filter{
			filter("instance.group-id", web), filter("instance.group-name", "Web"), filter("network-interface.group-id", web), filter("network-interface.group-name", "W*"),
		} {
			out := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{f}}))(w)
			if len(out.Reservations) != 1 || *out.Reservations[0].Instances[0].InstanceId != id {
				w.Errorf("%s: %d reservations", *f.Name, len(out.Reservations))
			}
		}
		for _, f := range []types.Filter{filter("group-id", ops), filter("group-name", "ops")} {
			out := must(w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{f}}))(w)
			if len(out.NetworkInterfaces) != 1 || *out.NetworkInterfaces[0].NetworkInterfaceId != nic {
				w.Errorf("%s: %d interfaces", *f.Name, len(out.NetworkInterfaces))
			}
		}
	})
}

func TestLaunchesWithSecurityGroups(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		web, ops := w.group("web"), w.group("ops")
		must(w.CreateLaunchTemplate(w.Context(), &ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("web"), LaunchTemplateData: large(func(d *types.RequestLaunchTemplateData) {
			d.SecurityGroupIds = []string{web}
		})}))(w)
		byTemplate := w.running(zoneA, func(in *ec2.RunInstancesInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")}
		})
		byName := w.running(zoneA, func(in *ec2.RunInstancesInput) { in.SecurityGroups = []string{"WEB"} })
		two := w.running(zoneA, func(in *ec2.RunInstancesInput) {
			in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
				{DeviceIndex: aws.Int32(0), SubnetId: aws.String(w.subnet(zoneA)), Groups: []string{web}},
				{DeviceIndex: aws.Int32(1), SubnetId: aws.String(w.subnet(zoneA)), Groups: []string{ops}},
			}
		})
		for id, want := range map[string]string{byTemplate: web, byName: web, two: web} {
			if diff := cmp.Diff([]string{want}, groupIDs(w.instance(id).SecurityGroups)); diff != "" {
				w.Error(diff)
			}
		}
		if diff := cmp.Diff([]string{ops}, groupIDs(w.instance(two).NetworkInterfaces[1].Groups)); diff != "" {
			w.Error(diff)
		}
	})
}

func TestSecurityGroupRules(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		web, ops := w.group("web"), w.group("ops")
		ctx := w.Context()
		mixed := types.IpPermission{
			IpProtocol: aws.String("6"), FromPort: aws.Int32(80), ToPort: aws.Int32(81),
			IpRanges: []types.IpRange{{CidrIp: aws.String("10.1.2.3/8"), Description: aws.String("inside")}}, Ipv6Ranges: []types.Ipv6Range{{CidrIpv6: aws.String("::/0")}},
			UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &ops}},
		}
		must(w.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &web, IpPermissions: []types.IpPermission{mixed}}))(w)
		must(w.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupName: aws.String("web"), IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), CidrIp: aws.String("0.0.0.0/0"),
		}))(w)
		shown := mixed
		shown.IpProtocol, shown.IpRanges = aws.String("tcp"), []types.IpRange{{CidrIp: aws.String("10.0.0.0/8"), Description: aws.String("inside")}}
		shown.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: &ops, UserId: aws.String(account)}}
		want := append([]types.IpPermission{shown}, allow("tcp", 22, "0.0.0.0/0")...)
		if diff := cmp.Diff(want, w.securityGroup(web).IpPermissions, unexported); diff != "" {
			w.Error(diff)
		}
		if diff := cmp.Diff(allow("-1", 0, "0.0.0.0/0"), w.securityGroup(web).IpPermissionsEgress, unexported); diff != "" {
			w.Error(diff)
		}

		_, err := w.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &web, IpPermissions: append(allow("tcp", 23, "0.0.0.0/0"), allow("tcp", 22, "0.0.0.0/0")...)})
		wantCode(w, err, "InvalidPermission.Duplicate") // and nothing is added
		_, err = w.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &ops})
		wantCode(w, err, "DependencyViolation")

		out := must(w.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &web, IpPermissions: append([]types.IpPermission{mixed}, allow("tcp", 23, "0.0.0.0/0")...)}))(w)
		if diff := cmp.Diff(allow("tcp", 23, "0.0.0.0/0"), out.UnknownIpPermissions, unexported); diff != "" {
			w.Error(diff)
		}
		if diff := cmp.Diff(allow("tcp", 22, "0.0.0.0/0"), w.securityGroup(web).IpPermissions, unexported); diff != "" {
			w.Error(diff)
		}
		must(w.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupName: aws.String("OPS")}))(w)
		_, err = w.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{ops}})
		wantMessage(w, err, "InvalidGroup.NotFound", "The security group '"+ops+"' does not exist")
	})
}

func TestSecurityGroupMistakes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		ctx := w.Context()
		web, id := w.group("web"), w.running(zoneA)
		nic, spare := w.eni(id), w.nic(zoneA)
		used, gone := w.group("used"), w.group("gone")
		wantCode(w, w.setGroups(spare, used), "")
		must(w.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &gone}))(w)
		crowd := []string{}
		for name := range strings.SplitSeq("abcdef", "") {
			crowd = append(crowd, w.group(name))
		}
		create := func(name, description string) error {
			_, err := w.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &description})
			return err
		}
		remove := func(id string) error {
			_, err := w.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id})
			return err
		}
		permit := func(p ...types.IpPermission) error {
			_, err := w.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &web, IpPermissions: p})
			return err
		}
		instance := func(id string, groups ...string) error {
			_, err := w.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: &id, Groups: groups})
			return err
		}
		two := w.running(zoneA)
		must(w.attach(w.nic(zoneA), two, 1))(w)
		_, launched := w.RunInstances(ctx, run(1, func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{gone} }))
		_, created := w.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneA)), Groups: []string{gone}})
		_, elsewhere := w.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("x"), Description: aws.String("x"), VpcId: aws.String("vpc-12345678")})
		_, nameless := w.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"nobody"}})
		for name, c := range map[string]struct {
			err  error
			code string
		}{
			"a name that is taken":          {create("WEB", "x"), "InvalidGroup.Duplicate"},
			"the name of the default":       {create("Default", "x"), "InvalidParameterValue"},
			"a name like an ID":             {create("sg-web", "x"), "InvalidParameterValue"},
			"a bad description":             {create("x", "ü"), "InvalidParameterValue"},
			"no name":                       {create("", "x"), "MissingParameter"},
			"no description":                {create("x", ""), "MissingParameter"},
			"another VPC":                   {elsewhere, "InvalidVpcID.NotFound"},
			"deletion of the default":       {remove(w.defaultGroup()), "CannotDelete"},
			"deletion of what is used":      {remove(used), "DependencyViolation"},
			"deletion of what is gone":      {remove(gone), "InvalidGroup.NotFound"},
			"deletion of what is no ID":     {remove("web"), "InvalidGroupId.Malformed"},
			"a name that nobody has":        {nameless, "InvalidGroup.NotFound"},
			"no permissions":                {permit(), "MissingParameter"},
			"no protocol":                   {permit(types.IpPermission{IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}), "MissingParameter"},
			"no peer":                       {permit(types.IpPermission{IpProtocol: aws.String("-1")}), "MissingParameter"},
			"no ports":                      {permit(types.IpPermission{IpProtocol: aws.String("tcp"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}), "InvalidParameterValue"},
			"no range":                      {permit(allow("udp", 53, "here")...), "InvalidParameterValue"},
			"a range of the other family":   {permit(allow("udp", 53, "::/0")...), "InvalidParameterValue"},
			"a peer that is gone":           {permit(types.IpPermission{IpProtocol: aws.String("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &gone}}}), "InvalidGroup.NotFound"},
			"an interface and no groups":    {w.setGroups(nic), "MissingParameter"},
			"an interface, a group gone":    {w.setGroups(nic, gone), "InvalidSecurityGroupID.NotFound"},
			"an interface, no ID":           {w.setGroups(nic, "web"), "InvalidGroupId.Malformed"},
			"an interface, too many groups": {w.setGroups(nic, crowd...), "SecurityGroupsPerInterfaceLimitExceeded"},
			"no interface":                  {w.setGroups("eni-12345678", web), "InvalidNetworkInterfaceID.NotFound"},
			"an instance and a group gone":  {instance(id, gone), "InvalidGroup.NotFound"},
			"an instance, two interfaces":   {instance(two, web), "InvalidInstanceID"},
			"no instance":                   {instance("i-12345678", web), "InvalidInstanceID.NotFound"},
			"a launch with a group gone":    {launched, "InvalidGroup.NotFound"},
			"an interface of a group gone":  {created, "InvalidGroup.NotFound"},
		} {
			if got := codeOf(c.err); got != c.code {
				w.Errorf("%s: %v, want %s", name, c.err, c.code)
			}
		}
	})
}

func TestGroupsAreBehind(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		nic := w.nic(zoneA)
		web := w.group("web")
		wantCode(w, w.setGroups(nic, web), "")
		time.Sleep(10 * time.Second)
		wantCode(w, w.setGroups(nic, w.defaultGroup()), "")
		must(w.AuthorizeSecurityGroupIngress(w.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &web, IpPermissions: allow("tcp", 22, "0.0.0.0/0")}))(w)
		defer must(w.cloud.Inject(awstest.Match{Service: "EC2"}, awstest.Stale(5*time.Second)))(w)()
		if diff := cmp.Diff([]string{web}, groupIDs(w.describeNIC(nic).Groups)); diff != "" {
			w.Error(diff)
		}
		if rules := w.securityGroup(web).IpPermissions; len(rules) > 0 {
			w.Errorf("%d rules", len(rules))
		}
	})
}

func TestIsolation(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, other := w.running(zoneA), w.running(zoneB)
		m, peer := w.machine(id), w.machine(other)
		for _, i := range []*awstest.Instance{m, peer} {
			must(i.Serve(80, http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(out, "here") })))(w)
		}
		allocation := w.allocate()
		w.associate(allocation, id)
		public, private := *w.address(allocation).PublicIp+":80", m.PrivateIP().String()+":80"
		l := must(m.Listen(81))(w)
		open := must(peer.Dial(w.Context(), "tcp", m.PrivateIP().String()+":81"))(w)
		served := must(l.Accept())(w)
		defer func() { _, _ = open.Close(), served.Close() }()

		want := func(when string, in, out bool) {
			w.Helper()
			got := map[string]bool{
				"from the Internet": opens(w, w.cloud.Dial, public), "from another instance": opens(w, peer.Dial, private),
				"from itself": opens(w, m.Dial, private), "to another instance": opens(w, m.Dial, peer.PrivateIP().String()+":80"),
			}
			if diff := cmp.Diff(map[string]bool{"from the Internet": in, "from another instance": in, "from itself": true, "to another instance": out}, got); diff != "" {
				w.Errorf("%s: %s", when, diff)
			}
		}
		want("at first", true, true)
		shut := w.isolation()
		wantCode(w, w.setGroups(w.eni(id), shut), "")
		want("isolated", false, false)
		// What is open goes on.
		if _, err := io.WriteString(open, "x"); err != nil {
			w.Error(err)
		}
		if _, err := io.ReadFull(served, make([]byte, 1)); err != nil {
			w.Error(err)
		}
		// A second interface has groups of its own.
		second := w.nic(zoneA)
		must(w.attach(second, id, 1))(w)
		if !opens(w, peer.Dial, *w.describeNIC(second).PrivateIpAddress+":80") {
			w.Error("the second interface is shut as well")
		}
		// The rules of a group change what its members take.
		must(w.AuthorizeSecurityGroupIngress(w.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &shut, IpPermissions: allow("tcp", 80, "0.0.0.0/0")}))(w)
		want("with a rule in", true, false)
		must(w.RevokeSecurityGroupIngress(w.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &shut, IpPermissions: allow("tcp", 80, "0.0.0.0/0")}))(w)
		must(w.AuthorizeSecurityGroupEgress(w.Context(), &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &shut, IpPermissions: allow("tcp", 80, "0.0.0.0/0")}))(w)
		want("with a rule out", false, true)
		// A dial that waits gets through when the path opens.
		time.AfterFunc(500*time.Millisecond, func() { _ = w.setGroups(w.eni(id), w.defaultGroup()) })
		want("let go", true, true)
	})
}

func TestAnAddressMovesOutOfIsolation(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, other := w.running(zoneA), w.running(zoneB)
		for _, i := range []string{id, other} {
			must(w.machine(i).Serve(80, http.NotFoundHandler()))(w)
		}
		a := w.allocate()
		public := *w.address(a).PublicIp + ":80"
		must(w.ModifyInstanceAttribute(w.Context(), &ec2.ModifyInstanceAttributeInput{InstanceId: &id, Groups: []string{w.isolation()}}))(w)
		w.associate(a, id)
		if opens(w, w.cloud.Dial, public) {
			w.Error("the address of an isolated instance is reached")
		}
		w.associate(a, other)
		if !opens(w, w.cloud.Dial, public) {
			w.Error("the address is not reached on an instance that is not isolated")
		}
	})
}
