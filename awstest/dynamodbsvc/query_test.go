package dynamodbsvc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

// fill puts items with the sort keys 0 to n-1 into partition a of "sorted",
// and one into another.
func (w *world) fill(n int, pairs ...any) {
	w.Helper()
	for i := range n {
		w.put("sorted", it(append([]any{"pk", "a", "sk", i, "even", i%2 == 0}, pairs...)...))
	}
	w.put("sorted", it("pk", "b", "sk", 5))
}

// sortKeys writes the sort keys of items.
func sortKeys(items []item) string {
	var keys []string
	for _, it := range items {
		keys = append(keys, it["sk"].(*types.AttributeValueMemberN).Value)
	}
	return strings.Join(keys, " ")
}

func queryInput(condition string, values item) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{TableName: aws.String("sorted"), KeyConditionExpression: &condition, ExpressionAttributeValues: values}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.fill(12)
		w.put("sorted", it("pk", "a", "sk", -3))
		w.put("sorted", it("pk", "a", "sk", number("2.5")))
		for _, c := range []struct {
			condition string
			values    item
			want      string
		}{
			{"pk = :p", it(":p", "a"), "-3 0 1 2 2.5 3 4 5 6 7 8 9 10 11"},
			{"pk = :p", it(":p", "none"), ""},
			{"pk = :p AND sk = :s", it(":p", "a", ":s", 3), "3"},
			{":s = sk AND pk = :p", it(":p", "a", ":s", 12), ""},
			{"pk = :p AND sk < :s", it(":p", "a", ":s", 2), "-3 0 1"},
			{"pk = :p AND sk <= :s", it(":p", "a", ":s", number("2.50")), "-3 0 1 2 2.5"},
			{"pk = :p AND sk > :s", it(":p", "a", ":s", 9), "10 11"},
			{"pk = :p AND :s <= sk", it(":p", "a", ":s", 9), "9 10 11"},
			{"pk = :p AND sk BETWEEN :s AND :t", it(":p", "a", ":s", 2, ":t", 4), "2 2.5 3 4"},
			{"pk = :p AND sk >= :s", it(":p", "b", ":s", 0), "5"},
		} {
			in := queryInput(c.condition, c.values)
			out := svctest.Must(w.Query(w.Context(), in))(w)
			if got := sortKeys(out.Items); got != c.want || int(out.Count) != len(out.Items) || out.ScannedCount != out.Count || out.LastEvaluatedKey != nil {
				w.Errorf("%s: got %s, want %s; %d of %d, %v", c.condition, got, c.want, out.Count, out.ScannedCount, out.LastEvaluatedKey)
			}
			in.ScanIndexForward = aws.Bool(false)
			want := strings.Fields(c.want)
			slices.Reverse(want)
			if got := sortKeys(svctest.Must(w.Query(w.Context(), in))(w).Items); got != strings.Join(want, " ") {
				w.Errorf("%s, backwards: got %s", c.condition, got)
			}
		}
	})
}

func TestQueryByText(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.create("texts", types.ScalarAttributeTypeS)
		for _, sk := range []string{"b", "a#2", "a#10", "a", "a#", "A", "é"} {
			w.put("texts", it("pk", "p", "sk", sk))
		}
		for condition, want := range map[string]string{"pk = :p": "A a a# a#10 a#2 b é", "pk = :p AND begins_with(sk, :s)": "a# a#10 a#2", "pk = :p AND sk > :s": "a#10 a#2 b é"} {
			values := it(":p", "p", ":s", "a#")
			if !strings.Contains(condition, ":s") {
				delete(values, ":s")
			}
			in := queryInput(condition, values)
			in.TableName = aws.String("texts")
			var got []string
			for _, it := range svctest.Must(w.Query(w.Context(), in))(w).Items {
				got = append(got, it["sk"].(*types.AttributeValueMemberS).Value)
			}
			if strings.Join(got, " ") != want {
				w.Errorf("%s: got %v, want %s", condition, got, want)
			}
		}
	})
}

func TestQueryFilters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.fill(6, "name", "n")
		in := queryInput("pk = :p AND sk > :s", it(":p", "a", ":s", 0, ":yes", true))
		in.FilterExpression, in.ProjectionExpression, in.ExpressionAttributeNames = aws.String("even = :yes"), aws.String("sk, #n"), map[string]string{"#n": "name"}
		out := svctest.Must(w.Query(w.Context(), in))(w)
		if d := diff([]item{it("sk", 2, "name", "n"), it("sk", 4, "name", "n")}, out.Items); d != "" || out.Count != 2 || out.ScannedCount != 5 {
			w.Errorf("%d of %d: %s", out.Count, out.ScannedCount, d)
		}
		in.ProjectionExpression, in.ExpressionAttributeNames, in.Select = nil, nil, types.SelectCount
		if out := svctest.Must(w.Query(w.Context(), in))(w); out.Count != 2 || out.ScannedCount != 5 || out.Items != nil {
			w.Errorf("%d of %d: %v", out.Count, out.ScannedCount, out.Items)
		}
	})
}

// A page ends where its limit is, before the filter; the last one may be empty,
// which is how AWS does it.
func TestQueryPages(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.fill(6)
		for _, c := range []struct {
			limit     int32
			backwards bool
			filter    string
			want      string
		}{
			{2, false, "", "0 1|2 3|4 5|"},
			{4, false, "", "0 1 2 3|4 5"},
			{4, true, "", "5 4 3 2|1 0"},
			{3, false, "even = :yes", "0 2|4|"},
			{1, true, "even = :yes", "|4||2||0|"},
		} {
			in := queryInput("pk = :p", it(":p", "a"))
			in.Limit, in.ScanIndexForward = &c.limit, aws.Bool(!c.backwards)
			if c.filter != "" {
				in.FilterExpression, in.ExpressionAttributeValues = &c.filter, it(":p", "a", ":yes", true)
			}
			var pages []string
			for p := dynamodb.NewQueryPaginator(w, in); p.HasMorePages(); {
				pages = append(pages, sortKeys(svctest.Must(p.NextPage(w.Context()))(w).Items))
			}
			if got := strings.Join(pages, "|"); got != c.want {
				w.Errorf("%d at a time, %q: got %s, want %s", c.limit, c.filter, got, c.want)
			}
		}
	})
}

// Whoever pages while the table changes sees what is behind the place where he
// is, whether the item that he stopped at is there or not.
func TestQueryGoesOnFromAKeyThatIsGone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.fill(6)
		in := queryInput("pk = :p", it(":p", "a"))
		in.Limit = aws.Int32(3)
		out := svctest.Must(w.Query(w.Context(), in))(w)
		if d := diff(it("pk", "a", "sk", 2), out.LastEvaluatedKey); d != "" {
			w.Error(d)
		}
		svctest.Must(w.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("sorted"), Key: it("pk", "a", "sk", 2)}))(w)
		w.put("sorted", it("pk", "a", "sk", number("2.5")))
		w.put("sorted", it("pk", "a", "sk", number("0.5")))
		in.ExclusiveStartKey = out.LastEvaluatedKey
		if got := sortKeys(svctest.Must(w.Query(w.Context(), in))(w).Items); got != "2.5 3 4" {
			w.Errorf("got %s", got)
		}
	})
}

func TestPagesHaveAMegabyte(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.fill(7, "x", strings.Repeat("x", 300<<10))
		in := queryInput("pk = :p", it(":p", "a"))
		var pages []string
		for p := dynamodb.NewQueryPaginator(w, in); p.HasMorePages(); {
			pages = append(pages, sortKeys(svctest.Must(p.NextPage(w.Context()))(w).Items))
		}
		if got := strings.Join(pages, "|"); got != "0 1 2 3|4 5 6" {
			w.Errorf("got %s", got)
		}
		// The filter comes afterwards: a page may be empty and not the last.
		scan := &dynamodb.ScanInput{TableName: aws.String("sorted"), FilterExpression: aws.String("sk = :six"), ExpressionAttributeValues: it(":six", 6)}
		out := svctest.Must(w.Scan(w.Context(), scan))(w)
		if out.LastEvaluatedKey == nil || out.ScannedCount > 5 {
			w.Errorf("looked at %d", out.ScannedCount)
		}
	})
}

func TestQueryIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			change func(*dynamodb.QueryInput)
			want   string
		}{
			"no condition":               {func(in *dynamodb.QueryInput) { in.KeyConditionExpression = nil }, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
			"no partition":               {func(in *dynamodb.QueryInput) { *in.KeyConditionExpression = "sk = :one" }, "Query condition missed key schema element: pk"},
			"partition range":            {func(in *dynamodb.QueryInput) { *in.KeyConditionExpression = "pk > :p" }, "Query key condition not supported"},
			"another attribute":          {func(in *dynamodb.QueryInput) { *in.KeyConditionExpression = "pk = :p AND x = :one" }, "Query condition missed key schema element: sk"},
			"partition type":             {func(in *dynamodb.QueryInput) { *in.KeyConditionExpression = "pk = :one" }, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
			"sort type":                  {func(in *dynamodb.QueryInput) { *in.KeyConditionExpression = "pk = :p AND sk < :p" }, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
			"empty partition":            {func(in *dynamodb.QueryInput) { *in.KeyConditionExpression = "pk = :empty" }, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
			"key in filter":              {func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("x = :one AND sk < :one") }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
			"limit":                      {func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(0) }, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
			"start of another partition": {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = it("pk", "b", "sk", 1) }, "The provided starting key is outside query boundaries based on provided conditions"},
			"start without sort key":     {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = it("pk", "a") }, "The provided starting key is invalid: The provided key element does not match the schema"},
			"all projected":              {func(in *dynamodb.QueryInput) { in.Select = types.SelectAllProjectedAttributes }, "One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
			"specific, but none":         {func(in *dynamodb.QueryInput) { in.Select = types.SelectSpecificAttributes }, "One or more parameter values were invalid: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
			"count of a projection":      {func(in *dynamodb.QueryInput) { in.Select, in.ProjectionExpression = types.SelectCount, aws.String("x") }, "Cannot specify the ProjectionExpression when choosing to get COUNT"},
			"a select":                   {func(in *dynamodb.QueryInput) { in.Select = "DOG" }, "1 validation error detected: Value 'DOG' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES SPECIFIC_ATTRIBUTES COUNT]"},
		} {
			in := queryInput("pk = :p", it(":p", "a", ":one", 1, ":empty", ""))
			c.change(in)
			used := fmt.Sprint(aws.ToString(in.KeyConditionExpression), aws.ToString(in.FilterExpression))
			for ref := range in.ExpressionAttributeValues {
				if in.KeyConditionExpression != nil && !strings.Contains(used, ref) {
					delete(in.ExpressionAttributeValues, ref)
				}
			}
			_, err := w.Query(w.Context(), in)
			wantInvalid(w, err, c.want, name)
		}
		in := queryInput("pk = :p AND sk = :one", it(":p", "a", ":one", 1))
		in.TableName = aws.String("plain")
		_, err := w.Query(w.Context(), in)
		wantInvalid(w, err, "Query key condition not supported")
	})
}

func TestScan(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		want := map[string]bool{}
		for i := range 100 {
			pk := fmt.Sprintf("p%02d", i)
			want[pk] = true
			w.put("plain", it("pk", pk, "even", i%2 == 0))
		}
		collect := func(in *dynamodb.ScanInput) (keys []string) {
			in.TableName = aws.String("plain")
			for p := dynamodb.NewScanPaginator(w, in); p.HasMorePages(); {
				for _, it := range svctest.Must(p.NextPage(w.Context()))(w).Items {
					keys = append(keys, it["pk"].(*types.AttributeValueMemberS).Value)
				}
			}
			return keys
		}
		all := collect(&dynamodb.ScanInput{})
		if slices.IsSorted(all) {
			w.Error("partitions are sorted by their names, which nobody may rely on")
		}
		for name, got := range map[string][]string{
			"at once":        all,
			"seven by seven": collect(&dynamodb.ScanInput{Limit: aws.Int32(7)}),
			"in segments": slices.Concat(
				collect(&dynamodb.ScanInput{Segment: aws.Int32(0), TotalSegments: aws.Int32(3)}),
				collect(&dynamodb.ScanInput{Segment: aws.Int32(1), TotalSegments: aws.Int32(3), Limit: aws.Int32(5)}),
				collect(&dynamodb.ScanInput{Segment: aws.Int32(2), TotalSegments: aws.Int32(3)}),
			),
		} {
			if d := diff(all, got); d != "" {
				w.Errorf("%s: %s", name, d)
			}
		}
		if len(all) != len(want) {
			w.Errorf("%d items, want %d", len(all), len(want))
		}
		for _, pk := range all {
			delete(want, pk)
		}
		if len(want) > 0 {
			w.Errorf("missing are %v", want)
		}
		even := collect(&dynamodb.ScanInput{FilterExpression: aws.String("even = :yes AND pk < :p50"), ExpressionAttributeValues: it(":yes", true, ":p50", "p50")})
		if len(even) != 25 {
			w.Errorf("filtered: %v", even)
		}
	})
}

func TestScanIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for i := range 20 {
			w.put("plain", it("pk", fmt.Sprint(i)))
		}
		out := svctest.Must(w.Scan(w.Context(), &dynamodb.ScanInput{TableName: aws.String("plain"), Segment: aws.Int32(1), TotalSegments: aws.Int32(2), Limit: aws.Int32(1)}))(w)
		for name, c := range map[string]struct {
			in   *dynamodb.ScanInput
			want string
		}{
			"no total":   {&dynamodb.ScanInput{Segment: aws.Int32(1)}, "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"},
			"no segment": {&dynamodb.ScanInput{TotalSegments: aws.Int32(1)}, "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"},
			"too many":   {&dynamodb.ScanInput{Segment: aws.Int32(1), TotalSegments: aws.Int32(1_000_001)}, "1 validation error detected: Value '1000001' at 'totalSegments' failed to satisfy constraint: Member must have value from 1 to 1000000"},
			"negative":   {&dynamodb.ScanInput{Segment: aws.Int32(-1), TotalSegments: aws.Int32(1)}, "1 validation error detected: Value '-1' at 'segment' failed to satisfy constraint: Member must have value greater than or equal to 0"},
			"past it":    {&dynamodb.ScanInput{Segment: aws.Int32(2), TotalSegments: aws.Int32(2)}, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2"},
			"another segment's key": {&dynamodb.ScanInput{Segment: aws.Int32(0), TotalSegments: aws.Int32(2), ExclusiveStartKey: out.LastEvaluatedKey},
				"The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: 0"},
			"a wrong key": {&dynamodb.ScanInput{ExclusiveStartKey: it("x", "y")}, "The provided starting key is invalid: The provided key element does not match the schema"},
			"values":      {&dynamodb.ScanInput{ExpressionAttributeValues: it(":a", "a")}, "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
		} {
			c.in.TableName = aws.String("plain")
			_, err := w.Scan(w.Context(), c.in)
			wantInvalid(w, err, c.want, name)
		}
	})
}
