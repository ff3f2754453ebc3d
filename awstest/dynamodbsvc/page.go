package dynamodbsvc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

// pageSize is how much a page looks at, before the filter. Here the item that
// reaches it is the last one of the page; AWS does not say on which side of
// the limit it is.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html (read 2026-11)
const pageSize = 1 << 20

// page is one page of a Query or a Scan.
type page struct {
	filter     *ddbexpr.Condition
	projection *ddbexpr.Projection
	limit      int32 // of items that are looked at; 0 is none
	countOnly  bool

	items          []attributes
	count, scanned int32
	bytes          int
	last           ddbexpr.Map // the key of the last item, if the page did not get to the end
}

// newPage reads what Query and Scan have in common.
func newPage(scope *ddbexpr.Scope, filter, projected *string, sel types.Select, limit *int32) (*page, error) {
	pg := &page{items: []attributes{}}
	var err error
	if filter != nil {
		if pg.filter, err = scope.Condition("FilterExpression", *filter); err != nil {
			return nil, err
		}
	}
	if projected != nil {
		if pg.projection, err = scope.Projection(*projected); err != nil {
			return nil, err
		}
	}
	if err := scope.Unused(); err != nil {
		return nil, err
	}
	if limit != nil {
		if pg.limit = *limit; *limit < 1 {
			return nil, member(*limit, "limit", "have value greater than or equal to 1")
		}
	}
	pg.countOnly, err = selection(sel, projected != nil)
	if pg.countOnly {
		pg.items = nil
	}
	return pg, err
}

// checkFilter refuses a filter of a Query that looks at the key.
func (pg *page) checkFilter(t *table) error {
	if pg.filter == nil {
		return nil
	}
	for _, name := range pg.filter.Attributes() {
		if t.schema.Has(name) {
			return invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
		}
	}
	return nil
}

// read fills the page. A page that is full names its last item, also if there
// is nothing behind it: AWS does not look.
func (pg *page) read(t *table, at time.Time, stretch ddbmodel.Stretch, backwards bool) {
	for _, item := range t.content.In(at, stretch, backwards) {
		pg.scanned++
		pg.bytes += ddbexpr.Size(item)
		if pg.filter.Holds(item) {
			pg.count++
			if !pg.countOnly {
				pg.items = append(pg.items, fromItem(pg.projection.Of(item)))
			}
		}
		if pg.scanned == pg.limit || pg.bytes >= pageSize {
			pg.last = t.schema.Of(item)
			return
		}
	}
}
