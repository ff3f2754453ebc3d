package dynamodbsvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Units of capacity: a strongly consistent read of 4 KB, a write of 1 KB.
// Transactions count twice, eventually consistent reads half.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html (read 2026-11)
const (
	readUnit      = 4 << 10
	writeUnit     = 1 << 10
	transactional = 2
	eventual      = 0.5
)

func units(bytes, unit int) float64 { return float64(max(1, (bytes+unit-1)/unit)) }

func readUnits(bytes int, consistent *bool) float64 {
	if aws.ToBool(consistent) {
		return units(bytes, readUnit)
	}
	return units(bytes, readUnit) * eventual
}

// usage is what a request has consumed, table by table.
type usage struct {
	of    types.ReturnConsumedCapacity
	order []string
	units map[string]float64
}

// measure begins to count, unless nobody wants to know.
func measure(of types.ReturnConsumedCapacity) (usage, error) {
	return usage{of: of}, oneOf(of, "returnConsumedCapacity", of.Values())
}

func (u *usage) add(t *table, units float64) {
	if u.units == nil {
		u.units = map[string]float64{}
	}
	if _, known := u.units[t.name]; !known {
		u.order = append(u.order, t.name)
	}
	u.units[t.name] += units
}

// each returns what was consumed of the tables, in the order in which they
// were used.
func (u *usage) each() (list []types.ConsumedCapacity) {
	if u.of != types.ReturnConsumedCapacityTotal && u.of != types.ReturnConsumedCapacityIndexes {
		return nil
	}
	for _, name := range u.order {
		c := types.ConsumedCapacity{TableName: aws.String(name), CapacityUnits: aws.Float64(u.units[name])}
		if u.of == types.ReturnConsumedCapacityIndexes {
			c.Table = &types.Capacity{CapacityUnits: aws.Float64(u.units[name])}
		}
		list = append(list, c)
	}
	return list
}

// one returns what was consumed of the only table.
func (u *usage) one() *types.ConsumedCapacity {
	if list := u.each(); len(list) > 0 {
		return &list[0]
	}
	return nil
}
