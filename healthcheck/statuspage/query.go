package statuspage

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/internal/htmlpage"
)

// anything is the value of zone and state that stands for all of them: a zone may be called by any other, or by none.
const anything = "*"

const maxSearch = htmlpage.MaxText

// query is what a request asks for.
type query struct {
	JSON   bool
	Zone   string // anything: all
	State  string // anything: all
	Search string // in IDs and addresses
	Page   int    // from 1
	Size   int
}

// parse returns the query of a request. An error is a mistake of who asks, in words for them.
func parse(r *http.Request, o Options) (query, error) {
	values := r.URL.Query()
	q := query{Zone: anything, State: anything, Search: values.Get("q"), Page: 1, Size: o.PageSize}
	if values.Has("zone") {
		q.Zone = values.Get("zone")
	}
	if s := values.Get("state"); s != "" && s != anything {
		if _, ok := stateOf(s); !ok {
			return q, fmt.Errorf("state must be initial, healthy, unhealthy, draining or %s", anything)
		}
		q.State = s
	}
	if len(q.Search) > maxSearch {
		return q, fmt.Errorf("q must have at most %d bytes", maxSearch)
	}
	for name, to := range map[string]*int{"page": &q.Page, "size": &q.Size} {
		if s := values.Get(name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < 1 {
				return q, fmt.Errorf("%s must be a number from 1", name)
			}
			*to = n
		}
	}
	q.Size = min(q.Size, maxPageSize)
	switch values.Get("format") {
	case "json":
		q.JSON = true
	case "html":
	case "":
		q.JSON = prefersJSON(r.Header.Values("Accept"))
	default:
		return q, fmt.Errorf("format must be html or json")
	}
	return q, nil
}

func stateOf(name string) (healthcheck.State, bool) {
	for s := healthcheck.Initial; s <= healthcheck.Draining; s++ {
		if s.String() == name {
			return s, true
		}
	}
	return healthcheck.Unused, false
}

// prefersJSON reports whether JSON is named with a greater weight than HTML is. Who takes anything gets HTML.
func prefersJSON(accept []string) bool {
	var json, html float64
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, params, _ := strings.Cut(part, ";")
		weight := 1.0
		for param := range strings.SplitSeq(params, ";") {
			if q, ok := strings.CutPrefix(strings.ReplaceAll(param, " ", ""), "q="); ok {
				weight, _ = strconv.ParseFloat(q, 64) // what is no number is zero
			}
		}
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json":
			json = max(json, weight)
		case "text/html", "application/xhtml+xml":
			html = max(html, weight)
		}
	}
	return json > html
}

// link returns the query string of another page, or of another filter.
func (q query) link(change ...string) string {
	values := make(url.Values)
	set := func(name, value, none string) {
		for i := 0; i < len(change); i += 2 {
			if change[i] == name {
				value = change[i+1]
			}
		}
		if value != none {
			values.Set(name, value)
		}
	}
	set("zone", q.Zone, anything)
	set("state", q.State, anything)
	set("q", q.Search, "")
	set("page", "1", "1") // another filter begins anew
	set("size", strconv.Itoa(q.Size), "")
	set("format", "", "")
	return "?" + values.Encode()
}
