package eip_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// Two movers expect the same owner while calls fail in every way, each drawn by a seed. Whatever happens: the address is associated
// once at most, success is the truth, nobody cries thief, and a run without faults brings it where it should be.
func TestContractHoldsUnderAnyFaults(t *testing.T) {
	t.Parallel()
	seeds := uint64(300)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(strconv.FormatUint(seed+1, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { chaos(t, seed+1) })
		})
	}
}

func chaos(t *testing.T, seed uint64) {
	t.Helper()
	w := settled(t, func(o *awstest.Options) { o.Seed = seed })
	var heals []func()
	for _, effect := range []awstest.Effect{
		awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply(), awstest.Hang(), awstest.DelayReply(15 * time.Second),
		awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500}), awstest.Delay(50 * time.Millisecond),
	} {
		heals = append(heals, w.inject(t, "", awstest.Match{Probability: 0.08}, effect))
	}
	heals = append(heals, w.inject(t, "DescribeAddresses", awstest.Match{Probability: 0.5}, awstest.Stale(20*time.Second)))

	var wg sync.WaitGroup
	var results [3]eip.Result
	var errs [3]error
	for _, i := range []int{1, 2} {
		r := newRemapper(t, w.client)
		wg.Go(func() { results[i], errs[i] = r.Remap(t.Context(), w.request(i)) })
	}
	wg.Wait()
	for _, heal := range heals {
		heal()
	}

	// awstest numbers what it makes: between the first association and this one lie those of the movers.
	probe := w.associate(t, w.allocate(t), w.createInterface(t))
	if made := number(t, probe.ID) - number(t, w.first.ID) - 1; made > 1 {
		t.Errorf("associated %d times", made)
	}
	owner := w.owner(t)
	for _, i := range []int{1, 2} {
		if errs[i] == nil && (owner != w.eni[i] || results[i].After.NetworkInterfaceID != owner) {
			t.Errorf("mover %d was told %v, but %s holds the address", i, results[i].After, owner)
		}
		if errors.Is(errs[i], eip.ErrStolen) {
			t.Errorf("mover %d: %v", i, errs[i])
		}
	}
	time.Sleep(time.Minute) // of lag
	req := w.request(1)
	req.Expect = eip.Expect{}
	if _, err := newRemapper(t, w.client).Remap(t.Context(), req); err != nil {
		t.Errorf("without faults: %v", err)
	}
	if owner := w.owner(t); owner != w.eni[1] {
		t.Errorf("%s holds the address in the end", owner)
	}
}

func number(tb testing.TB, id string) uint64 {
	tb.Helper()
	_, digits, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
