// Package auth holds both halves of each authentication scheme: the signer
// that adds an upstream's credentials to an outgoing request, and the verifier
// that checks a caller's before a request is read. The two never meet: what a
// caller presents is not forwarded.
package auth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"patchbay/internal/secret"
)

// Placement is where an API key travels.
type Placement uint8

// The placements of an API key. The zero placement is a header.
const (
	InHeader Placement = iota
	InQuery
	InCookie
	// InBody is a member of the request body, InPath a placeholder of the path.
	// Both are put there by who makes body and path; no caller is checked by them.
	InBody
	InPath
)

// Signer adds credentials to upstream requests. The zero Signer adds none. It
// is immutable and safe for concurrent use.
type Signer struct {
	// header is the canonical name and values its prepared value; the slice is
	// shared by all requests, which never write to it.
	header string
	values []string
	// query is a prepared, escaped name=value pair.
	query string
	// cookie is a prepared name=value pair.
	cookie string
	// more are further headers.
	more []Field
	// member and text are a field of the body.
	member, text string
}

// Field is a header that carries credentials.
type Field struct {
	// Name is the canonical name.
	Name string
	// Values must not be changed.
	Values []string
}

// Basic signs with a user and password (RFC 7617).
func Basic(username, password secret.Value) (Signer, error) {
	if strings.Contains(username.Reveal(), ":") {
		return Signer{}, fmt.Errorf("a basic username cannot contain a colon")
	}
	token := base64.StdEncoding.EncodeToString([]byte(username.Reveal() + ":" + password.Reveal()))
	return Signer{header: "Authorization", values: []string{"Basic " + token}}, nil
}

// Bearer signs with a token (RFC 6750).
func Bearer(token secret.Value) (Signer, error) {
	if !headerValue(token.Reveal()) {
		return Signer{}, fmt.Errorf("the token holds characters that no header may carry")
	}
	return Signer{header: "Authorization", values: []string{"Bearer " + token.Reveal()}}, nil
}

// APIKey signs with a key of a given name, in a header, the query, a cookie or
// the body. A key in the path is no signer's.
func APIKey(name string, value secret.Value, place Placement, escapeQuery func(string) string) (Signer, error) {
	if name == "" {
		return Signer{}, fmt.Errorf("an API key needs a name")
	}
	switch place {
	case InQuery:
		return Signer{query: escapeQuery(name) + "=" + escapeQuery(value.Reveal())}, nil
	case InBody:
		if !utf8.ValidString(value.Reveal()) {
			return Signer{}, fmt.Errorf("the key's value is not UTF-8, which no body of fields can carry")
		}
		return Signer{member: name, text: value.Reveal()}, nil
	case InPath:
		return Signer{}, nil
	case InCookie:
		if !token(name) || !headerValue(value.Reveal()) || strings.ContainsAny(value.Reveal(), ";, \"\\") {
			return Signer{}, fmt.Errorf("the key's name or value holds characters that no cookie may carry")
		}
		return Signer{cookie: name + "=" + value.Reveal()}, nil
	default:
		if !token(name) || !headerValue(value.Reveal()) {
			return Signer{}, fmt.Errorf("the key's name or value holds characters that no header may carry")
		}
		return Signer{header: http.CanonicalHeaderKey(name), values: []string{value.Reveal()}}, nil
	}
}

// And returns a signer that adds the headers of both; what other adds elsewhere
// is not taken over.
func (s Signer) And(other Signer) Signer {
	if other.header != "" {
		s.more = append(s.more[:len(s.more):len(s.more)], Field{other.header, other.values})
	}
	return s
}

// More returns the headers beside the one of [Signer.Header].
func (s *Signer) More() []Field { return s.more }

// Member returns the field of the request body that carries the credentials,
// "" for none.
func (s *Signer) Member() (name, value string) { return s.member, s.text }

// Header returns the header that carries the credentials, "" for none. Its
// values must not be changed.
func (s *Signer) Header() (name string, values []string) { return s.header, s.values }

// Query returns an escaped name=value pair for the query string, or "".
func (s *Signer) Query() string { return s.query }

// Cookie returns a name=value pair for the Cookie header, or "".
func (s *Signer) Cookie() string { return s.cookie }

// IsZero reports whether the signer adds nothing.
func (s *Signer) IsZero() bool {
	return s.header == "" && s.query == "" && s.cookie == "" && s.member == ""
}

// headerValue reports whether s can stand in a header field (RFC 9110 section 5.5).
func headerValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// token reports whether s is a token (RFC 9110 section 5.6.2).
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
