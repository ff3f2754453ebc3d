package ec2svc_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// TestRandomVolumes holds sequences of calls, with time passing and reads of
// the past, against a model that is plain enough to be believed.
func TestRandomVolumes(t *testing.T) {
	svctest.Sequences(t, 500, 50, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			sequence(t, s)
		}
	})
}

func sequence(t *testing.T, seed uint64) {
	t.Helper()
	services := []awstest.Service{ec2svc.New()}
	svctest.InBubble(t, services, func(t *testing.T, cloud *awstest.Cloud) {
		p := &player{
			world: &world{t, ec2.NewFromConfig(cloud.Config(region)), cloud},
			rng:   rand.New(rand.NewPCG(seed, seed)), model: &ebs{},
		}
		for n := range 32 {
			did, got, want := p.step()
			p.model.note()
			p.log = append(p.log, fmt.Sprintf("at %d s %s: %s", p.model.now, did, got))
			if got != want {
				t.Fatalf("seed %d:\n%s\nwant %s", seed, strings.Join(p.log, "\n"), want)
			}
			if n%4 != 3 { // reads cost more than all the rest
				continue
			}
			behind := 0
			if p.rng.IntN(4) == 0 {
				behind = p.rng.IntN(60)
			}
			if shown, seen := p.look(behind), p.model.seen(behind); shown != seen {
				t.Fatalf("seed %d:\n%s\n%d s behind %s", seed, strings.Join(p.log, "\n"), behind, cmp.Diff(seen, shown))
			}
		}
	}, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
}

// player plays a sequence on the adapter and on the model.
type player struct {
	*world
	rng    *rand.Rand
	model  *ebs
	mounts [][2]func() // of the adapter, and of the model
	log    []string
}

// step does something, and says what it was, how it ended, and how it should
// have.
func (p *player) step() (did, got, want string) {
	m, ctx := p.model, p.Context()
	zone := []string{zoneA, zoneB}[p.rng.IntN(2)]
	device := []string{"/dev/sdf", "/dev/sdg", "/dev/xvda"}[p.rng.IntN(3)]
	end := func(err error) string {
		if err == nil {
			return ""
		}
		return codeOf(err)
	}
	what := p.rng.IntN(20)
	if len(m.instances) == 0 {
		what = 0
	}
	switch {
	case what == 0 && len(m.instances) < 4:
		out := must(p.RunInstances(ctx, run(1, func(in *ec2.RunInstancesInput) { in.Placement = at(zone) })))(p)
		i := out.Instances[0]
		m.run(*i.InstanceId, zone, *i.BlockDeviceMappings[0].Ebs.VolumeId)
		return "launch " + *i.InstanceId, "", ""
	case what < 4 && len(m.volumes) < 10:
		id := p.creating(zone)
		m.create(id, zone)
		return "create " + id, "", ""
	case what < 9:
		seconds := 1 + p.rng.IntN(15)
		time.Sleep(time.Duration(seconds) * time.Second)
		m.pass(seconds)
		return fmt.Sprintf("wait %d s", seconds), "", ""
	}
	i := m.instances[p.rng.IntN(len(m.instances))]
	v := m.volumes[p.rng.IntN(len(m.volumes))]
	switch {
	case what < 12:
		_, err := p.attachVolume(v.id, i.id, device)
		return fmt.Sprintf("attach %s to %s as %s", v.id, i.id, device), end(err), m.attach(v, i, device)
	case what < 14:
		in := &ec2.DetachVolumeInput{VolumeId: &v.id, Force: aws.Bool(p.rng.IntN(4) == 0)}
		from := (*modelInstance)(nil)
		if p.rng.IntN(3) == 0 {
			in.InstanceId, from = &i.id, i
		}
		_, err := p.DetachVolume(ctx, in)
		return fmt.Sprintf("detach %s, force %v", v.id, *in.Force), end(err), m.detach(v, from, *in.Force)
	case what == 14:
		return "delete " + v.id, end(p.deleteVolume(v.id)), m.delete(v)
	case what == 15:
		return "stop " + i.id, end(p.stop(i.id)), m.stop(i)
	case what == 16:
		return "start " + i.id, end(p.start(i.id)), m.start(i)
	case what == 17 && p.rng.IntN(2) == 0:
		return "terminate " + i.id, end(p.terminate(i.id)), m.terminate(i)
	case what == 18 && len(p.mounts) > 0:
		n := p.rng.IntN(len(p.mounts))
		for _, unmount := range p.mounts[n] {
			unmount()
		}
		return fmt.Sprint("unmount ", n), "", ""
	}
	unmount, err := ec2svc.MountVolume(p.cloud, region, v.id)
	modelUnmount := m.mount(v)
	if err == nil && modelUnmount != nil {
		p.mounts = append(p.mounts, [2]func(){unmount, modelUnmount})
	}
	return fmt.Sprintf("mount %s as %d", v.id, len(p.mounts)-1), fmt.Sprint(err == nil), fmt.Sprint(modelUnmount != nil)
}

// look describes everything as of some seconds ago, in the way of the model.
func (p *player) look(behind int) string {
	if behind > 0 {
		defer must(p.cloud.Inject(awstest.Match{Service: "EC2"}, awstest.Stale(time.Duration(behind)*time.Second)))(p)()
	}
	var text strings.Builder
	for _, r := range must(p.DescribeInstances(p.Context(), &ec2.DescribeInstancesInput{}))(p).Reservations {
		i := r.Instances[0]
		fmt.Fprintf(&text, "%s %s:", *i.InstanceId, i.State.Name)
		for _, d := range i.BlockDeviceMappings {
			fmt.Fprintf(&text, " %s=%s", *d.DeviceName, *d.Ebs.VolumeId)
		}
		text.WriteString("\n")
	}
	for _, v := range must(p.DescribeVolumes(p.Context(), &ec2.DescribeVolumesInput{}))(p).Volumes {
		fmt.Fprintf(&text, "%s %s", *v.VolumeId, v.State)
		for _, a := range v.Attachments {
			fmt.Fprintf(&text, " %s to %s as %s, goes %v", a.State, *a.InstanceId, *a.Device, *a.DeleteOnTermination)
		}
		text.WriteString("\n")
	}
	return text.String()
}
