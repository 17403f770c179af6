package auth

import (
	"crypto/subtle"
	"crypto/tls"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"patchbay/internal/jsonvalue"
)

// claims are a token's. Names are compared exactly and none may stand twice, so
// that no claim that users choose can pass for another one.
type claims struct{ root jsonvalue.Value }

// UnmarshalJSON reads the claims.
func (c *claims) UnmarshalJSON(data []byte) error {
	root, err := jsonvalue.Parse(data)
	if err != nil || root.Kind() != jsonvalue.Object {
		return jwt.ErrTokenMalformed
	}
	c.root = root
	return nil
}

// text is a claim that is a text, or "".
func (c *claims) text(name string) string {
	if v := c.root.Get(name); v != nil && v.Kind() == jsonvalue.String {
		return v.Text()
	}
	return ""
}

// texts is a claim that is a text or a list of texts.
func (c *claims) texts(name string) []string {
	v := c.root.Get(name)
	switch {
	case v == nil:
		return nil
	case v.Kind() == jsonvalue.String:
		return []string{v.Text()}
	case v.Kind() != jsonvalue.Array:
		return nil
	}
	out := make([]string, 0, v.Len())
	for i := range v.Elems() {
		if e := &v.Elems()[i].Value; e.Kind() == jsonvalue.String {
			out = append(out, e.Text())
		}
	}
	return out
}

// scopes are what the token allows: scope (RFC 8693 section 4.2), or scp, as some
// issuers call it.
func (c *claims) scopes() []string {
	given := c.texts("scope")
	if given == nil {
		given = c.texts("scp")
	}
	var out []string
	for _, s := range given {
		out = append(out, strings.Fields(s)...)
	}
	return out
}

// confirm refuses tokens that are bound to a key which the client has not shown:
// who stole one must not be able to use it as a bearer (RFC 7800, RFC 8705, RFC 9449).
func (c *claims) confirm(state *tls.ConnectionState) error {
	cnf := c.root.Get("cnf")
	if cnf == nil {
		return nil
	}
	if cnf.Kind() == jsonvalue.Object && cnf.Len() == 1 {
		bound := cnf.Get("x5t#S256")
		shown := thumbprint(state)
		if bound != nil && bound.Kind() == jsonvalue.String && shown != "" && subtle.ConstantTimeCompare([]byte(bound.Text()), []byte(shown)) == 1 {
			return nil
		}
	}
	return tokenError("the token is bound to a key that this connection does not show")
}

// date is a NumericDate (RFC 7519 section 2).
func (c *claims) date(name string) (*jwt.NumericDate, error) {
	v := c.root.Get(name)
	if v == nil {
		return nil, nil
	}
	const most = 1 << 40 // seconds, far beyond any calendar
	if v.Kind() == jsonvalue.Number {
		if seconds, err := strconv.ParseFloat(v.Text(), 64); err == nil && math.Abs(seconds) < most {
			whole, rest := math.Modf(seconds)
			return &jwt.NumericDate{Time: time.Unix(int64(whole), int64(rest*1e9))}, nil
		}
	}
	return nil, tokenError("the token's " + name + " is no date")
}

// GetExpirationTime returns exp.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.date("exp") }

// GetIssuedAt returns iat.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.date("iat") }

// GetNotBefore returns nbf.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return c.date("nbf") }

// GetIssuer returns iss.
func (c *claims) GetIssuer() (string, error) { return c.text("iss"), nil }

// GetSubject returns sub.
func (c *claims) GetSubject() (string, error) { return c.text("sub"), nil }

// GetAudience returns aud.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return c.texts("aud"), nil }
