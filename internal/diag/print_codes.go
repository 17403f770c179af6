package diag

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// CodeInfo documents a code: what it means and what its reader should do.
type CodeInfo struct {
	Code     Code
	Severity Severity
	Meaning  string
	Fix      string
}

// CodeCount is how often a code occurs with a severity, and in how many files.
type CodeCount struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Count    int      `json:"count"`
	Files    int      `json:"files"`
}

// ByCode counts the findings by code and severity: errors first, then the most
// frequent first, then by name.
func ByCode(list List) []CodeCount {
	type key struct {
		code     Code
		severity Severity
	}
	type place struct {
		key
		file string
	}
	at := make(map[key]int)
	met := make(map[place]bool)
	var out []CodeCount
	for i := range list {
		k := key{list[i].Code, list[i].Severity}
		j, seen := at[k]
		if !seen {
			j = len(out)
			at[k] = j
			out = append(out, CodeCount{Code: k.code, Severity: k.severity})
		}
		out[j].Count++
		if p := (place{k, list[i].Span.File}); !met[p] {
			met[p] = true
			out[j].Files++
		}
	}
	slices.SortFunc(out, func(a, b CodeCount) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Count, a.Count), strings.Compare(string(a.Code), string(b.Code)))
	})
	return out
}

// Summary counts the findings in words, as in "2 errors, 3 warnings, 1 note".
// Severities that do not occur are left out; an empty list is "no findings".
func Summary(list List) string {
	var out []byte
	for _, sev := range []Severity{Error, Warning, Note} {
		n := list.Count(sev)
		if n == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, ", "...)
		}
		out = strconv.AppendInt(out, int64(n), 10)
		out = append(out, ' ')
		out = append(out, sev.String()...)
		if n > 1 {
			out = append(out, 's')
		}
	}
	if out == nil {
		return "no findings"
	}
	return string(out)
}
