package upstream

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"patchbay/internal/telemetry"
)

// TestPanicIsCounted: an attempt that panics ends like any other, and nothing is
// under way afterwards.
func TestPanicIsCounted(t *testing.T) {
	metrics := telemetry.NewMetrics("test")
	counts := metrics.Upstream(telemetry.UpstreamInfo{Namespace: "parcels", Scheme: "http", Host: "parcels.example"})
	c := client(t, Endpoint{BaseURL: "http://parcels.example"}, func(o *Options) { o.Counts = counts })
	c.transport.Proxy = func(*http.Request) (*url.URL, error) { panic("no proxy") }
	r := post(`{}`)
	r.Operation = counts.Operation("send", http.MethodPost, "/parcels")
	func() {
		defer func() {
			if v := recover(); v != "no proxy" {
				t.Errorf("it ended with %v", v)
			}
		}()
		_, _, _ = do(t.Context(), c, r)
	}()
	w := httptest.NewRecorder()
	metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{`patchbay_upstream_in_flight{upstream="parcels"} 0`, `patchbay_upstream_requests_total{operation="send",status="internal",upstream="parcels"} 1`} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s in %s", line, w.Body)
		}
	}
	if got := c.State().Stats(); got.InFlight != 0 {
		t.Errorf("%+v", got)
	}
}
