package statuspage

import "time"

const (
	defaultTitle    = "Targets"
	defaultPageSize = 100
	maxPageSize     = 1000
	defaultMaxAge   = time.Second
)

// Options are those of Handler. The zero value of each is its default; what is out of range counts as the nearest value that is
// in it, so that there are no mistakes to report.
type Options struct {
	// Title is the heading of the page. Default "Targets".
	Title string

	// PageSize is how many targets an answer has, 1 to 1000; ?size= asks for another number. Default 100.
	PageSize int

	// Refresh is how often a browser loads the page again, in whole seconds, at least 1 s. Default never. It keeps the filter
	// and the page of the viewer, and takes away what is being typed into the form.
	Refresh time.Duration

	// MaxAge is how old what an answer shows may be. However many ask, the source is asked for a View at most this often.
	// Default 1 s; a negative one asks for each answer.
	MaxAge time.Duration

	// ShowErrors adds the texts of Result.Err, which may hold what is internal: names that were resolved, addresses of
	// proxies. Default not, and only Result.Detail is shown, which is in the words of Elastic Load Balancing.
	ShowErrors bool
}

func (o Options) withDefaults() Options {
	if o.Title == "" {
		o.Title = defaultTitle
	}
	if o.PageSize == 0 {
		o.PageSize = defaultPageSize
	}
	o.PageSize = min(max(o.PageSize, 1), maxPageSize)
	if o.Refresh != 0 {
		o.Refresh = max(o.Refresh.Truncate(time.Second), time.Second)
	}
	if o.MaxAge == 0 {
		o.MaxAge = defaultMaxAge
	}
	return o
}
