package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"patchbay/internal/sandbox"
)

// Many clients at once; what matters is what the race detector says, and that
// every create has its own interaction.
func TestConcurrentUse(t *testing.T) {
	sb := sandbox.New(sandbox.Options{MaxInteractions: 20})
	serve := func(method, target, body string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
		r.SetBasicAuth(testUser, testPass)
		w := httptest.NewRecorder()
		sb.ServeHTTP(w, r)
		return w.Code, w.Header().Get("Twilio-Request-Id")
	}
	form := encodeForm("Channel", webChannel, "Routing", anyRouting)
	const seed = "/v1/Interactions/" + sandbox.SeedInteraction
	var mu sync.Mutex
	ids := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 20 {
				code, id := serve(http.MethodPost, "/v1/Interactions", form)
				if code != http.StatusOK {
					t.Errorf("create: %d", code)
				}
				mu.Lock()
				ids[id] = true
				mu.Unlock()
				serve(http.MethodGet, seed+"/Channels", "")
				serve(http.MethodPost, seed+"/Channels/"+sandbox.SeedChannel, "Status=closed")
				serve(http.MethodGet, "/.sandbox/", "")
				serve(http.MethodPost, "/.sandbox/faults", `{"fault":"not-found-once"}`)
				_ = sb.Requests()
				if n%10 == 9 {
					serve(http.MethodDelete, "/.sandbox/faults", "")
				}
			}
		})
	}
	wg.Wait()
	if len(ids) != 160 {
		t.Errorf("%d request identifiers of 160 creates", len(ids))
	}
}
