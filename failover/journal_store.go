package failover

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
)

// StoreJournal is a [Journal] on a [Store]. Make one with [NewJournal]. It is safe for concurrent use.
//
// The records of an incident are kept in segments: entries that grow by conditional writes until they are full. Records that are appended at
// once go into one write. Whoever opens an incident starts a segment of its own and then seals those before it, so that a holder of an
// older token, which knows the older segment only, can add nothing from then on, without a transaction.
//
// Cost: Open lists and writes, and writes once more for each segment that a predecessor left open; Replay lists; records that are
// appended at once cost one write for each 8 KiB of them; the opening and the closing record cost a read and a write more, for the list of incidents.
type StoreJournal struct{ store Store }

// NewJournal returns a journal that keeps its records in store.
func NewJournal(store Store) (*StoreJournal, error) {
	if store == nil {
		return nil, &FieldError{"store", store, "must not be nil"}
	}
	return &StoreJournal{store}, nil
}

const (
	incidentGroup  = "incidents"
	segmentVersion = 1
	segmentFull    = 16 << 10         // bytes; a write costs by the size of the entry
	maxRecord      = MaxValue - 1<<10 // bytes; it has to fit into a segment
)

// segment is the value of an entry of an incident's group.
type segment struct {
	V       int               `json:"v"`
	Token   uint64            `json:"token"`
	Opener  string            `json:"opener"` // unique to one Open
	Sealed  bool              `json:"sealed,omitempty"`
	Writes  uint64            `json:"writes"` // so that no two values are the same
	Records []json.RawMessage `json:"records"`
}

func (s *segment) value() ([]byte, error) {
	s.V = segmentVersion
	return json.Marshal(s)
}

func parseSegment(e Entry) (segment, error) {
	var s segment
	if err := json.Unmarshal(e.Value, &s); err != nil {
		return s, Permanent(fmt.Errorf("segment %s is no segment: %w", e.Name, err))
	}
	if s.V < 1 {
		return s, Permanent(fmt.Errorf("segment %s is no segment: version %d", e.Name, s.V))
	}
	if s.V > segmentVersion {
		return s, Permanent(fmt.Errorf("segment %s is of version %d: %w", e.Name, s.V, ErrNewer))
	}
	return s, nil
}

func logGroup(service, incident string) string {
	return "log/" + url.PathEscape(service) + "/" + url.PathEscape(incident)
}

func segmentName(n int) string { return fmt.Sprintf("%08d", n) }

// Open implements [Journal].
func (j *StoreJournal) Open(ctx context.Context, service, incident string, token uint64) (Log, error) {
	l := &storeLog{
		store: j.store, service: service, incident: incident, group: logGroup(service, incident), turn: make(chan struct{}, 1),
		own: segment{Token: token, Opener: rand.Text()},
	}
	if err := l.open(ctx); err != nil {
		return nil, fmt.Errorf("failover: open incident %s of %s with token %d: %w", incident, service, token, err)
	}
	return l, nil
}

// Incidents implements [Journal].
func (j *StoreJournal) Incidents(ctx context.Context) ([]Incident, error) {
	entries, err := j.store.List(ctx, incidentGroup)
	if err != nil {
		return nil, err
	}
	list := make([]Incident, len(entries))
	for i, e := range entries {
		in, err := parseIncident(e)
		if err != nil {
			return nil, err
		}
		list[i] = in.Incident
	}
	return list, nil
}

// incidentEntry is the value of an incident's entry in the list of all.
type incidentEntry struct {
	Incident

	Writes uint64 `json:"writes"` // so that no two values are the same
}

func parseIncident(e Entry) (incidentEntry, error) {
	var in incidentEntry
	if e.Version == "" {
		return in, nil
	}
	if err := json.Unmarshal(e.Value, &in); err != nil {
		return in, Permanent(fmt.Errorf("the entry of incident %s is none: %w", e.Name, err))
	}
	if in.Version > RecordVersion {
		return in, Permanent(fmt.Errorf("the entry of incident %s is of version %d: %w", e.Name, in.Version, ErrNewer))
	}
	return in, nil
}

// storeLog is one holder's access to an incident.
type storeLog struct {
	store             Store
	service, incident string
	group             string
	turn              chan struct{} // whoever has put something in may write

	mu      sync.Mutex
	waiting []*appending

	// These belong to who has the turn.
	own    segment // as last known to be stored
	number int
	at     Version
	fenced error
}

type appending struct {
	record Record
	json   json.RawMessage
	done   chan struct{}
	err    error
}

// open starts the next segment, and seals those before it.
func (l *storeLog) open(ctx context.Context) error {
	for {
		entries, err := l.store.List(ctx, l.group)
		if err != nil {
			return err
		}
		for _, e := range entries {
			s, err := parseSegment(e)
			if err != nil {
				return err
			}
			if s.Token > l.own.Token {
				return fmt.Errorf("%w: %d", ErrFenced, s.Token)
			}
		}
		l.number = len(entries) + 1
		switch err := l.begin(ctx); {
		case errors.Is(err, ErrChanged):
			continue // somebody else has opened it meanwhile
		case err != nil:
			return err
		}
		for _, e := range entries {
			if err := l.seal(ctx, e); err != nil {
				return err
			}
		}
		return nil
	}
}

// begin writes the segment of l.number as an empty one of our own.
func (l *storeLog) begin(ctx context.Context) error {
	l.own.Records, l.own.Writes = nil, 0
	value, err := l.own.value()
	if err != nil {
		return err
	}
	entry, err := put(ctx, l.store, l.group, segmentName(l.number), value, "")
	if err != nil {
		return err
	}
	l.at = entry.Version
	return nil
}

// seal ends a segment of somebody else, whatever has been added since it was listed.
func (l *storeLog) seal(ctx context.Context, e Entry) error {
	for {
		s, err := parseSegment(e)
		if err != nil || s.Sealed {
			return err
		}
		s.Sealed = true
		s.Writes++
		value, err := s.value()
		if err != nil {
			return err
		}
		e, err = put(ctx, l.store, l.group, e.Name, value, e.Version)
		if err == nil || !errors.Is(err, ErrChanged) {
			return err
		}
	}
}

// Replay implements [Log].
func (l *storeLog) Replay(ctx context.Context) ([]Record, error) {
	entries, err := l.store.List(ctx, l.group)
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, e := range entries {
		s, err := parseSegment(e)
		if err != nil {
			return nil, err
		}
		for i, raw := range s.Records {
			var r Record
			if err := json.Unmarshal(raw, &r); err != nil {
				return nil, fmt.Errorf("record %d of segment %s: %w", i+1, e.Name, err)
			}
			records = append(records, r)
		}
	}
	return records, nil
}

// Append implements [Log]. Whoever has the turn writes what all have put in; so there is no goroutine to end, and a caller whose context
// ends leaves at once.
func (l *storeLog) Append(ctx context.Context, r Record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return Permanent(fmt.Errorf("failover: append: %w", err))
	}
	if len(raw) > maxRecord { // or it would fail those that are written with it
		return Permanent(&FieldError{"bytes of record", len(raw), fmt.Sprintf("must be at most %d", maxRecord)})
	}
	a := &appending{record: r, json: raw, done: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, a)
	l.mu.Unlock()
	select {
	case <-a.done:
	case <-ctx.Done():
		return context.Cause(ctx) // its record may still be written
	case l.turn <- struct{}{}:
		l.mu.Lock()
		batch := l.waiting
		l.waiting = nil
		l.mu.Unlock()
		if len(batch) > 0 {
			err := l.write(ctx, batch)
			again := err != nil && ctx.Err() != nil && l.fenced == nil // it was our time that was up: the others write for themselves
			var others []*appending
			for _, b := range batch {
				if again && b != a {
					others = append(others, b)
					continue
				}
				b.err = err
				close(b.done)
			}
			l.mu.Lock()
			l.waiting = append(others, l.waiting...)
			l.mu.Unlock()
		}
		<-l.turn
		<-a.done // by us now, or by who had the turn before
	}
	return a.err
}

// write adds a batch to the segment, or to a new one, and keeps the list of incidents.
func (l *storeLog) write(ctx context.Context, batch []*appending) error {
	if l.fenced != nil {
		return l.fenced
	}
	err := l.list(ctx, batch, PhaseOpened, PhaseRollback)
	if err == nil {
		err = l.extend(ctx, batch)
	}
	if err == nil {
		err = l.list(ctx, batch, PhaseClosed)
	}
	if errors.Is(err, ErrFenced) {
		err = fmt.Errorf("failover: append with token %d: %w", l.own.Token, err)
		l.fenced = err
	}
	return err
}

// extend adds records in as few writes as fill segments: what waits while a store is slow may be more than one takes.
func (l *storeLog) extend(ctx context.Context, batch []*appending) error {
	for len(batch) > 0 {
		n, size := 1, len(batch[0].json)
		for n < len(batch) && size+len(batch[n].json) < segmentFull/2 {
			size += len(batch[n].json)
			n++
		}
		if err := l.add(ctx, batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// add adds records in one write.
func (l *storeLog) add(ctx context.Context, batch []*appending) error {
	for {
		next := l.own
		next.Records = append([]json.RawMessage(nil), l.own.Records...)
		next.Writes++
		for _, a := range batch {
			next.Records = append(next.Records, a.json)
		}
		value, err := next.value()
		if err != nil {
			return err
		}
		if len(value) > segmentFull && len(l.own.Records) > 0 {
			if err := l.roll(ctx); err != nil {
				return err
			}
			continue
		}
		entry, err := put(ctx, l.store, l.group, segmentName(l.number), value, l.at)
		switch {
		case err == nil:
			l.own, l.at = next, entry.Version
			return nil
		case !errors.Is(err, ErrChanged):
			return err
		}
		if err := l.adopt(entry); err != nil {
			return err
		}
	}
}

// adopt goes on from an earlier write of ours that came late, unless the segment has been sealed.
func (l *storeLog) adopt(e Entry) error {
	s, err := parseSegment(e)
	switch {
	case e.Version == "":
		return Permanent(fmt.Errorf("segment %s has gone", e.Name))
	case err != nil:
		return err
	case s.Sealed || s.Opener != l.own.Opener:
		return fmt.Errorf("%w: somebody else has opened the incident", ErrFenced)
	}
	l.own, l.at = s, e.Version
	return nil
}

// roll starts another segment of ours. Its number is free unless somebody else has opened the incident.
func (l *storeLog) roll(ctx context.Context) error {
	was, at := l.own, l.at
	l.number++
	err := l.begin(ctx)
	if err != nil {
		l.number--
		l.own, l.at = was, at
	}
	if errors.Is(err, ErrChanged) {
		return fmt.Errorf("%w: somebody else has opened the incident", ErrFenced)
	}
	return err
}

// list keeps the entry of the incident in the list of all: before its opening is recorded, and after its end is, so that what is listed as
// ended has ended.
func (l *storeLog) list(ctx context.Context, batch []*appending, phases ...Phase) error {
	for _, a := range batch {
		if !slices.Contains(phases, a.record.Phase) {
			continue
		}
		if err := l.enter(ctx, a.record); err != nil {
			return fmt.Errorf("list of incidents: %w", err)
		}
	}
	return nil
}

func (l *storeLog) enter(ctx context.Context, r Record) error {
	name := url.PathEscape(l.service) + "/" + url.PathEscape(l.incident)
	for {
		entry, err := l.store.Get(ctx, incidentGroup, name)
		if err != nil {
			return err
		}
		in, err := parseIncident(entry)
		if err != nil {
			return err
		}
		if in.Token > l.own.Token {
			return fmt.Errorf("%w: %d", ErrFenced, in.Token)
		}
		in.take(r)
		in.Writes++
		value, err := json.Marshal(in)
		if err != nil {
			return err
		}
		if _, err = put(ctx, l.store, incidentGroup, name, value, entry.Version); !errors.Is(err, ErrChanged) {
			return err
		}
	}
}
