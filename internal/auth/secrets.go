package auth

import (
	"strings"

	"patchbay/internal/secret"
)

// Secrets returns the texts with which the signer gives its credentials away,
// as they travel: of a header also the part behind the scheme.
func (s *Signer) Secrets() []secret.Value {
	var out []secret.Value
	add := func(text string) {
		if text != "" {
			out = append(out, secret.New(text))
		}
	}
	headers := func(values []string) {
		for _, v := range values {
			scheme, rest, two := strings.Cut(v, " ")
			if two && (scheme == "Basic" || scheme == "Bearer") {
				v = rest
			}
			add(v)
		}
	}
	headers(s.values)
	for _, f := range s.more {
		headers(f.Values)
	}
	for _, pair := range []string{s.query, s.cookie} {
		_, value, _ := strings.Cut(pair, "=")
		add(value)
	}
	add(s.text)
	return out
}
