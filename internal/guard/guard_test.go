package guard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"patchbay/internal/fault"
)

func TestGuard(t *testing.T) {
	loopback := Options{Loopback: true}
	widened := Options{Loopback: true, Hosts: []string{"gw.internal"}, Origins: []string{"https://app.example"}}
	landing := Options{Loopback: true, Landing: []string{"/"}}
	public := Options{}
	open := Options{Loopback: true, Public: []string{"/"}}
	for _, tt := range []struct {
		name    string
		opts    Options
		method  string
		host    string
		headers string
		want    int
	}{
		{"curl", loopback, "POST", "127.0.0.1:8080", "", 200},
		{"localhost", loopback, "GET", "localhost:8080", "", 200},
		{"upper case, trailing dot", loopback, "GET", "LOCALHOST.:8080", "", 200},
		{"ipv6", loopback, "GET", "[::1]:8080", "", 200},
		{"rebinding", loopback, "GET", "evil.example:8080", "", 403},
		{"empty host", loopback, "GET", "", "", 403},
		{"own page", loopback, "POST", "localhost:8080", "Origin: http://localhost:8080\nSec-Fetch-Site: same-origin", 200},
		{"other port is another origin", loopback, "POST", "localhost:8080", "Origin: http://localhost:3000", 403},
		{"form post from a page", loopback, "POST", "localhost:8080", "Origin: https://evil.example\nSec-Fetch-Site: cross-site", 403},
		{"fetch metadata alone", loopback, "POST", "localhost:8080", "Sec-Fetch-Site: cross-site", 403},
		{"opaque origin", loopback, "POST", "localhost:8080", "Origin: null", 403},
		{"reading with a foreign origin", loopback, "GET", "localhost:8080", "Origin: https://evil.example", 403},
		{"link from a page to an operation", loopback, "GET", "localhost:8080", "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate", 403},
		{"link from a page to ours", landing, "GET", "localhost:8080", "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate", 200},
		{"image on a page", landing, "GET", "localhost:8080", "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors", 403},
		{"image on a page of another port", loopback, "GET", "localhost:8080", "Sec-Fetch-Site: same-site\nSec-Fetch-Mode: no-cors", 403},
		{"typed into the address bar", loopback, "GET", "localhost:8080", "Sec-Fetch-Site: none\nSec-Fetch-Mode: navigate", 200},
		{"public with a name, called by its address", Options{Hosts: []string{"gw.example"}}, "GET", "127.0.0.1:80", "", 200},
		{"allowed host", widened, "GET", "gw.internal", "", 200},
		{"allowed origin", widened, "POST", "localhost:8080", "Origin: https://app.example\nSec-Fetch-Site: cross-site", 200},
		{"preflight", widened, "OPTIONS", "localhost:8080", "Origin: https://app.example\nAccess-Control-Request-Method: POST", 204},
		{"what everybody may read, from a page", open, "GET", "localhost:8080", "Origin: https://evil.example\nSec-Fetch-Site: cross-site", 200},
		{"what everybody may read, preflight", open, "OPTIONS", "localhost:8080", "Origin: https://evil.example\nAccess-Control-Request-Method: GET", 204},
		{"what everybody may read, is not changed", open, "POST", "localhost:8080", "Origin: https://evil.example\nSec-Fetch-Site: cross-site", 403},
		{"what everybody may read, rebinding", open, "GET", "evil.example:8080", "", 403},
		{"preflight of another origin", widened, "OPTIONS", "localhost:8080", "Origin: https://evil.example\nAccess-Control-Request-Method: POST", 403},
		{"preflight without origin", widened, "OPTIONS", "localhost:8080", "Access-Control-Request-Method: POST", 200},
		{"public", public, "GET", "any.example", "", 200},
		{"public, foreign page", public, "POST", "any.example", "Origin: https://evil.example", 403},
	} {
		tt.opts.Refuse = func(w http.ResponseWriter, _ *http.Request, _ *fault.Fault) { w.WriteHeader(403) }
		g, err := New(tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(tt.method, "/", nil)
		r.Host = tt.host
		for line := range strings.SplitSeq(tt.headers, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.want)
		}
		if tt.name == "allowed origin" && w.Header().Get("Access-Control-Allow-Origin") != "https://app.example" {
			t.Error("an allowed origin got no CORS answer")
		}
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	for _, opts := range []Options{{Hosts: []string{"http://x"}}, {Origins: []string{"app.example"}}, {Origins: []string{"https://a/b"}}} {
		if _, err := New(opts); err == nil {
			t.Errorf("%+v was accepted", opts)
		}
	}
}

// TestCORS: an allowed origin is answered exactly, others are not, and no answer
// lets a browser add credentials by itself.
func TestCORS(t *testing.T) {
	g, err := New(Options{
		Loopback: true, Origins: []string{"https://app.example"}, Public: []string{"/.well-known/x"}, MaxAge: time.Hour,
		Refuse: func(w http.ResponseWriter, _ *http.Request, _ *fault.Fault) { w.WriteHeader(403) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, method, path, origin string
		allowed, vary, maxAge      string
	}{
		{"allowed", "POST", "/a", "https://app.example", "https://app.example", "Origin", ""},
		{"preflight", "OPTIONS", "/a", "https://app.example", "https://app.example", "Origin|Access-Control-Request-Method, Access-Control-Request-Headers", "3600"},
		{"none", "GET", "/a", "", "", "Origin", ""},
		{"the own", "GET", "/a", "http://localhost:8080", "", "Origin", ""},
		{"refused", "GET", "/a", "https://evil.example", "", "", ""},
		{"public", "GET", "/.well-known/x/mcp", "https://evil.example", "*", "", ""},
		{"beside public", "GET", "/.well-known/xy", "https://evil.example", "", "", ""},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		r.Host = "localhost:8080"
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if tt.method == "OPTIONS" {
			r.Header.Set("Access-Control-Request-Method", "POST")
		}
		w := httptest.NewRecorder()
		g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		h := w.Header()
		if h.Get("Access-Control-Allow-Origin") != tt.allowed || strings.Join(h["Vary"], "|") != tt.vary || h.Get("Access-Control-Max-Age") != tt.maxAge || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", tt.name, h)
		}
	}
}
