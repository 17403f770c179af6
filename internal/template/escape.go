package template

import "strings"

// AppendSegment appends a text as one path segment or as part of a query: all
// bytes but the unreserved characters of RFC 3986 section 2.3 are
// percent-encoded, the slash included.
func AppendSegment[T ~string | ~[]byte](dst []byte, s T) []byte {
	start := 0
	for i := range len(s) {
		if !isUnreserved(s[i]) {
			dst = append(dst, s[start:i]...)
			dst = appendPercent(dst, s[i])
			start = i + 1
		}
	}
	return append(dst, s[start:]...)
}

// AppendForm appends a name or a value of application/x-www-form-urlencoded
// (URL Standard, "application/x-www-form-urlencoded percent-encode set"): a
// space becomes a plus sign, and * is kept while ~ is not.
func AppendForm[T ~string | ~[]byte](dst []byte, s T) []byte {
	start := 0
	for i := range len(s) {
		c := s[i]
		if c == '*' || c != '~' && isUnreserved(c) {
			continue
		}
		dst = append(dst, s[start:i]...)
		if c == ' ' {
			dst = append(dst, '+')
		} else {
			dst = appendPercent(dst, c)
		}
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// AppendLiteral appends a path that a person wrote, query included, as a URL
// holds it: what is percent-encoded already stays, as do the characters that
// RFC 3986 reserves, except # and brackets, which a path cannot hold.
func AppendLiteral[T ~string | ~[]byte](dst []byte, s T) []byte {
	for i := range len(s) {
		c := s[i]
		_, escaped := decodePercent(s, i)
		if escaped || isUnreserved(c) || strings.IndexByte("/?:@!$&'()*+,;=", c) >= 0 {
			dst = append(dst, c)
		} else {
			dst = appendPercent(dst, c)
		}
	}
	return dst
}

// DecodeSegment decodes the percent-encoding of a path segment; a plus sign is
// itself. It reports false for a percent sign without two hexadecimal digits.
// The result may hold any bytes, slashes and invalid UTF-8 included. It does
// not allocate when there is nothing to decode.
func DecodeSegment(s string) (decoded string, ok bool) {
	first := strings.IndexByte(s, '%')
	if first < 0 {
		return s, true
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:first])
	for i := first; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		c, ok := decodePercent(s, i)
		if !ok {
			return "", false
		}
		b.WriteByte(c)
		i += 2
	}
	return b.String(), true
}

// HasDotSegment reports whether a segment of an encoded path is "." or "..",
// also written as %2e: what lies between a client and a server may resolve
// such a segment and so reach another path (RFC 3986 section 5.2.4). A query
// is not part of the path.
func HasDotSegment[T ~string | ~[]byte](path T) bool {
	dots, other := 0, false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '?':
			return !other && (dots == 1 || dots == 2)
		case c == '/':
			if !other && (dots == 1 || dots == 2) {
				return true
			}
			dots, other = 0, false
		case c == '.':
			dots++
		default:
			if d, ok := decodePercent(path, i); ok && d == '.' {
				dots++
				i += 2
				continue
			}
			other = true
		}
	}
	return !other && (dots == 1 || dots == 2)
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func appendPercent(dst []byte, c byte) []byte {
	const hex = "0123456789ABCDEF"
	return append(dst, '%', hex[c>>4], hex[c&15])
}

// decodePercent reads the percent-encoded byte at i.
func decodePercent[T ~string | ~[]byte](s T, i int) (c byte, ok bool) {
	if s[i] != '%' || i+2 >= len(s) {
		return 0, false
	}
	high, okHigh := unhex(s[i+1])
	low, okLow := unhex(s[i+2])
	return high<<4 | low, okHigh && okLow
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	default:
		return 0, false
	}
}
