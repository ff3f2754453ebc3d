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

// volumeIn is the input of a volume of a gibibyte.
func volumeIn(zoneID string, change ...func(*ec2.CreateVolumeInput)) *ec2.CreateVolumeInput {
	in := &ec2.CreateVolumeInput{AvailabilityZoneId: &zoneID, Size: aws.Int32(1)}
	for _, fn := range change {
		fn(in)
	}
	return in
}

// creating makes a volume and returns its ID.
func (w *world) creating(zoneID string, change ...func(*ec2.CreateVolumeInput)) string {
	w.Helper()
	return *must(w.CreateVolume(w.Context(), volumeIn(zoneID, change...)))(w).VolumeId
}

// volume makes a volume and waits until it is available.
func (w *world) volume(zoneID string, change ...func(*ec2.CreateVolumeInput)) string {
	w.Helper()
	id := w.creating(zoneID, change...)
	time.Sleep(2 * time.Second)
	w.wantVolume(id, "available")
	return id
}

// showVolume tells the state of a volume, and of its attachment.
func (w *world) showVolume(id string) string {
	w.Helper()
	out, err := w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
	if err != nil {
		return codeOf(err)
	}
	v := out.Volumes[0]
	if len(v.Attachments) == 0 {
		return string(v.State)
	}
	a := v.Attachments[0]
	return fmt.Sprintf("%s, %s to %s as %s", v.State, a.State, *a.InstanceId, *a.Device)
}

func (w *world) wantVolume(id, want string) {
	w.Helper()
	if got := w.showVolume(id); got != want {
		w.Errorf("%s is %s, want %s", id, got, want)
	}
}

func (w *world) deleteVolume(id string) error {
	_, err := w.DeleteVolume(w.Context(), &ec2.DeleteVolumeInput{VolumeId: &id})
	return err
}

func TestVolumeLifecycle(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *ec2svc.Options) { o.VolumeCreating, o.VolumeDeleting = 10*time.Second, 20*time.Second }, func(w *world) {
		id := w.creating(zoneA)
		after := func(d time.Duration, want string) {
			w.Helper()
			time.Sleep(d)
			w.wantVolume(id, want)
		}
		after(9*time.Second, "creating")
		after(time.Second, "available")
		wantCode(w, w.deleteVolume(id), "")
		after(19*time.Second, "deleting")
		wantCode(w, w.deleteVolume(id), "IncorrectState")
		after(time.Second, "InvalidVolume.NotFound")
		wantMessage(w, w.deleteVolume(id), "InvalidVolume.NotFound", "The volume '"+id+"' does not exist.")
	})
}

func TestCreateVolumeShowsWhatItMakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change                 func(*ec2.CreateVolumeInput)
		kind                   types.VolumeType
		size, iops, throughput int32
	}{
		"gp2 by default, with three IOPS for each GiB": {func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(100) }, "gp2", 100, 300, 0},
		"gp2 with no less than 100 IOPS":               {func(*ec2.CreateVolumeInput) {}, "gp2", 1, 100, 0},
		"gp2 with no more than 16,000 IOPS":            {func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(16384) }, "gp2", 16384, 16000, 0},
		"gp3 with its baseline":                        {func(in *ec2.CreateVolumeInput) { in.VolumeType = "gp3" }, "gp3", 1, 3000, 125},
		"gp3 with more": {func(in *ec2.CreateVolumeInput) {
			in.VolumeType, in.Size, in.Iops, in.Throughput = "gp3", aws.Int32(10), aws.Int32(5000), aws.Int32(1250)
		}, "gp3", 10, 5000, 1250},
		"io2 at its ratio": {func(in *ec2.CreateVolumeInput) {
			in.VolumeType, in.Size, in.Iops = "io2", aws.Int32(4), aws.Int32(4000)
		}, "io2", 4, 4000, 0},
		"st1": {func(in *ec2.CreateVolumeInput) { in.VolumeType, in.Size = "st1", aws.Int32(125) }, "st1", 125, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				out := must(w.CreateVolume(w.Context(), volumeIn(zoneA, c.change, func(in *ec2.CreateVolumeInput) {
					in.TagSpecifications = tags(types.ResourceTypeVolume, "Name", "data")
				})))(w)
				v := must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{*out.VolumeId}}))(w).Volumes[0]
				got := []any{v.VolumeType, *v.Size, aws.ToInt32(v.Iops), aws.ToInt32(v.Throughput), *v.AvailabilityZone, *v.Encrypted, *v.Tags[0].Value}
				if diff := cmp.Diff([]any{c.kind, c.size, c.iops, c.throughput, "us-east-1f", false, "data"}, got); diff != "" {
					w.Error(diff)
				}
				if out.State != types.VolumeStateCreating || out.VolumeType != c.kind || aws.ToInt32(out.Iops) != c.iops || !out.CreateTime.Equal(*v.CreateTime) {
					w.Errorf("the reply has %s %s, %d IOPS, of %v", out.State, out.VolumeType, aws.ToInt32(out.Iops), out.CreateTime)
				}
			})
		})
	}
}

func TestCreateVolumeRefuses(t *testing.T) {
	t.Parallel()
	kind := func(kind types.VolumeType, size, iops, throughput int32) func(*ec2.CreateVolumeInput) {
		return func(in *ec2.CreateVolumeInput) {
			in.VolumeType, in.Size = kind, &size
			if iops != 0 {
				in.Iops = &iops
			}
			if throughput != 0 {
				in.Throughput = &throughput
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*ec2.CreateVolumeInput)
		code   string
	}{
		"no zone":                    {func(in *ec2.CreateVolumeInput) { in.AvailabilityZoneId = nil }, "MissingParameter"},
		"an ID and a name of a zone": {func(in *ec2.CreateVolumeInput) { in.AvailabilityZone = aws.String("us-east-1f") }, "InvalidParameterCombination"},
		"an unknown zone":            {func(in *ec2.CreateVolumeInput) { in.AvailabilityZoneId = aws.String("use1-az9") }, "InvalidZone.NotFound"},
		"a zone of another region":   {func(in *ec2.CreateVolumeInput) { in.AvailabilityZoneId = aws.String("euw1-az1") }, "InvalidZone.NotFound"},
		"no size":                    {func(in *ec2.CreateVolumeInput) { in.Size = nil }, "MissingParameter"},
		"an unknown type":            {kind("gp9", 1, 0, 0), "UnknownVolumeType"},
		"gp2 too large":              {kind("gp2", 16_385, 0, 0), "InvalidParameterValue"},
		"gp3 too large":              {kind("gp3", 65_537, 0, 0), "InvalidParameterValue"},
		"io1 too small":              {kind("io1", 3, 100, 0), "InvalidParameterValue"},
		"st1 too small":              {kind("st1", 124, 0, 0), "InvalidParameterValue"},
		"standard too large":         {kind("standard", 1025, 0, 0), "InvalidParameterValue"},
		"io1 without IOPS":           {kind("io1", 4, 0, 0), "MissingParameter"},
		"io1 over its ratio":         {kind("io1", 4, 201, 0), "InvalidParameterValue"},
		"io2 under its IOPS":         {kind("io2", 4, 99, 0), "InvalidParameterValue"},
		"io2 over its IOPS":          {kind("io2", 300, 256_001, 0), "InvalidParameterValue"},
		"gp2 with IOPS":              {kind("gp2", 1, 100, 0), "InvalidParameterCombination"},
		"gp3 over its ratio":         {kind("gp3", 8, 4001, 0), "InvalidParameterValue"},
		"gp3 under its IOPS":         {kind("gp3", 8, 2999, 0), "InvalidParameterValue"},
		"io1 with throughput":        {kind("io1", 4, 100, 125), "InvalidParameterCombination"},
		"gp3 under its throughput":   {kind("gp3", 8, 0, 124), "InvalidParameterValue"},
		"gp3 over its throughput":    {kind("gp3", 100, 16_000, 2001), "InvalidParameterValue"},
		"gp3 with too few IOPS":      {kind("gp3", 8, 3000, 751), "InvalidParameterValue"},
		"a key without encryption":   {func(in *ec2.CreateVolumeInput) { in.KmsKeyId = aws.String("alias/mine") }, "InvalidParameterDependency"},
		"a token that is none":       {func(in *ec2.CreateVolumeInput) { in.ClientToken = aws.String("é") }, "InvalidClientToken"},
		"tags of an instance":        {func(in *ec2.CreateVolumeInput) { in.TagSpecifications = tags(types.ResourceTypeInstance, "a", "b") }, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				_, err := w.CreateVolume(w.Context(), volumeIn(zoneA, c.change))
				wantCode(w, err, c.code)
				if n := len(must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{}))(w).Volumes); n != 0 {
					w.Errorf("a refused call made %d volumes", n)
				}
			})
		})
	}
}

func TestVolumeTokens(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		must(w.cloud.LoseReply("EC2", "CreateVolume", 1))(w)
		w.creating(zoneA) // the SDK makes a token, and a second attempt
		token := func(in *ec2.CreateVolumeInput) { in.ClientToken = aws.String("a") }
		first := w.volume(zoneA, token)
		if again := w.creating(zoneA, token); again != first {
			w.Errorf("the token made %s and %s", first, again)
		}
		_, err := w.CreateVolume(w.Context(), volumeIn(zoneA, token, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(2) }))
		wantCode(w, err, "IdempotentParameterMismatch")
		spent := func(in *ec2.CreateVolumeInput) { in.ClientToken = aws.String("b") }
		wantCode(w, w.deleteVolume(w.volume(zoneA, spent)), "")
		for range 2 { // while it is being deleted, and when it is gone
			_, err = w.CreateVolume(w.Context(), volumeIn(zoneA, spent))
			wantMessage(w, err, "IdempotentParameterMismatch", "The client token you have provided is associated with a resource that is already deleted. Please use a different client token.")
			time.Sleep(time.Minute)
		}
		if n := len(must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{}))(w).Volumes); n != 2 {
			w.Errorf("there are %d volumes, want 2", n)
		}
	})
}

func TestDescribeVolumesFilters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance := w.running(zoneA)
		root := *w.instance(instance).BlockDeviceMappings[0].Ebs.VolumeId
		data := w.volume(zoneA, func(in *ec2.CreateVolumeInput) {
			in.Encrypted, in.TagSpecifications = aws.Bool(true), tags(types.ResourceTypeVolume, "role", "db")
		})
		must(w.attachVolume(data, instance, "/dev/sdf"))(w)
		spare := w.creating(zoneB, func(in *ec2.CreateVolumeInput) { in.VolumeType = "gp3" })
		for _, c := range []struct {
			filters []types.Filter
			want    []string
		}{
			{nil, []string{root, data, spare}},
			{[]types.Filter{filter("volume-id", data)}, []string{data}},
			{[]types.Filter{filter("availability-zone", "us-east-1a")}, []string{spare}},
			{[]types.Filter{filter("availability-zone-id", zoneA)}, []string{root, data}},
			{[]types.Filter{filter("create-time", "2000-01-01T00:00:1*")}, []string{data, spare}},
			{[]types.Filter{filter("encrypted", "true")}, []string{data}},
			{[]types.Filter{filter("size", "8")}, []string{root}},
			{[]types.Filter{filter("status", "in-use")}, []string{root, data}},
			{[]types.Filter{filter("volume-type", "gp3")}, []string{root, spare}},
			{[]types.Filter{filter("attachment.instance-id", instance), filter("attachment.device", "/dev/sd*")}, []string{data}},
			{[]types.Filter{filter("attachment.status", "attaching")}, []string{data}},
			{[]types.Filter{filter("attachment.delete-on-termination", "true")}, []string{root}},
			{[]types.Filter{filter("attachment.attach-time", "*")}, []string{root, data}},
			{[]types.Filter{filter("tag:role", "db")}, []string{data}},
		} {
			var got []string
			for _, v := range must(w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{Filters: c.filters}))(w).Volumes {
				got = append(got, *v.VolumeId)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				w.Errorf("%v: %s", c.filters, diff)
			}
		}
		for _, c := range []types.Filter{
			filter("block-device-mapping.volume-id", data), filter("block-device-mapping.device-name", "/dev/sdf"),
			filter("block-device-mapping.delete-on-termination", "false"), filter("root-device-name", "/dev/xvda"), filter("root-device-type", "ebs"),
			filter("block-device-mapping.attach-time", "2000-*"),
		} {
			if out := must(w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{c}}))(w); len(out.Reservations) != 1 {
				w.Errorf("no instance with %s", *c.Name)
			}
		}
	})
}

func TestVolumePagesAndIDs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for range 7 {
			w.creating(zoneA)
		}
		var sizes []int
		pages := ec2.NewDescribeVolumesPaginator(w.Client, &ec2.DescribeVolumesInput{MaxResults: aws.Int32(5)})
		for pages.HasMorePages() {
			sizes = append(sizes, len(must(pages.NextPage(w.Context()))(w).Volumes))
		}
		statuses := ec2.NewDescribeVolumeStatusPaginator(w.Client, &ec2.DescribeVolumeStatusInput{MaxResults: aws.Int32(5)})
		for statuses.HasMorePages() {
			sizes = append(sizes, len(must(statuses.NextPage(w.Context()))(w).VolumeStatuses))
		}
		if diff := cmp.Diff([]int{5, 2, 5, 2}, sizes); diff != "" {
			w.Error(diff)
		}
		one := w.creating(zoneA)
		for _, c := range []struct {
			ids  []string
			code string
		}{
			{[]string{"vol-12345678"}, "InvalidVolume.NotFound"},
			{[]string{one, "vol-12345678", "vol-0123456789abcdef0"}, "InvalidVolume.NotFound"},
			{[]string{one, "data"}, "InvalidVolumeID.Malformed"},
		} {
			_, err := w.DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{VolumeIds: c.ids})
			wantCode(w, err, c.code)
			_, err = w.DescribeVolumeStatus(w.Context(), &ec2.DescribeVolumeStatusInput{VolumeIds: c.ids})
			wantCode(w, err, c.code)
		}
		wantCode(w, w.deleteVolume("data"), "InvalidVolumeID.Malformed")
	})
}

func TestVolumeTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.volume(zoneA)
		must(w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tagList("a=b")}))(w)
		if diff := cmp.Diff([]string{id + " volume a=b"}, w.tags()); diff != "" {
			w.Error(diff)
		}
		_, err := w.CreateTags(w.Context(), &ec2.CreateTagsInput{Resources: []string{"vol-12345678"}, Tags: tagList("a=b")})
		wantCode(w, err, "InvalidVolume.NotFound")
	})
}

func TestStaleReadsOfVolumes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance := w.running(zoneA)
		id := w.volume(zoneA)
		snapshot := func() []any {
			return []any{w.showVolume(id), w.instance(instance)}
		}
		before := snapshot()
		time.Sleep(time.Minute)
		must(w.attachVolume(id, instance, "/dev/sdf"))(w)
		defer must(w.cloud.Inject(awstest.Match{Service: "EC2"}, awstest.Stale(30*time.Second)))(w)()
		if diff := cmp.Diff(before, snapshot(), unexported); diff != "" {
			w.Errorf("a stale read differs from what was: %s", diff)
		}
		_, err := w.attachVolume(id, instance, "/dev/sdg") // changes look at the present
		wantCode(w, err, "VolumeInUse")
		time.Sleep(time.Minute)
		w.wantVolume(id, "in-use, attached to "+instance+" as /dev/sdf")
	})
}

func TestStuckVolume(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance := w.running(zoneA)
		id, other := w.creating(zoneA), w.creating(zoneA)
		to := func(state string) string { return "in-use, " + state + " to " + instance + " as /dev/sdf" }
		for _, c := range []struct {
			do         func() error
			stuck, now string
		}{
			{func() error { return nil }, "creating", "available"},
			{func() error { _, err := w.attachVolume(id, instance, "/dev/sdf"); return err }, to("attaching"), to("attached")},
			{func() error { return w.detachVolume(id) }, to("detaching"), "available"},
			{func() error { return w.deleteVolume(id) }, "deleting", "InvalidVolume.NotFound"},
		} {
			wantCode(w, c.do(), "")
			heal := must(w.cloud.Stick(id))(w)
			time.Sleep(time.Hour)
			w.wantVolume(id, c.stuck)
			w.wantVolume(other, "available")
			heal()
			w.wantVolume(id, c.now)
		}
	})
}

func TestFailedVolume(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		instance := w.running(zoneA)
		used, spare, young := w.attached(w.volume(zoneA), instance, "/dev/sdf"), w.volume(zoneA), w.creating(zoneA)
		for _, id := range []string{used, spare, young} {
			if err := ec2svc.FailVolume(w.cloud, region, id); err != nil {
				w.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		w.wantVolume(used, "error, attached to "+instance+" as /dev/sdf")
		w.wantVolume(spare, "error")
		w.wantVolume(young, "error")
		_, err := w.attachVolume(spare, instance, "/dev/sdg")
		wantCode(w, err, "IncorrectState")
		wantCode(w, w.deleteVolume(used), "VolumeInUse")
		wantCode(w, w.detachVolume(used), "")
		time.Sleep(time.Minute)
		w.wantVolume(used, "error")
		wantCode(w, w.deleteVolume(used), "")
		if err := ec2svc.FailVolume(w.cloud, region, used); err != nil { // it is being deleted: too late
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.wantVolume(used, "InvalidVolume.NotFound")
		for what, err := range map[string]error{
			"an unknown volume": ec2svc.FailVolume(w.cloud, region, "vol-12345678"),
			"an unknown region": ec2svc.FailVolume(w.cloud, "mars-1", spare),
		} {
			if _, ok := errors.AsType[*awstest.FieldError](err); !ok {
				w.Errorf("%s: got %v", what, err)
			}
		}
	})
}
