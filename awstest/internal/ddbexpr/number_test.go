package ddbexpr_test

import (
	"cmp"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/awsha/awsha/awstest/internal/ddbexpr"
)

func TestNumbersHaveANormalForm(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 38)
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0e1000": "0", "000": "0", "0.000": "0", "+3": "3", "-7.1234": "-7.1234", ".123": "0.123", "5.": "5", "0001.2300": "1.23",
		"-17e5": "-1700000", "-17.4E37": "-174" + strings.Repeat("0", 36), "1e+5": "100000", "1E-3": "0.001", "100": "100",
		"1e125": "1" + strings.Repeat("0", 125), "1e-130": "0." + strings.Repeat("0", 129) + "1",
		"9.9999999999999999999999999999999999999E125": nines + strings.Repeat("0", 88),
		nines: nines, "0." + nines: "0." + nines, "3.1415926535897932384626433832795028841": "3.1415926535897932384626433832795028841",
		strings.Repeat("0", 40_000) + "1": "1", "0." + strings.Repeat("0", 40_000) + "1e40000": "0.1",
	} {
		got, err := ddbexpr.ParseNumber(text)
		if err != nil || got.String() != want {
			t.Errorf("%.50s: got %v, %v, want %s", text, got, err, want)
		}
		if again, err := ddbexpr.ParseNumber(got.String()); err != nil || again != got {
			t.Errorf("%.50s: read again it is %v, %v", text, again, err)
		}
	}
}

func TestNumbersAreRefused(t *testing.T) {
	t.Parallel()
	const (
		digits    = "Attempting to store more than 38 significant digits in a Number"
		overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
		numeric   = "The parameter cannot be converted to a numeric value"
	)
	for text, want := range map[string]string{
		"": numeric, "NaN": numeric + ": NaN", "Infinity": numeric + ": Infinity", "dog": numeric + ": dog", " 1": numeric + ":  1", "1 ": numeric + ": 1 ",
		"-": numeric + ": -", ".": numeric + ": .", "1.2.3": numeric + ": 1.2.3", "1e": numeric + ": 1e", "1e-": numeric + ": 1e-", "e5": numeric + ": e5",
		"--1": numeric + ": --1", "1e+-5": numeric + ": 1e+-5", "0x10": numeric + ": 0x10", "1_000": numeric + ": 1_000", "١": numeric + ": ١",
		strings.Repeat("1", 39): digits, "3.14159265358979323846264338327950288419": digits, "1" + strings.Repeat("0", 37) + "1": digits,
		"1e126": overflow, "-11e125": overflow, "1.0e100000000": overflow, "1e99999999999999999999": overflow,
		"1e-131": underflow, "0.9e-130": underflow, "-1e-99999999999999999999": underflow,
	} {
		_, err := ddbexpr.ParseNumber(text)
		if got := message(t, err); got != want {
			t.Errorf("%.50s: got %s, want %s", text, got, want)
		}
	}
}

// rat is the same number to an arithmetic that is not ours.
func rat(t *testing.T, number ddbexpr.Number) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(number.String())
	if !ok {
		t.Fatal(number)
	}
	return r
}

func randomNumber(rng *rand.Rand) ddbexpr.Number {
	var text strings.Builder
	if rng.IntN(2) == 0 {
		text.WriteByte('-')
	}
	for range 1 + rng.IntN(18) {
		text.WriteByte(byte('0' + rng.IntN(10)))
	}
	text.WriteString([]string{"", "e3", "e-3", "e-17", "e17", "e100", "e-100"}[rng.IntN(7)])
	return n(text.String())
}

// TestArithmetic holds sums, and the order of keys, against math/big.
func TestArithmetic(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	plus, err := newScope(t).Update("SET c = a + b1, d = a - b1")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 20_000 {
		x, y := randomNumber(rng), randomNumber(rng)
		rx, ry := rat(t, x), rat(t, y)
		order := rx.Cmp(ry)
		if got := cmp.Compare(x.Key(), y.Key()); got != order {
			t.Fatalf("keys of %v and %v are in the order %d", x, y, got)
		}
		if got, ok := ddbexpr.Compare(x, y); !ok || got != order || (order == 0) != (x == y) {
			t.Fatalf("%v and %v: got %d, want %d", x, y, got, order)
		}
		sum, difference := new(big.Rat).Add(rx, ry), new(big.Rat).Sub(rx, ry)
		out, err := plus.Apply(m{"a": x, "b1": y}, true)
		if tooLong(sum) || tooLong(difference) {
			if err == nil {
				t.Fatalf("%v and %v: %v and %v have more than 38 digits", x, y, out["c"], out["d"])
			}
			refused++
			continue
		}
		if err != nil || rat(t, out["c"].(ddbexpr.Number)).Cmp(sum) != 0 || rat(t, out["d"].(ddbexpr.Number)).Cmp(difference) != 0 {
			t.Fatalf("%v and %v: %v, %v", x, y, out, err)
		}
	}
	if refused < 100 || refused > 19_000 {
		t.Errorf("%d of 20,000 are refused: the numbers are no good for a test", refused)
	}
}

// tooLong tells whether a number needs more than 38 digits.
func tooLong(r *big.Rat) bool {
	digits := strings.Trim(strings.Replace(r.FloatString(200), ".", "", 1), "-0")
	return len(digits) > 38
}

func TestInt64(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "-5": -5, "1.7e9": 1_700_000_000} {
		if got, ok := n(text).Int64(); !ok || got != want || n(text) != ddbexpr.Int(want) {
			t.Errorf("%s: got %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"1.5", "1e30", "-1e-10"} {
		if got, ok := n(text).Int64(); ok {
			t.Errorf("%s: got %d", text, got)
		}
	}
}
