package guard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"patchbay/internal/fault"
)

// FuzzGuard: whatever a browser is made to say, a request that names another host
// or comes from another origin does not pass.
func FuzzGuard(f *testing.F) {
	g, err := New(Options{Loopback: true, Hosts: []string{"known.example"}, Origins: []string{"https://app.example"}, Landing: []string{"/"}, Refuse: func(w http.ResponseWriter, _ *http.Request, _ *fault.Fault) {
		w.WriteHeader(http.StatusForbidden)
	}})
	if err != nil {
		f.Fatal(err)
	}
	h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	for _, seed := range [][4]string{
		{"localhost:8080", "", "", ""}, {"known.example.", "https://app.example", "cross-site", "cors"}, {"evil.example", "null", "same-site", "navigate"}, {"[::1]:1", "http://[::1]:1", "same-origin", ""}, {"a@localhost", "https://app.example.evil.example", "none", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], true)
	}
	f.Fuzz(func(t *testing.T, host, origin, site, mode string, get bool) {
		r := httptest.NewRequest(http.MethodPost, "/items", nil)
		if get {
			r.Method = http.MethodGet
		}
		r.Host = host
		for name, value := range map[string]string{"Origin": origin, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK && (w.Code != http.StatusNoContent || get) {
			return
		}
		name := strings.ToLower(host)
		if i := strings.LastIndexByte(name, ':'); i >= 0 && (strings.Count(name, ":") == 1 || strings.HasPrefix(name, "[")) {
			name = name[:i]
		}
		switch strings.TrimSuffix(strings.Trim(name, "[]"), ".") {
		case "localhost", "127.0.0.1", "::1", "known.example", "[::1", "::1]":
		default:
			if strings.Trim(strings.ToLower(host), "[]") != "::1" {
				t.Errorf("Host %q passes", host)
			}
		}
		if _, after, ok := strings.Cut(origin, "://"); origin != "" && !strings.EqualFold(origin, "https://app.example") && (!ok || !strings.EqualFold(after, host)) {
			t.Errorf("Origin %q passes at %q", origin, host)
		}
		if origin == "" && (site == "cross-site" || site == "same-site") {
			t.Errorf("Sec-Fetch-Site %q passes", site)
		}
	})
}
