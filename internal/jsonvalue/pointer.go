package jsonvalue

// AppendToken appends a slash and a reference token to a JSON pointer (RFC 6901
// section 3).
func AppendToken(dst []byte, name string) []byte {
	dst = append(dst, '/')
	for i := range len(name) {
		switch c := name[i]; c {
		case '~':
			dst = append(dst, "~0"...)
		case '/':
			dst = append(dst, "~1"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// Token is AppendToken for a pointer that begins with the name: "a/b" is
// "/a~1b".
func Token(name string) string { return string(AppendToken(nil, name)) }
