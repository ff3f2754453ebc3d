package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/awsha/awsha/failover"
)

// oddNames are what stores have mistaken for one another, for paths, for escapes or for patterns.
func oddNames() []string {
	return []string{
		"a", "A", "a/b", "a//b", "a/", "/a", "/", "//", ".", "..", "...", "../a", "a/..", "./a", ".a", "a.", "a b", "a+b", "a%20b", "a%2520b", "a%2Fb",
		"a%2fb", "%", "%%", "a!2Fb", "a!!b", "a_2Fb", "a=2Fb", "a\\b", "a*", "a?b", "a&b=c", "a#b", "a:b", "a|b", "a,b", "a;b", "[a]", "{a}", "<a>", "\"a\"",
		"'a'", "`a`", "~a", "$a", "a@b", " ", " a", "a ", "ä", "a\u0308", "é", "日本", "\U0001f5fd", "-", "_", "#", "storetest", "key", "value", "version",
		strings.Repeat("x", 200), strings.Repeat("x", 199) + "y", strings.Repeat("é", 100), strings.Repeat("é", 99) + "è",
		strings.Repeat("/", 200), strings.Repeat("/", 199), strings.Repeat("\U0001f5fd", 50), strings.Repeat("../", 66),
	}
}

// names puts entries under odd names in one group, in groups of odd names, and under keys that are the same if their parts are only joined.
func names(ctx context.Context, s failover.Store) error {
	odd, run := oddNames(), group("names")
	type key struct{ group, name string }
	var keys []key
	for _, n := range odd {
		keys = append(keys, key{run, n})
		if len(n)+len(run)+1 <= 200 {
			keys = append(keys, key{run + "/" + n, "n"}, key{run + "/" + n, n}, key{n + run, "n"})
		}
	}
	stored := make([]failover.Version, len(keys))
	value := func(i int) []byte { return fmt.Appendf(nil, "%d %q", i, keys[i]) }
	err := each(len(keys), func(i int) error {
		var err error
		stored[i], err = put(ctx, s, keys[i].group, keys[i].name, value(i), "")
		return err
	})
	if err != nil {
		return err
	}
	err = each(len(keys), func(i int) error {
		return isValue(ctx, s, keys[i].group, keys[i].name, value(i), stored[i])
	})
	if err != nil {
		return err
	}
	groups := map[string][]string{}
	for _, k := range keys {
		groups[k.group] = append(groups[k.group], k.name)
	}
	for g, names := range groups {
		slices.Sort(names)
		if err := hasNames(ctx, s, g, names); err != nil {
			return err
		}
	}
	return nil
}

func listed(ctx context.Context, s failover.Store) error {
	g := group("listed")
	order := []string{"A", "B", "Z", "a", "a!", "a-1", "a-10", "a-2", "a.", "a/", "aa", "b", "z", "ä", "日", "\U0001f5fd"}
	slices.Sort(order)
	mixed := slices.Clone(order)
	slices.Reverse(mixed)
	mixed[0], mixed[5] = mixed[5], mixed[0]
	for i, name := range mixed {
		for _, of := range []string{g, g + "2", g + "/", "x" + g} {
			if _, err := put(ctx, s, of, name, fmt.Append(nil, of, i), ""); err != nil {
				return err
			}
		}
	}
	if _, err := put(ctx, s, g+"2", "only there", []byte("v"), ""); err != nil {
		return err
	}
	if err := errors.Join(hasNames(ctx, s, g, order), hasNames(ctx, s, g+"/", order)); err != nil {
		return err
	}
	entries, err := s.List(ctx, g)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if want := fmt.Append(nil, g, slices.Index(mixed, e.Name)); !bytes.Equal(e.Value, want) {
			return fmt.Errorf("list %q: the value of %q is %q, want %q", g, e.Name, e.Value, want)
		}
		if err := isValue(ctx, s, g, e.Name, e.Value, e.Version); err != nil {
			return err
		}
	}
	return nil
}

// longList has more entries than a page of S3's lists, and more bytes than one of DynamoDB's queries.
func longList(ctx context.Context, s failover.Store) error {
	const entries = 1100
	g := group("long")
	value := bytes.Repeat([]byte("v"), 1<<10)
	want := make([]string, entries)
	err := each(entries, func(i int) error {
		want[i] = fmt.Sprintf("n-%04d", i)
		_, err := put(ctx, s, g, want[i], value, "")
		return err
	})
	if err != nil {
		return err
	}
	return hasNames(ctx, s, g, want)
}

func hasNames(ctx context.Context, s failover.Store, group string, want []string) error {
	entries, err := s.List(ctx, group)
	if err != nil {
		return fmt.Errorf("list %q: %w", group, err)
	}
	got := make([]string, len(entries))
	for i, e := range entries {
		got[i] = e.Name
		if e.Version == "" {
			return fmt.Errorf("list %q: %q has no version", group, e.Name)
		}
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return fmt.Errorf("list %q: %d entries, want %d: at %d, got %q, want %q", group, len(got), len(want), i, at(got, i), at(want, i))
		}
	}
	return nil
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

// each does what does not depend on each other, some at a time.
func each(n int, do func(int) error) error {
	var g errgroup.Group
	g.SetLimit(16)
	for i := range n {
		g.Go(func() error { return do(i) })
	}
	return g.Wait()
}
