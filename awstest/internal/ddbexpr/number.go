package ddbexpr

import (
	"math/big"
	"strconv"
	"strings"
)

// Numbers have up to 38 digits, and magnitudes from 1E-130 to
// 9.9999999999999999999999999999999999999E+125.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html (read 2026-11)
const (
	maxDigits = 38
	minExp    = -129 // of 0.1, which is how a Number is written
	maxExp    = 126
)

// Number is a decimal number in its normal form, so that numbers of the same
// value are equal under ==. The zero Number is 0.
type Number struct {
	negative bool
	digits   string // without zeros in front and at the end; empty for 0
	exp      int32  // the number is 0.digits times ten to the power of exp
}

// Int returns a whole number.
func Int(n int64) Number {
	text := strconv.FormatInt(n, 10)
	digits, negative := strings.CutPrefix(text, "-")
	return normal(negative, digits, len(digits)) // of at most 19 digits, always in range
}

// ParseNumber reads a number as the API writes it, such as -17.4E37.
func ParseNumber(text string) (Number, error) {
	notNumeric := func() (Number, error) {
		return Number{}, invalid("The parameter cannot be converted to a numeric value: %s", text)
	}
	if text == "" {
		return Number{}, invalid("The parameter cannot be converted to a numeric value")
	}
	mantissa, power := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var ok bool
		if power, ok = readPower(text[i+1:]); !ok {
			return notNumeric()
		}
		mantissa = text[:i]
	}
	negative := strings.HasPrefix(mantissa, "-")
	if negative || strings.HasPrefix(mantissa, "+") {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return notNumeric()
	}
	n := normal(negative, digits, 0)
	return n.at(int64(n.exp) + int64(len(whole)) + int64(power))
}

// readPower reads the part behind the E. What is far out of range is cut off,
// where it overflows just the same.
func readPower(text string) (power int, ok bool) {
	digits := strings.TrimPrefix(text, "+")
	if digits == text {
		digits = strings.TrimPrefix(text, "-")
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	const far = 1 << 28 // more than a request has digits
	power, err := strconv.Atoi(digits)
	if err != nil || power > far {
		power = far
	}
	if strings.HasPrefix(text, "-") {
		power = -power
	}
	return power, true
}

// normal strips zeros off the digits of 0.digits times ten to the power of
// exp. The exponent is relative: at checks the range.
func normal(negative bool, digits string, exp int) Number {
	stripped := strings.TrimLeft(digits, "0")
	exp -= len(digits) - len(stripped)
	stripped = strings.TrimRight(stripped, "0")
	if stripped == "" {
		return Number{}
	}
	return Number{negative, stripped, int32(exp)}
}

// at returns the number with another exponent, if it is in range.
func (n Number) at(exp int64) (Number, error) {
	switch {
	case n.digits == "":
		return Number{}, nil
	case len(n.digits) > maxDigits:
		return Number{}, invalid("Attempting to store more than 38 significant digits in a Number")
	case exp > maxExp:
		return Number{}, overflow()
	case exp < minExp:
		return Number{}, invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	n.exp = int32(exp)
	return n, nil
}

func overflow() error {
	return invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
}

// String writes the number without an exponent, as AWS does.
func (n Number) String() string {
	exp := int(n.exp)
	var text string
	switch {
	case n.digits == "":
		return "0"
	case exp <= 0:
		text = "0." + strings.Repeat("0", -exp) + n.digits
	case exp < len(n.digits):
		text = n.digits[:exp] + "." + n.digits[exp:]
	default:
		text = n.digits + strings.Repeat("0", exp-len(n.digits))
	}
	if n.negative {
		return "-" + text
	}
	return text
}

// Int64 returns the number if it is a whole one that fits.
func (n Number) Int64() (i int64, ok bool) {
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil
}

func (n Number) compare(m Number) int {
	a, b := n.Key(), m.Key()
	return strings.Compare(a, b)
}

// Key returns bytes that sort as the numbers do.
//
// The first byte is the sign. The exponents fill a byte exactly. Digits of
// one exponent sort as text. Of a negative number everything is turned round;
// the end too, since -0.12 is more than -0.123.
func (n Number) Key() string {
	if n.digits == "" {
		return "\x01"
	}
	key := make([]byte, 0, len(n.digits)+3)
	key = append(key, 2, byte(int(n.exp)-minExp))
	key = append(key, n.digits...)
	if n.negative {
		key[0] = 0
		for i := 1; i < len(key); i++ {
			key[i] = ^key[i]
		}
		key = append(key, 0xff)
	}
	return string(key)
}

// plus returns the sum, which is an error where it needs more than 38 digits.
func (n Number) plus(m Number) (Number, error) {
	low := min(int(n.exp)-len(n.digits), int(m.exp)-len(m.digits))
	sum := new(big.Int).Add(n.scaled(low), m.scaled(low))
	digits, negative := strings.CutPrefix(sum.String(), "-")
	r := normal(negative, digits, len(digits)+low)
	if len(r.digits) > maxDigits {
		return Number{}, overflow() // the message that AWS has for it
	}
	return r.at(int64(r.exp))
}

func (n Number) minus(m Number) (Number, error) {
	m.negative = !m.negative && m.digits != ""
	return n.plus(m)
}

// scaled returns the number as a multiple of ten to the power of low, which is
// not above its last digit.
func (n Number) scaled(low int) *big.Int {
	if n.digits == "" {
		return new(big.Int)
	}
	i, _ := new(big.Int).SetString(n.digits+strings.Repeat("0", int(n.exp)-len(n.digits)-low), 10)
	if n.negative {
		i.Neg(i)
	}
	return i
}
