package conformance_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html (read 2026-11)
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html (read 2026-11)
var queryScenarios = []scenario{
	{
		name: "a query reads a range of a partition",
		run: func(s *session) {
			table := s.filled(8)
			all := dynItem(":p", "a", ":q", "b", ":two", 2, ":four", 4, ":yes", true, ":minus", -1)
			query := func(condition string, change ...func(*dynamodb.QueryInput)) string {
				in := &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: &condition, ConsistentRead: aws.Bool(true), ExpressionAttributeValues: map[string]types.AttributeValue{}}
				for _, fn := range change {
					fn(in)
				}
				for ref, v := range all {
					if slicesContainsWord(condition+" "+aws.ToString(in.FilterExpression), ref) {
						in.ExpressionAttributeValues[ref] = v
					}
				}
				var pages []string
				for p := dynamodb.NewQueryPaginator(s.dynamodb, in); p.HasMorePages(); {
					out, err := p.NextPage(s.Context())
					if err != nil {
						return outcome(err)
					}
					pages = append(pages, sortKeys(out.Items))
				}
				return cmp.Or(strings.Join(pages, "|"), "nothing")
			}
			backwards := func(in *dynamodb.QueryInput) { in.ScanIndexForward = aws.Bool(false) }
			three := func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(3) }
			four := func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(4) }
			even := func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("even = :yes") }
			for condition, want := range map[string]string{
				"pk = :p": "-1 0 1 2 3 4 5 6 7", "pk = :q": "5", "pk = :p AND sk = :two": "2", "pk = :p AND sk < :two": "-1 0 1", "pk = :p AND :two >= sk": "-1 0 1 2",
				"pk = :p AND sk > :four": "5 6 7", "sk >= :four and pk = :p": "4 5 6 7", "pk = :p AND sk BETWEEN :two AND :four": "2 3 4", "pk = :p AND sk = :minus": "-1",
				"sk = :two": "ValidationException", "pk > :p": "ValidationException", "pk = :p AND even = :yes": "ValidationException", "pk = :p OR sk = :two": "ValidationException",
				"pk = :two": "ValidationException", "pk = :p AND sk = :p": "ValidationException", "pk = :p AND sk <> :two": "ValidationException", "pk = :p AND sk > :two AND sk < :four": "ValidationException",
			} {
				s.is(condition, query(condition), want)
			}
			s.is("backwards", query("pk = :p AND sk > :two", backwards), "7 6 5 4 3")
			s.is("pages of four", query("pk = :p", four), "-1 0 1 2|3 4 5 6|7")
			// A full page says that there may be more, whether there is or not.
			s.is("full pages", query("pk = :p", three), "-1 0 1|2 3 4|5 6 7|")
			s.is("pages backwards", query("pk = :p", four, backwards), "7 6 5 4|3 2 1 0|-1")
			s.is("filtered", query("pk = :p", even), "0 2 4 6")
			s.is("filtered pages", query("pk = :p", four, even), "0 2|4 6|")
			s.is("a filter of the key", query("pk = :p", func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("sk > :two") }), "ValidationException")
			_, err := s.dynamodb.Query(s.Context(), &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: dynItem(":p", "a"), Limit: aws.Int32(0)})
			s.refused("a limit of nothing", err, "ValidationException")
			out := must(s.dynamodb.Query(s.Context(), &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("even = :yes"),
				ExpressionAttributeValues: dynItem(":p", "a", ":yes", true), Select: types.SelectCount, ConsistentRead: aws.Bool(true)}))(s)
			s.is("counts", fmt.Sprint(out.Count, out.ScannedCount, len(out.Items)), "4 9 0")
		},
		differs: []difference{
			{on: motoName, at: "a filter of the key", does: "3 4 5 6 7"},
			{on: motoName, at: "a limit of nothing", does: "not implemented"},
			{on: motoName, at: "full pages", does: "-1 0 1|2 3 4|5 6 7"},
			{on: motoName, at: "pk = :p AND :two >= sk", does: "ValidationException"},
			{on: motoName, at: "pk = :p AND sk <> :two", does: "not implemented"},
			{on: motoName, at: "pk = :p AND sk = :p", does: "nothing"},
			{on: motoName, at: "pk = :p AND sk > :two AND sk < :four", does: "-1 0 1 2 3"},
			{on: motoName, at: "pk = :p OR sk = :two", does: "not implemented"},
			{on: motoName, at: "pk = :two", does: "nothing"},
		},
	},
	{
		name: "a query by text",
		run: func(s *session) {
			table := s.table("t", types.ScalarAttributeTypeS)
			for _, sk := range []string{"a#10", "b", "a#2", "A", "a#", "é"} {
				must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "p", "sk", sk)}))(s)
			}
			for condition, want := range map[string]string{"sk >= :s": "a# a#10 a#2 b é", "begins_with(sk, :s)": "a# a#10 a#2", "sk < :s": "A"} {
				out := must(s.dynamodb.Query(s.Context(), &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("pk = :p AND " + condition), ExpressionAttributeValues: dynItem(":p", "p", ":s", "a#"), ConsistentRead: aws.Bool(true)}))(s)
				s.is(condition, sortKeys(out.Items), want)
			}
		},
	},
	{
		name: "a page has a megabyte",
		run: func(s *session) {
			table := s.table("t", types.ScalarAttributeTypeN)
			for i := range 6 {
				must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynItem("pk", "a", "sk", i, "x", strings.Repeat("x", 300<<10))}))(s)
			}
			pages := 0
			var all []string
			for p := dynamodb.NewQueryPaginator(s.dynamodb, &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: dynItem(":p", "a"), ConsistentRead: aws.Bool(true)}); p.HasMorePages(); pages++ {
				all = append(all, sortKeys(must(p.NextPage(s.Context()))(s).Items))
			}
			s.is("all of it", strings.Join(all, " "), "0 1 2 3 4 5")
			s.is("pages", fmt.Sprint(pages), "2")
		},
	},
	{
		name: "a scan reads everything, in segments too",
		run: func(s *session) {
			table := s.filled(8)
			scan := func(change ...func(*dynamodb.ScanInput)) string {
				in := &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)}
				for _, fn := range change {
					fn(in)
				}
				var keys []string
				for p := dynamodb.NewScanPaginator(s.dynamodb, in); p.HasMorePages(); {
					out, err := p.NextPage(s.Context())
					if err != nil {
						return outcome(err)
					}
					keys = append(keys, strings.Fields(sortKeys(out.Items))...)
				}
				slices.Sort(keys)
				return strings.Join(keys, " ")
			}
			const everything = "-1 0 1 2 3 4 5 5 6 7"
			s.is("everything", scan(), everything)
			s.is("in pages", scan(func(in *dynamodb.ScanInput) { in.Limit = aws.Int32(3) }), everything)
			s.is("filtered", scan(func(in *dynamodb.ScanInput) {
				in.FilterExpression, in.ExpressionAttributeValues = aws.String("even = :yes AND sk > :two"), dynItem(":yes", true, ":two", 2)
			}), "4 6")
			segment := func(number, of int32) func(*dynamodb.ScanInput) {
				return func(in *dynamodb.ScanInput) { in.Segment, in.TotalSegments = &number, &of }
			}
			parts := strings.Fields(scan(segment(0, 2)) + " " + scan(segment(1, 2)))
			slices.Sort(parts)
			s.is("in segments", strings.Join(parts, " "), everything)
			s.is("past the segments", scan(segment(2, 2)), "ValidationException")
			s.is("a segment of nothing", scan(func(in *dynamodb.ScanInput) { in.Segment = aws.Int32(0) }), "ValidationException")
		},
	},
	{
		name: "a batch writes and reads",
		run: func(s *session) {
			table := s.table("t")
			put := func(pk string, pairs ...any) types.WriteRequest {
				return types.WriteRequest{PutRequest: &types.PutRequest{Item: dynItem(append([]any{"pk", pk}, pairs...)...)}}
			}
			write := func(requests ...types.WriteRequest) error {
				_, err := s.dynamodb.BatchWriteItem(s.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}})
				return err
			}
			s.accepted("two puts", write(put("a", "x", 1), put("b")))
			s.accepted("a put and a delete", write(put("c"), types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: dynItem("pk", "b")}}))
			s.is("what was put", s.readItem(table, dynItem("pk", "a")), `pk="a" x=1`)
			s.is("what was deleted", s.readItem(table, dynItem("pk", "b")), "no item")
			s.refused("two of one item", write(put("d"), put("d", "x", 1)), "ValidationException")
			s.refused("an item without a key", write(put("d"), types.WriteRequest{PutRequest: &types.PutRequest{Item: dynItem("x", 1)}}), "ValidationException")
			s.is("what was refused", s.readItem(table, dynItem("pk", "d")), "no item")
			var many []types.WriteRequest
			var keys []map[string]types.AttributeValue
			for i := range 101 {
				many = append(many, put(fmt.Sprint(i)))
				keys = append(keys, dynItem("pk", fmt.Sprint(i)))
			}
			s.refused("26", write(many[:26]...), "ValidationException")
			s.accepted("25", write(many[:25]...))
			s.refused("none", write(), "ValidationException")
			_, err := s.dynamodb.BatchWriteItem(s.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table + "x": {put("a")}}})
			s.refused("an unknown table", err, "ResourceNotFoundException")

			read := func(projection string, keys ...map[string]types.AttributeValue) string {
				k := types.KeysAndAttributes{Keys: keys, ConsistentRead: aws.Bool(true)}
				if projection != "" {
					k.ProjectionExpression = &projection
				}
				out, err := s.dynamodb.BatchGetItem(s.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: k}})
				if err != nil {
					return outcome(err)
				}
				var items []string
				for _, item := range out.Responses[table] {
					items = append(items, dynText(item))
				}
				slices.Sort(items)
				return strings.Join(items, ", ")
			}
			s.is("reading", read("", dynItem("pk", "c"), dynItem("pk", "a"), dynItem("pk", "none")), `pk="a" x=1, pk="c"`)
			s.is("reading parts", read("x", dynItem("pk", "a")), "x=1")
			s.is("reading one twice", read("", dynItem("pk", "a"), dynItem("pk", "a")), "ValidationException")
			s.is("reading 101", read("", keys...), "ValidationException")
			s.is("reading by another key", read("", dynItem("x", "a")), "ValidationException")
		},
		differs: []difference{
			{on: motoName, at: "26", does: "accepted"},
			{on: motoName, at: "none", does: "accepted"},
			{on: motoName, at: "two of one item", does: "accepted"},
			{on: motoName, at: "what was refused", does: `pk="d"`},
		},
	},
}

// filled is a table with the sort keys -1 to n-1 in partition a, and 5 in b.
func (s *session) filled(n int) string {
	s.Helper()
	table := s.table("t", types.ScalarAttributeTypeN)
	put := func(item map[string]types.AttributeValue) {
		must(s.dynamodb.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}))(s)
	}
	put(dynItem("pk", "a", "sk", -1))
	put(dynItem("pk", "b", "sk", 5))
	for i := range n {
		put(dynItem("pk", "a", "sk", i, "even", i%2 == 0))
	}
	return table
}

// sortKeys writes the sort keys of items in their order.
func sortKeys(items []map[string]types.AttributeValue) string {
	var keys []string
	for _, item := range items {
		keys = append(keys, strings.Trim(dynValueText(item["sk"]), `"`))
	}
	return strings.Join(keys, " ")
}
