package ddbmodel_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ddbexpr"
	"github.com/awsha/awsha/awstest/internal/ddbmodel"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var seed = flag.Uint64("seed", 0, "replay the random test of this seed")

// Schemas with each type of sort key, and without one.
var (
	bare   = ddbmodel.Schema{Hash: ddbmodel.Attribute{Name: "pk", Kind: ddbexpr.S}}
	byText = ddbmodel.Schema{Hash: bare.Hash, Sort: &ddbmodel.Attribute{Name: "sk", Kind: ddbexpr.S}}
	byN    = ddbmodel.Schema{Hash: bare.Hash, Sort: &ddbmodel.Attribute{Name: "sk", Kind: ddbexpr.N}}
	byB    = ddbmodel.Schema{Hash: ddbmodel.Attribute{Name: "pk", Kind: ddbexpr.B}, Sort: &ddbmodel.Attribute{Name: "sk", Kind: ddbexpr.B}}
)

func start() time.Time { return time.Unix(1_700_000_000, 0) }

func TestKeysAreRefused(t *testing.T) {
	t.Parallel()
	str := func(text string) ddbexpr.Value { return ddbexpr.String(text) }
	for _, c := range []struct {
		name   string
		schema ddbmodel.Schema
		item   ddbexpr.Map
		asItem string // "" is accepted
		asKey  string
	}{
		{"all right", byText, ddbexpr.Map{"pk": str("a"), "sk": str("b")}, "", ""},
		{"more than the key", bare, ddbexpr.Map{"pk": str("a"), "x": str("b")}, "", "The provided key element does not match the schema"},
		{"no partition key", byText, ddbexpr.Map{"sk": str("a")}, "One or more parameter values were invalid: Missing the key pk in the item", "The provided key element does not match the schema"},
		{"no sort key", byText, ddbexpr.Map{"pk": str("a")}, "One or more parameter values were invalid: Missing the key sk in the item", "The provided key element does not match the schema"},
		{"another type", byN, ddbexpr.Map{"pk": str("a"), "sk": str("1")}, "One or more parameter values were invalid: Type mismatch for key sk expected: N actual: S", "The provided key element does not match the schema"},
		{"empty partition key", bare, ddbexpr.Map{"pk": str("")}, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{"empty sort key", byB, ddbexpr.Map{"pk": ddbexpr.Binary("a"), "sk": ddbexpr.Binary("")}, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: sk", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: sk"},
		{"largest keys", byText, ddbexpr.Map{"pk": str(strings.Repeat("a", 2048)), "sk": str(strings.Repeat("a", 1024))}, "", ""},
		{"partition key too large", bare, ddbexpr.Map{"pk": str(strings.Repeat("a", 2049))}, "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes", "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"sort key too large", byText, ddbexpr.Map{"pk": str("a"), "sk": str(strings.Repeat("a", 1025))}, "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes", "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
	} {
		a, err := c.schema.ItemKey(c.item)
		wantMessage(t, c.name+", as an item", err, c.asItem)
		k, err := c.schema.Key(c.item)
		wantMessage(t, c.name+", as a key", err, c.asKey)
		if c.asItem == "" && c.asKey == "" && a != k {
			t.Errorf("%s: the key of the item is %q, and the key %q", c.name, a, k)
		}
	}
}

func wantMessage(t *testing.T, what string, err error, want string) {
	t.Helper()
	got := ""
	if api, ok := errors.AsType[*awstest.APIError](err); ok && api.Code == "ValidationException" {
		got = api.Message
	} else if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestSegmentsShareATable(t *testing.T) {
	t.Parallel()
	items := ddbmodel.NewItems()
	for i := range 1000 {
		item := ddbexpr.Map{"pk": ddbexpr.String(fmt.Sprintf("p%03d", i))}
		k, err := bare.ItemKey(item)
		if err != nil {
			t.Fatal(err)
		}
		items.Put(start(), k, item)
	}
	for _, of := range []uint64{1, 2, 3, 7, 1_000_000} {
		total, most := 0, 0
		for number := range min(of, 7) {
			n := 0
			for range items.In(start(), ddbmodel.Segment(number, of), false) {
				n++
			}
			total += n
			most = max(most, n)
		}
		if of <= 7 && total != 1000 || float64(most) > 1.3*1000/float64(of)+5 {
			t.Errorf("%d segments have %d items, one of them %d", of, total, most)
		}
	}
	if s := ddbmodel.Segment(999_999, 1_000_000); s.To != "" || s.From == "" {
		t.Errorf("the last segment is %q", s)
	}
}

// reference is a table in the most obvious form.
type reference struct {
	schema ddbmodel.Schema
	log    []change
}

type change struct {
	at      time.Time
	item    ddbexpr.Map // nil: deleted
	pk, sk  ddbexpr.Value
	deleted bool
}

// at returns the items of a partition as of a moment, by sort key.
func (r *reference) at(at time.Time, pk ddbexpr.Value) (list []ddbexpr.Map) {
	type row struct {
		sk   ddbexpr.Value
		item ddbexpr.Map
	}
	var rows []row
	for _, c := range r.log {
		if c.at.After(at) || !ddbexpr.Equal(c.pk, pk) {
			continue
		}
		rows = slices.DeleteFunc(rows, func(o row) bool { return ddbexpr.Equal(o.sk, c.sk) })
		if !c.deleted {
			rows = append(rows, row{c.sk, c.item})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { n, _ := ddbexpr.Compare(a.sk, b.sk); return n })
	for _, o := range rows {
		list = append(list, o.item)
	}
	return list
}

// TestItemsAreWhatTheyWere holds a table against a reference that looks at
// everything: ranges of partitions, backwards and of the past.
func TestItemsAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	first, count := uint64(1), uint64(300)
	if *seed != 0 {
		first, count = *seed, 1
	}
	for n := first; n < first+count; n++ {
		rng := rand.New(rand.NewPCG(n, 3))
		schema := []ddbmodel.Schema{byText, byN, byB}[n%3]
		value := func(limit int) ddbexpr.Value {
			i := rng.IntN(limit)
			switch schema.Sort.Kind {
			case ddbexpr.N:
				return ddbexpr.Int(int64(i - limit/2))
			case ddbexpr.B:
				return ddbexpr.Binary([]byte{byte(i * 9), 0xff}[:1+i%2])
			}
			return ddbexpr.String(strings.Repeat("a", i%4) + string(rune('a'+i)))
		}
		partition := func() ddbexpr.Value {
			text := string(rune('p' + rng.IntN(3)))
			if schema.Hash.Kind == ddbexpr.B {
				return ddbexpr.Binary(text)
			}
			return ddbexpr.String(text)
		}
		items, ref := ddbmodel.NewItems(), &reference{schema: schema}
		now := start()
		for step := range 120 {
			now = now.Add(time.Duration(rng.IntN(200)) * time.Second)
			pk, sk := partition(), value(12)
			k, err := schema.Key(ddbexpr.Map{"pk": pk, "sk": sk})
			if err != nil {
				t.Fatal(err)
			}
			if rng.IntN(3) == 0 {
				items.Delete(now, k)
				ref.log = append(ref.log, change{at: now, pk: pk, sk: sk, deleted: true})
			} else {
				item := ddbexpr.Map{"pk": pk, "sk": sk, "n": ddbexpr.Int(int64(step))}
				items.Put(now, k, item)
				ref.log = append(ref.log, change{at: now, pk: pk, sk: sk, item: item})
			}
			at := now.Add(-time.Duration(rng.Int64N(int64(awstest.Memory))))
			if rng.IntN(2) == 0 {
				at = now
			}
			pk = partition()
			a, z := value(12), value(12)
			if order, _ := ddbexpr.Compare(a, z); order > 0 {
				a, z = z, a
			}
			operator := []string{"", "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"}[rng.IntN(8)]
			if operator == "begins_with" && schema.Sort.Kind == ddbexpr.N {
				operator = "="
			}
			var want []ddbexpr.Map
			for _, item := range ref.at(at, pk) {
				if inRange(item["sk"], operator, a, z) {
					want = append(want, item)
				}
			}
			bounds := []ddbexpr.Value{a}
			if operator == "BETWEEN" {
				bounds = append(bounds, z)
			}
			stretch := schema.Partition(pk, operator, bounds...)
			var got []ddbexpr.Map
			for k, item := range items.In(at, stretch, false) {
				if alone, ok := items.Get(at, k); !ok || !ddbexpr.Equal(alone, item) || !stretch.Holds(k) {
					t.Fatalf("-seed=%d: %v by its key is %v", n, item, alone)
				}
				got = append(got, item)
			}
			if !slices.EqualFunc(got, want, func(a, b ddbexpr.Map) bool { return ddbexpr.Equal(a, b) }) {
				t.Fatalf("-seed=%d: step %d: %v %s %v: got %v, want %v", n, step, pk, operator, bounds, got, want)
			}
			slices.Reverse(want)
			backwards := []ddbexpr.Map{}
			for k, item := range items.In(at, stretch, true) {
				// One by one, each page from the key of the one before.
				backwards = append(backwards, item)
				stretch = stretch.After(k, true)
				for _, next := range items.In(at, stretch, true) {
					if len(backwards) == len(want) || !ddbexpr.Equal(next, want[len(backwards)]) {
						t.Fatalf("-seed=%d: step %d: the page behind %v begins with %v", n, step, item, next)
					}
					break
				}
			}
			if len(backwards) != len(want) || len(want) > 0 && !ddbexpr.Equal(backwards[0], want[0]) {
				t.Fatalf("-seed=%d: step %d: backwards got %v, want %v", n, step, backwards, want)
			}
		}
		wantCount, wantBytes := 0, 0
		for _, text := range []string{"p", "q", "r"} {
			pk := ddbexpr.Value(ddbexpr.String(text))
			if schema.Hash.Kind == ddbexpr.B {
				pk = ddbexpr.Binary(text)
			}
			for _, item := range ref.at(now, pk) {
				wantCount++
				wantBytes += ddbexpr.Size(item)
			}
		}
		if count, bytes := items.Count(); count != wantCount || bytes != wantBytes {
			t.Fatalf("-seed=%d: counted %d items, %d bytes, want %d, %d", n, count, bytes, wantCount, wantBytes)
		}
	}
}

func inRange(v ddbexpr.Value, operator string, a, z ddbexpr.Value) bool {
	low, _ := ddbexpr.Compare(v, a)
	high, _ := ddbexpr.Compare(v, z)
	switch operator {
	case "=":
		return low == 0
	case "<":
		return low < 0
	case "<=":
		return low <= 0
	case ">":
		return low > 0
	case ">=":
		return low >= 0
	case "BETWEEN":
		return low >= 0 && high <= 0
	case "begins_with":
		return strings.HasPrefix(fmt.Sprintf("%s", v), fmt.Sprintf("%s", a))
	}
	return true
}

// TestManyItemsStayInOrder fills and empties many blocks of the order, from
// either end and at random.
func TestManyItemsStayInOrder(t *testing.T) {
	t.Parallel()
	const many = 5000
	for name, order := range map[string]func(i int) int{
		"up": func(i int) int { return i }, "down": func(i int) int { return many - 1 - i },
		"shuffled": func(i int) int { return i * 2741 % many },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items, now := ddbmodel.NewItems(), start()
			key := func(i int) ddbmodel.Key {
				k, err := byN.Key(ddbexpr.Map{"pk": ddbexpr.String("p"), "sk": ddbexpr.Int(int64(i))})
				if err != nil {
					t.Fatal(err)
				}
				return k
			}
			all := byN.Partition(ddbexpr.String("p"), "")
			contents := func() (list []int) {
				for _, item := range items.In(now, all, false) {
					i, _ := item["sk"].(ddbexpr.Number).Int64()
					list = append(list, int(i))
				}
				return list
			}
			for i := range many {
				items.Put(now, key(order(i)), ddbexpr.Map{"sk": ddbexpr.Int(int64(order(i)))})
			}
			var want []int
			for i := range many {
				want = append(want, i)
			}
			if diff := cmp.Diff(want, contents()); diff != "" {
				t.Fatal(diff)
			}
			// All but every seventh go, and are forgotten.
			for i := range many {
				if order(i)%7 != 0 {
					items.Delete(now, key(order(i)))
				}
			}
			now = now.Add(awstest.Memory + time.Second)
			items.Delete(now, key(0))
			want = slices.DeleteFunc(want, func(i int) bool { return i%7 != 0 || i == 0 })
			if diff := cmp.Diff(want, contents()); diff != "" {
				t.Fatal(diff)
			}
			if got := slices.Collect(func(yield func(int) bool) {
				for _, item := range items.In(now, all, true) {
					i, _ := item["sk"].(ddbexpr.Number).Int64()
					if !yield(int(i)) {
						return
					}
				}
			}); len(got) != len(want) || got[0] != want[len(want)-1] {
				t.Errorf("backwards there are %d, the first is %d", len(got), got[0])
			}
		})
	}
}

func TestDeletedItemsAreForgotten(t *testing.T) {
	t.Parallel()
	items, now := ddbmodel.NewItems(), start()
	key := func(i int) ddbmodel.Key {
		k, err := byN.Key(ddbexpr.Map{"pk": ddbexpr.String("p"), "sk": ddbexpr.Int(int64(i))})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for i := range 10_000 { // each lives a second
		items.Put(now, key(i), ddbexpr.Map{})
		now = now.Add(time.Second)
		items.Delete(now, key(i))
		if i%3 == 0 { // and some come back for a moment
			items.Put(now, key(i), ddbexpr.Map{})
			items.Delete(now.Add(time.Millisecond), key(i))
		}
	}
	if n, limit := items.Kept(), int(awstest.Memory/time.Second)+2; n > limit {
		t.Errorf("%d keys are kept, want at most %d", n, limit)
	}
	if _, ok := items.Get(now.Add(-5*time.Second-time.Millisecond), key(9994)); !ok {
		t.Error("what was there five seconds ago is lost")
	}
}

// A queue that is read at its head has its past in front of it.
func TestReadsOfThePresentDoNotPassOverWhatIsDeleted(t *testing.T) {
	t.Parallel()
	items, now := ddbmodel.NewItems(), start()
	for i := range 100 {
		k, err := byN.Key(ddbexpr.Map{"pk": ddbexpr.String("p"), "sk": ddbexpr.Int(int64(i))})
		if err != nil {
			t.Fatal(err)
		}
		items.Put(now, k, ddbexpr.Map{})
		now = now.Add(time.Second)
		if i != 50 {
			items.Delete(now, k)
		}
	}
	if n := items.Passed(now); n != 1 {
		t.Errorf("%d keys are looked at for one item", n)
	}
	if n := items.Passed(now.Add(-time.Millisecond)); n != 100 {
		t.Errorf("%d keys are looked at for the past", n)
	}
}
