package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"patchbay/internal/secret"
)

// Verifier checks the credentials of a caller. It is immutable and safe for
// concurrent use. A nil Verifier lets everybody in.
type Verifier struct {
	scheme    string
	name      string
	place     Placement
	challenge string
	// want holds digests, so that comparing takes the same time whatever the
	// caller sent and however long it is.
	want [sha256.Size]byte
}

// VerifyBasic expects exactly this user and password. Both must be non-empty:
// an unresolved credential must never become one that opens the door.
func VerifyBasic(username, password secret.Value) (*Verifier, bool) {
	if username.Reveal() == "" || password.Reveal() == "" {
		return nil, false
	}
	return &Verifier{scheme: "basic", challenge: `Basic realm="patchbay", charset="UTF-8"`, want: digest(username.Reveal() + ":" + password.Reveal())}, true
}

// VerifyBearer expects exactly this token, which must not be empty.
func VerifyBearer(secret secret.Value) (*Verifier, bool) {
	if secret.Reveal() == "" {
		return nil, false
	}
	return &Verifier{scheme: "bearer", challenge: `Bearer realm="patchbay"`, want: digest(secret.Reveal())}, true
}

// VerifyAPIKey expects exactly this value, which must not be empty, in a
// header, query parameter or cookie of that name.
func VerifyAPIKey(name string, value secret.Value, place Placement) (*Verifier, bool) {
	if name == "" || value.Reveal() == "" {
		return nil, false
	}
	return &Verifier{scheme: "apikey", name: name, place: place, challenge: `ApiKey realm="patchbay"`, want: digest(value.Reveal())}, true
}

// Verify reports whether the request carries the expected credentials. On
// failure challenge is the value for WWW-Authenticate (RFC 9110 section 11.6.1).
func (v *Verifier) Verify(r *http.Request) (ok bool, challenge string) {
	if v == nil {
		return true, ""
	}
	presented, found := v.presented(r)
	got := digest(presented)
	if subtle.ConstantTimeCompare(got[:], v.want[:]) == 1 && found {
		return true, ""
	}
	return false, v.challenge
}

// Equal reports whether two verifiers let the same callers in.
func (v *Verifier) Equal(other *Verifier) bool {
	if v == nil || other == nil {
		return v == other
	}
	return v.scheme == other.scheme && v.name == other.name && v.place == other.place && subtle.ConstantTimeCompare(v.want[:], other.want[:]) == 1
}

// Scheme returns basic, bearer or apikey, and for the last the name and place
// of the key; for descriptions.
func (v *Verifier) Scheme() (scheme, name string, place Placement) {
	if v == nil {
		return "", "", InHeader
	}
	return v.scheme, v.name, v.place
}

func (v *Verifier) presented(r *http.Request) (string, bool) {
	switch v.scheme {
	case "basic":
		user, password, ok := r.BasicAuth()
		return user + ":" + password, ok
	case "bearer":
		scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " ")
		return strings.TrimLeft(rest, " "), ok && strings.EqualFold(scheme, "Bearer")
	}
	switch v.place {
	case InQuery:
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil || len(values[v.name]) != 1 {
			return "", false
		}
		return values[v.name][0], true
	case InCookie:
		c, err := r.Cookie(v.name)
		if err != nil {
			return "", false
		}
		return c.Value, true
	default:
		values := r.Header.Values(v.name)
		if len(values) != 1 {
			return "", false
		}
		return values[0], true
	}
}

func digest(s string) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }
