package auth

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"patchbay/internal/fault"
)

// TokenOptions are a resource server's idea of a good token: a JWT (RFC 7519) of
// one issuer for one audience (RFC 9068, RFC 8725).
type TokenOptions struct {
	// Issuer is compared exactly; Audience has to be among the token's.
	Issuer, Audience string
	// JWKS is the address of the issuer's keys; "" takes it from its metadata.
	JWKS string
	// Resource is the address under which clients know what is protected; ""
	// takes Audience where that is one, and otherwise the listener's own.
	Resource string
	// Algorithms are the only ones that are accepted, all of them asymmetric;
	// nil means RS256, PS256, ES256 and EdDSA.
	Algorithms []string
	// Scopes are needed for every call, OperationScopes besides for an operation
	// by its name. Includes says which scopes a broader one has in it.
	Scopes          []string
	OperationScopes map[string][]string
	Includes        map[string][]string
	// Caller is the claim that names the caller; "" is sub.
	Caller string
	// Reserved are names that no token gives, because keys have them.
	Reserved []string
	// Leeway is the difference of clocks that is forgiven, up to five minutes.
	Leeway time.Duration
}

// Tokens judges bearer tokens. It is immutable apart from the issuer's keys, and
// safe for concurrent use.
type Tokens struct {
	opts   TokenOptions
	keys   *keySource
	parser *jwt.Parser
	// needed holds the scopes of the operations that need more than all do.
	needed map[string][]string
	// resource and metadata are fixed addresses, nil and "" where they follow
	// the request.
	resource *url.URL
	metadata string
}

// maxToken bounds a token, in bytes.
const maxToken = 16 << 10

// defaultAlgorithms are what issuers sign access tokens with.
func defaultAlgorithms() []string { return []string{"RS256", "PS256", "ES256", "EdDSA"} }

// knownAlgorithms are those of RFC 7518 and RFC 8037 whose keys can be public.
func knownAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// Tokens returns the judge of an issuer's tokens. Judges of one issuer share its
// keys. Nothing is fetched yet.
func (s *Issuers) Tokens(o TokenOptions) (*Tokens, error) {
	switch {
	case o.Issuer == "":
		return nil, errors.New("tokens need an issuer, which is compared exactly")
	case o.Audience == "":
		return nil, errors.New("tokens need an audience: without one, a token for any other service of the issuer would be let in")
	case o.Leeway < 0 || o.Leeway > 5*time.Minute:
		return nil, errors.New("the leeway of tokens is between 0 and 5m")
	}
	if o.Algorithms == nil {
		o.Algorithms = defaultAlgorithms()
	}
	for _, name := range o.Algorithms {
		if !slices.Contains(knownAlgorithms(), name) {
			return nil, fmt.Errorf("the algorithm %q is none of %s; none and the HS ones have no key that may be public", name, strings.Join(knownAlgorithms(), ", "))
		}
	}
	t := &Tokens{opts: o, needed: map[string][]string{}}
	for name, scopes := range o.OperationScopes {
		all := slices.Clone(o.Scopes)
		for _, scope := range scopes {
			if !slices.Contains(all, scope) {
				all = append(all, scope)
			}
		}
		t.needed[name] = all
	}
	if err := t.checkScopes(); err != nil {
		return nil, err
	}
	if err := t.locate(); err != nil {
		return nil, err
	}
	var err error
	if t.keys, err = s.source(o.Issuer, o.JWKS); err != nil {
		return nil, err
	}
	t.parser = jwt.NewParser(
		jwt.WithValidMethods(o.Algorithms), jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(o.Leeway), jwt.WithTimeFunc(s.opts.Now), jwt.WithStrictDecoding(),
	)
	return t, nil
}

// checkScopes refuses texts that are no scopes (RFC 6749 section 3.3): they stand
// in quotes in challenges.
func (t *Tokens) checkScopes() error {
	check := func(scopes []string) error {
		for _, s := range scopes {
			bad := s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
			if bad {
				return fmt.Errorf("%q is no scope: it has spaces, quotes or no letters", s)
			}
		}
		return nil
	}
	if err := check(t.opts.Scopes); err != nil {
		return err
	}
	for _, scopes := range t.needed {
		if err := check(scopes); err != nil {
			return err
		}
	}
	return nil
}

// Issuer returns the authorization server.
func (t *Tokens) Issuer() string { return t.opts.Issuer }

// Needed returns the scopes that a call of an operation takes.
func (t *Tokens) Needed(operation string) []string {
	if scopes, ok := t.needed[operation]; ok {
		return scopes
	}
	return t.opts.Scopes
}

// Prepare fetches the issuer's keys ahead of the first token. An error is what
// callers would be told, too; the next token tries again.
func (t *Tokens) Prepare(ctx context.Context) error { return t.keys.prepare(ctx) }

// Tokens returns the judge of bearer tokens, or nil.
func (v *Verifier) Tokens() *Tokens {
	if v == nil {
		return nil
	}
	return v.tokens
}

// verifyToken judges the bearer token of a request.
func (v *Verifier) verifyToken(r *http.Request) (*Caller, *Refusal) {
	t := v.tokens
	raw, shown := authorization(r, "Bearer")
	switch {
	case !shown && len(r.Header["Authorization"]) > 1:
		return nil, v.refuseToken(r, fault.Unauthenticated, "the request has more than one Authorization header", "invalid_request", t.opts.Scopes)
	case !shown:
		// Without a token there is no error to report (RFC 6750 section 3.1).
		return nil, v.refuseToken(r, fault.Unauthenticated, "this adapter wants credentials", "", t.opts.Scopes)
	case len(raw) > maxToken:
		return nil, v.refuseToken(r, fault.Unauthenticated, fmt.Sprintf("the token is longer than %d bytes", maxToken), "invalid_token", t.opts.Scopes)
	}
	c := claims{}
	_, err := t.parser.ParseWithClaims(raw, &c, func(token *jwt.Token) (any, error) { return t.key(r.Context(), token) })
	if err == nil {
		err = c.confirm(r.TLS)
	}
	name := ""
	if err == nil {
		name, err = t.callerName(&c)
	}
	if err != nil {
		return nil, v.badToken(r, err)
	}
	caller := &Caller{Name: name, scoped: true, scopes: t.expand(c.scopes()), metadata: t.metadataURL(r)}
	if !caller.holds(t.opts.Scopes) {
		return nil, v.insufficient(caller, t.opts.Scopes)
	}
	return caller, nil
}

// key finds the key for a token whose algorithm is one of ours.
func (t *Tokens) key(ctx context.Context, token *jwt.Token) (crypto.PublicKey, error) {
	if _, has := token.Header["crit"]; has {
		// Whoever does not know an extension that is critical has to refuse
		// (RFC 7515 section 4.1.11); none is known here.
		return nil, tokenError("the token has critical extensions")
	}
	if typ, _ := token.Header["typ"].(string); !isAccessToken(typ) {
		return nil, tokenError("the token is of another type than an access token")
	}
	kid, _ := token.Header["kid"].(string)
	return t.keys.key(ctx, kid, token.Method.Alg())
}

// isAccessToken reports whether typ may stand in the header of an access token
// (RFC 9068 section 2.1, RFC 8725 section 3.11): many issuers say JWT or nothing.
func isAccessToken(typ string) bool {
	typ = strings.ToLower(typ)
	return typ == "" || strings.TrimPrefix(typ, "application/") == "at+jwt" || strings.TrimPrefix(typ, "application/") == "jwt"
}

// callerName is the claim that names the caller.
func (t *Tokens) callerName(c *claims) (string, error) {
	claim := t.opts.Caller
	if claim == "" {
		claim = "sub"
	}
	name := c.text(claim)
	switch {
	case !isCallerName(name):
		return "", tokenError("the token has no usable claim " + claim + ", which names the caller")
	case slices.Contains(t.opts.Reserved, name):
		return "", tokenError("the token names its caller as a key is named")
	}
	return name, nil
}

// expand adds what is included in scopes.
func (t *Tokens) expand(scopes []string) []string {
	for i := 0; i < len(scopes) && len(t.opts.Includes) > 0; i++ {
		for _, more := range t.opts.Includes[scopes[i]] {
			if !slices.Contains(scopes, more) {
				scopes = append(scopes, more)
			}
		}
	}
	return scopes
}

// Permit returns why a caller may not use an operation, or nil. Only tokens have
// scopes: a key or a certificate opens everything.
func (v *Verifier) Permit(c *Caller, operation string) *Refusal {
	if v == nil || v.tokens == nil || c == nil || !c.scoped {
		return nil
	}
	if needed := v.tokens.Needed(operation); !c.holds(needed) {
		return v.insufficient(c, needed)
	}
	return nil
}

// tokenError is what is wrong with a token, in words for its owner.
type tokenError string

func (e tokenError) Error() string { return string(e) }

// badToken tells what is wrong with a token, and tells apart what nobody can know
// while the issuer's keys cannot be had.
func (v *Verifier) badToken(r *http.Request, err error) *Refusal {
	if missing, ok := errors.AsType[*unavailableError](err); ok {
		f := fault.New(fault.Unready, "the token cannot be checked: the keys of its issuer cannot be had")
		f.Hint = "try again later; the operator finds the reason in the log"
		f.RetryAfter, f.Cause = missing.retry, missing.cause
		return &Refusal{Fault: f}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Refusal{Fault: &fault.Fault{Kind: fault.Canceled, Message: "the caller went away while its token was checked", Cause: err}}
	}
	text := "the token is not valid"
	own, isOwn := errors.AsType[tokenError](err)
	switch {
	case isOwn:
		text = own.Error()
	case errors.Is(err, jwt.ErrTokenExpired):
		text = "the token has expired"
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		text = "the token is not valid yet"
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		text = "the token is for another audience"
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		text = "the token is of another issuer"
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		text = "the token has no expiry, issuer or audience"
	case errors.Is(err, jwt.ErrTokenMalformed):
		text = "the token is not a signed JWT"
	}
	return v.refuseToken(r, fault.Unauthenticated, text, "invalid_token", v.tokens.opts.Scopes)
}

func (v *Verifier) refuseToken(r *http.Request, kind fault.Kind, text, code string, scopes []string) *Refusal {
	return v.refusal(kind, text, code, scopes, v.tokens.metadataURL(r))
}

// insufficient names all scopes that the operation takes, so that a client can
// ask for them at once (RFC 6750 section 3.1).
func (v *Verifier) insufficient(c *Caller, needed []string) *Refusal {
	out := v.refusal(fault.Forbidden, "the token lacks a scope; this takes "+strings.Join(needed, " "), "insufficient_scope", needed, c.metadata)
	out.Challenges = out.Challenges[:1]
	return out
}

// refusal writes the challenge of RFC 6750 section 3, with the address of the
// metadata that RFC 9728 section 5.1 adds. No text in it has quotes.
func (v *Verifier) refusal(kind fault.Kind, text, code string, scopes []string, metadata string) *Refusal {
	var b strings.Builder
	b.WriteString(`Bearer realm="patchbay"`)
	parameter := func(name, value string) {
		if value != "" {
			b.WriteString(", " + name + `="` + value + `"`)
		}
	}
	parameter("error", code)
	if code != "" {
		parameter("error_description", text)
	}
	parameter("scope", strings.Join(scopes, " "))
	parameter("resource_metadata", metadata)
	f := &fault.Fault{Kind: kind, Message: text}
	return &Refusal{Fault: f, Challenges: append([]string{b.String()}, v.challenges...)}
}
