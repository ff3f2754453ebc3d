package statuspage

import (
	"time"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/htmlpage"
)

// version is that of the JSON. It grows when a field is taken away or changes its meaning.
const version = 1

// document is the JSON, and what the page is made of.
type document struct {
	Version  int       `json:"version"`
	Time     time.Time `json:"time"`
	Seq      uint64    `json:"seq"`
	FailOpen bool      `json:"failOpen"`
	Local    local     `json:"local"`
	Counts   counts    `json:"counts"`
	Zones    []zone    `json:"zones"`
	Matched  int       `json:"matched"`
	Page     int       `json:"page"`
	Pages    int       `json:"pages"`
	Targets  []target  `json:"targets"`
}

// local is how well the pool keeps up with its own schedule: what is shown may be older than it looks.
type local struct {
	Degraded   bool    `json:"degraded"`
	Stretch    int     `json:"stretch"`
	Exhausted  bool    `json:"exhausted"`
	LagSeconds float64 `json:"lagSeconds"`
}

type counts struct {
	Registered int `json:"registered"`
	Initial    int `json:"initial"`
	Healthy    int `json:"healthy"`
	Unhealthy  int `json:"unhealthy"`
	Draining   int `json:"draining"`
}

type zone struct {
	Zone     string `json:"zone"`
	Up       bool   `json:"up"`
	FailOpen bool   `json:"failOpen"`
	Shifted  bool   `json:"shifted"`
	counts
}

type target struct {
	ID     string             `json:"id"`
	Zone   string             `json:"zone"`
	Addr   string             `json:"addr"`
	Host   string             `json:"host,omitempty"`
	State  healthcheck.State  `json:"state"`
	Reason healthcheck.Reason `json:"reason,omitempty"`
	Detail string             `json:"detail,omitempty"`
	Since  time.Time          `json:"since"`
	Passes int                `json:"passes"`
	Fails  int                `json:"fails"`
	// Override is what a person has decided; empty: nothing.
	Override string `json:"override,omitempty"`
	// Ejected, SlowStart and Outstanding are there when the pool routes.
	Ejected     bool    `json:"ejected,omitempty"`
	SlowStart   float32 `json:"slowStart,omitempty"` // the share of a healthy target that does not have its whole share yet
	Outstanding int     `json:"outstanding,omitempty"`
	Last        *check  `json:"last,omitempty"`
}

type check struct {
	Outcome        healthcheck.Outcome `json:"outcome"`
	Reason         healthcheck.Reason  `json:"reason,omitempty"`
	Code           *int                `json:"code,omitempty"`
	Detail         string              `json:"detail,omitempty"`
	Error          string              `json:"error,omitempty"`
	RemoteAddr     string              `json:"remoteAddr,omitempty"`
	Reused         bool                `json:"reused,omitempty"`
	Start          time.Time           `json:"start"`
	LagSeconds     float64             `json:"lagSeconds"`
	ConnectSeconds float64             `json:"connectSeconds"`
	TotalSeconds   float64             `json:"totalSeconds"`
}

// documentOf returns what q asks for.
func (s *snapshot) documentOf(q query, showErrors bool) document {
	ids, page, matched := s.find(q)
	d := document{
		Version: version, Time: s.at, Seq: s.view.Seq(), FailOpen: s.view.FailOpen(""), Zones: make([]zone, 0, 8),
		Matched: matched, Page: page, Pages: max((matched+q.Size-1)/q.Size, 1), Targets: make([]target, 0, len(ids)),
	}
	l := s.view.Local()
	d.Local = local{Degraded: l.Degraded(), Stretch: l.Stretch, Exhausted: l.Exhausted, LagSeconds: l.Lag.Seconds()}
	for _, z := range s.view.Zones() {
		c := counts{
			Registered: z.Registered(), Initial: z.Initial, Healthy: z.Healthy, Unhealthy: z.Unhealthy, Draining: z.Draining,
		}
		d.Zones = append(d.Zones, zone{Zone: z.Zone, Up: z.Up(), FailOpen: z.FailOpen, Shifted: z.Shifted, counts: c})
		d.Counts.Registered += c.Registered
		d.Counts.Initial += c.Initial
		d.Counts.Healthy += c.Healthy
		d.Counts.Unhealthy += c.Unhealthy
		d.Counts.Draining += c.Draining
	}
	for _, id := range ids {
		status, _ := s.view.Status(id)
		d.Targets = append(d.Targets, targetOf(status, showErrors))
	}
	return d
}

func targetOf(s healthcheck.Status, showErrors bool) target {
	t := target{
		ID: s.Target.ID, Zone: s.Target.Zone, Addr: s.Target.Addr, Host: s.Target.Host,
		State: s.State, Reason: s.Reason, Detail: s.Detail, Since: s.Since, Passes: s.Passes, Fails: s.Fails,
		Ejected: s.Ejected, Outstanding: s.Outstanding,
	}
	if s.Override != healthcheck.NoOverride {
		t.Override = s.Override.String()
	}
	if s.State == healthcheck.Healthy && s.SlowStart < 1 {
		t.SlowStart = s.SlowStart
	}
	r := s.Last
	if r.Start.IsZero() {
		return t
	}
	t.Last = &check{
		Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail, RemoteAddr: r.RemoteAddr, Reused: r.Reused, Start: r.Start,
		LagSeconds: r.Lag.Seconds(), ConnectSeconds: r.Connect.Seconds(), TotalSeconds: r.Total.Seconds(),
	}
	if r.HasCode {
		t.Last.Code = &r.Code
	}
	if showErrors {
		t.Last.Error = htmlpage.ErrorText(r.Err)
	}
	return t
}
