package schema

import (
	"math/big"
	"math/bits"
	"strings"
)

// decimal is a JSON number without loss: sign, coefficient and power of ten.
// The coefficient is a++b without zeros at either end, two slices of the literal, so that
// reading a number allocates nothing; it is empty for zero.
type decimal struct {
	neg  bool
	a, b string
	exp  int64
}

// expLimit saturates exponents: numbers beyond it compare as equally far out.
const expLimit = 1 << 50

// decimalOf reads a literal that satisfies the grammar of RFC 8259 section 6.
func decimalOf(lit string) decimal {
	var d decimal
	if lit != "" && lit[0] == '-' {
		d.neg, lit = true, lit[1:]
	}
	mantissa, exp := lit, int64(0)
	if i := strings.IndexAny(lit, "eE"); i >= 0 {
		mantissa, exp = lit[:i], exponent(lit[i+1:])
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	if frac = strings.TrimRight(frac, "0"); frac == "" {
		trimmed := strings.TrimRight(whole, "0")
		exp += int64(len(whole) - len(trimmed))
		whole = trimmed
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		exp -= int64(len(frac))
		frac = strings.TrimLeft(frac, "0")
	} else {
		exp -= int64(len(frac))
	}
	if whole == "" && frac == "" {
		return decimal{}
	}
	d.a, d.b, d.exp = whole, frac, exp
	return d
}

// exponent reads the digits after the "e", saturating at expLimit.
func exponent(s string) int64 {
	neg := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		neg, s = s[0] == '-', s[1:]
	}
	n := int64(0)
	for i := range len(s) {
		if n = n*10 + int64(s[i]-'0'); n > expLimit {
			n = expLimit
			break
		}
	}
	if neg {
		return -n
	}
	return n
}

func (d *decimal) digits() int { return len(d.a) + len(d.b) }

func (d *decimal) digit(i int) byte {
	switch {
	case i < len(d.a):
		return d.a[i] - '0'
	case i < d.digits():
		return d.b[i-len(d.a)] - '0'
	default:
		return 0
	}
}

func (d *decimal) isZero() bool { return d.digits() == 0 }

func (d *decimal) isInteger() bool { return d.isZero() || d.exp >= 0 }

// compare returns the order of two numbers as -1, 0 or 1, exactly.
func (d *decimal) compare(o *decimal) int {
	switch {
	case d.isZero() && o.isZero():
		return 0
	case d.isZero():
		return sign(!o.neg)
	case o.isZero():
		return sign(d.neg)
	case d.neg != o.neg:
		return sign(d.neg)
	}
	less := !d.neg // what a smaller magnitude means
	if x, y := d.exp+int64(d.digits()), o.exp+int64(o.digits()); x != y {
		return sign((x < y) == less)
	}
	for i := range max(d.digits(), o.digits()) {
		if x, y := d.digit(i), o.digit(i); x != y {
			return sign((x < y) == less)
		}
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// clampInt returns a non-negative integer, at most limit. It reports false
// for every other number.
func (d *decimal) clampInt(limit int) (int, bool) {
	if d.neg || !d.isInteger() {
		return 0, false
	}
	if int64(d.digits())+d.exp > 18 {
		return limit, true
	}
	n := 0
	for i := range d.digits() + int(d.exp) {
		n = n*10 + int(d.digit(i))
	}
	return min(n, limit), true
}

// divisor is the positive number of a multipleOf.
type divisor struct {
	decimal
	small uint64   // the coefficient, where it fits 64 bits
	large *big.Int // the coefficient otherwise
}

// divisorOf prepares a number above zero.
func divisorOf(d decimal) *divisor {
	m := &divisor{decimal: d}
	if d.digits() <= 19 {
		for i := range d.digits() {
			m.small = m.small*10 + uint64(d.digit(i))
		}
		return m
	}
	m.large, _ = new(big.Int).SetString(d.a+d.b, 10)
	return m
}

// divides reports whether d is an integer multiple, exactly. With both
// coefficients free of factors of ten at the end, a smaller power of ten in d
// settles it; otherwise d's coefficient times the surplus power is taken modulo
// the divisor's, which costs no memory for divisors of up to 19 digits.
func (m *divisor) divides(d *decimal) bool {
	if d.isZero() {
		return true
	}
	shift := d.exp - m.exp
	if shift < 0 {
		return false
	}
	if m.large != nil {
		c, ok := new(big.Int).SetString(d.a+d.b, 10)
		if !ok {
			return false
		}
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(shift), m.large)
		return c.Mul(c, power).Mod(c, m.large).Sign() == 0
	}
	rest := uint64(0)
	for i := range d.digits() {
		hi, lo := bits.Mul64(rest, 10)
		lo, carry := bits.Add64(lo, uint64(d.digit(i)), 0)
		rest = bits.Rem64(hi+carry, lo, m.small)
	}
	return mulMod(rest, powMod(10, uint64(shift), m.small), m.small) == 0
}

func mulMod(x, y, m uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return bits.Rem64(hi, lo, m)
}

func powMod(base, exp, m uint64) uint64 {
	result := uint64(1) % m
	for base %= m; exp > 0; exp >>= 1 {
		if exp&1 == 1 {
			result = mulMod(result, base, m)
		}
		base = mulMod(base, base, m)
	}
	return result
}
