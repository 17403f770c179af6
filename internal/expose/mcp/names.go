package mcp

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// nameForm is what every known host accepts in names of one kind beside ASCII
// letters and digits; some hosts reject a whole list for one name that is not.
type nameForm string

const (
	toolNames     nameForm = "_-"
	propertyNames nameForm = "_-."
)

const maxName = 64

func (f nameForm) allows(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(string(f), r)
}

func (f nameForm) accepts(name string) bool {
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool { return !f.allows(r) })
}

// hostNames gives each name one that hosts accept, different from all others.
// Names that are accepted stay as they are. In the others, what is not allowed
// becomes '_', or nothing at either end; where the result is too long, empty or
// another's, a hash of the name follows, so that the same list always gets the
// same names.
func hostNames(names []string, form nameForm) []string {
	out := make([]string, len(names))
	taken := make(map[string]bool, len(names))
	for i, name := range names {
		if form.accepts(name) && !taken[name] {
			out[i], taken[name] = name, true
		}
	}
	for i, name := range names {
		if out[i] != "" {
			continue
		}
		plain := strings.Trim(strings.Map(func(r rune) rune {
			if form.allows(r) {
				return r
			}
			return '_'
		}, name), "_")
		given := plain
		for n := 0; given == "" || len(given) > maxName || taken[given]; n++ {
			sum := sha256.Sum256([]byte(name + strings.Repeat("'", n)))
			suffix := "_" + hex.EncodeToString(sum[:4])
			given = strings.TrimLeft(plain[:min(len(plain), maxName-len(suffix))]+suffix, "_")
		}
		out[i], taken[given] = given, true
	}
	return out
}
