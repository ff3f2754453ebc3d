package failover_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/awsha/awsha/failover"
)

// BenchmarkExecute is what the engine itself costs: a hundred steps that take no time.
func BenchmarkExecute(b *testing.B) {
	shapes := map[string]func(i int) []string{
		"100 steps at once": func(int) []string { return nil },
		"100 steps in a row": func(i int) []string {
			if i == 0 {
				return nil
			}
			return []string{strconv.Itoa(i - 1)}
		},
	}
	for _, shape := range []struct {
		name   string
		stored bool
	}{
		{"100 steps at once", false}, {"100 steps in a row", false}, {"100 steps at once", true}, {"100 steps in a row", true},
	} {
		needs, stored, name := shapes[shape.name], shape.stored, shape.name
		if stored {
			name += ", journal on a store"
		}
		b.Run(name, func(b *testing.B) {
			var fs []failover.StepFuncs
			for i := range 100 {
				fs = append(fs, step(strconv.Itoa(i), 0, needs(i)...))
			}
			p := plan(fs...)
			journal, err := failover.NewJournal(new(failover.MemoryStore))
			if err != nil {
				b.Fatal(err)
			}
			e := newEngine(b, storeLocker(b, new(failover.MemoryStore)), map[bool]failover.Journal{true: journal, false: new(failover.MemoryJournal)}[stored])
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if _, err := e.Execute(context.Background(), strconv.Itoa(n), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	var fs []failover.StepFuncs
	for i := range 100 {
		fs = append(fs, step(strconv.Itoa(i), 0))
		for j := range i {
			fs[i].Needs = append(fs[i].Needs, strconv.Itoa(j))
		}
	}
	p := plan(fs...)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
