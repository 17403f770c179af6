package attack

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"patchbay/internal/deploy"
)

// TestRebinding: a web page has made its own host name resolve to this machine,
// so that its browser takes the listener for the page's own server. The browser
// says the name in Host, and no listener answers to it, nor to what resembles one
// of its own names.
func TestRebinding(t *testing.T) {
	s := serve(t, setting{capability: loose, options: withIssuer})
	for name, host := range s.listeners() {
		_, port, err := net.SplitHostPort(host)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			host    string
			refused bool
		}{
			{host, false},
			{"localhost:" + port, false},
			{"LOCALHOST.:" + port, false},
			{"[::1]:" + port, false},
			{"evil.example:" + port, true},
			{"evil.example", true},
			{"127.0.0.1.evil.example:" + port, true},
			{"127.0.0.1.nip.io:" + port, true},
			{"localhost.evil.example", true},
			{"evil.localhost:" + port, true},
			{"127.0.0.1@evil.example", true},
			{"evil.example@127.0.0.1", true},
			{"127.1:" + port, true},
			{"2130706433:" + port, true},
			{"0.0.0.0:" + port, true},
			{"[::ffff:127.0.0.1]:" + port, true},
			{"[::]:" + port, true},
			{"", true},
		} {
			for _, ask := range []string{"GET /items/a/b", "POST /mcp", "GET /health/live", "POST /reload", "GET /.well-known/oauth-protected-resource", "GET /.patchbay/", "GET /metrics"} {
				a := s.one(host, request(host, ask+"\nHost: "+row.host, ""))
				refused := a.status == http.StatusForbidden && strings.Contains(a.body, "host name") || a.status == http.StatusBadRequest
				if refused != row.refused {
					t.Errorf("%s: %s for %q: %d %s", name, ask, row.host, a.status, a.body)
				}
				if came := s.upstream.lines(); row.refused && came != nil {
					t.Errorf("%s: the upstream got %q", name, came)
				}
			}
		}
	}
}

// withIssuer lets the MCP adapter take tokens, so that its listener serves the
// metadata of an OAuth resource. Nobody asks the issuer: no token is shown.
func withIssuer(o *deploy.Options) {
	o.AdapterSettings = map[string]deploy.Adapter{"loose-mcp": {Auth: &deploy.Auth{JWT: &deploy.JWT{Issuer: "https://issuer.example", Audience: "https://gateway.example/mcp", JWKS: "https://issuer.example/jwks"}}}}
}

// TestForeignPages: a web page of somebody else makes its browser call a
// listener: by a script, a form or a link. Whatever the browser says of itself,
// nothing is called, and no header lets the page read the answer.
func TestForeignPages(t *testing.T) {
	s := serve(t, setting{capability: loose})
	for name, host := range s.listeners() {
		for _, says := range []string{
			"Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1", "Origin: http://localhost:1", "Origin: https://" + host + ".evil.example", "Origin: http://" + host + "\nOrigin: https://evil.example\nSec-Fetch-Site: cross-site",
			"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: image", "Origin: https://evil.example\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: content-type",
		} {
			for _, ask := range []string{"GET /items/a/b", "POST /items/a/b", "OPTIONS /items/a/b", "POST /mcp", "OPTIONS /mcp", "POST /reload", "GET /status", "GET /metrics"} {
				body := ""
				if strings.HasPrefix(ask, "POST") {
					body = callMessage(legacyRevision, "read", `{"id":"a","part":"b"}`, "")
				}
				a := s.one(host, request(host, ask+"\nContent-Type: text/plain\n"+says, body))
				if a.status != http.StatusForbidden {
					t.Errorf("%s: %s with %q: %d %s", name, ask, says, a.status, a.body)
				}
				for header := range a.header {
					if strings.HasPrefix(header, "Access-Control-") {
						t.Errorf("%s: %s with %q: %s", name, ask, says, header)
					}
				}
				s.expect()
			}
		}
	}
}

// TestMetadataPath: anybody may read the metadata of an OAuth resource, from any
// page. Nothing else is at that path, or reached through it.
func TestMetadataPath(t *testing.T) {
	s := serve(t, setting{capability: loose, options: withIssuer})
	for _, row := range []struct {
		ask    string
		status int
	}{
		{"GET /.well-known/oauth-protected-resource\nOrigin: https://evil.example", 200},
		{"GET /.well-known/oauth-protected-resource/mcp\nOrigin: https://evil.example", 200},
		{"POST /.well-known/oauth-protected-resource/mcp\nOrigin: https://evil.example", 403},
		{"DELETE /.well-known/oauth-protected-resource", 405},
		{"GET /.well-known/oauth-protected-resource/../../mcp\nOrigin: https://evil.example", 200},
		{"GET /.well-known/oauth-protected-resource/..%2f..%2fmcp\nOrigin: https://evil.example", 200},
		{"GET /.well-known/oauth-protected-resource/nothing\nOrigin: https://evil.example", 200},
		{"GET /.well-known/oauth-protected-resourcex\nOrigin: https://evil.example", 403},
		{"GET /.well-known/openid-configuration\nOrigin: https://evil.example", 403},
	} {
		if a := s.one(s.mcp, request(s.mcp, row.ask, "")); a.status != row.status || a.status == 200 && !strings.HasPrefix(a.body, `{"resource":`) {
			t.Errorf("%s: %d %s", row.ask, a.status, a.body)
		}
	}
	a := s.one(s.mcp, s.toolCall(modernRevision, "read", `{"id":"a","part":"b"}`, ""))
	if a.status != http.StatusUnauthorized {
		t.Errorf("a call without a token: %d", a.status)
	}
	s.expect()
}
