package upstream

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"patchbay/internal/auth"
	"patchbay/internal/fault"
	"patchbay/internal/secret"
)

// TestNoHTTP2: an upstream that speaks HTTP/2 is spoken to as if it did not, because
// net/http's HTTP/2 repeats requests of any method without a word.
func TestNoHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Proto)) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c := client(t, Endpoint{BaseURL: s.URL}, func(o *Options) { o.TLS = &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}} })
	if _, body, f := do(t.Context(), c, get()); f != nil || body != "HTTP/1.1" {
		t.Errorf("%s, %v", body, f)
	}
}

// TestSignedHeaderIsNoLeaveToRepeat: a key may stand in a header that net/http
// takes for a promise that the request can be repeated. It is sent, and the
// request is sent once.
func TestSignedHeaderIsNoLeaveToRepeat(t *testing.T) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		signer, err := auth.APIKey(name, secret.New("a-key-of-ours"), auth.InHeader, strings.Clone)
		if err != nil {
			t.Fatal(err)
		}
		var posts atomic.Int64
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(name) != "a-key-of-ours" {
				t.Errorf("the key did not come: %v", r.Header)
			}
			if posts.Add(1) > 1 { // the first answer keeps the connection, which then breaks
				panic(http.ErrAbortHandler)
			}
		})
		c := client(t, Endpoint{BaseURL: s.URL, Signer: signer}, func(o *Options) { o.Retry.Attempts = 5 })
		for range 2 {
			_, _, f := do(t.Context(), c, &Request{Method: http.MethodPost, Path: "/parcels", Body: []byte("a=1"), ContentType: []string{"text/plain"}, Accept: []string{"*/*"}})
			if f != nil && f.Outcome != fault.Unknown {
				t.Errorf("%s: %v", name, f)
			}
		}
		if n := posts.Load(); n != 2 {
			t.Errorf("%s: two requests were sent %d times", name, n)
		}
	}
}
