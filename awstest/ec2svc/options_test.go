package ec2svc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

func TestOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) {
		o.Pending, o.Stopping, o.ShuttingDown, o.StatusCheck = -time.Second, -2, -3, -4
		o.VolumeCreating, o.VolumeAttaching, o.VolumeDetaching, o.VolumeForceDetaching, o.VolumeDeleting, o.VolumeStatusCheck = -2, -3, -4, -5, -6, -7
		o.Snapshot, o.FullSnapshot, o.SnapshotCopy, o.FullSnapshotCopy = -2, -3, -4, -5
		o.PendingSnapshots, o.ConcurrentCopies, o.SnapshotQuota = -1, -2, -3
		o.AttachmentLimit, o.AddressQuota, o.RootDevice = -2, -1, "sda"
		o.VCPUQuota, o.VCPUs = -1, map[string]int{"m5.metal": 0}
	})})
	var fields []string
	for _, err := range flatten(err) {
		var fe *awstest.FieldError
		if !errors.As(err, &fe) || fe.Rule == "" {
			t.Fatalf("got %v", err)
		}
		fields = append(fields, fe.Field)
	}
	want := []string{
		"ec2svc.Options.Pending", "ec2svc.Options.Stopping", "ec2svc.Options.ShuttingDown", "ec2svc.Options.StatusCheck",
		"ec2svc.Options.VolumeCreating", "ec2svc.Options.VolumeAttaching", "ec2svc.Options.VolumeDetaching", "ec2svc.Options.VolumeForceDetaching",
		"ec2svc.Options.VolumeDeleting", "ec2svc.Options.VolumeStatusCheck",
		"ec2svc.Options.Snapshot", "ec2svc.Options.FullSnapshot", "ec2svc.Options.SnapshotCopy", "ec2svc.Options.FullSnapshotCopy",
		"ec2svc.Options.AttachmentLimit", "ec2svc.Options.PendingSnapshots", "ec2svc.Options.ConcurrentCopies", "ec2svc.Options.SnapshotQuota", "ec2svc.Options.AddressQuota",
		"ec2svc.Options.VCPUQuota", "ec2svc.Options.VCPUs[m5.metal]", "ec2svc.Options.RootDevice",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []error
		for _, err := range joined.Unwrap() {
			list = append(list, flatten(err)...)
		}
		return list
	}
	return []error{err}
}

func TestOptionsReportEveryWrongLocalZone(t *testing.T) {
	t.Parallel()
	full := make([]string, 0, 11)
	for n := range 11 { // and us-east-1 has six zones
		full = append(full, fmt.Sprintf("us-east-1-bos-1%c", 'a'+n))
	}
	for name, c := range map[string]struct {
		zones []string
		want  []string
	}{
		"good ones":      {[]string{"us-east-1-bos-1a", "us-east-1-bos-1b", "us-west-2-lax-1a"}, nil},
		"wrong ones":     {[]string{"us-east-1-bos-1", "us-east-1-bos-1a", "us-east-1a", "us-east-1-bos-1a", "eu-west-1-xxx-1a", ""}, []string{"[0]", "[2]", "[3]", "[4]", "[5]"}},
		"as many as fit": {full[:10], nil},
		"too many":       {full, []string{"[10]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.LocalZones = c.zones })},
				func(o *awstest.Options) { o.Regions = []string{"us-east-1", "us-west-2"} })
			var fields []string
			for _, err := range flatten(err) {
				var fe *awstest.FieldError
				if !errors.As(err, &fe) || fe.Rule == "" {
					continue
				}
				fields = append(fields, strings.TrimPrefix(fe.Field, "ec2svc.Options.LocalZones"))
			}
			if diff := cmp.Diff(c.want, fields); diff != "" {
				t.Errorf("%v: %s", err, diff)
			}
		})
	}
}

func TestServiceTwice(t *testing.T) {
	t.Parallel()
	if _, err := awstest.New([]awstest.Service{ec2svc.New(), ec2svc.New()}); err == nil {
		t.Error("a cloud has EC2 twice")
	}
}

func TestImmediately(t *testing.T) {
	options := func(o *ec2svc.Options) {
		o.Pending, o.Stopping, o.ShuttingDown, o.StatusCheck = ec2svc.Immediately, ec2svc.Immediately, ec2svc.Immediately, ec2svc.Immediately
	}
	t.Parallel()
	inBubbleWith(t, options, func(w *world) {
		id := w.launch(zoneA)
		w.wantState(id, isRunning)
		wantCode(w, w.stop(id), "")
		w.wantState(id, stopped)
		wantCode(w, w.terminate(id), "")
		w.wantState(id, terminated)
	})
}
