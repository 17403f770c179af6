package schema

import (
	"strings"
	"testing"

	"patchbay/internal/jsonvalue"
)

func isJSONNumber(s string) bool {
	_, ok := jsonvalue.NumberOf(s)
	return ok
}

func TestPatternsMeanWhatECMAScriptMeans(t *testing.T) {
	for _, tt := range []struct{ pattern, good, bad string }{
		{`^KD[0-9a-fA-F]{32}$`, "KD0123456789abcdef0123456789ABCDEF", "KD0123456789abcdef0123456789ABCDEFG"},
		{`b`, "abc", "ac"},
		{`^\d+\w$`, "12a", "é"},
		{`^\s$`, "\u00a0", "x"},
		{`^\s$`, "\ufeff", "\u200b"},
		{`^\S$`, "x", "\u2003"},
		{`^[\s\S]$`, "\n", ""},
		{`^[^\s]$`, "x", "\u3000"},
		{`^[\S]+$`, "x\u200b\U0001f600", "\u2028"},
		{`^.$`, "😀", "\u2028"},
		{`^.$`, "x", "\r"},
		{`^[^]$`, "\n", ""},
		{`^a[]?$`, "a", "a]"},
		{`^[[]$`, "[", "]"},
		{`^[a&&b]+$`, "&a", "c"},
		{`^\u00e9\x41$`, "éA", "eA"},
		{`^\u{1F600}$`, "😀", "x"},
		{`^\ud83d\ude00$`, "😀", "x"},
		{`^\cA\0$`, "\x01\x00", "A0"},
		{`^\/\-\.\$\{\}$`, "/-.${}", "/-a${}"},
		{`^[\b]$`, "\b", "b"},
		{`\bfoo\b`, "a foo b", "afoob"},
		{`^\p{L}\P{Lu}$`, "éa", "éA"},
		{`^\p{Script=Greek}$`, "α", "a"},
		{`^\p{General_Category=Lu}$`, "A", "a"},
		{`^(?:a|b)(?<n>c)$`, "ac", "cc"},
		{`^a{2,}?$`, "aaa", "a"},
		{`^$`, "", "\n"},
	} {
		p, err := compilePattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if !p.matches(tt.good) || p.matches(tt.bad) {
			t.Errorf("%s: %q is %v, %q is %v", tt.pattern, tt.good, p.matches(tt.good), tt.bad, p.matches(tt.bad))
		}
	}
}

func TestPatternsThatAreRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		`(?=a)`: "lookahead", `(?!a)`: "lookahead", `(?<=a)`: "lookbehind", `(?<!a)`: "lookbehind",
		`(a)\1`: "backreference", `(?<n>a)\k<n>`: "backreference", `(?i)a`: `the group "(?i)…"`, `(?P<n>a)`: `the group "(?P<…"`,
		`\Aa`: `the escape \A`, `a\Z`: `the escape \Z`, `\a`: `the escape \a`, `a\`: "middle of an escape", `[a`: "without its end",
		`\u12`: "middle of an escape", `\u12xx`: "code point", `\ud800`: "surrogate", `\u{110000}`: "code point", `\c1`: "letter",
		`\p{Nonsense}`: "not a usable", `\pL`: "in braces", `a{1001}`: "not a usable", `*`: "not a usable", `[\B]`: `\B`,
		strings.Repeat("a", maxPattern+1): "longer than",
	} {
		_, err := compilePattern(pattern)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it to contain %q", clip(pattern, 40), err, want)
		}
	}
}

// What some validator understands is left to it; what none does, is none.
func TestIsPattern(t *testing.T) {
	for pattern, want := range map[string]bool{
		`^a+$`: true, `(?=a)`: true, `(a)\1`: true, `a{1001}`: true, `\Aa`: true, `[a`: false, `a\`: false, `*`: false, `(`: false, `)`: false, `[z-a]`: false,
	} {
		if got := IsPattern(pattern); got != want {
			t.Errorf("IsPattern(%q) = %v, want %v", pattern, got, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	for _, s := range []string{`^[a-z\d_]+$`, `[\s\S]*?`, `\u{1F600}|\ud83d\ude00`, `(?<a>b){2,3}`, `[^]`, `[]`, `\c`, `\p{`} {
		f.Add(s, "a1 b")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := compilePattern(pattern)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		once, again := p.matches(text), p.matches(text)
		if once != again {
			t.Error("one text matches and does not")
		}
	})
}
