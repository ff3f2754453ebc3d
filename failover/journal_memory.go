package failover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// MemoryJournal is a [Journal] in this process: for tests, drills and plans that need not outlive it.
// The zero value is empty and ready. It is safe for concurrent use and never waits.
type MemoryJournal struct {
	mu        sync.Mutex
	incidents map[memoryKey]*memoryIncident
}

type memoryKey struct{ service, incident string }

type memoryIncident struct {
	token   uint64
	state   Incident
	records []Record
}

// Open implements [Journal].
func (j *MemoryJournal) Open(ctx context.Context, service, incident string, token uint64) (Log, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	key := memoryKey{service, incident}
	in := j.incidents[key]
	if in == nil {
		if j.incidents == nil {
			j.incidents = make(map[memoryKey]*memoryIncident)
		}
		in = new(memoryIncident)
		j.incidents[key] = in
	}
	if token < in.token {
		return nil, fmt.Errorf("failover: open incident %s of %s with token %d: %w: %d", incident, service, token, ErrFenced, in.token)
	}
	in.token = token
	return &memoryLog{journal: j, incident: in, token: token}, nil
}

// Incidents implements [Journal].
func (j *MemoryJournal) Incidents(ctx context.Context) ([]Incident, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]Incident, 0, len(j.incidents))
	for _, in := range j.incidents {
		if in.state.State != "" {
			list = append(list, in.state.clone())
		}
	}
	return list, nil
}

type memoryLog struct {
	journal  *MemoryJournal
	incident *memoryIncident
	token    uint64
}

func (l *memoryLog) Append(ctx context.Context, r Record) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	l.journal.mu.Lock()
	defer l.journal.mu.Unlock()
	if l.token < l.incident.token {
		return fmt.Errorf("failover: append with token %d: %w: %d", l.token, ErrFenced, l.incident.token)
	}
	r.Outputs = maps.Clone(r.Outputs)
	l.incident.records = append(l.incident.records, r)
	if r.Step == "" {
		l.incident.state.take(r)
	}
	return nil
}

func (l *memoryLog) Replay(ctx context.Context) ([]Record, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	l.journal.mu.Lock()
	defer l.journal.mu.Unlock()
	records := slices.Clone(l.incident.records)
	for i := range records {
		records[i].Outputs = maps.Clone(records[i].Outputs)
	}
	return records, nil
}
