package doctest

import (
	"regexp"
	"strings"
	"testing"
)

// wildcard stands for text that is left out or differs from run to run.
const wildcard = "…"

// matches tells whether output is what a document shows. White space at the
// end does not count; with asJSON none outside of strings does.
func matches(expected, got string, asJSON bool) bool {
	expected, got = strings.TrimSpace(expected), strings.TrimSpace(got)
	if asJSON {
		expected, got = compact(expected), compact(got)
	}
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for i, line := range strings.Split(expected, "\n") {
		alone := strings.TrimSpace(line) == wildcard
		switch {
		case alone && i == 0:
			pattern.WriteString(`(?:[^\n]*\n)*?[^\n]*`)
			continue
		case alone:
			pattern.WriteString(`(?:\n[^\n]*)*?`)
			continue
		case i > 0:
			pattern.WriteString(`\n`)
		}
		for j, part := range strings.Split(strings.TrimRight(line, " "), wildcard) {
			if j > 0 {
				pattern.WriteString(`[^\n]*?`)
			}
			pattern.WriteString(regexp.QuoteMeta(part))
		}
	}
	pattern.WriteString(`\z`)
	lines := strings.Split(got, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return regexp.MustCompile(pattern.String()).MatchString(strings.Join(lines, "\n"))
}

// compact removes the white space outside of JSON strings.
func compact(text string) string {
	var out strings.Builder
	quoted, escaped := false, false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted && strings.ContainsRune(" \t\r\n", r):
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		expected, got string
		asJSON, want  bool
	}{
		{"a\nb\n", "a\nb", false, true},
		{"a", "a\nb", false, false},
		{"a\nb", "a", false, false},
		{"id …, end", "id 7f3, end", false, true},
		{"id …, end", "id 7\n3, end", false, false},
		{"a\n…\nz", "a\nb\nc\nz", false, true},
		{"a\n…\nz", "a\nz", false, true},
		{"a\n…", "a\nb\nc", false, true},
		{"…\nz", "x\ny\nz", false, true},
		{"a\n…\nz", "a\nb", false, false},
		{"a.c", "abc", false, false},
		{"{\n  \"a b\": [1, …]\n}", `{"a b":[1,2,3]}`, true, true},
		{`{"a b":1}`, `{"ab":1}`, true, false},
		{`{"a": "x\" y", …}`, `{"a":"x\" y","b":2}`, true, true},
	} {
		if got := matches(tt.expected, tt.got, tt.asJSON); got != tt.want {
			t.Errorf("matches(%q, %q, %t) = %t", tt.expected, tt.got, tt.asJSON, got)
		}
	}
}
