// Package statuspage shows how the targets of a healthcheck.Pool are: to people as one page that a phone can read, to programs
// as JSON.
//
//	mux.Handle("/targets", statuspage.Handler(pool))
//
// # When to use it
//
// Use it where somebody has to see why a target gets no traffic: in the admin server of what balances or fails over. It is no
// metric and no alarm, and it changes nothing. It is not for the public: it names addresses.
//
// # The page
//
// The counts, whether the pool fails open or is late itself, the zones, and the targets with those in trouble first: their state, since when and why, and the latest check
// with its code, how long it took and how late it began. It has no script, follows the light or dark scheme of the viewer, and
// its Content-Security-Policy allows its own style and nothing else. Names of targets come from outside: they are escaped,
// what is invisible in them is shown, and they are cut to 128 characters.
//
// These parameters narrow it, and hold for JSON too:
//
//	zone=use1-az1   targets of one zone; * is all of them, and empty the zone without a name
//	state=unhealthy targets in one state; * is all of them
//	q=10.0.0.       targets with this in their ID or address
//	page=2          a page beyond the last is the last
//	size=500        targets on a page, up to 1000
//	format=json     html or json; without it, the header Accept decides, and */* gets HTML
//
// # The JSON
//
//	{
//	  "version": 1,
//	  "time": "2026-11-22T10:00:00Z",      when the view was taken
//	  "seq": 42,                           the latest event in it
//	  "failOpen": false,                   picks disregard health: too few targets have it
//	  "local": {"degraded": false, "stretch": 1, "exhausted": false, "lagSeconds": 0},   healthcheck.Local
//	  "counts": {"registered": 2, "initial": 0, "healthy": 1, "unhealthy": 1, "draining": 0},
//	  "zones": [{"zone": "use1-az1", "up": true, "failOpen": false, "shifted": false, "registered": 2, …}],
//	  "matched": 2, "page": 1, "pages": 1, how many targets match, and which of them follow
//	  "targets": [{
//	    "id": "i-1", "zone": "use1-az1", "addr": "10.0.0.1:80",
//	    "state": "unhealthy", "reason": "Target.Timeout", "detail": "Request timed out",
//	    "since": "2026-11-22T09:59:00Z", "passes": 0, "fails": 3,
//	    "last": {
//	      "outcome": "fail", "reason": "Target.Timeout", "detail": "Request timed out",
//	      "start": "2026-11-22T09:59:55Z", "lagSeconds": 0, "connectSeconds": 0, "totalSeconds": 5
//	    }
//	  }]
//	}
//
// Counts and zones are those of the whole pool, whatever is asked for. In targets, host, reason and detail are missing when
// empty, and last before the first check; override, ejected, slowStart (the share, below 1) and outstanding when there is nothing to
// say, as in a pool that only checks; in last, reason, code, detail, error, remoteAddr and reused are missing when there
// is none. Fields may be added. When one is taken away or changes its meaning, version grows. Text that is no UTF-8 has U+FFFD
// in its place.
//
// # Guarantees, cost and limits
//
//   - The pool is locked only for its View, at most once per Options.MaxAge, however many viewers there are.
//   - An answer never holds more than 1000 targets. It holds every zone.
//   - Making a View sorts all targets, and a filter passes over all of them. The pages of one viewer are of different instants:
//     a target can change its place between two of them.
//   - A View and an index of 56 bytes for each target are kept for MaxAge after the last request.
//
// # AWS calls and IAM actions
//
// None. The package imports the standard library and healthcheck only.
package statuspage
