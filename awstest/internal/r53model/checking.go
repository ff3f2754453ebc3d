package r53model

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// What an endpoint has to keep to.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html (read 2026-11)
const (
	connectTime    = 4 * time.Second
	connectTimeTCP = 10 * time.Second
	statusTime     = 2 * time.Second // from the connection
	bodyTime       = 2 * time.Second // from the status
	searched       = 5120            // bytes of the body

	// quorum is the percentage of checkers of which more have to find an
	// endpoint healthy.
	quorum = 18
)

// seat is a checker that looks at an endpoint, and its own opinion of it.
type seat struct {
	checker int // of the fleet
	healthy bool
	streak  int // results in a row that contradict the opinion
}

// reporter is a checker at a health check.
type reporter struct {
	id      string
	checker int
}

// Report is what a checker has met last.
type Report struct {
	Region string
	From   string // address
	At     time.Time
	Text   string
}

// seat sends the checkers of a health check out. Their requests are spread over
// the interval; in AWS they do not know of each other. Those that stay keep their
// opinion, and the verdict is that of the ones that look from now on.
func (w *watch) seat(tx *awstest.Tx, hc *HealthCheck) {
	before := w.seats
	w.seats = nil
	turn, all := w.turn, hc.Config.checkersOf()
	for n, c := range all {
		s := &seat{checker: c, healthy: w.healthy}
		for _, old := range before {
			if old.checker == c {
				s.healthy = old.healthy
			}
		}
		w.seats = append(w.seats, s)
		w.next(tx, s, turn, hc.Config.Interval*time.Duration(n)/time.Duration(len(all)))
	}
	w.judge(tx, w.percentage() > quorum)
}

// next has a checker look after a pause, if its health check is still the same.
func (w *watch) next(tx *awstest.Tx, s *seat, turn int, pause time.Duration) {
	tx.Schedule(tx.Now().Add(pause), func(tx *awstest.Tx) {
		if w.turn == turn {
			w.look(tx, s, turn)
		}
	})
}

func (w *watch) look(tx *awstest.Tx, s *seat, turn int) {
	hc, _ := w.model.checks.Get(tx.Now(), w.id) // its turn ends before it does
	c := &hc.Config
	spec := awstest.ProbeSpec{Port: uint16(c.Port), Source: fleet[s.checker].addr(), Timeout: connectTimeTCP}
	if c.Type != TCP {
		spec.ConnectTimeout, spec.Timeout = connectTime, statusTime
		spec.Path, spec.Host = path(c.Path), c.hostHeader()
		spec.UserAgent = "Amazon-Route53-Health-Check-Service (ref " + w.id + "; report http://amzn.to/1vsZADi)"
	}
	if c.Type.match() {
		spec.Body, spec.BodyTimeout = searched, bodyTime
	}
	host := c.Address
	if host == "" {
		host = c.Name
	}
	tx.ProbeAddress(host, spec, func(tx *awstest.Tx, r awstest.ProbeResult) {
		if w.turn == turn {
			w.next(tx, s, turn, c.Interval) // from the answer to the next question
			w.result(tx, s, c, r)
		}
	})
}

// path is what is asked for. That a path begins with a slash AWS does not ask
// for, and every request line does.
func path(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return "/" + p
}

// result moves the checker's opinion and, if enough of them agree, the verdict.
func (w *watch) result(tx *awstest.Tx, s *seat, c *Config, r awstest.ProbeResult) {
	pass, text := c.verdict(r)
	m, at := w.model, fleet[s.checker]
	report := Report{Region: at.region, From: at.addr().String(), At: tx.Now(), Text: text}
	m.reports.Put(tx.Now(), reporter{w.id, s.checker}, report)
	if !pass {
		m.failures.Put(tx.Now(), reporter{w.id, s.checker}, report)
	}
	if pass == s.healthy {
		s.streak = 0
		return
	}
	if s.streak++; s.streak < int(c.Threshold) {
		return
	}
	s.healthy, s.streak = pass, 0
	w.judge(tx, w.percentage() > quorum)
}

// percentage is how many of the checkers find the endpoint healthy.
func (w *watch) percentage() float64 {
	n := 0
	for _, s := range w.seats {
		if s.healthy {
			n++
		}
	}
	return 100 * float64(n) / float64(len(w.seats))
}

// verdict tells whether one look has passed, and what the checker says of it.
// The texts are of the kind that AWS answers; it documents none of them.
func (c *Config) verdict(r awstest.ProbeResult) (pass bool, text string) {
	switch r.Outcome {
	case awstest.ProbeUnknownHost:
		return false, "Failure: DNS resolution failed: The domain name does not exist"
	case awstest.ProbeTimedOut:
		return false, "Failure: Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by your firewall."
	case awstest.ProbeRefused:
		return false, "Failure: The endpoint refused or reset the connection, or answered by something that is not HTTP"
	case awstest.ProbeAnswered:
	}
	if c.Type == TCP {
		return true, "Success: TCP connection established"
	}
	status := fmt.Sprintf("HTTP Status Code %d, %s", r.Status, http.StatusText(r.Status))
	switch {
	case r.Status < 200 || r.Status > 399:
		return false, "Failure: " + status
	case c.Type.match() && !bytes.Contains(r.Body, []byte(c.Search)):
		return false, fmt.Sprintf("Failure: %s. The search string was not found in the first %d bytes of the body", status, searched)
	}
	return true, "Success: " + status
}

// Reports returns what each checker of an endpoint has met last, as of a moment.
func (m *Model) Reports(at time.Time, hc *HealthCheck) []Report { return list(m.reports.Get, at, hc) }

// Failures returns the last failure that each checker of an endpoint has met, as
// of a moment.
func (m *Model) Failures(at time.Time, hc *HealthCheck) []Report { return list(m.failures.Get, at, hc) }

func list(get func(time.Time, reporter) (Report, bool), at time.Time, hc *HealthCheck) (all []Report) {
	for _, i := range hc.Config.checkersOf() {
		if r, ok := get(at, reporter{hc.ID, i}); ok {
			all = append(all, r)
		}
	}
	return all
}
