package schema

import (
	"strings"
	"testing"
)

// TestFixed: an expression in fixed form matches what package regexp matches.
func TestFixed(t *testing.T) {
	texts := []string{"", "a", "KD", "KD1", "ab", "aB", "é", "é1", "a\n", "\n", "KD" + strings.Repeat("0aF", 10) + "00", "KD" + strings.Repeat("0aG", 10) + "00", "xKD" + strings.Repeat("0", 32), "KD" + strings.Repeat("0", 32) + "\n", "KD" + strings.Repeat("0", 33)}
	for text, want := range map[string]bool{
		"^KD[0-9a-fA-F]{32}$": true, "^KD[0-9]$": true, "^a$": true, "^[ab][A-C]$": true, "^$": true, "^": false, "a": false, "^a": false, "a$": false,
		"^a+$": false, "^a{1,2}$": false, "^(a|bc)$": false, "^é$": false, "^[é]1$": false, "^[^a]$": false, ".": false, "^.$": false, `^\d{3}$`: true,
		"^a{2}$": false, "^[a]{2}$": false, "^(ab){2}$": false, `^\w$`: true, "^" + strings.Repeat("ab", 20) + "$": false,
	} {
		p, err := compilePattern(text)
		if err != nil {
			t.Fatal(text, err)
		}
		if (p.fixed != nil) != want {
			t.Errorf("%s: fixed is %v", text, p.fixed)
		}
		if p.fixed == nil {
			continue
		}
		for _, s := range append(texts, "000", "12a", "z") {
			if p.fixed.matches(s) != p.re.MatchString(s) {
				t.Errorf("%s, %q: %v", text, s, p.fixed.matches(s))
			}
		}
	}
}

// FuzzFixed: whatever the expression and the text, both forms agree.
func FuzzFixed(f *testing.F) {
	for _, seed := range [][2]string{{"^KD[0-9a-f]{2}$", "KD0a"}, {"^[^a]$", "b"}, {"^(?i)k$", "K"}, {"^a{3}$", "aaa"}, {`^\x{212a}$`, "K"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, s string) {
		p, err := compilePattern(text)
		if err == nil && p.fixed != nil && p.fixed.matches(s) != p.re.MatchString(s) {
			t.Errorf("%q, %q: fixed says %v", text, s, p.fixed.matches(s))
		}
	})
}
