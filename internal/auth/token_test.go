package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"patchbay/internal/fault"
	"patchbay/internal/secret"
)

// raw makes a token of texts, signed by a function of what is signed.
func raw(header, payload string, signature func(signed string) []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	return signed + "." + b64(signature(signed))
}

// TestTokens: what is let in, and every forgery that is known of.
func TestTokens(t *testing.T) {
	s := newIssuer(t)
	rsa1, rsa2 := rsaKey(t, 2048), rsaKey(t, 2048)
	p256, p384 := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384())
	ed := ed25519.NewKeyFromSeed(make([]byte, 32))
	s.publish("rsa", rsa1)
	s.publish("p256", p256)
	s.publish("p384", p384)
	s.publish("ed", ed)
	v := s.tokens(t, nil)
	lenient := s.tokens(t, func(o *TokenOptions) { o.Leeway, o.Algorithms = time.Minute, []string{"RS256", "ES384", "RS512"} })
	now := s.clock().Unix()
	rs := func(claims map[string]any) string {
		return sign(t, jwt.SigningMethodRS256, rsa1, map[string]any{"kid": "rsa"}, s.claimsNow(claims))
	}
	header := func(changes map[string]any) string {
		if _, ok := changes["kid"]; !ok {
			changes["kid"] = "rsa"
		}
		return sign(t, jwt.SigningMethodRS256, rsa1, changes, s.claimsNow(nil))
	}
	public, err := x509.MarshalPKIXPublicKey(rsa1.Public())
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	withHMAC := func(alg string, key []byte) string {
		payload, _ := json.Marshal(s.claimsNow(nil))
		return raw(`{"alg":"`+alg+`","typ":"JWT","kid":"rsa"}`, string(payload), func(signed string) []byte {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(signed))
			return mac.Sum(nil)
		})
	}
	payload, _ := json.Marshal(s.claimsNow(nil))
	unsigned := func(header string) string {
		return raw(header, string(payload), func(string) []byte { return nil })
	}
	good := rs(nil)
	parts := strings.Split(good, ".")
	elevated, _ := json.Marshal(s.claimsNow(map[string]any{"sub": "root"}))
	// Two spellings of one claim: the first is the issuer's, the second a user's.
	twice := func(payload string) string {
		return raw(`{"alg":"RS256","kid":"rsa"}`, payload, func(signed string) []byte {
			out, err := jwt.SigningMethodRS256.Sign(signed, rsa1)
			if err != nil {
				t.Fatal(err)
			}
			return out
		})
	}
	body := strings.TrimSuffix(string(payload), "}")
	for _, tt := range []struct {
		name, token string
		verifier    *Verifier
		want        string
	}{
		{"RS256", good, v, "ada"},
		{"PS256", sign(t, jwt.SigningMethodPS256, rsa1, map[string]any{"kid": "rsa"}, s.claimsNow(nil)), v, "ada"},
		{"ES256", sign(t, jwt.SigningMethodES256, p256, map[string]any{"kid": "p256"}, s.claimsNow(nil)), v, "ada"},
		{"EdDSA", sign(t, jwt.SigningMethodEdDSA, ed, map[string]any{"kid": "ed"}, s.claimsNow(nil)), v, "ada"},
		{"of several audiences", rs(map[string]any{"aud": []string{"https://other.example", audience}}), v, "ada"},
		{"at+jwt", header(map[string]any{"typ": "at+jwt"}), v, "ada"},
		{"application/AT+JWT", header(map[string]any{"typ": "application/AT+JWT"}), v, "ada"},
		{"without type", header(map[string]any{"typ": nil}), v, "ada"},
		{"without kid, one key fits", sign(t, jwt.SigningMethodRS256, rsa1, nil, s.claimsNow(nil)), v, "ada"},
		{"expired within the leeway", rs(map[string]any{"exp": now - 30}), lenient, "ada"},
		{"a fraction of a second", rs(map[string]any{"exp": float64(now) + 0.5}), v, "ada"},

		{"nothing", "", v, "-unauthenticated"},
		{"no token", "hello", v, "-unauthenticated"},
		{"two dots", "..", v, "-unauthenticated"},
		{"five parts, as of JWE", good + ".x.y", v, "-unauthenticated"},
		{"spaces around", " " + good + " ", v, "-unauthenticated"},
		{"a line break in it", strings.Replace(good, ".", "\n.", 1), v, "-unauthenticated"},
		{"padding", parts[0] + "." + parts[1] + "." + parts[2] + "=", v, "-unauthenticated"},
		{"huge", good + strings.Repeat("A", maxToken), v, "-unauthenticated"},
		{"many dots", strings.Repeat(".", maxToken), v, "-unauthenticated"},
		{"alg none", unsigned(`{"alg":"none","kid":"rsa"}`), v, "-unauthenticated"},
		{"alg None", unsigned(`{"alg":"NoNe","kid":"rsa"}`), v, "-unauthenticated"},
		{"no alg", unsigned(`{"kid":"rsa"}`), v, "-unauthenticated"},
		{"alg that is a number", unsigned(`{"alg":1,"kid":"rsa"}`), v, "-unauthenticated"},
		{"HMAC with the public key in PEM", withHMAC("HS256", publicPEM), v, "-unauthenticated"},
		{"HMAC with the public key in DER", withHMAC("HS256", public), v, "-unauthenticated"},
		{"HMAC with the modulus", withHMAC("HS256", rsa1.N.Bytes()), v, "-unauthenticated"},
		{"HMAC with nothing", withHMAC("HS256", nil), v, "-unauthenticated"},
		{"HMAC that calls itself RS256", withHMAC("RS256", publicPEM), v, "-unauthenticated"},
		{"an algorithm that is not pinned", sign(t, jwt.SigningMethodRS512, rsa1, map[string]any{"kid": "rsa"}, s.claimsNow(nil)), v, "-unauthenticated"},
		{"an algorithm that is pinned elsewhere", sign(t, jwt.SigningMethodPS256, rsa1, map[string]any{"kid": "rsa"}, s.claimsNow(nil)), lenient, "-unauthenticated"},
		{"the algorithm of another curve", sign(t, jwt.SigningMethodES256, p256, map[string]any{"kid": "p384"}, s.claimsNow(nil)), v, "-unauthenticated"},
		{"a key of another type", header(map[string]any{"kid": "p256"}), v, "-unauthenticated"},
		{"another key under the name", sign(t, jwt.SigningMethodRS256, rsa2, map[string]any{"kid": "rsa"}, s.claimsNow(nil)), v, "-unauthenticated"},
		{"the name of no key", header(map[string]any{"kid": "../../dev/null"}), v, "-unauthenticated"},
		{"a name that is no text", header(map[string]any{"kid": 7}), v, "ada"},
		{"a key in the header", sign(t, jwt.SigningMethodRS256, rsa2, map[string]any{"jwk": jwkOf("rsa", rsa2.Public())}, s.claimsNow(nil)), v, "-unauthenticated"},
		{"the address of keys in the header", sign(t, jwt.SigningMethodRS256, rsa2, map[string]any{"kid": "mine", "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/"}, s.claimsNow(nil)), v, "-unauthenticated"},
		{"critical extensions", header(map[string]any{"crit": []string{"b64"}, "b64": false}), v, "-unauthenticated"},
		{"an ID token of logout", header(map[string]any{"typ": "logout+jwt"}), v, "-unauthenticated"},
		{"changed claims", parts[0] + "." + base64.RawURLEncoding.EncodeToString(elevated) + "." + parts[2], v, "-unauthenticated"},
		{"no signature", parts[0] + "." + parts[1] + ".", v, "-unauthenticated"},
		{"half a signature", good[:len(good)-40], v, "-unauthenticated"},
		{"an empty ECDSA signature (CVE-2022-21449)", raw(`{"alg":"ES256","kid":"p256"}`, string(payload), func(string) []byte { return make([]byte, 64) }), v, "-unauthenticated"},
		{"another issuer", rs(map[string]any{"iss": "https://evil.example"}), v, "-unauthenticated"},
		{"an issuer with a slash more", rs(map[string]any{"iss": s.URL + "/"}), v, "-unauthenticated"},
		{"no issuer", rs(map[string]any{"iss": nil}), v, "-unauthenticated"},
		{"another audience", rs(map[string]any{"aud": "https://gateway.example"}), v, "-unauthenticated"},
		{"an audience that begins alike", rs(map[string]any{"aud": audience + ".evil.example"}), v, "-unauthenticated"},
		{"no audience", rs(map[string]any{"aud": nil}), v, "-unauthenticated"},
		{"audiences that are none", rs(map[string]any{"aud": []any{1, nil}}), v, "-unauthenticated"},
		{"expired", rs(map[string]any{"exp": now - 1}), v, "-unauthenticated"},
		{"expired beyond the leeway", rs(map[string]any{"exp": now - 61}), lenient, "-unauthenticated"},
		{"no expiry", rs(map[string]any{"exp": nil}), v, "-unauthenticated"},
		{"an expiry that is a text", rs(map[string]any{"exp": "never"}), v, "-unauthenticated"},
		{"an expiry beyond all bounds", twice(strings.Replace(string(payload), `"exp":`, `"exp":1e999,"old":`, 1)), v, "-unauthenticated"},
		{"an expiry of null", twice(strings.Replace(string(payload), `"exp":`, `"exp":null,"old":`, 1)), v, "-unauthenticated"},
		{"not yet", rs(map[string]any{"nbf": now + 60}), v, "-unauthenticated"},
		{"issued tomorrow", rs(map[string]any{"iat": now + 86400}), v, "-unauthenticated"},
		{"a claim twice", twice(body + `,"sub":"root"}`), v, "-unauthenticated"},
		{"a claim in another case", twice(body + `,"SUB":"root","Aud":"x"}`), v, "ada"},
		{"claims that are a list", twice(`[]`), v, "-unauthenticated"},
		{"deep claims", twice(body + `,"x":` + strings.Repeat("[", 3000) + strings.Repeat("]", 3000) + "}"), v, "-unauthenticated"},
		{"no subject", rs(map[string]any{"sub": nil}), v, "-unauthenticated"},
		{"an empty subject", rs(map[string]any{"sub": ""}), v, "-unauthenticated"},
		{"a subject of several lines", rs(map[string]any{"sub": "ada\nlevel=ERROR"}), v, "-unauthenticated"},
		{"a long subject", rs(map[string]any{"sub": strings.Repeat("a", 300)}), v, "-unauthenticated"},
		{"bound to a key", rs(map[string]any{"cnf": map[string]any{"jkt": "x"}}), v, "-unauthenticated"},
		{"bound to a certificate that is not shown", rs(map[string]any{"cnf": map[string]any{"x5t#S256": "x"}}), v, "-unauthenticated"},
		{"bound to what is not read", rs(map[string]any{"cnf": "x"}), v, "-unauthenticated"},
	} {
		caller, refused := ask(tt.verifier, tt.token)
		got := caller.CallerName()
		if refused != nil {
			got = "-" + refused.Fault.Kind.String()
			for _, c := range refused.Challenges {
				if strings.ContainsAny(c, "\r\n") || tt.token != "" && len(tt.token) > 20 && strings.Contains(c, tt.token[:20]) {
					t.Errorf("%s: the challenge is %q", tt.name, c)
				}
			}
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s (%+v)", tt.name, got, tt.want, refused)
		}
	}
	if n := s.count("/keys"); n != 2 {
		t.Errorf("two judges and all these tokens made %d fetches", n)
	}
}

// TestTokenPlaces: a token is shown in the only Authorization header.
func TestTokenPlaces(t *testing.T) {
	s := newIssuer(t)
	key := ecKey(t, elliptic.P256())
	s.publish("k", key)
	v := s.tokens(t, nil)
	token := sign(t, jwt.SigningMethodES256, key, map[string]any{"kid": "k"}, s.claimsNow(nil))
	for _, tt := range []struct {
		name, target string
		headers      []string
		want         string // error in the challenge, "in" where it is let in
	}{
		{"as it should be", "/mcp", []string{"Bearer " + token}, "in"},
		{"in lower case", "/mcp", []string{"bearer " + token}, "in"},
		{"in the query", "/mcp?access_token=" + token, nil, ""},
		{"in the query and the header", "/mcp?access_token=" + token, []string{"Bearer x"}, "invalid_token"},
		{"twice", "/mcp", []string{"Bearer " + token, "Bearer " + token}, "invalid_request"},
		{"after another scheme", "/mcp", []string{"Basic x", "Bearer " + token}, "invalid_request"},
		{"in a list", "/mcp", []string{"Basic x, Bearer " + token}, ""},
		{"as basic", "/mcp", []string{"Basic " + token}, ""},
		{"nowhere", "/mcp", nil, ""},
	} {
		r := httptest.NewRequest("POST", tt.target, nil)
		r.Header["Authorization"] = tt.headers
		_, refused := v.Verify(r)
		got := "in"
		if refused != nil {
			got = ""
			if _, after, ok := strings.Cut(refused.Challenges[0], ` error="`); ok {
				got, _, _ = strings.Cut(after, `"`)
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestScopes: what every call needs is looked at first, what an operation needs
// when it is called, and what a client is told is all that the operation takes.
func TestScopes(t *testing.T) {
	s := newIssuer(t)
	key := ecKey(t, elliptic.P256())
	s.publish("k", key)
	v := s.tokens(t, func(o *TokenOptions) {
		o.Scopes = []string{"flex"}
		o.OperationScopes = map[string][]string{"create": {"flex:write", "flex"}, "close": {"flex:admin"}}
		o.Includes = map[string][]string{"flex:admin": {"flex:write"}, "flex:write": {"flex"}}
	})
	for _, tt := range []struct {
		name, operation string
		claims          map[string]any
		want            string // the scopes of the challenge, "in" where it is let in
	}{
		{"enough", "list", map[string]any{"scope": "openid flex"}, "in"},
		{"as a list", "list", map[string]any{"scope": []string{"openid", "flex"}}, "in"},
		{"as scp", "list", map[string]any{"scp": []string{"flex"}}, "in"},
		{"as scp in one text", "list", map[string]any{"scp": "openid flex"}, "in"},
		{"scope before scp", "list", map[string]any{"scope": "openid", "scp": "flex"}, "flex"},
		{"none", "list", nil, "flex"},
		{"another", "list", map[string]any{"scope": "flexible"}, "flex"},
		{"in another case", "list", map[string]any{"scope": "FLEX"}, "flex"},
		{"not for this", "create", map[string]any{"scope": "flex"}, "flex flex:write"},
		{"for this", "create", map[string]any{"scope": "flex flex:write"}, "in"},
		{"by a broader one", "create", map[string]any{"scope": "flex:admin"}, "in"},
		{"by a broader one of the second degree", "list", map[string]any{"scope": "flex:admin"}, "in"},
		{"not by a narrower one", "close", map[string]any{"scope": "flex:write"}, "flex flex:admin"},
	} {
		caller, refused := ask(v, sign(t, jwt.SigningMethodES256, key, map[string]any{"kid": "k"}, s.claimsNow(tt.claims)))
		if refused == nil {
			refused = v.Permit(caller, tt.operation)
		}
		if refused == nil {
			if tt.want != "in" {
				t.Errorf("%s: let in", tt.name)
			}
			continue
		}
		want := `Bearer realm="patchbay", error="insufficient_scope", error_description="the token lacks a scope; this takes ` + tt.want + `", scope="` + tt.want +
			`", resource_metadata="https://gateway.example/.well-known/oauth-protected-resource/mcp"`
		if refused.Fault.Kind != fault.Forbidden || !slices.Equal(refused.Challenges, []string{want}) {
			t.Errorf("%s: %s\n%q\nwant\n%q", tt.name, refused.Fault, refused.Challenges, want)
		}
	}
	if v.Permit(&Caller{Name: "a key"}, "close") != nil || v.Permit(nil, "close") != nil {
		t.Error("who shows no token needs scopes")
	}
}

// TestChallenge: without a token there is no error; the challenge says where to
// get one. Keys beside tokens have a challenge of their own.
func TestChallenge(t *testing.T) {
	s := newIssuer(t)
	tokens, err := s.issuers(t).Tokens(TokenOptions{Issuer: s.URL, Audience: "api://gateway", Scopes: []string{"a", "b"}, Reserved: []string{"cron"}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier(Options{Tokens: tokens, Keys: []Key{{Caller: "cron", Scheme: SchemeAPIKey, Name: "X-Key", Secret: secret.New("k")}, key("ci", SchemeBearer, "opaque")}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "http://gw.example:9090/mcp", nil)
	_, refused := v.Verify(r)
	want := []string{`Bearer realm="patchbay", scope="a b", resource_metadata="http://gw.example:9090/.well-known/oauth-protected-resource"`, `ApiKey realm="patchbay"`}
	if !slices.Equal(refused.Challenges, want) {
		t.Errorf("%q", refused.Challenges)
	}
	r.Header.Set("Authorization", "Bearer opaque")
	if c, refused := v.Verify(r); refused != nil || c.Name != "ci" {
		t.Errorf("a key that is a bearer: %v %v", c, refused)
	}
	// A token that calls its owner as a key is called does not get the key's credentials.
	k := ecKey(t, elliptic.P256())
	s.publish("k", k)
	for name, want := range map[string]string{"cron": "-unauthenticated", "Cron": "Cron"} {
		token := sign(t, jwt.SigningMethodES256, k, nil, s.claimsNow(map[string]any{"aud": "api://gateway", "scope": "a b", "sub": name}))
		if got := asked(v, token); got != want {
			t.Errorf("the subject %s: %s", name, got)
		}
	}
}

func TestMetadata(t *testing.T) {
	s := newIssuer(t)
	for _, tt := range []struct {
		change func(*TokenOptions)
		secure bool
		want   map[string]any
		at     string
	}{
		{
			func(o *TokenOptions) { o.Scopes, o.OperationScopes = []string{"a"}, map[string][]string{"x": {"b"}} }, false,
			map[string]any{"resource": audience, "scopes_supported": []any{"a"}},
			"https://gateway.example/.well-known/oauth-protected-resource/mcp",
		},
		{func(o *TokenOptions) { o.Audience = "https://gateway.example/" }, false, map[string]any{"resource": "https://gateway.example/"}, "https://gateway.example/.well-known/oauth-protected-resource"},
		{func(o *TokenOptions) { o.Audience = "api://gw" }, true, map[string]any{"resource": "https://gw.example"}, "https://gw.example/.well-known/oauth-protected-resource"},
		{func(o *TokenOptions) { o.Audience, o.Resource = "api://gw", "https://known.example/x" }, true, map[string]any{"resource": "https://known.example/x"}, "https://known.example/.well-known/oauth-protected-resource/x"},
	} {
		v := s.tokens(t, tt.change)
		r := httptest.NewRequest("GET", "http://gw.example/mcp", nil)
		if tt.secure {
			r.TLS = &tls.ConnectionState{}
		}
		var got map[string]any
		if err := json.Unmarshal(v.tokens.Metadata(r), &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range tt.want {
			if text, _ := json.Marshal(want); string(text) != marshalled(got[name]) {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
		if marshalled(got["authorization_servers"]) != `["`+s.URL+`"]` || marshalled(got["bearer_methods_supported"]) != `["header"]` {
			t.Errorf("got %v", got)
		}
		if at := v.tokens.metadataURL(r); at != tt.at {
			t.Errorf("the metadata is at %s", at)
		}
	}
}

func marshalled(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func TestTokensRefuse(t *testing.T) {
	issuers := NewIssuers(IssuerOptions{Plain: func(host string) bool { return host == "localhost" }})
	defer issuers.Close()
	for _, tt := range []struct {
		name   string
		change func(*TokenOptions)
		says   string
	}{
		{"good", func(*TokenOptions) {}, ""},
		{"an issuer on this machine", func(o *TokenOptions) { o.Issuer = "http://localhost:8000" }, ""},
		{"keys of their own", func(o *TokenOptions) { o.Issuer, o.JWKS = "the issuer", "https://issuer.example/keys" }, ""},
		{"no issuer", func(o *TokenOptions) { o.Issuer = "" }, "need an issuer"},
		{"no audience", func(o *TokenOptions) { o.Audience = "" }, "need an audience"},
		{"http", func(o *TokenOptions) { o.Issuer = "http://issuer.example" }, "over https only"},
		{"keys over http", func(o *TokenOptions) { o.JWKS = "http://issuer.example/keys" }, "over https only"},
		{"an issuer that is no address", func(o *TokenOptions) { o.Issuer = "issuer" }, "not an https address"},
		{"none", func(o *TokenOptions) { o.Algorithms = []string{"RS256", "none"} }, `"none" is none of`},
		{"HMAC", func(o *TokenOptions) { o.Algorithms = []string{"HS256"} }, `"HS256" is none of`},
		{"a scope with a space", func(o *TokenOptions) { o.Scopes = []string{"a b"} }, "is no scope"},
		{"a scope with a quote", func(o *TokenOptions) { o.OperationScopes = map[string][]string{"x": {`a"`}} }, "is no scope"},
		{"much leeway", func(o *TokenOptions) { o.Leeway = time.Hour }, "leeway"},
		{"a resource that is no address", func(o *TokenOptions) { o.Resource = "gateway" }, "not an address"},
		{"a resource with a fragment", func(o *TokenOptions) { o.Resource = "https://gw.example/#x" }, "not an address"},
	} {
		o := TokenOptions{Issuer: "https://issuer.example", Audience: audience}
		tt.change(&o)
		_, err := issuers.Tokens(o)
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestCertificates: a certificate that the listener has verified names its owner,
// and unlocks tokens that are bound to it.
func TestCertificates(t *testing.T) {
	v, err := NewVerifier(Options{Certificates: true})
	if err != nil {
		t.Fatal(err)
	}
	spiffe, _ := url.Parse("spiffe://example.org/billing")
	for _, tt := range []struct {
		template x509.Certificate
		verified bool
		want     string
	}{
		{x509.Certificate{Subject: pkix.Name{CommonName: "billing"}, DNSNames: []string{"other"}}, true, "billing"},
		{x509.Certificate{URIs: []*url.URL{spiffe}, DNSNames: []string{"other"}}, true, "spiffe://example.org/billing"},
		{x509.Certificate{DNSNames: []string{"billing.example"}}, true, "billing.example"},
		{x509.Certificate{EmailAddresses: []string{"a@example.org"}}, true, "a@example.org"},
		{x509.Certificate{}, true, ""},
		{x509.Certificate{Subject: pkix.Name{CommonName: "billing\nroot"}}, true, ""},
		{x509.Certificate{Subject: pkix.Name{CommonName: "billing"}}, false, ""},
	} {
		tt.template.SerialNumber = big.NewInt(1)
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{&tt.template}}
		if tt.verified {
			r.TLS.VerifiedChains = [][]*x509.Certificate{{&tt.template}}
		}
		c, refused := v.Verify(r)
		if c.CallerName() != tt.want || (refused == nil) != (tt.want != "") {
			t.Errorf("%v: %q, %v", tt.template.Subject, c.CallerName(), refused)
		}
	}
	s := newIssuer(t)
	key := ecKey(t, elliptic.P256())
	s.publish("k", key)
	mine, other := &x509.Certificate{Raw: []byte("mine")}, &x509.Certificate{Raw: []byte("other")}
	sum := sha256.Sum256(mine.Raw)
	bound := sign(t, jwt.SigningMethodES256, key, nil, s.claimsNow(map[string]any{"cnf": map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}}))
	tokens := s.tokens(t, nil)
	for shown, want := range map[*x509.Certificate]bool{mine: true, other: false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{shown}}
		r.Header.Set("Authorization", "Bearer "+bound)
		if _, refused := tokens.Verify(r); (refused == nil) != want {
			t.Errorf("with the certificate %s: %v", shown.Raw, refused)
		}
	}
}

// FuzzToken: no text that is not signed by the issuer is let in, and none makes
// anything panic.
func FuzzToken(f *testing.F) {
	s := newIssuer(f)
	k := ecKey(f, elliptic.P256())
	s.publish("k", k)
	issuers := s.issuers(f)
	tokens, err := issuers.Tokens(TokenOptions{Issuer: s.URL, Audience: audience})
	if err != nil {
		f.Fatal(err)
	}
	v, err := NewVerifier(Options{Tokens: tokens})
	if err != nil {
		f.Fatal(err)
	}
	var signer crypto.Signer = k
	good := sign(f, jwt.SigningMethodES256, signer, map[string]any{"kid": "k"}, s.claimsNow(nil))
	f.Add("a.b.c")
	f.Add(good[:len(good)-1])
	f.Add(strings.Replace(good, "ey", "eY", 1))
	f.Add(raw(`{"alg":"none"}`, `{}`, func(string) []byte { return nil }))
	f.Fuzz(func(t *testing.T, token string) {
		if caller, refused := ask(v, token); refused == nil && token != good {
			t.Errorf("%q is %s", token, caller.Name)
		}
	})
}

// BenchmarkToken is what a token costs: nearly all of it is the signature.
func BenchmarkToken(b *testing.B) {
	s := newIssuer(b)
	k, r := ecKey(b, elliptic.P256()), rsaKey(b, 2048)
	s.publish("ec", k)
	s.publish("rsa", r)
	v := s.tokens(b, nil)
	for name, token := range map[string]string{
		"ES256": sign(b, jwt.SigningMethodES256, k, map[string]any{"kid": "ec"}, s.claimsNow(nil)),
		"RS256": sign(b, jwt.SigningMethodRS256, r, map[string]any{"kid": "rsa"}, s.claimsNow(nil)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := asked(v, token); got != "ada" {
					b.Fatal(got)
				}
			}
		})
	}
}
