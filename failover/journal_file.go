package failover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// FileJournal is a [Journal] in a directory: for a tool that one person runs, and for controllers of one machine. Make one with
// [NewFileJournal]. It is safe for concurrent use, and between the processes of one machine where the system has flock (Linux, macOS, BSD); on other
// systems only one process may use a directory. A network file system is no place for it.
//
// An incident is a file of one JSON line per record, with a number and a checksum, and is synced to the disk before Append returns.
type FileJournal struct {
	dir  string
	opts FileJournalOptions
}

// FileJournalOptions configure a [FileJournal].
type FileJournalOptions struct {
	// UseIntact lets Open go on from the intact part of a file that is cut off or damaged; what follows is kept beside it, in a file whose
	// name ends in ".damaged". Without it Open returns a [*CorruptError]. A step whose record is lost that way may be done again: look at AWS first.
	UseIntact bool
}

// CorruptError reports a file of a [FileJournal] that is cut off or damaged.
type CorruptError struct {
	Path   string
	Record int   // the first that is damaged, from 1
	Offset int64 // of it, in bytes
	Err    error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("failover: journal %s: record %d, at byte %d: %v", e.Path, e.Record, e.Offset, e.Err)
}

// Unwrap returns what is wrong with the record.
func (e *CorruptError) Unwrap() error { return e.Err }

// NewFileJournal returns a journal in dir, which Open makes if it is not there. It does no I/O.
func NewFileJournal(dir string, optFns ...func(*FileJournalOptions)) (*FileJournal, error) {
	if dir == "" {
		return nil, &FieldError{"dir", dir, "must not be empty"}
	}
	j := &FileJournal{dir: dir}
	for _, fn := range optFns {
		fn(&j.opts)
	}
	return j, nil
}

// line is a line of the file: a record, or the token of somebody who has opened it.
type line struct {
	N    int             `json:"n"`
	Sum  uint32          `json:"crc"` // CRC-32C of Data
	Data json.RawMessage `json:"data"`
}

type lineData struct {
	Token  uint64  `json:"token,omitempty"` // of who opened it
	Record *Record `json:"record,omitempty"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (j *FileJournal) path(service, incident string) string {
	return filepath.Join(j.dir, fileName(service), fileName(incident)+".jsonl")
}

// fileName is a name that is no path and no hidden file, and the same for no other string.
func fileName(s string) string { return strings.ReplaceAll(url.PathEscape(s), ".", "%2E") }

// Open implements [Journal].
func (j *FileJournal) Open(ctx context.Context, service, incident string, token uint64) (Log, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	path := j.path(service, incident)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	l := newFileLog(path, j.opts)
	l.token = token
	err := l.locked(ctx, func(f *os.File) error {
		if err := l.catchUp(f); err != nil {
			return err
		}
		if l.newest > token {
			return fmt.Errorf("%w: %d", ErrFenced, l.newest)
		}
		return l.write(f, lineData{Token: token})
	})
	if err != nil {
		return nil, fmt.Errorf("failover: open incident %s of %s with token %d: %w", incident, service, token, err)
	}
	l.opens++
	l.own = l.opens
	syncDir(filepath.Dir(path))
	syncDir(j.dir)
	return l, nil
}

// syncDir makes the names in a directory outlast a loss of power, where the system can.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// Incidents implements [Journal]. It reads every file of the directory.
func (j *FileJournal) Incidents(ctx context.Context) ([]Incident, error) {
	var list []Incident
	err := filepath.WalkDir(j.dir, func(path string, d fs.DirEntry, err error) error {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if errors.Is(err, fs.ErrNotExist) && path == j.dir {
			return nil
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".jsonl") {
			return err
		}
		l := newFileLog(path, j.opts)
		var in Incident
		err = l.locked(ctx, func(f *os.File) error { return l.catchUp(f) })
		if err != nil {
			return err
		}
		for _, r := range l.records {
			if r.Step == "" {
				in.take(r)
			}
		}
		if in.State != "" {
			list = append(list, in)
		}
		return nil
	})
	return list, err
}

// fileLog is one holder's access to a file.
type fileLog struct {
	path   string
	token  uint64
	intact bool

	turn chan struct{} // whoever has put something in may use the file, and what follows

	end     int64 // of what is known, in bytes
	lines   int
	records []Record
	newest  uint64
	opens   int
	own     int // the opening that is ours
}

func newFileLog(path string, o FileJournalOptions) *fileLog {
	return &fileLog{path: path, intact: o.UseIntact, turn: make(chan struct{}, 1)}
}

// locked opens the file for one piece of work that nobody else does at the same time. ctx bounds the wait for that.
func (l *fileLog) locked(ctx context.Context, do func(*os.File) error) (err error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }() // which ends the lock
	if err := lockFile(ctx, f); err != nil {
		return fmt.Errorf("lock %s: %w", l.path, err)
	}
	return do(f)
}

// catchUp reads what has been added since the last time.
func (l *fileLog) catchUp(f *os.File) error {
	if _, err := f.Seek(l.end, io.SeekStart); err != nil {
		return err
	}
	rest, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	for len(rest) > 0 {
		text, after, whole := bytes.Cut(rest, []byte("\n"))
		if err := l.take(text, whole); err != nil {
			corrupt := Permanent(&CorruptError{Path: l.path, Record: l.lines + 1, Offset: l.end, Err: err})
			if !l.intact || errors.Is(err, ErrNewer) {
				return corrupt
			}
			return l.setAside(f, rest)
		}
		l.end += int64(len(text)) + 1
		l.lines++
		rest = after
	}
	return nil
}

func (l *fileLog) take(text []byte, whole bool) error {
	if !whole {
		return errors.New("it is cut off")
	}
	var ln line
	var d lineData
	switch err := json.Unmarshal(text, &ln); {
	case err != nil:
		return err
	case ln.N != l.lines+1:
		return fmt.Errorf("it is numbered %d", ln.N)
	case crc32.Checksum(ln.Data, castagnoli) != ln.Sum:
		return errors.New("its checksum is wrong")
	}
	if err := json.Unmarshal(ln.Data, &d); err != nil {
		return err
	}
	switch {
	case d.Record == nil:
		l.newest = max(l.newest, d.Token)
		l.opens++
	case d.Record.Version > RecordVersion:
		return fmt.Errorf("version %d: %w", d.Record.Version, ErrNewer)
	default:
		l.records = append(l.records, *d.Record)
	}
	return nil
}

// setAside keeps what is damaged in a file of its own, and ends this one before it.
func (l *fileLog) setAside(f *os.File, damaged []byte) error {
	aside, err := os.CreateTemp(filepath.Dir(l.path), filepath.Base(l.path)+".*.damaged")
	if err != nil {
		return err
	}
	_, err = aside.Write(damaged)
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	return f.Truncate(l.end)
}

// write adds a line, or leaves the file as it was. If it can do neither, what it has left is a damaged record.
func (l *fileLog) write(f *os.File, d lineData) error {
	data, err := json.Marshal(d)
	if err != nil {
		return Permanent(err)
	}
	text, err := json.Marshal(line{N: l.lines + 1, Sum: crc32.Checksum(data, castagnoli), Data: data})
	if err != nil {
		return Permanent(err)
	}
	text = append(text, '\n')
	_, err = f.WriteAt(text, l.end)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(l.end))
	}
	l.end += int64(len(text))
	l.lines++
	return nil
}

// Append implements [Log].
func (l *fileLog) Append(ctx context.Context, r Record) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r.Outputs = maps.Clone(r.Outputs)
	return l.locked(ctx, func(f *os.File) error {
		if err := l.catchUp(f); err != nil {
			return err
		}
		if l.opens > l.own {
			return fmt.Errorf("failover: append with token %d: %w: %d", l.token, ErrFenced, l.newest)
		}
		if err := l.write(f, lineData{Record: &r}); err != nil {
			return fmt.Errorf("failover: append: %w", err)
		}
		l.records = append(l.records, r)
		return nil
	})
}

// Replay implements [Log].
func (l *fileLog) Replay(ctx context.Context) ([]Record, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	var records []Record
	err := l.locked(ctx, func(f *os.File) error {
		err := l.catchUp(f)
		for _, r := range l.records {
			r.Outputs = maps.Clone(r.Outputs)
			records = append(records, r)
		}
		return err
	})
	return records, err
}
