package bind

import (
	"fmt"
	"strings"
)

// ParseEnvFile reads NAME=value lines. Blank lines and lines that start with #
// are skipped, a leading "export " is allowed, a value may stand in single or
// double quotes (\n, \t, \" and \\ are escapes inside double ones), and an
// unquoted value ends before " #". Nothing is expanded. Errors name the line
// and never quote it.
func ParseEnvFile(data []byte) (map[string]string, error) {
	values := make(map[string]string)
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\uFEFF")) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		line = strings.TrimSpace(strings.TrimPrefix(line, "export "))
		name, value, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || !isName(name) {
			return nil, fmt.Errorf("line %d is not NAME=value", n)
		}
		value, err := envValue(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		values[name] = value
	}
	return values, nil
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func envValue(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	switch quote := s[0]; quote {
	case '\'':
		value, rest, ok := strings.Cut(s[1:], "'")
		if !ok || !isComment(rest) {
			return "", fmt.Errorf("the quote is not closed, or text follows it")
		}
		return value, nil
	case '"':
		return doubleQuoted(s[1:])
	}
	if i := strings.Index(s, " #"); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	return s, nil
}

func doubleQuoted(s string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			if !isComment(s[i+1:]) {
				return "", fmt.Errorf("text follows the closing quote")
			}
			return out.String(), nil
		case c == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				out.WriteByte('\n')
			case 't':
				out.WriteByte('\t')
			case 'r':
				out.WriteByte('\r')
			default:
				out.WriteByte(s[i])
			}
		default:
			out.WriteByte(c)
		}
	}
	return "", fmt.Errorf("the quote is not closed")
}

func isComment(rest string) bool {
	rest = strings.TrimSpace(rest)
	return rest == "" || rest[0] == '#'
}
