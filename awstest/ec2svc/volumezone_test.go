package ec2svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
)

var zoneFaults = []awstest.Fault{awstest.PowerLoss, awstest.NetworkLoss}

func TestDeadZoneHasNoRoomForVolumes(t *testing.T) {
	t.Parallel()
	for _, fault := range zoneFaults {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				token := func(in *ec2.CreateVolumeInput) { in.ClientToken = aws.String("a") }
				known := w.creating(zoneA, token)
				heal := w.zone(zoneA).Fail(fault)
				_, err := w.CreateVolume(w.Context(), volumeIn(zoneA))
				wantCode(w, err, "InsufficientVolumeCapacity")
				wantStatus(w, err, 500)
				if again := w.creating(zoneA, token); again != known {
					w.Errorf("a repeat made %s", again)
				}
				w.creating(zoneB)
				heal()
				w.creating(zoneA)
			})
		})
	}
}

func TestDeadZoneHoldsUpVolumes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do         func(w *world, id, instance string) error
		held, then string // %s is the instance
	}{
		"an attachment": {func(w *world, id, instance string) error {
			_, err := w.attachVolume(id, instance, "/dev/sdf")
			return err
		}, "in-use, attaching", "in-use, attached"},
		"a deletion": {func(w *world, id, _ string) error { return w.deleteVolume(id) }, "deleting", "InvalidVolume.NotFound"},
	} {
		for _, fault := range zoneFaults {
			t.Run(name+" in a "+fault.String(), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					instance, id := w.running(zoneA), w.volume(zoneA)
					young := w.creating(zoneA)
					want := func(id, want string) {
						w.Helper()
						if got := w.showVolume(id); got != want && got != want+" to "+instance+" as /dev/sdf" {
							w.Errorf("%s is %s, want %s", id, got, want)
						}
					}
					heal := w.zone(zoneA).Fail(fault)
					wantCode(w, c.do(w, id, instance), "")
					time.Sleep(time.Hour)
					want(id, c.held)
					want(young, "creating")
					heal()
					want(id, c.then)
					want(young, "available")
				})
			})
		}
	}
	t.Run("a detachment, also by force, but not a termination's", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			instance := w.running(zoneA)
			one := w.attached(w.volume(zoneA), instance, "/dev/sdf")
			two := w.attached(w.volume(zoneA), instance, "/dev/sdg")
			heal := w.zone(zoneA).Fail(awstest.PowerLoss)
			wantCode(w, w.detachVolume(one), "")
			wantCode(w, w.detachVolume(two, force), "")
			time.Sleep(time.Hour)
			w.wantVolume(one, "in-use, detaching to "+instance+" as /dev/sdf")
			w.wantVolume(two, "in-use, detaching to "+instance+" as /dev/sdg")
			heal()
			w.wantVolume(one, "available")
			w.wantVolume(two, "available")
		})
	})
}

func (w *world) volumeStatus(id string) string {
	w.Helper()
	out := must(w.DescribeVolumeStatus(w.Context(), &ec2.DescribeVolumeStatusInput{VolumeIds: []string{id}}))(w)
	s := out.VolumeStatuses[0]
	return string(s.VolumeStatus.Status) + " " + *s.VolumeStatus.Details[0].Status
}

func TestVolumeStatus(t *testing.T) {
	t.Parallel()
	for _, fault := range zoneFaults {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, other := w.creating(zoneA), w.creating(zoneB)
				want := func(after time.Duration, want string) {
					w.Helper()
					time.Sleep(after)
					if got := w.volumeStatus(id); got != want {
						w.Errorf("got %s, want %s", got, want)
					}
				}
				want(4*time.Minute, "insufficient-data insufficient-data")
				want(time.Minute, "ok passed")
				w.zone(zoneA).Fail(fault)() // too short to be seen
				want(0, "ok passed")
				want(6*time.Minute, "ok passed")
				heal := w.zone(zoneA).Fail(fault)
				want(299*time.Second, "ok passed")
				want(time.Second, "impaired failed")
				if got := w.volumeStatus(other); got != "ok passed" {
					w.Errorf("in the other zone: %s", got)
				}
				for _, f := range []types.Filter{
					filter("volume-status.status", "impaired"), filter("availability-zone", "us-east-1f"),
					filter("volume-status.details-status", "failed"), filter("volume-status.details-name", "io-enabled"),
				} {
					out := must(w.DescribeVolumeStatus(w.Context(), &ec2.DescribeVolumeStatusInput{Filters: []types.Filter{f, filter("volume-status.status", "impaired")}}))(w)
					if len(out.VolumeStatuses) != 1 || *out.VolumeStatuses[0].VolumeId != id {
						w.Errorf("filter %s: %d volumes", *f.Name, len(out.VolumeStatuses))
					}
				}
				heal()
				old := id
				id = w.creating(zoneA) // it has not seen the fault
				want(0, "insufficient-data insufficient-data")
				id = old
				want(299*time.Second-time.Millisecond, "impaired failed")
				want(time.Second, "ok passed")
			})
		})
	}
	t.Run("names the instance", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			instance := w.running(zoneA)
			out := must(w.DescribeVolumeStatus(w.Context(), &ec2.DescribeVolumeStatusInput{}))(w)
			if len(out.VolumeStatuses) != 1 || *out.VolumeStatuses[0].AttachmentStatuses[0].InstanceId != instance {
				w.Errorf("%d statuses", len(out.VolumeStatuses))
			}
		})
	})
}

// locked is a world with a key, and with a function that makes it unusable.
type locked struct {
	*world
	key     kmsmodel.Key
	disable func(enabled bool)
}

func inBubbleWithKey(t *testing.T, test func(locked)) {
	t.Helper()
	var keys *kmsmodel.Model
	inBubbleBeside(t, func(r *awstest.Registry) error {
		keys = kmsmodel.Of(r)
		return nil
	}, func(w *world) {
		l := locked{world: w}
		home := must(w.cloud.Region(region))(w)
		w.cloud.Update(func(tx *awstest.Tx) { l.key = keys.Region(home).CreateKey(tx, kmsmodel.KeySpec{}) })
		l.disable = func(enabled bool) {
			w.cloud.Update(func(tx *awstest.Tx) {
				if err := keys.Region(home).SetEnabled(tx, l.key.ID, enabled); err != nil {
					w.Error(err)
				}
			})
		}
		test(l)
	})
}

func TestEncryptedVolumes(t *testing.T) {
	t.Parallel()
	with := func(key string) func(*ec2.CreateVolumeInput) {
		return func(in *ec2.CreateVolumeInput) { in.Encrypted, in.KmsKeyId = aws.Bool(true), &key }
	}
	t.Run("show the key by its ARN", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			id := w.volume(zoneA, with(w.key.ID))
			v := must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{id}}))(w).Volumes[0]
			if !*v.Encrypted || *v.KmsKeyId != w.key.ARN {
				w.Errorf("encrypted %v, by %s", *v.Encrypted, *v.KmsKeyId)
			}
		})
	})
	t.Run("have the key of the account by default", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Encrypted = aws.Bool(true) })
			other := w.volume(zoneB, func(in *ec2.CreateVolumeInput) { in.Encrypted = aws.Bool(true) })
			out := must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{id, other}}))(w)
			if a, b := *out.Volumes[0].KmsKeyId, *out.Volumes[1].KmsKeyId; a != b || a[:12] != "arn:aws:kms:" {
				w.Errorf("encrypted by %s and %s", a, b)
			}
		})
	})
	t.Run("vanish if their key cannot be used", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			w.disable(false)
			disabled, unknown := w.creating(zoneA, with(w.key.ID)), w.creating(zoneA, with("alias/mine"))
			w.wantVolume(disabled, "creating")
			w.wantVolume(unknown, "creating")
			time.Sleep(2 * time.Second)
			w.wantVolume(disabled, "InvalidVolume.NotFound")
			w.wantVolume(unknown, "InvalidVolume.NotFound")
		})
	})
	t.Run("are not attached if their key cannot be used any more", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			id, instance := w.volume(zoneA, with(w.key.ARN)), w.running(zoneA)
			w.disable(false)
			must(w.attachVolume(id, instance, "/dev/sdf"))(w)
			w.wantVolume(id, "in-use, attaching to "+instance+" as /dev/sdf")
			time.Sleep(2 * time.Second)
			w.wantVolume(id, "available")
			if n := len(w.instance(instance).BlockDeviceMappings); n != 1 {
				w.Errorf("the instance shows %d devices", n)
			}
			w.disable(true)
			w.attached(id, instance, "/dev/sdf")
			w.disable(false) // what is attached stays
			time.Sleep(time.Hour)
			w.wantVolume(id, "in-use, attached to "+instance+" as /dev/sdf")
		})
	})
}

func TestInstanceWhoseKeyCannotBeUsed(t *testing.T) {
	t.Parallel()
	encrypted := func(key string) func(*ec2.RunInstancesInput) {
		return func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{
				Encrypted: aws.Bool(true), KmsKeyId: &key, DeleteOnTermination: aws.Bool(false),
			}}}
		}
	}
	reason := func(w locked, id string) string {
		if r := w.instance(id).StateReason; r != nil {
			return *r.Code
		}
		return ""
	}
	const invalid, byUser = "Client.InvalidKMSKey.InvalidState", "Client.UserInitiatedShutdown"
	t.Run("is terminated when it is launched", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			w.disable(false)
			id := w.launch(zoneA, encrypted(w.key.ID))
			w.wantState(id, pending)
			time.Sleep(15 * time.Second)
			w.wantState(id, shuttingDown)
			time.Sleep(time.Minute)
			w.wantState(id, terminated)
			if got := reason(w, id); got != invalid {
				w.Errorf("for the reason %q", got)
			}
			if left := must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{}))(w).Volumes; len(left) != 0 {
				w.Errorf("%d volumes are left", len(left))
			}
		})
	})
	t.Run("is stopped when it is started", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			id := w.launch(zoneA, encrypted(w.key.ID))
			time.Sleep(time.Minute)
			wantCode(w, w.stop(id), "")
			time.Sleep(time.Minute)
			if got := reason(w, id); got != byUser {
				w.Errorf("stopped for the reason %q", got)
			}
			w.disable(false)
			wantCode(w, w.start(id), "")
			w.wantState(id, pending)
			time.Sleep(15 * time.Second)
			w.wantState(id, stopped)
			if got := reason(w, id); got != invalid {
				w.Errorf("not started for the reason %q", got)
			}
			w.disable(true)
			wantCode(w, w.start(id), "")
			time.Sleep(15 * time.Second)
			w.wantState(id, isRunning)
			if diff := cmp.Diff("", reason(w, id)); diff != "" {
				w.Error(diff)
			}
		})
	})
}

// TestKeyThatCanBeUsedAgain disables a key around the end of an attachment to
// an instance that starts.
func TestKeyThatCanBeUsedAgain(t *testing.T) {
	t.Parallel()
	const device = "/dev/sdf"
	mapping := func(key string) func(*ec2.RunInstancesInput) {
		return func(in *ec2.RunInstancesInput) {
			in.BlockDeviceMappings = []types.BlockDeviceMapping{{DeviceName: aws.String(device), Ebs: &types.EbsBlockDevice{
				VolumeSize: aws.Int32(1), Encrypted: aws.Bool(true), KmsKeyId: &key,
			}}}
		}
	}
	t.Run("before the instance of a launch runs", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			w.disable(false)
			id := w.launch(zoneA, mapping(w.key.ID))
			volume := *w.instance(id).BlockDeviceMappings[1].Ebs.VolumeId
			time.Sleep(5 * time.Second)
			w.wantVolume(volume, "in-use, attaching to "+id+" as "+device)
			w.disable(true)
			time.Sleep(10 * time.Second)
			w.wantState(id, isRunning)
			w.wantVolume(volume, "in-use, attached to "+id+" as "+device)
		})
	})
	// A stopped instance is started while a volume is being attached.
	starting := func(w locked) (id, volume string) {
		volume = w.volume(zoneA, func(in *ec2.CreateVolumeInput) { in.Encrypted, in.KmsKeyId = aws.Bool(true), &w.key.ID })
		id = inState(stopped)(w.world)
		w.disable(false)
		must(w.attachVolume(volume, id, device))(w)
		wantCode(w, w.start(id), "")
		time.Sleep(5 * time.Second)
		w.wantVolume(volume, "in-use, attaching to "+id+" as "+device)
		return id, volume
	}
	t.Run("not before a start ends", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			id, volume := starting(w)
			time.Sleep(10 * time.Second)
			w.wantState(id, stopped)
			w.wantVolume(volume, "available")
		})
	})
	t.Run("not before a start is broken off", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			id, volume := starting(w)
			wantCode(w, w.stop(id), "")
			w.wantVolume(volume, "available")
		})
	})
	t.Run("while the volume is stuck", func(t *testing.T) {
		t.Parallel()
		inBubbleWithKey(t, func(w locked) {
			id, volume := starting(w)
			heal := must(w.cloud.Stick(volume))(w)
			w.disable(true)
			time.Sleep(10 * time.Second)
			w.wantState(id, isRunning)
			w.wantVolume(volume, "in-use, attaching to "+id+" as "+device)
			heal()
			w.wantVolume(volume, "in-use, attached to "+id+" as "+device)
		})
	})
}
