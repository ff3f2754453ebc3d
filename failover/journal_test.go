package failover_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
)

// journals are all that there are, empty.
func journals(t *testing.T) map[string]failover.Journal {
	t.Helper()
	stored, err := failover.NewJournal(new(failover.MemoryStore))
	if err != nil {
		t.Fatal(err)
	}
	filed, err := failover.NewFileJournal(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]failover.Journal{"memory": new(failover.MemoryJournal), "store": stored, "file": filed}
}

func eachJournal(t *testing.T, test func(t *testing.T, j failover.Journal)) {
	t.Parallel()
	for name, j := range journals(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, j)
		})
	}
}

func open(t *testing.T, j failover.Journal, incident string, token uint64) failover.Log {
	t.Helper()
	log, err := j.Open(t.Context(), "orders", incident, token)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestAJournalKeepsItsRecordsInOrder(t *testing.T) {
	eachJournal(t, func(t *testing.T, j failover.Journal) {
		var want []failover.Record
		for token := range uint64(5) { // each holder goes on after the one before
			log := open(t, j, "i", token+1)
			for n := range 40 { // several segments of a store
				r := record(failover.PhaseIntent, n, strings.Repeat("x", 200))
				r.Token, r.Outputs = token+1, map[string]string{"k": fmt.Sprint(n)}
				if err := log.Append(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				want = append(want, r)
			}
			got, err := log.Replay(t.Context())
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Fatal(err, diff)
			}
		}
		if got, err := open(t, j, "other", 1).Replay(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("another incident: %v, %v", got, err)
		}
	})
}

func TestAJournalFencesOlderTokens(t *testing.T) {
	eachJournal(t, func(t *testing.T, j failover.Journal) {
		ctx := t.Context()
		older := open(t, j, "i", 1)
		r := record(failover.PhaseDone, 1, "")
		r.Outputs = map[string]string{"k": "v"}
		if err := older.Append(ctx, r); err != nil {
			t.Fatal(err)
		}
		r.Outputs["k"] = "changed by the caller afterwards"
		newer := open(t, j, "i", 2)
		for range 2 {
			if err := older.Append(ctx, r); !errors.Is(err, failover.ErrFenced) {
				t.Errorf("append with an older token: %v", err)
			}
		}
		if _, err := j.Open(ctx, "orders", "i", 1); !errors.Is(err, failover.ErrFenced) {
			t.Errorf("open with an older token: %v", err)
		}
		if _, err := j.Open(ctx, "orders", "another", 1); err != nil {
			t.Errorf("open another incident: %v", err)
		}
		if _, err := j.Open(ctx, "billing", "i", 1); err != nil {
			t.Errorf("open the incident of another service: %v", err)
		}
		got, err := newer.Replay(ctx)
		if err != nil || len(got) != 1 || got[0].Outputs["k"] != "v" {
			t.Errorf("replay: %+v, %v", got, err)
		}
		got[0].Outputs["k"] = "changed by the reader"
		if got, err := newer.Replay(ctx); err != nil || got[0].Outputs["k"] != "v" {
			t.Errorf("replay: %+v, %v", got, err)
		}
		again := open(t, j, "i", 2) // the holder itself
		if err := again.Append(ctx, r); err != nil {
			t.Error(err)
		}
	})
}

func TestAJournalListsItsIncidents(t *testing.T) {
	eachJournal(t, func(t *testing.T, j failover.Journal) {
		hostile := "../i%2F\x00 <b>\"é" + strings.Repeat("y", 100)
		for _, id := range []string{"one", hostile} {
			log := open(t, j, id, 7)
			for _, r := range []failover.Record{
				{Phase: failover.PhaseOpened, Outputs: map[string]string{"zone": "use1-az1"}, Detail: "drill"},
				{Phase: failover.PhaseClosed, State: failover.IncidentDone},
			} {
				r.Version, r.Service, r.Incident, r.Token = 1, "orders", id, 7
				if err := log.Append(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				if id == "one" {
					break
				}
			}
		}
		open(t, j, "never recorded", 1)
		list, err := j.Incidents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(list, func(a, b failover.Incident) int { return -strings.Compare(a.ID, b.ID) })
		if len(list) != 2 || list[0].ID != "one" || list[1].ID != hostile {
			t.Fatalf("%+v", list)
		}
		if list[0].State != failover.IncidentOpen || list[0].Facts["zone"] != "use1-az1" || list[0].Detail != "drill" || list[1].State != failover.IncidentDone {
			t.Errorf("%+v", list)
		}
	})
}

// Many append at once, while others open with newer tokens: what a log has taken is there, in an order that respects each goroutine's own, and
// nothing of an older token comes after the first of a newer one.
func TestAJournalUnderConcurrency(t *testing.T) {
	eachJournal(t, func(t *testing.T, j failover.Journal) {
		const holders, writers, each = 4, 8, 20
		var mu sync.Mutex
		taken := map[string]int{} // by holder and writer
		var wg sync.WaitGroup
		for token := range uint64(holders) {
			log := open(t, j, "i", token+1)
			for w := range writers {
				wg.Go(func() {
					for n := range each {
						r := record(failover.PhaseIntent, n+1, fmt.Sprintf("%d/%d", token+1, w))
						r.Token = token + 1
						if err := log.Append(t.Context(), r); err != nil {
							if !errors.Is(err, failover.ErrFenced) {
								t.Error(err)
							}
							return
						}
						mu.Lock()
						taken[r.Detail] = n + 1
						mu.Unlock()
					}
				})
			}
		}
		wg.Wait()
		records, err := open(t, j, "i", 99).Replay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		newest := uint64(0)
		for _, r := range records {
			if r.Token < newest {
				t.Fatalf("a record of token %d after one of %d", r.Token, newest)
			}
			newest = r.Token
			if found[r.Detail]++; r.Attempt != found[r.Detail] {
				t.Fatalf("%s: record %d comes as number %d", r.Detail, r.Attempt, found[r.Detail])
			}
		}
		for key, n := range taken {
			if found[key] != n {
				t.Errorf("%s: %d taken, %d found", key, n, found[key])
			}
		}
		if taken["4/0"] != each {
			t.Errorf("the last holder's: %d", taken["4/0"])
		}
	})
}

func TestAJournalEndsWithItsContext(t *testing.T) {
	eachJournal(t, func(t *testing.T, j failover.Journal) {
		errEnough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		log := open(t, j, "i", 1)
		cancel(errEnough)
		_, oerr := j.Open(ctx, "orders", "i", 2)
		_, rerr := log.Replay(ctx)
		aerr := log.Append(ctx, record(failover.PhaseDone, 1, ""))
		for _, err := range []error{oerr, rerr, aerr} {
			if !errors.Is(err, errEnough) {
				t.Error(err)
			}
		}
	})
}

// flakyStore loses replies, before or after the effect, as a seed has it.
type flakyStore struct {
	failover.Store

	mu   sync.Mutex
	rand *rand.Rand
	rate float64
}

var errFlaky = errors.New("reply lost")

func (f *flakyStore) odds() (before, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.Float64() < f.rate, f.rand.Float64() < f.rate
}

func (f *flakyStore) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	if before, _ := f.odds(); before {
		return failover.Entry{}, errFlaky
	}
	return f.Store.Get(ctx, group, name)
}

func (f *flakyStore) List(ctx context.Context, group string) ([]failover.Entry, error) {
	if before, _ := f.odds(); before {
		return nil, errFlaky
	}
	return f.Store.List(ctx, group)
}

func (f *flakyStore) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	before, after := f.odds()
	if before {
		return "", errFlaky
	}
	v, err := f.Store.Put(ctx, group, name, value, old)
	if after {
		return "", errFlaky
	}
	return v, err
}

// A journal on a store whose replies are lost takes what it says that it takes, and never a record of a holder that was fenced.
func TestAStoreThatLosesRepliesLosesNoRecords(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 17))
		store := &flakyStore{Store: new(failover.MemoryStore), rand: r, rate: 0.3}
		j, err := failover.NewJournal(store)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for token := uint64(1); token <= 3; token++ {
			var log failover.Log
			for log == nil {
				log, _ = j.Open(t.Context(), "orders", "i", token)
			}
			for n := range 10 {
				rec := record(failover.PhaseIntent, n, fmt.Sprintf("%d/%d/%s", token, n, strings.Repeat("z", r.IntN(3000))))
				for {
					err := log.Append(t.Context(), rec)
					if err == nil {
						break
					}
					if errors.Is(err, failover.ErrFenced) {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				want = append(want, rec.Detail)
			}
		}
		store.rate = 0
		records, err := open(t, j, "i", 9).Replay(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range records { // one may be there twice
			if !slices.Contains(got, r.Detail) {
				got = append(got, r.Detail)
			}
		}
		if !slices.Equal(want, got) {
			t.Fatalf("seed %d: want %.100q, got %.100q", seed, want, got)
		}
	}
}

// Records of steps that run at once share the writes of a store.
func TestRecordsThatComeAtOnceShareAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{Store: new(failover.MemoryStore)}
		j, err := failover.NewJournal(store)
		if err != nil {
			t.Fatal(err)
		}
		log := open(t, j, "i", 1)
		store.puts = 0
		var wg sync.WaitGroup
		for n := range 30 {
			wg.Go(func() {
				if err := log.Append(t.Context(), record(failover.PhaseIntent, n, "")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if store.puts > 2 {
			t.Errorf("%d writes for 30 records at once", store.puts)
		}
	})
}

func TestADamagedFileIsReportedAndUsedOnlyIfAsked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		damage func([]byte) []byte
		record int
		left   int
	}{
		{"cut off in a record", func(b []byte) []byte { return b[:len(b)-5] }, 4, 2},
		{"cut off right before its end", func(b []byte) []byte { return b[:len(b)-1] }, 4, 2},
		{"a flipped bit", func(b []byte) []byte { i := bytes.Index(b, []byte("second")); b[i] ^= 1; return b }, 3, 1},
		{"a record too few", func(b []byte) []byte { l := strings.SplitAfter(string(b), "\n"); return []byte(l[0] + l[1] + l[3]) }, 3, 1},
		{"zeros", func(b []byte) []byte { return append(b, make([]byte, 100)...) }, 5, 3},
		{"of something else", func([]byte) []byte { return []byte("hello\n") }, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			strict, err := failover.NewFileJournal(dir)
			if err != nil {
				t.Fatal(err)
			}
			log := open(t, strict, "i", 1)
			for _, detail := range []string{"first", "second", "third"} {
				if err := log.Append(t.Context(), record(failover.PhaseIntent, 1, detail)); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "orders", "i.jsonl")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = strict.Open(t.Context(), "orders", "i", 2)
			var corrupt *failover.CorruptError
			if !errors.As(err, &corrupt) || corrupt.Record != tt.record || corrupt.Path != path {
				t.Fatalf("error is %v, want one of record %d", err, tt.record)
			}
			if _, err := strict.Incidents(t.Context()); !errors.As(err, &corrupt) {
				t.Errorf("Incidents: %v", err)
			}
			loose, err := failover.NewFileJournal(dir, func(o *failover.FileJournalOptions) { o.UseIntact = true })
			if err != nil {
				t.Fatal(err)
			}
			log = open(t, loose, "i", 2)
			if err := log.Append(t.Context(), record(failover.PhaseDone, 1, "new")); err != nil {
				t.Error(err)
			}
			records, err := open(t, strict, "i", 3).Replay(t.Context())
			if err != nil || len(records) != tt.left+1 {
				t.Errorf("%d records are left, want %d: %v", len(records), tt.left+1, err)
			}
			aside, err := filepath.Glob(filepath.Join(dir, "orders", "*.damaged"))
			if err != nil || len(aside) != 1 {
				t.Errorf("set aside: %v, %v", aside, err)
			}
		})
	}
}

func TestJournalsOfANewerVersionAreRefused(t *testing.T) {
	eachJournal(t, func(t *testing.T, j failover.Journal) {
		r := record(failover.PhaseDone, 1, "")
		r.Version = failover.RecordVersion + 1
		if err := open(t, j, "i", 1).Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		_, err := newEngine(t, newLocker(t), j).Execute(t.Context(), "i", plan(step("a", 0)))
		if !errors.Is(err, failover.ErrNewer) {
			t.Error(err)
		}
	})
}
