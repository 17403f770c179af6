package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner reads the tokens of a path on demand: what a character means, and
// whether a blank may stand before it, depends on the place in the grammar.
//
// The first fault sticks and moves the scanner to the end, where every loop of
// the parser stops; what is parsed after a fault is thrown away.
type scanner struct {
	src string
	pos int
	err *Error
}

// fail records the first fault, at the byte offset at.
func (s *scanner) fail(at int, format string, args ...any) {
	if s.err == nil {
		s.err = &Error{Col: 1 + utf8.RuneCountInString(s.src[:at]), Message: fmt.Sprintf(format, args...)}
	}
	s.pos = len(s.src)
}

// expected records that something else stands at the current place.
func (s *scanner) expected(what string) {
	s.fail(s.pos, "expected %s, found %s", what, s.found())
}

func (s *scanner) found() string {
	if s.pos >= len(s.src) {
		return "the end of the path"
	}
	r, _ := utf8.DecodeRuneInString(s.src[s.pos:])
	return strconv.QuoteRune(r)
}

// peek returns the next byte, and 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// take consumes t if it comes next.
func (s *scanner) take(t string) bool {
	if strings.HasPrefix(s.src[s.pos:], t) {
		s.pos += len(t)
		return true
	}
	return false
}

// blanks skips the white space of RFC 9535.
func (s *scanner) blanks() {
	for s.pos < len(s.src) && isBlank(s.src[s.pos]) {
		s.pos++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameFirst(r rune) bool {
	return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf
}

// shorthand reads a member name without quotes (member-name-shorthand).
func (s *scanner) shorthand(hyphens bool) string {
	start := s.pos
	for s.pos < len(s.src) {
		r, size := utf8.DecodeRuneInString(s.src[s.pos:])
		inner := r < utf8.RuneSelf && isDigit(byte(r)) || hyphens && r == '-'
		if !isNameFirst(r) && (s.pos == start || !inner) {
			break
		}
		s.pos += size
	}
	if s.pos == start {
		s.expected("a name")
		return ""
	}
	return s.src[start:s.pos]
}

// freeName reads a member name as capability files write it after a dot.
func (s *scanner) freeName() string {
	for s.peek() == ' ' {
		s.pos++
	}
	start := s.pos
	for s.pos < len(s.src) && s.src[s.pos] >= ' ' && !strings.ContainsRune(`.[](){}*?,'"`+"\x7f", rune(s.src[s.pos])) {
		s.pos++
	}
	name := strings.TrimRight(s.src[start:s.pos], " ")
	if name == "" {
		s.expected("a name")
	}
	return name
}

// integer reads an optional int (RFC 9535 section 2.1).
func (s *scanner) integer() bound {
	start := s.pos
	negative := s.take("-")
	first := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	if s.pos == first {
		if negative {
			s.expected("a digit")
		}
		return bound{}
	}
	if s.src[first] == '0' && (s.pos-first > 1 || negative) {
		s.fail(start, "an integer is written without leading zeros, and zero without a sign")
		return bound{}
	}
	n, err := strconv.ParseInt(s.src[start:s.pos], 10, 64)
	if err != nil || n > 1<<53-1 || n < -(1<<53-1) {
		s.fail(start, "the integer is outside of ±(2^53-1)")
		return bound{}
	}
	return bound{n: n, given: true}
}

// numberText consumes the characters that can belong to a number.
func (s *scanner) numberText() string {
	start := s.pos
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		signOfExponent := (c == '+' || c == '-') && s.pos > start && (s.src[s.pos-1] == 'e' || s.src[s.pos-1] == 'E')
		if !isDigit(c) && c != '.' && c != 'e' && c != 'E' && !signOfExponent && (c != '-' || s.pos > start) {
			break
		}
		s.pos++
	}
	return s.src[start:s.pos]
}

// quoted reads a string literal (RFC 9535 section 2.3.1.1).
func (s *scanner) quoted() string {
	start := s.pos
	quote := s.src[s.pos]
	s.pos++
	var b strings.Builder
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == quote:
			s.pos++
			return b.String()
		case c < ' ':
			s.fail(s.pos, "a control character in a string has to be escaped")
		case c == '\\':
			s.escape(quote, &b)
		default:
			b.WriteByte(c)
			s.pos++
		}
	}
	s.fail(start, "the string has no closing quote")
	return ""
}

func (s *scanner) escape(quote byte, b *strings.Builder) {
	start := s.pos
	s.pos++
	c := s.peek()
	s.pos = min(s.pos+1, len(s.src))
	switch c {
	case quote, '/', '\\':
		b.WriteByte(c)
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		b.WriteRune(s.unicodeEscape(start))
	default:
		s.fail(start, "unknown escape in a string")
	}
}

// unicodeEscape reads what follows \u, and the second half of a surrogate pair.
func (s *scanner) unicodeEscape(start int) rune {
	const highFirst, lowFirst, last = 0xD800, 0xDC00, 0xDFFF
	r, ok := s.hex4()
	if !ok {
		s.fail(start, `\u needs four hexadecimal digits`)
		return 0
	}
	if r < highFirst || r > last {
		return r
	}
	if r < lowFirst && s.take(`\u`) {
		if low, ok := s.hex4(); ok && lowFirst <= low && low <= last {
			return 0x10000 + (r-highFirst)<<10 + (low - lowFirst)
		}
	}
	s.fail(start, "half of a surrogate pair")
	return 0
}

func (s *scanner) hex4() (rune, bool) {
	var r rune
	for range 4 {
		c := s.peek()
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
		s.pos++
	}
	return r, true
}
