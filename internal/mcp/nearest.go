package mcp

import "strings"

// maxHintName bounds the names that a near miss is looked for, and how much of a
// client's name is repeated in an error.
const maxHintName = 64

// maxHintCandidates bounds the names that one is compared with: among more, the
// answer would cost more than a call.
const maxHintCandidates = 2000

// nearest returns the candidate that a mistyped name most likely meant, or "".
// Case, '-' and '_' count as no difference; otherwise a third of the name may
// differ. The first of equals wins.
func nearest(name string, candidates []string) string {
	if len(name) > maxHintName || len(candidates) > maxHintCandidates {
		return ""
	}
	best, limit := "", 1+len(name)/3
	var a, b [maxHintName]byte
	folded := foldName(a[:0], name)
	for _, c := range candidates {
		if len(c) > maxHintName {
			continue
		}
		if d := editDistance(folded, foldName(b[:0], c), limit); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// foldName appends s in lower-case ASCII without '-' and '_'.
func foldName(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '-' || c == '_':
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// editDistance counts single-byte insertions, deletions and replacements, and
// gives up with limit when there would be as many.
func editDistance(a, b []byte, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	var rows [2][maxHintName + 1]int
	prev, cur := &rows[0], &rows[1]
	for j := range len(b) + 1 {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		low := cur[0]
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j+1]+1, cur[j]+1, prev[j]+cost)
			low = min(low, cur[j+1])
		}
		if low >= limit {
			return limit
		}
		prev, cur = cur, prev
	}
	return min(prev[len(b)], limit)
}

// clip shortens a client's text for an error message.
func clip(s []byte) string {
	const most = 2 * maxHintName
	if len(s) <= most {
		return string(s)
	}
	return strings.ToValidUTF8(string(s[:most]), "") + "…"
}
