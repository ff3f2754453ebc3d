package ec2svc_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

func (w *world) attachVolume(id, instance, device string) (*ec2.AttachVolumeOutput, error) {
	return w.AttachVolume(w.Context(), &ec2.AttachVolumeInput{VolumeId: &id, InstanceId: &instance, Device: &device})
}

// attached attaches a volume, and waits until it is attached.
func (w *world) attached(id, instance, device string) string {
	w.Helper()
	must(w.attachVolume(id, instance, device))(w)
	time.Sleep(2 * time.Second)
	w.wantVolume(id, "in-use, attached to "+instance+" as "+device)
	return id
}

func (w *world) detachVolume(id string, change ...func(*ec2.DetachVolumeInput)) error {
	in := &ec2.DetachVolumeInput{VolumeId: &id}
	for _, fn := range change {
		fn(in)
	}
	_, err := w.DetachVolume(w.Context(), in)
	return err
}

func force(in *ec2.DetachVolumeInput) { in.Force = aws.Bool(true) }

func TestAttachAndDetachVolume(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *ec2svc.Options) { o.VolumeAttaching, o.VolumeDetaching = 10*time.Second, 20*time.Second }, func(w *world) {
		instance, other := w.running(zoneA), w.running(zoneA)
		id := w.volume(zoneA)
		start := time.Now()
		after := func(d time.Duration, want string) {
			w.Helper()
			time.Sleep(d)
			w.wantVolume(id, want)
		}
		out := must(w.attachVolume(id, instance, "/dev/sdf"))(w)
		if out.State != types.VolumeAttachmentStateAttaching || *out.InstanceId != instance || *out.Device != "/dev/sdf" || *out.DeleteOnTermination || out.AttachTime.Before(start) {
			w.Errorf("the reply is %+v", out)
		}
		after(9*time.Second, "in-use, attaching to "+instance+" as /dev/sdf")
		after(time.Second, "in-use, attached to "+instance+" as /dev/sdf")
		devices := w.instance(instance).BlockDeviceMappings
		if len(devices) != 2 || *devices[1].DeviceName != "/dev/sdf" || *devices[1].Ebs.VolumeId != id || devices[1].Ebs.Status != types.AttachmentStatusAttached {
			w.Errorf("the instance shows %d devices", len(devices))
		}
		for _, to := range []string{instance, other} {
			_, err := w.attachVolume(id, to, "/dev/sdg")
			wantMessage(w, err, "VolumeInUse", id+" is already attached to an instance")
		}
		wantMessage(w, w.deleteVolume(id), "VolumeInUse", "Volume "+id+" is currently attached to "+instance)

		detached := must(w.DetachVolume(w.Context(), &ec2.DetachVolumeInput{VolumeId: &id, InstanceId: &instance, Device: aws.String("/dev/sdf")}))(w)
		if detached.State != types.VolumeAttachmentStateDetaching || *detached.InstanceId != instance {
			w.Errorf("the reply is %+v", detached)
		}
		after(19*time.Second, "in-use, detaching to "+instance+" as /dev/sdf")
		wantCode(w, w.detachVolume(id), "IncorrectState")
		_, err := w.attachVolume(id, other, "/dev/sdf") // the old attachment is still there
		wantCode(w, err, "VolumeInUse")
		after(time.Second, "available")
		wantMessage(w, w.detachVolume(id), "IncorrectState", "Volume '"+id+"' is in the 'available' state.")
		if n := len(w.instance(instance).BlockDeviceMappings); n != 1 {
			w.Errorf("the instance shows %d devices", n)
		}
		must(w.attachVolume(id, other, "/dev/sdf"))(w)
	})
}

func TestAttachVolumeRefuses(t *testing.T) {
	t.Parallel()
	// to makes a volume that is available, then an instance in a state.
	to := func(s types.InstanceStateName) func(*world) (id, instance string) {
		return func(w *world) (id, instance string) { return w.volume(zoneA), inState(s)(w) }
	}
	for name, c := range map[string]struct {
		prepare func(*world) (id, instance string)
		device  string
		code    string
	}{
		"an unknown volume":    {func(w *world) (id, instance string) { return "vol-12345678", w.running(zoneA) }, "/dev/sdf", "InvalidVolume.NotFound"},
		"a malformed volume":   {func(w *world) (id, instance string) { return "data", w.running(zoneA) }, "/dev/sdf", "InvalidVolumeID.Malformed"},
		"an unknown instance":  {func(w *world) (id, instance string) { return w.volume(zoneA), "i-12345678" }, "/dev/sdf", "InvalidInstanceID.NotFound"},
		"a malformed instance": {func(w *world) (id, instance string) { return w.volume(zoneA), "web" }, "/dev/sdf", "InvalidInstanceID.Malformed"},
		"a volume that is being created": {func(w *world) (id, instance string) {
			instance = w.running(zoneA)
			return w.creating(zoneA), instance
		}, "/dev/sdf", "IncorrectState"},
		"another zone":                     {func(w *world) (id, instance string) { return w.volume(zoneB), w.running(zoneA) }, "/dev/sdf", "InvalidVolume.ZoneMismatch"},
		"a pending instance":               {to(pending), "/dev/sdf", "IncorrectState"},
		"an instance that is stopping":     {to(stopping), "/dev/sdf", "IncorrectState"},
		"an instance that is terminating":  {to(shuttingDown), "/dev/sdf", "IncorrectState"},
		"a terminated instance":            {to(terminated), "/dev/sdf", "IncorrectState"},
		"a stopped instance":               {to(stopped), "/dev/sdf", ""},
		"the device of the root volume":    {to(isRunning), "/dev/xvda", "InvalidParameterValue"},
		"a name that is none":              {to(isRunning), "/dev/nvme1n1", "InvalidParameterValue"},
		"a partition too many":             {to(isRunning), "/dev/sdf16", "InvalidParameterValue"},
		"a name in the style of Windows":   {to(isRunning), "xvdf", ""},
		"a name with two letters":          {to(isRunning), "/dev/xvdba", ""},
		"a partition, as old kernels have": {to(isRunning), "/dev/sdf15", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, instance := c.prepare(w)
				_, err := w.attachVolume(id, instance, c.device)
				wantCode(w, err, c.code)
			})
		})
	}
	t.Run("more attachments than there may be", func(t *testing.T) {
		t.Parallel()
		inBubbleWith(t, func(o *ec2svc.Options) { o.AttachmentLimit = 4 }, func(w *world) {
			instance := w.running(zoneA) // has a root volume and an interface
			w.attached(w.volume(zoneA), instance, "/dev/sdf")
			first := w.attached(w.volume(zoneA), instance, "/dev/sdg")
			last := w.volume(zoneA)
			_, err := w.attachVolume(last, instance, "/dev/sdh")
			wantCode(w, err, "AttachmentLimitExceeded")
			wantCode(w, w.detachVolume(first), "")
			_, err = w.attachVolume(last, instance, "/dev/sdh") // not before it is detached
			wantCode(w, err, "AttachmentLimitExceeded")
			time.Sleep(5 * time.Second)
			must(w.attachVolume(last, instance, "/dev/sdh"))(w)
		})
	})
	t.Run("a device that is taken", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			instance := w.running(zoneA)
			w.attached(w.volume(zoneA), instance, "/dev/sdf")
			_, err := w.attachVolume(w.volume(zoneA), instance, "/dev/sdf")
			wantMessage(w, err, "InvalidParameterValue", "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use")
		})
	})
}

func TestDetachVolumeRefuses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, other := w.running(zoneA), w.running(zoneA)
		id := w.attached(w.volume(zoneA), instance, "/dev/sdf")
		root := *w.instance(instance).BlockDeviceMappings[0].Ebs.VolumeId
		for what, c := range map[string]struct {
			err  error
			code string
		}{
			"an unknown volume":    {w.detachVolume("vol-12345678"), "InvalidVolume.NotFound"},
			"a malformed volume":   {w.detachVolume("data"), "InvalidVolumeID.Malformed"},
			"a malformed instance": {w.detachVolume(id, func(in *ec2.DetachVolumeInput) { in.InstanceId = aws.String("web") }), "InvalidInstanceID.Malformed"},
			"another instance":     {w.detachVolume(id, func(in *ec2.DetachVolumeInput) { in.InstanceId = &other }), "InvalidAttachment.NotFound"},
			"another device":       {w.detachVolume(id, func(in *ec2.DetachVolumeInput) { in.Device = aws.String("/dev/sdg") }), "InvalidAttachment.NotFound"},
			"a root volume":        {w.detachVolume(root), "IncorrectState"},
			"one by force":         {w.detachVolume(root, force), "IncorrectState"},
			"what is not attached": {w.detachVolume(w.volume(zoneA)), "IncorrectState"},
		} {
			if got := codeOf(c.err); got != c.code {
				w.Errorf("%s: got %s, want %s", what, got, c.code)
			}
		}
		w.wantVolume(id, "in-use, attached to "+instance+" as /dev/sdf")
	})
}

// TestRootVolume swaps the root volume of a stopped instance, as one does to
// repair it.
func TestRootVolume(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := inState(stopped)(w)
		device := w.instance(id).BlockDeviceMappings[0]
		root := *device.Ebs.VolumeId
		if *device.DeviceName != "/dev/xvda" || *w.instance(id).RootDeviceName != "/dev/xvda" || !*device.Ebs.DeleteOnTermination {
			w.Errorf("the root volume is %s on %s", *device.DeviceName, *w.instance(id).RootDeviceName)
		}
		wantCode(w, w.detachVolume(root), "")
		wantCode(w, w.start(id), "InvalidParameterValue") // it is on its way out
		time.Sleep(5 * time.Second)
		w.wantVolume(root, "available")
		wantMessage(w, w.start(id), "InvalidParameterValue", "Invalid value '"+id+"' for instanceId. Instance does not have a volume attached at root (/dev/xvda)")
		must(w.attachVolume(root, id, "/dev/xvda"))(w)
		wantCode(w, w.start(id), "")
		time.Sleep(time.Minute)
		w.wantState(id, isRunning)
		wantCode(w, w.terminate(id), "")
		time.Sleep(time.Minute)
		w.wantVolume(root, "available") // what was attached later stays
	})
}

func TestWhatHoldsAVolume(t *testing.T) {
	t.Parallel()
	type hold struct {
		id, instance string
		release      func()
	}
	mounted := func(w *world) hold {
		instance := w.running(zoneA)
		id := w.attached(w.volume(zoneA), instance, "/dev/sdf")
		return hold{id, instance, must(ec2svc.MountVolume(w.cloud, region, id))(w)}
	}
	failed := func(f awstest.Fault) func(*world) hold {
		return func(w *world) hold {
			instance := w.running(zoneA)
			machine, _ := w.cloud.Instance(instance)
			return hold{w.attached(w.volume(zoneA), instance, "/dev/sdf"), instance, machine.Fail(f)}
		}
	}
	for name, c := range map[string]struct {
		hold func(*world) hold
		show string
		do   func(*world, hold) // what ends it
		in   time.Duration
	}{
		"a file system, until it is unmounted":      {mounted, "busy", func(_ *world, h hold) { h.release() }, 0},
		"a file system, until the instance stops":   {mounted, "busy", func(w *world, h hold) { wantCode(w, w.stop(h.instance), "") }, 0},
		"a file system, until a reboot":             {mounted, "busy", func(w *world, h hold) { wantCode(w, w.reboot(h.instance), "") }, 0},
		"a file system, until a termination":        {mounted, "busy", func(w *world, h hold) { wantCode(w, w.terminate(h.instance), "") }, 0},
		"a file system, until it is forced":         {mounted, "busy", func(w *world, h hold) { wantCode(w, w.detachVolume(h.id, force), "") }, 30 * time.Second},
		"a machine without power, until it is back": {failed(awstest.PowerLoss), "detaching", func(_ *world, h hold) { h.release() }, 0},
		"a machine that is cut off, until a stop":   {failed(awstest.NetworkLoss), "detaching", func(w *world, h hold) { wantCode(w, w.stop(h.instance), "") }, 0},
		"a file system, until a loss of power ends": {mounted, "busy", func(w *world, h hold) {
			machine, _ := w.cloud.Instance(h.instance)
			heal := machine.Fail(awstest.NetworkLoss) // so that nobody sees it go down
			machine.Fail(awstest.PowerLoss)()
			w.wantVolume(h.id, "in-use, busy to "+h.instance+" as /dev/sdf")
			heal()
		}, 0},
		"a machine that is cut off, until force": {failed(awstest.NetworkLoss), "detaching", func(w *world, h hold) { wantCode(w, w.detachVolume(h.id, force), "") }, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				h := c.hold(w)
				held := func(state string) string { return "in-use, " + state + " to " + h.instance + " as /dev/sdf" }
				wantCode(w, w.detachVolume(h.id), "")
				time.Sleep(4 * time.Second)
				w.wantVolume(h.id, held("detaching"))
				time.Sleep(time.Hour)
				w.wantVolume(h.id, held(c.show))
				c.do(w, h)
				if c.in > 0 {
					time.Sleep(c.in - time.Second)
					w.wantVolume(h.id, held("detaching"))
					time.Sleep(time.Second)
				}
				time.Sleep(time.Millisecond)
				w.wantVolume(h.id, "available")
				h.release()
				w.wantVolume(h.id, "available")
			})
		})
	}
	t.Run("a file system, if the machine is only cut off for a while", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			h := mounted(w)
			machine, _ := w.cloud.Instance(h.instance)
			machine.Fail(awstest.NetworkLoss)()
			wantCode(w, w.detachVolume(h.id), "")
			time.Sleep(time.Hour)
			w.wantVolume(h.id, "in-use, busy to "+h.instance+" as /dev/sdf")
		})
	})
	t.Run("nothing by force for longer, however often it is forced", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			h := mounted(w)
			for range 3 {
				wantCode(w, w.detachVolume(h.id, force), "")
				time.Sleep(10 * time.Second)
			}
			w.wantVolume(h.id, "available")
		})
	})
	t.Run("nothing by force that was about to let go", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			instance := w.running(zoneA)
			id := w.attached(w.volume(zoneA), instance, "/dev/sdf")
			wantCode(w, w.detachVolume(id), "")
			wantCode(w, w.detachVolume(id, force), "")
			time.Sleep(5 * time.Second)
			w.wantVolume(id, "available")
		})
	})
	t.Run("nothing that is over before it matters", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			h := mounted(w)
			again := must(ec2svc.MountVolume(w.cloud, region, h.id))(w)
			wantCode(w, w.detachVolume(h.id), "")
			h.release()
			h.release() // releases nothing but its own
			time.Sleep(time.Minute)
			w.wantVolume(h.id, "in-use, busy to "+h.instance+" as /dev/sdf")
			again()
			w.wantVolume(h.id, "available")
			// A hold of the past holds nothing new.
			w.attached(h.id, h.instance, "/dev/sdg")
			wantCode(w, w.detachVolume(h.id), "")
			time.Sleep(5 * time.Second)
			w.wantVolume(h.id, "available")
		})
	})
	t.Run("only what is attached", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			for _, id := range []string{w.volume(zoneA), "vol-12345678"} {
				if _, err := ec2svc.MountVolume(w.cloud, region, id); !isMistake(err) {
					w.Errorf("%s: got %v", id, err)
				}
			}
		})
	})
}

func isMistake(err error) bool {
	_, ok := errors.AsType[*awstest.FieldError](err)
	return ok
}

// TestLostReplies has attachments and detachments take effect without an
// answer: the SDK's second attempt meets what the first one has done.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance, id := w.running(zoneA), w.volume(zoneA)
		must(w.cloud.LoseReply("EC2", "AttachVolume", 1))(w)
		_, err := w.attachVolume(id, instance, "/dev/sdf")
		wantCode(w, err, "VolumeInUse")
		time.Sleep(2 * time.Second)
		w.wantVolume(id, "in-use, attached to "+instance+" as /dev/sdf")
		must(w.cloud.LoseReply("EC2", "DetachVolume", 1))(w)
		wantCode(w, w.detachVolume(id), "IncorrectState")
		time.Sleep(5 * time.Second)
		w.wantVolume(id, "available")
		must(w.cloud.LoseReply("EC2", "DeleteVolume", 1))(w)
		wantCode(w, w.deleteVolume(id), "IncorrectState")
		time.Sleep(5 * time.Second)
		w.wantVolume(id, "InvalidVolume.NotFound")
	})
}

func TestDetachWhileAttaching(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance := w.running(zoneA)
		id := w.volume(zoneA)
		heal := must(w.cloud.Stick(id))(w)
		must(w.attachVolume(id, instance, "/dev/sdf"))(w)
		time.Sleep(90 * time.Second) // stuck
		wantCode(w, w.detachVolume(id, force), "")
		heal() // attaching is not what it does any more
		w.wantVolume(id, "in-use, detaching to "+instance+" as /dev/sdf")
		time.Sleep(30 * time.Second)
		w.wantVolume(id, "available")
	})
}

func TestVolumesOfALaunch(t *testing.T) {
	t.Parallel()
	mapping := func(device string, ebs *types.EbsBlockDevice) types.BlockDeviceMapping {
		return types.BlockDeviceMapping{DeviceName: &device, Ebs: ebs}
	}
	t.Run("are as the mappings say", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.launch(zoneA, func(in *ec2.RunInstancesInput) {
				in.BlockDeviceMappings = []types.BlockDeviceMapping{
					mapping("/dev/sdf", &types.EbsBlockDevice{VolumeSize: aws.Int32(100), DeleteOnTermination: aws.Bool(false)}),
					mapping("/dev/xvda", &types.EbsBlockDevice{VolumeSize: aws.Int32(20)}),
					mapping("/dev/sdg", &types.EbsBlockDevice{VolumeSize: aws.Int32(4), VolumeType: "io2", Iops: aws.Int32(200), Encrypted: aws.Bool(true)}),
				}
				in.TagSpecifications = tags(types.ResourceTypeVolume, "stack", "blue")
			})
			time.Sleep(2 * time.Second)
			show := func() (got []string) {
				for _, v := range must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{Filters: []types.Filter{filter("tag:stack", "blue")}}))(w).Volumes {
					text := fmt.Sprintf("%d GiB of %s, encrypted %v, %s", *v.Size, v.VolumeType, *v.Encrypted, v.State)
					if len(v.Attachments) > 0 {
						a := v.Attachments[0]
						text += fmt.Sprintf(", %s as %s, goes %v", a.State, *a.Device, *a.DeleteOnTermination)
					}
					got = append(got, text)
				}
				return got
			}
			want := []string{
				"20 GiB of gp3, encrypted false, in-use, attached as /dev/xvda, goes true",
				"100 GiB of gp2, encrypted false, in-use, attached as /dev/sdf, goes false",
				"4 GiB of io2, encrypted true, in-use, attached as /dev/sdg, goes true",
			}
			if diff := cmp.Diff(want, show()); diff != "" {
				w.Error(diff)
			}
			time.Sleep(time.Minute)
			wantCode(w, w.terminate(id), "")
			time.Sleep(29 * time.Second)
			if diff := cmp.Diff(want, show()); diff != "" {
				w.Errorf("while it shuts down: %s", diff)
			}
			time.Sleep(time.Minute)
			if diff := cmp.Diff([]string{"100 GiB of gp2, encrypted false, available"}, show()); diff != "" {
				w.Errorf("terminated: %s", diff)
			}
			if n := len(w.instance(id).BlockDeviceMappings); n != 0 {
				w.Errorf("terminated, it shows %d devices", n)
			}
		})
	})
	for name, c := range map[string]struct {
		mappings []types.BlockDeviceMapping
		code     string
	}{
		"a device twice":        {[]types.BlockDeviceMapping{mapping("/dev/xvda", nil), mapping("/dev/xvda", nil)}, "InvalidBlockDeviceMapping"},
		"a name that is none":   {[]types.BlockDeviceMapping{mapping("data", &types.EbsBlockDevice{VolumeSize: aws.Int32(1)})}, "InvalidParameterValue"},
		"a size that is none":   {[]types.BlockDeviceMapping{mapping("/dev/sdf", nil)}, "MissingParameter"},
		"a size out of range":   {[]types.BlockDeviceMapping{mapping("/dev/sdf", &types.EbsBlockDevice{VolumeSize: aws.Int32(1), VolumeType: "st1"})}, "InvalidParameterValue"},
		"a root that is no SSD": {[]types.BlockDeviceMapping{mapping("/dev/xvda", &types.EbsBlockDevice{VolumeSize: aws.Int32(125), VolumeType: "sc1"})}, "BootForVolumeTypeUnsupported"},
	} {
		t.Run("are refused: "+name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				_, err := w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.BlockDeviceMappings = c.mappings }))
				wantCode(w, err, c.code)
				if n := len(must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{}))(w).Volumes); n != 0 {
					w.Errorf("a refused launch left %d volumes", n)
				}
			})
		})
	}
	t.Run("by a template", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.template("web", large(func(d *types.RequestLaunchTemplateData) {
				d.BlockDeviceMappings = []types.LaunchTemplateBlockDeviceMappingRequest{{
					DeviceName: aws.String("/dev/xvda"), Ebs: &types.LaunchTemplateEbsBlockDeviceRequest{VolumeSize: aws.Int32(30), DeleteOnTermination: aws.Bool(false)},
				}}
				d.TagSpecifications = []types.LaunchTemplateTagSpecificationRequest{{ResourceType: types.ResourceTypeVolume, Tags: tagList("stack=blue")}}
			}))
			must(w.RunInstances(w.Context(), by(id, "1")))(w)
			v := must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{}))(w).Volumes[0]
			if *v.Size != 30 || *v.Attachments[0].DeleteOnTermination || *v.Tags[0].Value != "blue" {
				w.Errorf("launched with %d GiB, %v, %v", *v.Size, v.Attachments, v.Tags)
			}
		})
	})
	t.Run("with a root device of another name", func(t *testing.T) {
		t.Parallel()
		inBubbleWith(t, func(o *ec2svc.Options) { o.RootDevice = "/dev/sda1" }, func(w *world) {
			if got := *w.instance(w.launch(zoneA)).BlockDeviceMappings[0].DeviceName; got != "/dev/sda1" {
				w.Errorf("got %s", got)
			}
		})
	})
}
