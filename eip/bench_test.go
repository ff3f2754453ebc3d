package eip_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// bare makes the three calls of a remap and nothing else.
func (w *world) bare(tb testing.TB, from eip.Association, to string) eip.Association {
	tb.Helper()
	ctx := tb.Context()
	if _, err := w.client.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: &from.ID}); err != nil {
		tb.Fatal(err)
	}
	out, err := w.client.AssociateAddress(ctx, &ec2.AssociateAddressInput{
		AllocationId: &w.allocation, NetworkInterfaceId: &to, AllowReassociation: aws.Bool(false),
	})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{w.allocation}}); err != nil {
		tb.Fatal(err)
	}
	return eip.Association{ID: *out.AssociationId, NetworkInterfaceID: to}
}

func (w *world) remap(tb testing.TB, r *eip.Remapper, from eip.Association, to string) eip.Association {
	tb.Helper()
	res, err := r.Remap(tb.Context(), eip.Request{
		AllocationID: w.allocation, Target: eip.Target{NetworkInterfaceID: to}, Expect: eip.Expect{Association: from},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return res.After
}

// BenchmarkRemap measures what a Remap adds to the three SDK calls that it makes. The two take turns, and medians are
// compared, so that whatever else the machine does falls on both.
func BenchmarkRemap(b *testing.B) {
	w := newWorld(b, func(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 100 })
	r := newRemapper(b, w.client)
	var bare, remap []time.Duration
	at := w.first
	for b.Loop() {
		start := time.Now()
		at = w.bare(b, at, w.eni[1])
		middle := time.Now()
		at = w.remap(b, r, at, w.eni[0])
		bare, remap = append(bare, middle.Sub(start)), append(remap, time.Since(middle))
	}
	slices.Sort(bare)
	slices.Sort(remap)
	three, all := bare[len(bare)/2], remap[len(remap)/2]
	b.ReportMetric(float64(three.Nanoseconds()), "bare-ns/op")
	b.ReportMetric(float64((all - three).Nanoseconds()), "added-ns/op")
	b.ReportMetric(w.addedAllocs(b, r), "added-allocs/op")
}

// addedAllocs returns how many allocations a Remap adds to those of its three calls. It counts the allocations of the whole
// process, so that nothing may run beside it.
func (w *world) addedAllocs(tb testing.TB, r *eip.Remapper) float64 {
	tb.Helper()
	at := w.associate(tb, w.allocation, w.eni[0])
	bare := testing.AllocsPerRun(200, func() { at = w.bare(tb, w.bare(tb, at, w.eni[1]), w.eni[0]) })
	remap := testing.AllocsPerRun(200, func() { at = w.remap(tb, r, w.remap(tb, r, at, w.eni[1]), w.eni[0]) })
	return (remap - bare) / 2
}

func TestRemapAddsFewAllocations(t *testing.T) {
	w := newWorld(t, func(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 100 })
	if added := w.addedAllocs(t, newRemapper(t, w.client)); added < 1 || added >= 60 {
		t.Errorf("%.1f allocations added, want fewer than 60 (and some, or the measure is broken)", added)
	}
}

// BenchmarkRemapAll moves 50 addresses to and fro, owners named.
func BenchmarkRemapAll(b *testing.B) {
	w := newWorld(b, func(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 100 })
	r := newRemapper(b, w.client)
	reqs := make([]eip.Request, 50)
	back := make([]eip.Target, len(reqs))
	for i := range reqs {
		from := w.createInterface(b)
		back[i] = eip.Target{NetworkInterfaceID: from}
		reqs[i] = eip.Request{AllocationID: w.allocate(b), Target: eip.Target{NetworkInterfaceID: w.createInterface(b)}}
		reqs[i].Expect.Association = w.associate(b, reqs[i].AllocationID, from)
	}
	start, rounds := w.counts(), 0
	for b.Loop() {
		rounds++
		outcomes, err := r.RemapAll(b.Context(), reqs)
		if err != nil {
			b.Fatal(err)
		}
		for i := range reqs {
			reqs[i].Target, back[i] = back[i], reqs[i].Target
			reqs[i].Expect.Association = outcomes[i].After
		}
	}
	now := w.counts()
	b.ReportMetric(float64(now.Describe-start.Describe)/float64(rounds), "describes/op")
	b.ReportMetric(float64(now.Associate-start.Associate)/float64(rounds), "associates/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds*len(reqs)), "ns/address")
}
