package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// heldUpstream is an upstream that answers when it is told to.
type heldUpstream struct {
	server  *httptest.Server
	arrived chan struct{} // receives when a request has come
	gone    chan struct{} // receives when a request was given up by its sender
	release chan struct{} // closed: answer
}

func newHeldUpstream(t *testing.T) *heldUpstream {
	u := &heldUpstream{
		arrived: make(chan struct{}, 8),
		gone:    make(chan struct{}, 8),
		release: make(chan struct{}),
	}
	u.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.arrived <- struct{}{}
		select {
		case <-r.Context().Done():
			u.gone <- struct{}{}
		case <-u.release:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"sid":"`+seedInteraction+`"}`)
		}
	}))
	t.Cleanup(u.server.Close)
	return u
}

// env holds credentials that nobody checks.
func (u *heldUpstream) env() []string { return []string{"TWILIO_USER=ACe2e", "TWILIO_PASS=secret"} }

func (u *heldUpstream) flags() []string {
	return []string{"--upstream", "flex-interactions=" + u.server.URL + "/v1"}
}

func (u *heldUpstream) await(t *testing.T, what <-chan struct{}, name string) {
	t.Helper()
	select {
	case <-what:
	case <-time.After(patience):
		t.Fatalf("%s did not come", name)
	}
}
