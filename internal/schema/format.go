package schema

import "strings"

// format is the assertion behind a format name. The tests are loose: they
// refuse what can be no such thing and leave the last word to the upstream.
type format struct {
	noun string
	test func(string) bool
}

// formatNamed returns the assertion of a name, or nil for an annotation.
func formatNamed(name string) *format {
	switch name {
	case "date-time":
		return &format{"a date-time such as 2006-01-02T15:04:05Z", isDateTime}
	case "date":
		return &format{"a date such as 2006-01-02", isDate}
	case "uri":
		return &format{"a URI", isURI}
	case "uuid":
		return &format{"a UUID", isUUID}
	case "email":
		return &format{"an email address", isEmail}
	default:
		return nil
	}
}

// number reads exactly n digits; it returns -1 for anything else.
func number(s string, n int) int {
	if len(s) != n {
		return -1
	}
	v := 0
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		v = v*10 + int(s[i]-'0')
	}
	return v
}

func between(v, low, high int) bool { return low <= v && v <= high }

// isDate tests the full-date of RFC 3339 section 5.6.
func isDate(s string) bool {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return false
	}
	year, month, day := number(s[:4], 4), number(s[5:7], 2), number(s[8:], 2)
	if year < 0 || !between(month, 1, 12) {
		return false
	}
	last := 31
	switch month {
	case 4, 6, 9, 11:
		last = 30
	case 2:
		last = 28
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			last = 29
		}
	}
	return between(day, 1, last)
}

// isDateTime tests the date-time of RFC 3339 section 5.6. It takes second 60
// at any minute.
func isDateTime(s string) bool {
	if len(s) < len("2006-01-02T15:04:05Z") || !isDate(s[:10]) || s[10]|0x20 != 't' {
		return false
	}
	if s[13] != ':' || s[16] != ':' || !between(number(s[11:13], 2), 0, 23) ||
		!between(number(s[14:16], 2), 0, 59) || !between(number(s[17:19], 2), 0, 60) {
		return false
	}
	zone := s[19:]
	if zone[0] == '.' {
		rest := strings.TrimLeft(zone[1:], "0123456789")
		if len(rest) == len(zone)-1 || rest == "" {
			return false
		}
		zone = rest
	}
	if zone == "Z" || zone == "z" {
		return true
	}
	return len(zone) == len("+00:00") && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':' &&
		between(number(zone[1:3], 2), 0, 23) && between(number(zone[4:], 2), 0, 59)
}

// isURI tests for a scheme and for characters that RFC 3986 leaves out.
func isURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 1 {
		return false
	}
	for i := range colon {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !between(int(s[i]), '0', '9') && s[i] != '+' && s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("<>\"{}|\\^`", c) >= 0 {
			return false
		}
	}
	return true
}

// isUUID tests the shape of RFC 9562 section 4.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if l := c | 0x20; !between(int(c), '0', '9') && !between(int(l), 'a', 'f') {
				return false
			}
		}
	}
	return true
}

// isEmail tests for one mailbox and one domain without spaces.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 || strings.ContainsAny(s, " \t\r\n<>") {
		return false
	}
	domain := s[at+1:]
	return domain[0] != '.' && domain[len(domain)-1] != '.' && !strings.Contains(domain, "..")
}
