package jsonvalue

import (
	"strconv"
	"strings"
)

// decimal is a number in the one form in which equal numbers are identical:
// digits without zeros at either end, times ten to the exponent. Zero has no
// digits, no sign and the exponent 0.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// maxExponent stands for every exponent beyond it; no number of ours tells
// such sizes apart.
const maxExponent = 1 << 30

// decimalOf reads a JSON number. It allocates only where digits stand on both
// sides of the point.
func decimalOf(literal string) decimal {
	d := decimal{}
	literal, d.negative = strings.CutPrefix(literal, "-")
	mantissa := literal
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		mantissa = literal[:i]
		n, err := strconv.Atoi(strings.TrimPrefix(literal[i+1:], "+"))
		if err != nil || n > maxExponent || n < -maxExponent {
			n = maxExponent
			if strings.HasPrefix(literal[i+1:], "-") {
				n = -maxExponent
			}
		}
		d.exponent = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	fraction = strings.TrimRight(fraction, "0")
	d.exponent -= len(fraction)
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		d.digits = strings.TrimLeft(fraction, "0")
	} else {
		d.digits = whole + fraction
	}
	trimmed := strings.TrimRight(d.digits, "0")
	d.exponent += len(d.digits) - len(trimmed)
	d.digits = trimmed
	if d.digits == "" {
		return decimal{}
	}
	return d
}
