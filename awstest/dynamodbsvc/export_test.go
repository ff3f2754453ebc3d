package dynamodbsvc

import (
	"strconv"
	"time"

	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

// Renewed notes that the items of so many keys expire, over and over, each time
// later, and returns how many moments are kept, and the keys that are due in
// the end, in turn.
func Renewed(keys, times int) (kept int, due []string) {
	var e expiries
	start := time.Unix(0, 0)
	for n := range times {
		for k := range keys {
			e.note(ddbmodel.Key(strconv.Itoa(k)), start.Add(time.Duration(n*keys+k)*time.Second))
		}
	}
	kept = len(e.queue)
	for {
		next, ok := e.due(start.Add(time.Duration(times*keys) * time.Second))
		if !ok {
			return kept, due
		}
		due = append(due, string(next.key))
	}
}
