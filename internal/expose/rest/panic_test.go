package rest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"patchbay/capabilities"
	"patchbay/internal/bind"
	"patchbay/internal/idempotency"
	"patchbay/internal/plan"
	"patchbay/internal/secret"
	"patchbay/internal/spec"
	"patchbay/internal/telemetry"
	"patchbay/internal/upstream"
)

// brokenStore is a store of idempotency keys that panics when it has something to
// keep.
type brokenStore struct{}

func (brokenStore) Claim(context.Context, idempotency.ID, idempotency.Print) (*idempotency.Record, error) {
	return nil, nil
}

func (brokenStore) Settle(idempotency.ID, *idempotency.Record) {
	panic("the store is broken, and so is sesame-open")
}

func (brokenStore) Free(idempotency.ID) {}

// brokenWriter panics when the answer's body is written.
type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { panic("the writer is broken") }

// watched is a handler of the embedded capability before an upstream that answers
// {}, with everything that it tells.
func watched(t *testing.T, out *bytes.Buffer, metrics *telemetry.Metrics, change func(*Options)) *Handler {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(up.Close)
	doc, found := spec.Load("flex-interactions.yaml", capabilities.FlexInteractions().Data)
	p, more := plan.Compile(doc, plan.Options{})
	env, err := bind.New(bind.Options{Process: func(string) (string, bool) { return "anything", true }})
	if err != nil {
		t.Fatal(err)
	}
	b, most := plan.Bind(p, plan.BindOptions{
		Environment: env, BaseURLs: map[string]string{p.Upstreams[0].Namespace: up.URL}, Upstream: upstream.Defaults(), Metrics: metrics,
	})
	if found = append(append(found, more...), most...); found.HasErrors() {
		t.Fatal(found)
	}
	t.Cleanup(b.Close)
	mask := &secret.Mask{}
	mask.Add(secret.New("sesame-open"))
	opts := Options{
		Members: []Member{{Bound: b, Adapter: p.REST[0]}}, MaxBody: 1 << 12, IDs: telemetry.NewIDs(),
		Log: telemetry.New(telemetry.Config{Log: slog.New(slog.NewJSONHandler(out, nil)), Metrics: metrics, Mask: mask}),
	}
	if change != nil {
		change(&opts)
	}
	return New(opts)
}

// TestPanics: a request over which something panics is answered, or cut where its
// answer had begun, and told like any other: with what is known of its effect.
func TestPanics(t *testing.T) {
	create := func() *http.Request {
		r := httptest.NewRequest("POST", "/v1/interactions", strings.NewReader(`{"Channel":{"type":"web"},"Routing":{}}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		return r
	}
	for _, c := range []struct {
		name    string
		change  func(*Options)
		request *http.Request
		cut     bool
		// says is what the answer says, audited the audit line, counted a metric.
		says, audited, counted string
	}{
		{
			name: "before anything was sent", request: httptest.NewRequest("GET", "/elsewhere", nil),
			change:  func(o *Options) { o.Pages = func(string) (*Page, int) { panic("the pages are broken") } },
			says:    `"outcome":"no_call"`,
			counted: `patchbay_requests_rejected_total{adapter="flex-interactions-rest",kind="internal",protocol="rest"} 1`,
		},
		{
			name: "after a call", request: create(),
			change:  func(o *Options) { o.Keys = idempotency.NewKeeper(t.Context(), brokenStore{}, time.Minute) },
			says:    `"outcome":"unknown"`,
			audited: `"outcome":"unknown","result":"failed"`,
			counted: `patchbay_requests_total{adapter="flex-interactions-rest",operation="createinteraction",protocol="rest",status="500"} 1`,
		},
		{
			name: "in the answer", request: create(), cut: true,
			audited: `"outcome":"answered","result":"failed"`,
			counted: `patchbay_request_errors_total{adapter="flex-interactions-rest",kind="internal",operation="createinteraction",protocol="rest"} 1`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			metrics := telemetry.NewMetrics("test")
			h := watched(t, &out, metrics, c.change)
			w := httptest.NewRecorder()
			func() {
				defer func() {
					if v := recover(); (v == http.ErrAbortHandler) != c.cut {
						t.Errorf("it ended with %v", v)
					}
				}()
				if c.cut {
					h.ServeHTTP(brokenWriter{w}, c.request)
					return
				}
				h.ServeHTTP(w, c.request)
			}()
			if !c.cut && (w.Code != 500 || !strings.Contains(w.Body.String(), "#internal") || !strings.Contains(w.Body.String(), c.says)) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			log := out.String()
			if strings.Count(log, `"msg":"request"`) != 1 || strings.Count(log, `"level":"ERROR","msg":"panic"`) != 1 || !strings.Contains(log, "panic_test.go") || strings.Contains(log, "sesame-open") {
				t.Error(log)
			}
			if (c.audited != "") != strings.Contains(log, `"msg":"audit"`) || !strings.Contains(log, c.audited) {
				t.Errorf("no %s in %s", c.audited, log)
			}
			w = httptest.NewRecorder()
			metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			for _, line := range []string{c.counted, `patchbay_requests_in_flight{adapter="flex-interactions-rest",protocol="rest"} 0`} {
				if !strings.Contains(w.Body.String(), line+"\n") {
					t.Errorf("no %s in %s", line, w.Body)
				}
			}
		})
	}
}
