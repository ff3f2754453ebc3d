package ec2step_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
)

const modifyInterface = "ModifyNetworkInterfaceAttribute"

// securityGroup makes a group, which lets nothing in, and nothing out if it is to be shut.
func securityGroup(w *steptest.World, name string, shut bool) string {
	w.Helper()
	out, err := admin(w).CreateSecurityGroup(w.Context(), &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &name})
	if err != nil {
		w.Fatal(err)
	}
	if shut {
		all := types.IpPermission{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}
		_, err := admin(w).RevokeSecurityGroupEgress(w.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: out.GroupId, IpPermissions: []types.IpPermission{all}})
		if err != nil {
			w.Fatal(err)
		}
	}
	return *out.GroupId
}

// addInterface attaches a second interface to an instance.
func addInterface(w *steptest.World, id string, groups ...string) string {
	w.Helper()
	n, err := admin(w).CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: instance(w, id).SubnetId, Groups: groups})
	if err != nil {
		w.Fatal(err)
	}
	eni := *n.NetworkInterface.NetworkInterfaceId
	device := int32(len(instance(w, id).NetworkInterfaces))
	_, err = admin(w).AttachNetworkInterface(w.Context(), &ec2.AttachNetworkInterfaceInput{NetworkInterfaceId: &eni, InstanceId: &id, DeviceIndex: &device})
	if err != nil {
		w.Fatal(err)
	}
	return eni
}

func setGroups(w *steptest.World, eni string, groups ...string) {
	w.Helper()
	in := &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: &eni, Groups: groups}
	if _, err := admin(w).ModifyNetworkInterfaceAttribute(w.Context(), in); err != nil {
		w.Fatal(err)
	}
}

// groupsOf returns the groups of each interface of an instance, by device index.
func groupsOf(w *steptest.World, id string) (list [][]string) {
	w.Helper()
	for _, n := range instance(w, id).NetworkInterfaces {
		ids := []string{}
		for _, g := range n.Groups {
			ids = append(ids, *g.GroupId)
		}
		slices.Sort(ids)
		list = append(list, ids)
	}
	return list
}

func wantGroups(w *steptest.World, id string, want ...[]string) {
	w.Helper()
	if diff := cmp.Diff(want, groupsOf(w, id)); diff != "" {
		w.Error(diff)
	}
}

// isolating is a plan that puts what is in *id into the group that is in *group.
func isolating(id, group *string) steptest.Plan {
	return only(func(api *ec2.Client) failover.Step {
		return ec2step.Quarantine(api, ec2step.QuarantineSpec{ID: "isolate", Instance: failover.Literal(*id), SecurityGroup: *group})
	})
}

// isolated is a scenario in which an instance with some interfaces is cut off, and, after a rollback, is not.
func isolated(interfaces int, rollBack bool) steptest.Scenarios {
	return func() steptest.Scenario {
		id, group := new(string), new(string)
		var before [][]string
		return steptest.Scenario{
			Services: services, RollBack: rollBack,
			Prepare: func(w *steptest.World) {
				*id, *group = launch(w, zoneA), securityGroup(w, "isolation", true)
				web, ops := securityGroup(w, "web", false), securityGroup(w, "ops", false)
				for range interfaces - 1 {
					addInterface(w, *id, web, ops)
				}
				before = groupsOf(w, *id)
			},
			Plan: func(w *steptest.World, cfg awsConfig) failover.Plan { return isolating(id, group)(w, cfg) },
			Verify: func(w *steptest.World) {
				if rollBack {
					wantGroups(w, *id, before...)
					return
				}
				wantGroups(w, *id, slices.Repeat([][]string{{*group}}, interfaces)...)
			},
		}
	}
}

// answers tells whether a new connection from the Internet opens.
func answers(w *steptest.World, address string) bool {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Second)
	defer cancel()
	conn, err := w.Cloud.Dial(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// elastic gives an instance a public address.
func elastic(w *steptest.World, id string) string {
	w.Helper()
	a, err := admin(w).AllocateAddress(w.Context(), &ec2.AllocateAddressInput{})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := admin(w).AssociateAddress(w.Context(), &ec2.AssociateAddressInput{AllocationId: a.AllocationId, InstanceId: &id}); err != nil {
		w.Fatal(err)
	}
	return *a.PublicIp
}

func TestQuarantineCutsOff(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id, group := launch(w, zoneA), securityGroup(w, "isolation", true)
		public := elastic(w, id)
		web, ops := securityGroup(w, "web", false), securityGroup(w, "ops", false)
		addInterface(w, id, web, ops)
		before := groupsOf(w, id)
		m, _ := w.Cloud.Instance(id)
		if _, err := m.Serve(80, http.NotFoundHandler()); err != nil {
			w.Fatal(err)
		}
		l, err := m.Listen(81)
		if err != nil {
			w.Fatal(err)
		}
		open, err := w.Cloud.Dial(w.Context(), "tcp", net.JoinHostPort(public, "81"))
		if err != nil {
			w.Fatal(err)
		}
		served, err := l.Accept()
		if err != nil {
			w.Fatal(err)
		}
		if !answers(w, public+":80") {
			w.Error("it does not answer at first")
		}
		if _, err := w.Execute(isolating(&id, &group)); err != nil {
			w.Fatal(err)
		}
		wantGroups(w, id, []string{group}, []string{group})
		wantCalls(w, modifyInterface, 2)
		if answers(w, public+":80") {
			w.Error("it still answers")
		}
		// It is a weak fence: what is open goes on.
		if _, err := io.WriteString(served, "x"); err != nil {
			w.Error(err)
		}
		if _, err := io.ReadFull(open, make([]byte, 1)); err != nil {
			w.Error(err)
		}
		_, _ = open.Close(), served.Close()

		if err := w.RollBack(isolating(&id, &group)); err != nil {
			w.Fatal(err)
		}
		wantGroups(w, id, before...)
		wantCalls(w, modifyInterface, 4)
		if !answers(w, public+":80") {
			w.Error("it does not answer after the rollback")
		}
	})
}

func TestQuarantineDoesNothingToWhatIsIsolatedOrTerminated(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		isolated, terminated, group := launch(w, zoneA), launch(w, zoneA), securityGroup(w, "isolation", true)
		setGroups(w, *instance(w, isolated).NetworkInterfaces[0].NetworkInterfaceId, group)
		if _, err := admin(w).TerminateInstances(w.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{terminated}}); err != nil {
			w.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		made, _ := w.Calls(modifyInterface)
		if _, err := w.Execute(isolating(&isolated, &group)); err != nil {
			w.Error(err)
		}
		both := func(w *steptest.World, cfg awsConfig) failover.Plan {
			p := isolating(&terminated, &group)(w, cfg)
			p.Service = "other"
			return p
		}
		if _, err := w.Execute(both); err != nil {
			w.Error(err)
		}
		wantCalls(w, modifyInterface, made)
	})
}

func TestQuarantineDiesAtEachCall(t *testing.T) {
	t.Parallel()
	isolated(2, false).KilledAtEachCall(t, 4)
}

func TestQuarantineRollbackDiesAtEachCall(t *testing.T) {
	t.Parallel()
	isolated(2, true).KilledAtEachCall(t, 3)
}

func TestQuarantineBehind(t *testing.T) {
	t.Parallel()
	isolated(2, false).Stale(t)
}

func TestQuarantineRollbackBehind(t *testing.T) {
	t.Parallel()
	isolated(2, true).Stale(t)
}

func TestQuarantineCodes(t *testing.T) {
	t.Parallel()
	isolated(1, false).Codes(t, ec2.ServiceID, modifyInterface, []steptest.Code{
		{Code: "RequestLimitExceeded", Status: 503, Want: steptest.Retried},
		{Code: "Unavailable", Status: 503, Want: steptest.Retried},
		{Code: "InternalError", Status: 500, Want: steptest.Retried},
		{Code: "InvalidNetworkInterfaceID.NotFound", Want: steptest.Retried},
		{Code: "UnauthorizedOperation", Status: 403, Want: steptest.Permanent},
		{Code: "AuthFailure", Status: 401, Want: steptest.Permanent},
		{Code: "InvalidGroup.NotFound", Want: steptest.Permanent},
		{Code: "InvalidSecurityGroupID.NotFound", Want: steptest.Permanent},
		{Code: "SecurityGroupsPerInterfaceLimitExceeded", Want: steptest.Permanent},
	})
}

// TestQuarantineAndASecondWriter has somebody give an interface its groups back, and attach another one, while the first is changed.
func TestQuarantineAndASecondWriter(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id, group := launch(w, zoneA), securityGroup(w, "isolation", true)
		before := groupsOf(w, id)[0]
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: modifyInterface, Times: 1}, awstest.After(func(ctx context.Context, _ awstest.Record) {
			setGroups(w, *instance(w, id).NetworkInterfaces[0].NetworkInterfaceId, before...)
			addInterface(w, id)
		}))
		if _, err := w.Execute(isolating(&id, &group)); err != nil {
			w.Fatal(err)
		}
		wantGroups(w, id, []string{group}, []string{group})
		if err := w.RollBack(isolating(&id, &group)); err != nil {
			w.Fatal(err)
		}
		wantGroups(w, id, before, before)
	})
}

// TestQuarantineKeepsWhatSomebodyHasChanged undoes only its own change.
func TestQuarantineKeepsWhatSomebodyHasChanged(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id, group, ops := launch(w, zoneA), securityGroup(w, "isolation", true), securityGroup(w, "ops", false)
		second := addInterface(w, id)
		before := groupsOf(w, id)[0]
		if _, err := w.Execute(isolating(&id, &group)); err != nil {
			w.Fatal(err)
		}
		setGroups(w, second, ops)
		if err := w.RollBack(isolating(&id, &group)); err != nil {
			w.Fatal(err)
		}
		wantGroups(w, id, before, []string{ops})
	})
}

func TestQuarantineReady(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id, group, open := launch(w, zoneA), securityGroup(w, "isolation", true), securityGroup(w, "open", false)
		unknown, nobody := "sg-0123456789abcdef0", "i-0123456789abcdef0"
		eni := *instance(w, id).NetworkInterfaces[0].NetworkInterfaceId
		if r := w.Ready(isolating(&id, &group), nil); r.Level != failover.LevelPass {
			w.Error(r)
		}
		if r := w.Ready(isolating(&id, &open), nil); r.Level != failover.LevelWarn || !strings.Contains(r.String(), open+" has rules") {
			w.Error(r)
		}
		if r := w.Ready(isolating(&id, &unknown), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "ec2:DescribeSecurityGroups "+unknown) {
			w.Error(r)
		}
		if r := w.Ready(isolating(&nobody, &group), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), nobody) {
			w.Error(r)
		}
		defer w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: modifyInterface}, awstest.Deny())()
		if r := w.Ready(isolating(&id, &group), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "ec2:"+modifyInterface+" "+eni+": denied") {
			w.Error(r)
		}
		if diff := cmp.Diff([]string{group}, groupsOf(w, id)[0]); diff == "" {
			w.Error("it has changed something")
		}
	})
}
