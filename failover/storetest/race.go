package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/awsha/awsha/failover"
)

// Who races.
const (
	writers = 16
	rounds  = 10
	repeats = 100 // of a request that came to nothing
)

// outcome is what one writer of a race was told.
type outcome struct {
	value   string
	version failover.Version
	err     error
	unsure  bool // an error came first that does not say what happened
}

func race(ctx context.Context, s failover.Store) error {
	g, last := group("race"), failover.Version("")
	for round := range rounds {
		outcomes := make([]outcome, writers)
		var start, done sync.WaitGroup
		start.Add(1)
		for i := range outcomes {
			done.Go(func() {
				o := outcome{value: fmt.Sprintf("writer %d of round %d", i, round)}
				start.Wait()
				for range repeats {
					o.version, o.err = s.Put(ctx, g, "n", []byte(o.value), last)
					if o.err == nil || errors.Is(o.err, failover.ErrChanged) {
						break
					}
					o.unsure = true
				}
				outcomes[i] = o
			})
		}
		start.Done()
		done.Wait()
		found, err := get(ctx, s, g)
		if err != nil {
			return err
		}
		if err := judge(outcomes, last, found); err != nil {
			return fmt.Errorf("round %d of %d writers: %w", round+1, writers, err)
		}
		last = found.Version
	}
	return nil
}

// judge holds what the writers of a round were told against what is there.
func judge(outcomes []outcome, last failover.Version, found failover.Entry) error {
	winners, unsure := 0, false
	for _, o := range outcomes {
		unsure = unsure || o.unsure
		switch {
		case o.err == nil && (o.value != string(found.Value) || o.version != found.Version):
			return fmt.Errorf("%q was told that it won, with version %q: the entry is %q with version %q", o.value, o.version, found.Value, found.Version)
		case o.err == nil:
			winners++
		case !errors.Is(o.err, failover.ErrChanged):
			return fmt.Errorf("%q: %w", o.value, o.err)
		case !o.unsure && o.value == string(found.Value):
			return fmt.Errorf("%q is there, and was told: %w", o.value, o.err)
		}
	}
	switch {
	case found.Version == last:
		return errors.New("nobody won")
	case winners > 1 || winners == 0 && !unsure:
		return fmt.Errorf("%d were told that they won, want 1", winners)
	}
	return nil
}

// count has each writer add its marks to one entry, as who reads, changes and writes back does.
func count(ctx context.Context, s failover.Store) error {
	const marks = 10
	g := group("count")
	errs := make([]error, writers)
	var done sync.WaitGroup
	for i := range errs {
		done.Go(func() {
			for j := range marks {
				if errs[i] = add(ctx, s, g, fmt.Sprintf("%d.%d ", i, j)); errs[i] != nil {
					return
				}
			}
		})
	}
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	e, err := get(ctx, s, g)
	if err != nil {
		return err
	}
	got := strings.Fields(string(e.Value))
	slices.Sort(got)
	if n := len(slices.Compact(got)); len(got) != writers*marks || n != len(got) {
		return fmt.Errorf("%d writers added %d marks each; of these, %d are there: %q", writers, marks, n, e.Value)
	}
	return nil
}

// get reads the entry of a race, and repeats that as writes are repeated.
func get(ctx context.Context, s failover.Store, group string) (e failover.Entry, err error) {
	for range repeats {
		if e, err = s.Get(ctx, group, "n"); err == nil {
			return e, nil
		}
	}
	return e, fmt.Errorf("get \"n\" of %q: %w", group, err)
}

// add adds a mark, once, whatever the requests are answered with.
func add(ctx context.Context, s failover.Store, group, mark string) error {
	var last error
	for range repeats * writers {
		e, err := get(ctx, s, group)
		if err != nil {
			return err
		}
		if strings.Contains(" "+string(e.Value), " "+mark) {
			return nil
		}
		if _, last = s.Put(ctx, group, "n", append(e.Value, mark...), e.Version); last == nil {
			return nil
		}
	}
	return fmt.Errorf("add %q: the others always came first: %w", mark, last)
}
