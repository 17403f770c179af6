package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"patchbay/internal/fault"
	"patchbay/internal/secret"
)

// Scheme is a way in which callers prove who they are.
type Scheme string

// The schemes. The set is closed.
const (
	SchemeBasic  Scheme = "basic"
	SchemeBearer Scheme = "bearer"
	SchemeAPIKey Scheme = "apikey"
	// SchemeJWT are tokens of an authorization server.
	SchemeJWT Scheme = "jwt"
	// SchemeCertificate are certificates of clients, which the listener checks.
	SchemeCertificate Scheme = "certificate"
)

// Key is a credential of one caller.
type Key struct {
	// Caller is the caller's name.
	Caller string
	Scheme Scheme
	// Username belongs to basic, Name and Place to apikey.
	Username string
	Name     string
	Place    Placement
	Secret   secret.Value
}

// Options say who is let in: whoever one of the ways admits.
type Options struct {
	Keys []Key
	// Tokens judges bearer tokens; nil takes none.
	Tokens *Tokens
	// Certificates lets in whoever has shown a certificate to the listener, which
	// has verified it.
	Certificates bool
	// Reserved are names that no certificate gives, because keys have them.
	Reserved []string
}

// Verifier checks the credentials of a caller. It is immutable and safe for
// concurrent use. A nil Verifier lets everybody in.
type Verifier struct {
	slots        []slot
	tokens       *Tokens
	certificates bool
	reserved     []string
	names        []string
	challenges   []string
}

// slot is a place of a request in which keys are shown, with those that are.
type slot struct {
	scheme Scheme
	name   string
	place  Placement
	keys   []digestedKey
}

// digestedKey holds a digest, so that comparing takes the same time whatever the
// caller sent and however long it is.
type digestedKey struct {
	want   [sha256.Size]byte
	caller *Caller
}

// Refusal is why a caller is not let in, and what it can do about it.
type Refusal struct {
	Fault *fault.Fault
	// Challenges are the values of WWW-Authenticate (RFC 9110 section 11.6.1).
	Challenges []string
}

// Write puts the challenges into an answer's header.
func (r *Refusal) Write(h http.Header) {
	if len(r.Challenges) > 0 {
		h["Www-Authenticate"] = r.Challenges
	}
}

// NewVerifier checks the options. Every secret must be non-empty: an unresolved
// credential must never become one that opens the door.
func NewVerifier(o Options) (*Verifier, error) {
	v := &Verifier{tokens: o.Tokens, certificates: o.Certificates, reserved: o.Reserved}
	for i := range o.Keys {
		if err := v.add(&o.Keys[i]); err != nil {
			return nil, err
		}
	}
	if len(o.Keys) == 0 && o.Tokens == nil && !o.Certificates {
		return nil, errors.New("nobody would be let in: there is no key and no token that is accepted")
	}
	for i := range v.slots {
		challenge := challengeOf(v.slots[i].scheme)
		if o.Tokens != nil && v.slots[i].scheme == SchemeBearer {
			continue // the tokens' own challenge says more
		}
		if !slices.Contains(v.challenges, challenge) {
			v.challenges = append(v.challenges, challenge)
		}
	}
	return v, nil
}

func (v *Verifier) add(k *Key) error {
	if k.Caller == "" {
		return errors.New("a key has no name")
	}
	if k.Secret.IsZero() {
		return fmt.Errorf("the secret of %s is empty", k.Caller)
	}
	text := k.Secret.Reveal()
	at := slot{scheme: k.Scheme}
	switch k.Scheme {
	case SchemeBasic:
		if k.Username == "" {
			return fmt.Errorf("the user of %s is empty", k.Caller)
		}
		if strings.Contains(k.Username, ":") {
			return fmt.Errorf("the user of %s has a colon, which ends the name of a user", k.Caller)
		}
		text = k.Username + ":" + text
	case SchemeBearer:
	case SchemeAPIKey:
		if k.Name == "" {
			return fmt.Errorf("the key of %s has no header and no parameter", k.Caller)
		}
		at.name, at.place = k.Name, k.Place
		if at.place == InHeader {
			at.name = http.CanonicalHeaderKey(at.name)
		}
	case SchemeJWT, SchemeCertificate:
		return fmt.Errorf("%s is no scheme of a key", k.Scheme)
	default:
		return fmt.Errorf("%q is none of basic, bearer and apikey", k.Scheme)
	}
	i := slices.IndexFunc(v.slots, func(s slot) bool { return s.scheme == at.scheme && s.name == at.name && s.place == at.place })
	if i < 0 {
		i = len(v.slots)
		v.slots = append(v.slots, at)
	}
	want := digest(text)
	for j := range v.slots[i].keys {
		if other := &v.slots[i].keys[j]; other.want == want {
			return fmt.Errorf("%s and %s have the same secret", other.caller.Name, k.Caller)
		}
	}
	// Several keys of one name are one caller, while its secret is changed.
	v.slots[i].keys = append(v.slots[i].keys, digestedKey{want, &Caller{Name: k.Caller}})
	if !slices.Contains(v.names, k.Caller) {
		v.names = append(v.names, k.Caller)
	}
	return nil
}

// Verify returns who made a request, or why it is refused. It looks at every
// place in which a key can be; in each it compares with all keys, whether one has
// matched or not.
func (v *Verifier) Verify(r *http.Request) (*Caller, *Refusal) {
	if v == nil {
		return nil, nil
	}
	var found *Caller
	for i := range v.slots {
		if c := v.slots[i].find(r); c != nil && found == nil {
			found = c
		}
	}
	if found != nil {
		return found, nil
	}
	if v.certificates {
		if c := certified(r.TLS); c != nil && !slices.Contains(v.reserved, c.Name) {
			return c, nil
		}
	}
	if v.tokens != nil {
		return v.verifyToken(r)
	}
	return nil, &Refusal{Fault: fault.New(fault.Unauthenticated, "this adapter wants credentials"), Challenges: v.challenges}
}

// find returns whose key a request shows in this place.
func (s *slot) find(r *http.Request) *Caller {
	presented, ok := s.presented(r)
	got := digest(presented)
	at := -1
	for i := range s.keys {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(got[:], s.keys[i].want[:]), i, at)
	}
	if at < 0 || !ok {
		return nil
	}
	return s.keys[at].caller
}

// presented is what a request shows in this place. What is shown twice is shown
// by nobody: something in front may have looked at the other one.
func (s *slot) presented(r *http.Request) (string, bool) {
	switch s.scheme {
	case SchemeBasic:
		encoded, ok := authorization(r, "Basic")
		if !ok {
			return "", false
		}
		// What is looked at in constant time is what is in it, not how it is written.
		pair, err := base64.StdEncoding.DecodeString(encoded)
		return string(pair), err == nil
	case SchemeBearer:
		return authorization(r, "Bearer")
	case SchemeAPIKey, SchemeJWT, SchemeCertificate:
	}
	switch s.place {
	case InQuery:
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil || len(values[s.name]) != 1 {
			return "", false
		}
		return values[s.name][0], true
	case InCookie:
		cookies := r.CookiesNamed(s.name)
		if len(cookies) != 1 {
			return "", false
		}
		return cookies[0].Value, true
	case InHeader, InBody, InPath:
	}
	values := r.Header[s.name]
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// authorization returns what follows a scheme in the only Authorization header
// (RFC 9110 section 11.6.2).
func authorization(r *http.Request, scheme string) (string, bool) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	given, rest, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(given, scheme) {
		return "", false
	}
	return strings.TrimLeft(rest, " "), true
}

// Equal reports whether two verifiers let the same callers in.
func (v *Verifier) Equal(other *Verifier) bool {
	if v == nil || other == nil || v == other {
		return v == other
	}
	return v.tokens == other.tokens && v.certificates == other.certificates && slices.EqualFunc(v.slots, other.slots, func(a, b slot) bool {
		return a.scheme == b.scheme && a.name == b.name && a.place == b.place && slices.EqualFunc(a.keys, b.keys, func(a, b digestedKey) bool {
			return a.caller.Name == b.caller.Name && subtle.ConstantTimeCompare(a.want[:], b.want[:]) == 1
		})
	})
}

// Names are the callers whose keys are known; others can come with a token or
// certificate where Open is true.
func (v *Verifier) Names() (names []string, open bool) {
	if v == nil {
		return nil, false
	}
	return v.names, v.tokens != nil || v.certificates
}

// Way describes how callers can prove who they are, for descriptions.
type Way struct {
	Scheme Scheme
	// Name and Place belong to API keys.
	Name  string
	Place Placement
	// Issuer belongs to tokens.
	Issuer string
}

// Ways lists how callers can prove who they are; nil is that nobody has to.
func (v *Verifier) Ways() []Way {
	if v == nil {
		return nil
	}
	var out []Way
	for i := range v.slots {
		out = append(out, Way{Scheme: v.slots[i].scheme, Name: v.slots[i].name, Place: v.slots[i].place})
	}
	if v.tokens != nil {
		out = append(out, Way{Scheme: SchemeJWT, Issuer: v.tokens.Issuer()})
	}
	if v.certificates {
		out = append(out, Way{Scheme: SchemeCertificate})
	}
	return out
}

func challengeOf(s Scheme) string {
	switch s {
	case SchemeBasic:
		return `Basic realm="patchbay", charset="UTF-8"`
	case SchemeBearer, SchemeJWT:
		return `Bearer realm="patchbay"`
	case SchemeAPIKey, SchemeCertificate:
		return `ApiKey realm="patchbay"`
	default:
		return ""
	}
}

func digest(s string) [sha256.Size]byte {
	var room [256]byte // most secrets fit, and then nothing is allocated
	return sha256.Sum256(append(room[:0], s...))
}
