package ec2svc_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// ebs returns the result of the attached EBS check of an instance, and holds it against the detail and the filter.
func (w *world) ebs(id string) types.SummaryStatus {
	w.Helper()
	in := &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}, IncludeAllInstances: aws.Bool(true)}
	s := must(w.DescribeInstanceStatus(w.Context(), in))(w).InstanceStatuses[0].AttachedEbsStatus
	detail := map[types.SummaryStatus]types.StatusType{
		types.SummaryStatusOk: types.StatusTypePassed, types.SummaryStatusImpaired: types.StatusTypeFailed, types.SummaryStatusInitializing: types.StatusTypeInitializing,
	}[s.Status]
	if detail != "" && (len(s.Details) != 1 || s.Details[0].Name != types.StatusNameReachability || s.Details[0].Status != detail) {
		w.Errorf("%s with details %+v", s.Status, s.Details)
	}
	in.Filters = []types.Filter{filter("attached-ebs-status.status", string(s.Status))}
	if n := len(must(w.DescribeInstanceStatus(w.Context(), in))(w).InstanceStatuses); n != 1 {
		w.Errorf("the filter on %s finds %d", s.Status, n)
	}
	return s.Status
}

func (w *world) wantEBS(id string, after time.Duration, want types.SummaryStatus) {
	w.Helper()
	time.Sleep(after)
	if got := w.ebs(id); got != want {
		w.Errorf("the attached EBS check is %s, want %s", got, want)
	}
}

func (w *world) stall(volume string) (heal func()) {
	w.Helper()
	return must(ec2svc.StallVolume(w.cloud, region, volume))(w)
}

const (
	ebsOK           = types.SummaryStatusOk
	ebsImpaired     = types.SummaryStatusImpaired
	ebsInitializing = types.SummaryStatusInitializing
)

func TestAttachedEBSCheck(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, other := w.running(zoneA), w.running(zoneA)
		data := w.attached(w.volume(zoneA), id, "/dev/sdf")
		w.wantEBS(id, 0, ebsInitializing)
		w.wantEBS(id, 2*time.Minute, ebsOK)

		heal, again := w.stall(data), w.stall(data)
		w.wantEBS(id, 119*time.Second, ebsOK)
		w.wantEBS(id, time.Second, ebsImpaired)
		w.wantEBS(other, 0, ebsOK)
		heal()
		heal()
		w.wantEBS(id, time.Hour, ebsImpaired) // the other stall goes on
		again()
		w.wantEBS(id, 119*time.Second, ebsImpaired)
		w.wantEBS(id, time.Second, ebsOK)

		heal = w.stall(data) // too short to be seen
		w.wantEBS(id, 119*time.Second, ebsOK)
		heal()
		w.wantEBS(id, time.Minute, ebsOK)

		// The instance is well all the time, but for the stall of the machine alone.
		machine := w.machine(id)
		heal = machine.Fail(awstest.PowerLoss)
		w.wantEBS(id, time.Hour, ebsOK)
		heal()
	})
}

func TestAttachedEBSCheckOfADeadZone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.running(zoneA)
		w.wantEBS(id, 2*time.Minute, ebsOK)
		heal := w.zone(zoneA).Fail(awstest.PowerLoss)
		w.wantEBS(id, 2*time.Minute, ebsImpaired)
		heal()
		w.wantEBS(id, 2*time.Minute, ebsOK)
	})
}

func TestAttachedEBSCheckOfAVolumeThatFails(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.running(zoneA)
		root := *w.instance(id).BlockDeviceMappings[0].Ebs.VolumeId
		wantCode(w, ec2svc.FailVolume(w.cloud, region, root), "")
		w.wantEBS(id, 2*time.Minute, ebsImpaired)
		w.wantEBS(id, time.Hour, ebsImpaired)
		wantCode(w, w.stop(id), "")
		w.wantEBS(id, time.Minute, types.SummaryStatusNotApplicable)
	})
}

// TestAttachedEBSCheckLooksFromTheAttachmentOn has a volume that was stalled before it was attached.
func TestAttachedEBSCheckLooksFromTheAttachmentOn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id, data := w.running(zoneA), w.volume(zoneA)
		heal := w.stall(data)
		time.Sleep(time.Hour)
		w.attached(data, id, "/dev/sdf")
		w.wantEBS(id, time.Minute, ebsOK)
		w.wantEBS(id, time.Minute, ebsImpaired)
		heal()
		w.wantEBS(id, 2*time.Minute, ebsOK)
		heal = w.stall(data)
		time.Sleep(time.Hour)
		heal()
		must(w.DetachVolume(w.Context(), &ec2.DetachVolumeInput{VolumeId: &data}))(w)
		time.Sleep(10 * time.Second)
		w.attached(data, id, "/dev/sdf")
		w.wantEBS(id, time.Second, ebsOK) // what has ended before it was attached it has not seen
	})
}

func TestStallVolumeMistakes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		if _, err := ec2svc.StallVolume(w.cloud, region, "vol-12345678"); err == nil {
			w.Error("a volume that is none was taken")
		}
		if _, err := ec2svc.StallVolume(w.cloud, "mars", w.volume(zoneA)); err == nil {
			w.Error("a region that is none was taken")
		}
	})
}

// TestStopWithAndWithoutAShutdown looks at what a client sees of it.
func TestStopWithAndWithoutAShutdown(t *testing.T) {
	t.Parallel()
	yes := aws.Bool(true)
	for name, c := range map[string]struct {
		end    func(*world, string) error
		silent bool
	}{
		"stop": {func(w *world, id string) error { return w.stop(id) }, false},
		"stop by force": {func(w *world, id string) error {
			_, err := w.StopInstances(w.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}, Force: yes})
			return err
		}, false},
		"stop without a shutdown": {func(w *world, id string) error {
			_, err := w.StopInstances(w.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}, Force: yes, SkipOsShutdown: yes})
			return err
		}, true},
		"terminate": {func(w *world, id string) error { return w.terminate(id) }, false},
		"terminate without a shutdown": {func(w *world, id string) error {
			_, err := w.TerminateInstances(w.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}, SkipOsShutdown: yes})
			return err
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, other := w.running(zoneA), w.running(zoneB)
				m := w.machine(id)
				l := must(m.Listen(80))(w)
				conn := must(w.machine(other).Dial(w.Context(), "tcp", net.JoinHostPort(m.PrivateIP().String(), "80")))(w)
				served := must(l.Accept())(w)
				wantCode(w, c.end(w, id), "")
				_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
				began := time.Now()
				if _, err := io.ReadFull(conn, make([]byte, 1)); err == nil {
					w.Error("something was read")
				}
				if silent := time.Since(began) == time.Minute; silent != c.silent {
					w.Errorf("the connection ended after %s", time.Since(began))
				}
				_, _ = conn.Close(), served.Close()
				if s := w.instance(id).State.Name; s != types.InstanceStateNameStopped && s != types.InstanceStateNameTerminated && c.silent {
					w.Errorf("it is %s", s)
				}
			})
		})
	}
}
