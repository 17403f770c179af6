package upstream

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"patchbay/internal/auth"
	"patchbay/internal/secret"
)

// Clients that share a pool use one connection to one host, each with its own
// credentials and its own places for calls at once.
func TestClientsShareConnections(t *testing.T) {
	var opened atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	opts := Defaults()
	pool := NewPool(opts)
	t.Cleanup(pool.Close)
	with := func(token string) *Client {
		signer, err := auth.Bearer(secret.New(token))
		if err != nil {
			t.Fatal(err)
		}
		return client(t, Endpoint{BaseURL: s.URL, Signer: signer}, func(o *Options) { o.Pool, o.MaxConcurrent = pool, 1 })
	}
	parcels, letters := with("parcels"), with("letters")
	for range 3 {
		for c, want := range map[*Client]string{parcels: "Bearer parcels", letters: "Bearer letters"} {
			if _, body, f := do(t.Context(), c, get()); f != nil || body != want {
				t.Fatalf("the upstream got %q, want %q (%v)", body, want, f)
			}
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("six calls of two clients opened %d connections", n)
	}

	parcels.slots <- struct{}{} // its only place
	if _, _, f := do(t.Context(), letters, get()); f != nil {
		t.Errorf("a client waits for the calls of another: %v", f)
	}
}
