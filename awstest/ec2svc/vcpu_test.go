package ec2svc_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func withQuota(vCPUs int) func(*ec2svc.Options) {
	return func(o *ec2svc.Options) { o.VCPUQuota, o.VCPUs = vCPUs, map[string]int{"m5.metal": 96} }
}

// tryLaunch launches instances of a type, at least some of so many.
func (w *world) tryLaunch(instanceType types.InstanceType, least, most int32) ([]types.Instance, error) {
	out, err := w.RunInstances(w.Context(), run(most, func(in *ec2.RunInstancesInput) { in.InstanceType, in.MinCount = instanceType, &least }))
	if err != nil {
		return nil, err
	}
	return out.Instances, nil
}

func TestLaunchesBeyondTheQuotaOfVCPUs(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, withQuota(8), func(w *world) {
		first := must(w.tryLaunch("m7g.xlarge", 1, 1))(w)
		_, err := w.tryLaunch("m5.metal", 1, 1)
		wantCode(w, err, "VcpuLimitExceeded")
		wantStatus(w, err, 400)
		some := must(w.tryLaunch("t3.micro", 1, 5))(w)
		if len(some) != 2 {
			w.Errorf("%d launched where two fit", len(some))
		}
		_, err = w.tryLaunch("t2.micro", 1, 1)
		wantMessage(w, err, "VcpuLimitExceeded", "You have requested more vCPU capacity than your current vCPU limit of 8 allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.")
		// It is of the region: another zone has no more, and another region is free.
		_, err = w.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.Placement = at(zoneB) }))
		wantCode(w, err, "VcpuLimitExceeded")
		other := ec2.NewFromConfig(w.cloud.Config("us-west-2"))
		must(other.RunInstances(w.Context(), run(1, func(in *ec2.RunInstancesInput) { in.Placement = nil })))(w)

		// What is stopped does not count, until it is started again.
		time.Sleep(15 * time.Second)
		wantCode(w, w.stop(*first[0].InstanceId), "")
		time.Sleep(30 * time.Second)
		must(w.tryLaunch("m7g.large", 2, 2))(w)
		wantCode(w, w.start(*first[0].InstanceId), "VcpuLimitExceeded")
		// What is terminated does not count either.
		wantCode(w, w.terminate(*some[0].InstanceId), "")
		wantCode(w, w.terminate(*some[1].InstanceId), "")
		time.Sleep(30 * time.Second)
		wantCode(w, w.start(*first[0].InstanceId), "")
	})
}

func TestStartsTogetherBeyondTheQuotaOfVCPUs(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, withQuota(4), func(w *world) {
		list := ids(must(w.tryLaunch("t3.micro", 2, 2))(w))
		time.Sleep(15 * time.Second)
		for _, id := range list {
			wantCode(w, w.stop(id), "")
		}
		time.Sleep(30 * time.Second)
		must(w.tryLaunch("t3.micro", 1, 1))(w)
		_, err := w.StartInstances(w.Context(), &ec2.StartInstancesInput{InstanceIds: list})
		wantCode(w, err, "VcpuLimitExceeded")
		for _, id := range list {
			w.wantState(id, types.InstanceStateNameStopped)
		}
		wantCode(w, w.start(list[0]), "")
	})
}

func TestReservationsCountForTheQuotaOfVCPUs(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, withQuota(4), func(w *world) {
		reserve := func(count int32) error {
			_, err := w.CreateCapacityReservation(w.Context(), &ec2.CreateCapacityReservationInput{
				InstanceType: aws.String("t3.micro"), InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: &count,
				AvailabilityZoneId: aws.String(zoneA),
			})
			return err
		}
		wantCode(w, reserve(3), "InstanceLimitExceeded")
		wantCode(w, reserve(1), "")
		// One goes into the reservation, and needs nothing more; one is beside it.
		must(w.tryLaunch("t3.micro", 2, 2))(w)
		_, err := w.tryLaunch("t3.micro", 1, 1)
		wantCode(w, err, "VcpuLimitExceeded")
		wantCode(w, reserve(1), "InstanceLimitExceeded")
	})
}

func TestQuotaComesBeforeCapacity(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, withQuota(4), func(w *world) {
		heal := w.zone(zoneA).RefuseLaunches("")
		defer heal()
		_, err := w.tryLaunch("t3.micro", 1, 1)
		wantCode(w, err, "InsufficientInstanceCapacity")
		_, err = w.tryLaunch("m7g.2xlarge", 1, 1)
		wantCode(w, err, "VcpuLimitExceeded")
	}, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
}

// TestRandomLaunchesWithinTheQuota holds random launches, stops and starts against a count.
func TestRandomLaunchesWithinTheQuota(t *testing.T) {
	svctest.Sequences(t, 200, 20, func(t *testing.T, first, last uint64) {
		for s := first; s <= last && !t.Failed(); s++ {
			quotaSequence(t, s)
		}
	})
}

func quotaSequence(t *testing.T, seed uint64) {
	t.Helper()
	const quota = 12
	service := ec2svc.New(func(o *ec2svc.Options) {
		o.VCPUQuota, o.Pending, o.Stopping, o.ShuttingDown = quota, ec2svc.Immediately, ec2svc.Immediately, ec2svc.Immediately
	})
	svctest.InBubble(t, []awstest.Service{service}, func(t *testing.T, cloud *awstest.Cloud) {
		w := &world{t, ec2.NewFromConfig(cloud.Config(region)), cloud}
		rng := rand.New(rand.NewPCG(seed, seed))
		sizes := map[types.InstanceType]int{"m7g.medium": 1, "m7g.large": 2, "m7g.xlarge": 4}
		vCPUs, runs := map[string]int{}, map[string]bool{}
		used := func() (n int) {
			for id, running := range runs {
				if running {
					n += vCPUs[id]
				}
			}
			return n
		}
		var all []string
		for range 24 {
			time.Sleep(time.Second)
			if what := rng.IntN(3); what == 0 || len(all) == 0 {
				instanceType := []types.InstanceType{"m7g.medium", "m7g.large", "m7g.xlarge"}[rng.IntN(3)]
				least := 1 + rng.IntN(2)
				most := least + rng.IntN(3)
				fit := min(most, (quota-used())/sizes[instanceType])
				got, err := w.tryLaunch(instanceType, int32(least), int32(most))
				if fit < least {
					wantCode(t, err, "VcpuLimitExceeded")
					continue
				}
				wantCode(t, err, "")
				if len(got) != fit {
					t.Fatalf("seed %d: %d launched where %d fit", seed, len(got), fit)
				}
				for _, id := range ids(got) {
					vCPUs[id], runs[id] = sizes[instanceType], true
					all = append(all, id)
				}
			} else if id := all[rng.IntN(len(all))]; what == 1 {
				wantCode(t, w.stop(id), "")
				runs[id] = false
			} else {
				want := ""
				if !runs[id] && used()+vCPUs[id] > quota {
					want = "VcpuLimitExceeded"
				}
				wantCode(t, w.start(id), want)
				runs[id] = runs[id] || want == ""
			}
		}
	}, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
}
