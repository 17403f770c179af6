package diag

import (
	"strings"
	"unicode/utf8"
)

// WithNearest sets the advice about a name that is none of those known: the one
// that is probably meant, where one is near, and all of them behind the words
// that introduce them. Without known names there is no advice.
func (d *Diagnostic) WithNearest(name string, known []string, intro string) *Diagnostic {
	if len(known) == 0 {
		return d
	}
	const most = 40
	d.Hint = intro + strings.Join(known[:min(len(known), most)], ", ")
	if len(known) > most {
		d.Hint += ", …"
	}
	if near := Nearest(name, known); near != "" {
		d.Hint = "did you mean \"" + near + "\"? " + d.Hint
	}
	return d
}

// Nearest returns the candidate that is closest to name and close enough to
// be meant by it, or "". Case, '-' and '_' count as no difference at all;
// otherwise a third of the name's letters may differ. The first of equals wins.
func Nearest(name string, candidates []string) string {
	best, bestDist := "", 1+utf8.RuneCountInString(name)/3
	folded := []rune(Fold(name))
	for _, c := range candidates {
		if c == name {
			continue
		}
		if d := distance(folded, []rune(Fold(c)), bestDist); d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// Fold maps a name to the form in which two spellings of one name are equal:
// ASCII letters in lower case, without '-' and '_'.
func Fold(name string) string {
	plain := true
	for i := range len(name) {
		if c := name[i]; c == '-' || c == '_' || 'A' <= c && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return name
	}
	out := make([]byte, 0, len(name))
	for i := range len(name) {
		c := name[i]
		switch {
		case c == '-' || c == '_':
		case 'A' <= c && c <= 'Z':
			out = append(out, c+'a'-'A')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// distance is the edit distance with transpositions of neighbours, given up
// on (as limit) as soon as it cannot stay below limit.
func distance(a, b []rune, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		low := cur[0]
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
			low = min(low, cur[j])
		}
		if low >= limit {
			return limit
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
