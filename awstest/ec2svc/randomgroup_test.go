package ec2svc_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// TestRandomSecurityGroups holds random changes of groups and rules against a model: what is shown, now and of the past, and which connections open.
func TestRandomSecurityGroups(t *testing.T) {
	svctest.Sequences(t, 100, 10, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			groupSequence(t, s)
		}
	})
}

// guarded is a model of groups, with their ports by direction, and of the two interfaces of an instance.
type guarded struct {
	rules [3][2][]int32 // of each group, in and out
	has   [2][]int      // groups of each interface
}

func (g guarded) open(nic, direction int) bool {
	return slices.ContainsFunc(g.has[nic], func(n int) bool { return len(g.rules[n][direction]) > 0 })
}

func groupSequence(t *testing.T, seed uint64) {
	t.Helper()
	svctest.InBubble(t, []awstest.Service{ec2svc.New()}, func(t *testing.T, cloud *awstest.Cloud) {
		w := &world{t, ec2.NewFromConfig(cloud.Config(region)), cloud}
		rng := rand.New(rand.NewPCG(seed, seed))
		id, peer := w.running(zoneA), w.running(zoneB)
		nics := [2]string{w.eni(id), w.nic(zoneA)}
		must(w.attach(nics[1], id, 1))(w)
		var groups [3]string
		var m guarded
		for n := range groups {
			groups[n] = w.group(fmt.Sprint("g", n))
			must(w.RevokeSecurityGroupEgress(w.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: &groups[n], IpPermissions: allow("-1", 0, "0.0.0.0/0")}))(w)
		}
		for n, nic := range nics {
			m.has[n] = []int{n}
			wantCode(w, w.setGroups(nic, groups[n]), "")
		}
		for _, i := range []string{id, peer} {
			must(w.machine(i).Serve(80, http.NotFoundHandler()))(w)
		}
		var addresses [2]string
		for n, nic := range nics {
			addresses[n] = *w.describeNIC(nic).PrivateIpAddress + ":80"
		}
		var log []string
		for range 20 {
			time.Sleep(time.Second)
			g, d, port := rng.IntN(3), rng.IntN(2), int32(1+rng.IntN(2))
			rules := &m.rules[g][d]
			place := slices.Index(*rules, port)
			permission := allow("tcp", port, "0.0.0.0/0")
			switch rng.IntN(3) {
			case 0:
				nic := rng.IntN(2)
				m.has[nic] = rng.Perm(3)[:1+rng.IntN(3)]
				slices.Sort(m.has[nic])
				names := []string{}
				for _, n := range m.has[nic] {
					names = append(names, groups[n])
				}
				wantCode(w, w.setGroups(nics[nic], names...), "")
				log = append(log, fmt.Sprintf("interface %d gets %v", nic, m.has[nic]))
			case 1:
				err := w.permit(groups[g], d, permission)
				if place >= 0 {
					wantCode(w, err, "InvalidPermission.Duplicate")
				} else {
					wantCode(w, err, "")
					*rules = append(*rules, port)
				}
				log = append(log, fmt.Sprintf("group %d, direction %d: %d", g, d, port))
			default:
				unknown := w.forbid(groups[g], d, permission)
				if unknown != (place < 0) {
					t.Fatalf("seed %d: revoked an unknown rule: %v", seed, unknown)
				}
				if place >= 0 {
					*rules = slices.Delete(*rules, place, place+1)
				}
				log = append(log, fmt.Sprintf("group %d, direction %d: not %d", g, d, port))
			}
			got := [3]bool{opens(w, w.machine(peer).Dial, addresses[0]), opens(w, w.machine(peer).Dial, addresses[1]), opens(w, w.machine(id).Dial, w.machine(peer).PrivateIP().String()+":80")}
			if want := [3]bool{m.open(0, 0), m.open(1, 0), m.open(0, 1)}; got != want {
				t.Fatalf("seed %d:\n%s\nopen: %v, want %v", seed, strings.Join(log, "\n"), got, want)
			}
			if shown, want := w.showGuarded(groups, nics), m; fmt.Sprint(shown) != fmt.Sprint(want) {
				t.Fatalf("seed %d:\n%s\nshown: %v, want %v", seed, strings.Join(log, "\n"), shown, want)
			}
		}
		// A read that is behind shows all of it as it was before the last change.
		time.Sleep(time.Second)
		wantCode(w, w.permit(groups[0], 0, allow("udp", 53, "0.0.0.0/0")), "")
		defer must(cloud.Inject(awstest.Match{Service: "EC2"}, awstest.Stale(500*time.Millisecond)))(w)()
		if shown := w.showGuarded(groups, nics); fmt.Sprint(shown) != fmt.Sprint(m) {
			t.Fatalf("seed %d:\n%s\nshown behind: %v, want %v", seed, strings.Join(log, "\n"), shown, m)
		}
	}, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
}

// permit adds a rule, forbid takes it away and tells whether it was not there. The direction is 0 for in, 1 for out.
func (w *world) permit(group string, direction int, p []permission) error {
	w.Helper()
	if direction == 1 {
		_, err := w.AuthorizeSecurityGroupEgress(w.Context(), &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &group, IpPermissions: p})
		return err
	}
	_, err := w.AuthorizeSecurityGroupIngress(w.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: p})
	return err
}

func (w *world) forbid(group string, direction int, p []permission) (unknown bool) {
	w.Helper()
	if direction == 1 {
		out := must(w.RevokeSecurityGroupEgress(w.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: &group, IpPermissions: p}))(w)
		return len(out.UnknownIpPermissions) > 0
	}
	out := must(w.RevokeSecurityGroupIngress(w.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: p}))(w)
	return len(out.UnknownIpPermissions) > 0
}

// showGuarded reads what is described in the way of the model.
func (w *world) showGuarded(groups [3]string, nics [2]string) (m guarded) {
	w.Helper()
	for n, id := range groups {
		g := w.securityGroup(id)
		for d, list := range [2][]permission{g.IpPermissions, g.IpPermissionsEgress} {
			for _, p := range list {
				m.rules[n][d] = append(m.rules[n][d], aws.ToInt32(p.FromPort))
			}
		}
	}
	for n, nic := range nics {
		for _, id := range groupIDs(w.describeNIC(nic).Groups) {
			m.has[n] = append(m.has[n], slices.Index(groups[:], id))
		}
	}
	return m
}
