package schema

import (
	"math/big"
	"strings"
	"testing"
)

func TestNumbersCompareExactly(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"1", "1.0", 0},
		{"10", "1e1", 0},
		{"0.001", "1E-3", 0},
		{"-0", "0.0e5", 0},
		{"100e-2", "1", 0},
		{"9007199254740993", "9007199254740992", 1},
		{"9007199254740993.0", "9007199254740993", 0},
		{"0.1", "0.10000000000000000001", -1},
		{"-2", "1", -1},
		{"-2", "-1", -1},
		{"0", "-1", 1},
		{"0", "1", -1},
		{"1e400", "2e400", -1},
		{"1e-400", "0", 1},
		{"1e999999999999999999999", "1e5", 1},
		{"-1e999999999999999999999", "1e5", -1},
		{"123.45", "123.5", -1},
		{"99", "100", -1},
		{"1.5", "15", -1},
	} {
		a, b := decimalOf(tt.a), decimalOf(tt.b)
		if got := a.compare(&b); got != tt.want {
			t.Errorf("%s against %s is %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := b.compare(&a); got != -tt.want {
			t.Errorf("%s against %s is %d, want %d", tt.b, tt.a, got, -tt.want)
		}
	}
}

func TestMultiples(t *testing.T) {
	for _, tt := range []struct {
		number, divisor string
		want            bool
	}{
		{"0.3", "0.1", true},
		{"0.35", "0.1", false},
		{"-4.5", "1.5", true},
		{"1e308", "0.123456789", false},
		{"1e308", "7", false},
		{"4.5e-5", "0.0001", false},
		{"12391239123", "1e-8", true},
		{"1e1000000000", "3", false},
		{"3e1000000000", "3", true},
		{"1e30", "18446744073709551615", false},
		{"36893488147419103230", "18446744073709551615", true},
		{"246913578024691357802469135780", "123456789012345678901234567890", true},
		{"1", "123456789012345678901234567890", false},
		{"0", "0.1", true},
		{"1e-5", "1", false},
	} {
		d := decimalOf(tt.number)
		if got := divisorOf(decimalOf(tt.divisor)).divides(&d); got != tt.want {
			t.Errorf("%s by %s is %v", tt.number, tt.divisor, got)
		}
	}
}

// FuzzNumbers compares with the arithmetic of math/big.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"0", "-1.50", "1e5", "123456789012345678901234567890.125E-7", "0.000120"} {
		f.Add(s, "0.1")
		f.Add(s, "3")
		f.Add("2.5", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, okX := rational(a)
		y, okY := rational(b)
		if !okX || !okY {
			return
		}
		dx, dy := decimalOf(a), decimalOf(b)
		if got, want := dx.compare(&dy), x.Cmp(y); got != want {
			t.Errorf("%s against %s is %d, want %d", a, b, got, want)
		}
		if got, want := dx.isInteger(), x.IsInt(); got != want {
			t.Errorf("%s is an integer: %v, want %v", a, got, want)
		}
		if y.Sign() > 0 {
			want := new(big.Rat).Quo(x, y).IsInt()
			if got := divisorOf(dy).divides(&dx); got != want {
				t.Errorf("%s is a multiple of %s: %v, want %v", a, b, got, want)
			}
		}
	})
}

// rational reads a JSON number with a small exponent.
func rational(s string) (*big.Rat, bool) {
	_, exp, _ := strings.Cut(strings.ToLower(s), "e")
	if len(exp) > 4 || len(s) > 200 || !isJSONNumber(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}
