package template

import "unicode/utf8"

// AppendXML appends a text as the content of an XML element or of a quoted
// attribute. What XML 1.0 has no room for, such as control characters and bytes
// that are not UTF-8, becomes U+FFFD.
func AppendXML[T ~string | ~[]byte](dst []byte, s T) []byte {
	for _, r := range string(s) {
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"':
			dst = append(dst, "&#34;"...)
		case r == '\'':
			dst = append(dst, "&#39;"...)
		case r == '\r':
			dst = append(dst, "&#13;"...) // a parser would read it as a line feed
		case r < ' ' && r != '\t' && r != '\n', r == 0xfffe, r == 0xffff:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// appendSPARQL escapes what would end a quoted literal.
func appendSPARQL[T ~string | ~[]byte](dst []byte, s T) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\'', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
