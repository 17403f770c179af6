package engine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"patchbay/internal/deploy"
	"patchbay/internal/secret"
)

// authorizationServer publishes a key and signs tokens with it.
type authorizationServer struct {
	*httptest.Server
	t    testing.TB
	key  *ecdsa.PrivateKey
	down atomic.Bool
}

func newAuthorizationServer(t testing.TB) *authorizationServer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &authorizationServer{t: t, key: key}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.down.Load():
			w.WriteHeader(http.StatusBadGateway)
		case r.URL.Path == "/.well-known/oauth-authorization-server":
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": s.URL, "jwks_uri": s.URL + "/jwks"})
		case r.URL.Path == "/jwks":
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
				"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig", "x": b64(point[1:33]), "y": b64(point[33:]),
			}}})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// token signs for a subject, with changes of the claims.
func (s *authorizationServer) token(subject, scope string, changes map[string]any) string {
	s.t.Helper()
	claims := jwt.MapClaims{"iss": s.URL, "aud": "https://gateway.example/mcp", "sub": subject, "scope": scope, "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(claims, changes)
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	t.Header["kid"] = "one"
	text, err := t.SignedString(s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// withTokens guards all adapters with tokens, and a key beside them.
func withTokens(s *authorizationServer, change func(*deploy.Options, *deploy.JWT)) func(*deploy.Options) {
	return func(o *deploy.Options) {
		j := &deploy.JWT{
			Issuer: s.URL, Audience: "https://gateway.example/mcp", Scopes: []string{"flex"},
			OperationScopes: map[string][]string{"twilio-create-interaction": {"flex:write"}, "createinteraction": {"flex:write"}},
		}
		o.AdapterSettings = map[string]deploy.Adapter{"": {Auth: &deploy.Auth{JWT: j, Keys: []deploy.Key{{Name: "cron", Scheme: "bearer", Secret: secret.New("cron-secret")}}}}}
		if change != nil {
			change(o, j)
		}
	}
}

const resourceMetadata = `resource_metadata="https://gateway.example/.well-known/oauth-protected-resource/mcp"`

// TestTokensOverHTTP: a client finds out where to get a token, shows it, and is
// told what more it needs, as the authorization of MCP wants it. No token is
// logged, answered or sent on.
func TestTokensOverHTTP(t *testing.T) {
	issuer := newAuthorizationServer(t)
	own := map[string]deploy.Credential{"ada": {Username: secret.New("ACada"), Password: secret.New("a-secret")}}
	s := serve(t, settings{options: withTokens(issuer, func(o *deploy.Options, _ *deploy.JWT) { credentials(o, "flex-interactions", false, own) })})
	bearer := func(token string) string { return "Authorization: Bearer " + token + "\n" }
	var tokens []string
	token := func(subject, scope string, changes map[string]any) string {
		text := issuer.token(subject, scope, changes)
		tokens = append(tokens, text[len(text)-40:])
		return bearer(text)
	}
	create := func(headers string) map[string]*answer {
		return map[string]*answer{
			"REST": s.REST("POST /v1/interactions\nContent-Type: application/json\n" + headers + "\n" + anyBody),
			"MCP": s.send(s.mcp, "POST /mcp\nContent-Type: application/json\nMCP-Protocol-Version: "+modernRevision+"\nMcp-Method: tools/call\nMcp-Name: twilio-create-interaction\n"+headers+
				"\n"+callMessage(7, "twilio-create-interaction", `{"body":`+anyBody+`}`, ","+modernMeta)),
		}
	}
	for _, test := range []struct {
		name, header, challenge string
		status                  int
		ask                     func(string) map[string]*answer
	}{
		{"nobody", "Authorization: none\n", `Bearer realm="patchbay", scope="flex", ` + resourceMetadata, 401, nil},
		{"a good token", token("ada", "flex", nil), "", 200, nil},
		{"a key", bearer("cron-secret"), "", 200, nil},
		{"an expired token", token("ada", "flex", map[string]any{"exp": 1}), `Bearer realm="patchbay", error="invalid_token", error_description="the token has expired", scope="flex", ` + resourceMetadata, 401, nil},
		{"a token for another", token("ada", "flex", map[string]any{"aud": "https://other.example"}), `Bearer realm="patchbay", error="invalid_token", error_description="the token is for another audience", scope="flex", ` + resourceMetadata, 401, nil},
		{"a token without scope", token("ada", "openid", nil), `Bearer realm="patchbay", error="insufficient_scope", error_description="the token lacks a scope; this takes flex", scope="flex", ` + resourceMetadata, 403, nil},
		{"a token without the operation's scope", token("ada", "flex", nil), `Bearer realm="patchbay", error="insufficient_scope", error_description="the token lacks a scope; this takes flex flex:write", scope="flex flex:write", ` + resourceMetadata, 403, create},
		{"a token with it", token("ada", "flex flex:write", nil), "", 200, create},
		{"a key, which has no scopes", bearer("cron-secret"), "", 200, create},
	} {
		ask := test.ask
		if ask == nil {
			ask = func(headers string) map[string]*answer { return fetchBoth(s, headers) }
		}
		for protocol, a := range ask(test.header) {
			if a.status != test.status || a.header.Get("Www-Authenticate") != test.challenge {
				t.Errorf("%s, %s: %s", test.name, protocol, a)
			}
		}
		sent := s.upstream.take()
		if (len(sent) == 2) != (test.status == 200) {
			t.Errorf("%s: %d calls", test.name, len(sent))
		}
		for i := range sent {
			signed := "Basic <" + upstreamUser + ":" + upstreamPassword + ">"
			if strings.Contains(test.name, "token") {
				signed = "Basic <ACada:a-secret>"
			}
			if !strings.Contains(sent[i].String(), signed) || strings.Contains(sent[i].raw, "Bearer") {
				t.Errorf("%s: sent\n%s", test.name, sent[i].raw)
			}
		}
	}
	// What needs another scope is listed all the same: the refusal says how to get it.
	list := s.send(s.mcp, "POST /mcp\nContent-Type: application/json\n"+token("ada", "flex", nil)+"\n"+`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	if !strings.Contains(list.body, "twilio-create-interaction") {
		t.Errorf("the list is %s", list)
	}
	if !strings.Contains(s.log.String(), `"caller":"ada"`) || !strings.Contains(s.log.String(), `"fault":"forbidden"`) {
		t.Error("the log does not say who was refused")
	}
	for _, text := range tokens {
		if strings.Contains(s.log.String(), text) || strings.Contains(s.answers.String(), text) {
			t.Error("a token was logged or answered")
		}
	}
}

// TestResourceMetadata: the metadata is there for everybody, browsers included,
// under each address that a client makes of ours, and where tokens are taken only.
func TestResourceMetadata(t *testing.T) {
	issuer := newAuthorizationServer(t)
	s := serve(t, settings{options: withTokens(issuer, nil)})
	want := `{"resource":"https://gateway.example/mcp","authorization_servers":["` + issuer.URL + `"],"bearer_methods_supported":["header"],"scopes_supported":["flex"]}` + "\n"
	for _, path := range []string{"", "/mcp", "/mcp/flex-interactions-mcp", "/anything"} {
		for _, host := range []string{s.rest, s.mcp} {
			at := " /.well-known/oauth-protected-resource" + path
			a := s.send(host, "GET"+at+"\nOrigin: https://inspector.example\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: cors\n")
			if a.status != http.StatusOK || a.body != want || a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %s", path, a)
			}
			a = s.send(host, "OPTIONS"+at+"\nOrigin: https://inspector.example\nAccess-Control-Request-Method: GET\nAccess-Control-Request-Headers: mcp-protocol-version\n")
			if a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Headers") != "mcp-protocol-version" {
				t.Errorf("preflight: %s", a)
			}
			if a := s.send(host, "POST"+at+"\n\n{}"); a.status != http.StatusMethodNotAllowed {
				t.Errorf("POST: %s", a)
			}
			if a := s.send(host, "GET"+at+"\nHost: evil.example\n"); a.status != http.StatusForbidden {
				t.Errorf("another host: %s", a)
			}
		}
	}
	for _, near := range []string{"/.well-known/oauth-protected-resources", "/x/.well-known/oauth-protected-resource"} {
		if a := s.send(s.mcp, "GET "+near+"\n"); a.status == http.StatusOK {
			t.Errorf("%s: %s", near, a)
		}
	}
	plain := serve(t, settings{options: guardAll(nil)})
	a := plain.send(plain.mcp, "GET /.well-known/oauth-protected-resource\nOrigin: https://inspector.example\n")
	if a.status != http.StatusForbidden {
		t.Errorf("without tokens: %s", a)
	}
}

// TestIssuerIsDown: a gateway starts without its issuer, lets keys in, and says
// when to come again with a token.
func TestIssuerIsDown(t *testing.T) {
	issuer := newAuthorizationServer(t)
	issuer.down.Store(true)
	s := serve(t, settings{options: withTokens(issuer, nil)})
	header := "Authorization: Bearer " + issuer.token("ada", "flex", nil) + "\n"
	for protocol, a := range fetchBoth(s, header) {
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "the keys of its issuer cannot be had") || a.header.Get("Www-Authenticate") != "" {
			t.Errorf("%s: %s", protocol, a)
		}
	}
	for protocol, a := range fetchBoth(s, "Authorization: Bearer cron-secret\n") {
		if a.status != http.StatusOK {
			t.Errorf("%s: %s", protocol, a)
		}
	}
	if !strings.Contains(s.log.String(), "the keys of an issuer cannot be had") || !strings.Contains(s.log.String(), "answered 502") {
		t.Error("the log does not say why")
	}
}

// TestTokensDescribed: the description says where tokens come from, and which
// scopes each operation takes.
func TestTokensDescribed(t *testing.T) {
	issuer := newAuthorizationServer(t)
	s := serve(t, settings{options: withTokens(issuer, nil)})
	a := s.REST("GET /openapi.json\nAuthorization: Bearer cron-secret\n")
	var doc struct {
		Security []map[string][]string
		Paths    map[string]map[string]struct {
			OperationID string
			Security    []map[string][]string
			Responses   map[string]any
		}
		Components struct{ SecuritySchemes map[string]map[string]string }
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatal(err, a)
	}
	show := func(v any) string { text, _ := json.Marshal(v); return string(text) }
	if got := show(doc.Security); got != `[{"caller":[]},{"caller2":["flex"]}]` {
		t.Errorf("security: %s", got)
	}
	schemes := doc.Components.SecuritySchemes
	if schemes["caller"]["scheme"] != "bearer" || schemes["caller2"]["type"] != "openIdConnect" || schemes["caller2"]["openIdConnectUrl"] != issuer.URL+"/.well-known/openid-configuration" {
		t.Errorf("schemes: %s", show(schemes))
	}
	seen := 0
	for path, item := range doc.Paths {
		for method, op := range item {
			want := "null"
			if op.OperationID == "createinteraction" {
				want = `[{"caller":[]},{"caller2":["flex","flex:write"]}]`
				seen++
			}
			if got := show(op.Security); got != want {
				t.Errorf("%s %s (%s): %s", method, path, op.OperationID, got)
			}
			if op.Responses["401"] == nil || op.Responses["403"] == nil {
				t.Errorf("%s %s has no 401 and 403", method, path)
			}
		}
	}
	if seen != 1 {
		t.Errorf("%d operations with a scope of their own in %v", seen, a)
	}
}
