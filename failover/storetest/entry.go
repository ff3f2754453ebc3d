package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/awsha/awsha/failover"
)

func absent(ctx context.Context, s failover.Store) error {
	g := group("absent")
	if err := isValue(ctx, s, g, "nobody", nil, ""); err != nil {
		return err
	}
	if err := hasNames(ctx, s, g, nil); err != nil {
		return err
	}
	other, err := put(ctx, s, g, "other", []byte("v"), "")
	if err != nil {
		return err
	}
	if err := isRefused(ctx, s, g, "nobody", other); err != nil {
		return err
	}
	return isValue(ctx, s, g, "nobody", nil, "")
}

func replaced(ctx context.Context, s failover.Store) error {
	g, one, two := group("replaced"), []byte("one"), []byte("two")
	first, err := put(ctx, s, g, "n", one, "")
	if err != nil {
		return err
	}
	if err := errors.Join(isRefused(ctx, s, g, "n", ""), isValue(ctx, s, g, "n", one, first)); err != nil {
		return err
	}
	other, err := put(ctx, s, g, "other", []byte("another entry"), "")
	if err != nil {
		return err
	}
	if other != first { // versions need not differ between entries
		if err := errors.Join(isRefused(ctx, s, g, "n", other), isValue(ctx, s, g, "n", one, first)); err != nil {
			return err
		}
	}
	second, err := put(ctx, s, g, "n", two, first)
	if err != nil {
		return err
	}
	return errors.Join(isRefused(ctx, s, g, "n", first), isRefused(ctx, s, g, "n", ""), isValue(ctx, s, g, "n", two, second))
}

func versions(ctx context.Context, s failover.Store) error {
	g := group("versions")
	var seen []failover.Version
	last := failover.Version("")
	for i, value := range []string{"A", "B", "A", "A", "B", "A"} {
		version, err := put(ctx, s, g, "n", []byte(value), last)
		if err != nil {
			return err
		}
		for j, before := range seen {
			if before == version {
				return fmt.Errorf("write %d (%s) has version %q, which write %d had", i+1, value, version, j+1)
			}
			if err := isRefused(ctx, s, g, "n", before); err != nil {
				return err
			}
		}
		seen, last = append(seen, version), version
	}
	return isValue(ctx, s, g, "n", []byte("A"), last)
}

func strong(ctx context.Context, s failover.Store) error {
	g := group("strong")
	last := failover.Version("")
	for i := range 20 {
		value := fmt.Append(nil, "value ", i)
		version, err := put(ctx, s, g, "n", value, last)
		if err != nil {
			return err
		}
		if err := isValue(ctx, s, g, "n", value, version); err != nil {
			return err
		}
		entries, err := s.List(ctx, g)
		if err != nil {
			return fmt.Errorf("list %q: %w", g, err)
		}
		if len(entries) != 1 || !bytes.Equal(entries[0].Value, value) || entries[0].Version != version || entries[0].Name != "n" {
			return fmt.Errorf("list %q: got %q, want an entry \"n\" with %q and version %q", g, entries, value, version)
		}
		last = version
	}
	return nil
}

func values(ctx context.Context, s failover.Store) error {
	const largest = failover.MaxValue
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	random := make([]byte, largest)
	_, _ = rand.Read(random) // never fails
	g := group("values")
	for i, value := range [][]byte{
		nil, {}, {0}, {0xff}, []byte("\n"), []byte(`{"a": "b"}`), all, make([]byte, largest), bytes.Repeat([]byte{0xff}, largest), random,
	} {
		name := fmt.Sprint(i)
		version, err := put(ctx, s, g, name, value, "")
		if err != nil {
			return err
		}
		if err := isValue(ctx, s, g, name, value, version); err != nil {
			return err
		}
	}
	if _, err := s.Put(ctx, g, "too long", make([]byte, largest+1), ""); err == nil {
		return fmt.Errorf("put %d bytes: stored, want an error", largest+1)
	}
	entries, err := s.List(ctx, g)
	if err == nil && (len(entries) != 10 || !bytes.Equal(entries[9].Value, random) || !bytes.Equal(entries[6].Value, all)) {
		err = fmt.Errorf("list %q: %d entries, want 10 with the values that were put", g, len(entries))
	}
	return err
}

func copied(ctx context.Context, s failover.Store) error {
	g, value := group("copied"), []byte("kept")
	version, err := put(ctx, s, g, "n", value, "")
	if err != nil {
		return err
	}
	copy(value, "lost") // the caller's own again
	e, err := s.Get(ctx, g, "n")
	if err != nil {
		return err
	}
	copy(e.Value, "gone")
	entries, err := s.List(ctx, g)
	if err != nil {
		return err
	}
	for _, e := range entries {
		copy(e.Value, "gone")
	}
	return isValue(ctx, s, g, "n", []byte("kept"), version)
}

func ended(ctx context.Context, s failover.Store) error {
	g, why := group("ended"), errors.New("the reason")
	version, err := put(ctx, s, g, "there", []byte("v"), "")
	if err != nil {
		return err
	}
	over, cancel := context.WithCancelCause(ctx)
	cancel(why)
	_, errGet := s.Get(over, g, "there")
	_, errList := s.List(over, g)
	_, errCreate := s.Put(over, g, "new", []byte("w"), "")
	_, errReplace := s.Put(over, g, "there", []byte("w"), version)
	for call, err := range map[string]error{"Get": errGet, "List": errList, "Put of a new entry": errCreate, "Put over another": errReplace} {
		if !errors.Is(err, why) {
			return fmt.Errorf("%s under a context that has ended: error %q, want one that matches the cause", call, fmt.Sprint(err))
		}
	}
	return errors.Join(isValue(ctx, s, g, "there", []byte("v"), version), isValue(ctx, s, g, "new", nil, ""))
}
