package control

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"patchbay/internal/fault"
	"patchbay/internal/telemetry"
)

// recent are last requests of which every text is hostile.
func recent(text string) *telemetry.Recent {
	r := telemetry.NewRecent()
	l := telemetry.New(telemetry.Config{Log: slog.New(slog.DiscardHandler), Recent: r})
	a := &telemetry.Access{
		Protocol: "rest", Adapter: text, Operation: text, Method: text, Route: text, RequestID: text, Caller: text, Status: 502,
		Fault: &fault.Fault{Kind: fault.Unreachable, Outcome: fault.Unknown, Cause: errors.New(text)},
	}
	l.Log(context.Background(), a)
	return r
}

// What callers, upstreams and files say is text on the page, whatever it is.
func TestPageEscapes(t *testing.T) {
	const evil = `<script>alert(1)</script><img src=x onerror='alert(2)'>`
	h := New(Options{
		Metrics: http.NotFoundHandler(), Recent: recent(evil), IDs: telemetry.NewIDs(),
		Status: func() Status {
			return Status{
				State: NotReady, Reasons: []string{evil}, Version: evil, Adapters: []Adapter{{Namespace: evil, URL: evil}},
				Upstreams: []Upstream{{Namespace: evil, Host: evil, State: evil, Missing: evil}}, Reload: &Reload{Time: time.Now(), Error: evil},
			}
		},
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasSuffix(body, "</html>\n") || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("%d %s", w.Code, body)
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "<img") {
		t.Errorf("the page holds a tag of somebody else: %s", body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("the policy is %s", policy)
	}
}

// States other than ready want no requests.
func TestReadyStates(t *testing.T) {
	for state, status := range map[State]int{Ready: 200, Starting: 503, NotReady: 503, Draining: 503} {
		h := New(Options{Metrics: http.NotFoundHandler(), IDs: telemetry.NewIDs(), Status: func() Status { return Status{State: state} }})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health/ready", nil))
		if w.Code != status || !strings.Contains(w.Body.String(), string(state)) {
			t.Errorf("%s: %d %s", state, w.Code, w.Body)
		}
	}
}

// Without anything that was kept, the pages are empty and there.
func TestNothingIsKept(t *testing.T) {
	h := New(Options{Metrics: http.NotFoundHandler(), IDs: telemetry.NewIDs(), Status: func() Status { return Status{} }})
	for _, path := range []string{"/", "/traces"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
