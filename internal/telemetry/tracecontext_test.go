package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	parentSampled   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	parentUnsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// The cases of the specification's own test suite (w3c/trace-context), as far
// as they concern one header.
func TestParseTraceparent(t *testing.T) {
	for given, want := range map[string]string{
		parentSampled:   parentSampled,
		parentUnsampled: parentUnsampled,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff":      parentSampled,
		"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":      parentSampled,
		"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what": parentSampled,
		"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what": "",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what": "",
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":      "",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01":      "",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01":      "",
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01":      "",
		"00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01":       "",
		"00-0af7651916cd43dd8448eb211c80319c.b7ad6b7169203331-01":      "",
		"0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":       "",
		" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":     "",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g":      "",
		"00-0af7651916cd43dd8448eb211c80319\n-b7ad6b7169203331-01":     "",
		"": "",
	} {
		p, ok := parseTraceparent(given)
		got := ""
		if ok {
			got = p.format()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func FuzzParseTraceparent(f *testing.F) {
	f.Add(parentSampled)
	f.Add("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what")
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := parseTraceparent(s)
		if !ok {
			return
		}
		again, ok := parseTraceparent(p.format())
		if !ok || again != p || p.format()[2:52] != s[2:52] {
			t.Errorf("%q became %q", s, p.format())
		}
	})
}

// propagation runs a request that came with a context through a logger, and
// returns the context that its upstream call gets.
func propagation(t *testing.T, exporter *Exporter, sample float64, given Carrier, upstream UpstreamInfo) (http.Header, *Trace) {
	t.Helper()
	m := NewMetrics("test")
	l := New(Config{Log: slog.New(slog.DiscardHandler), Metrics: m, Exporter: exporter, Sample: sample})
	a := &Access{}
	ctx := a.Begin(context.Background(), l, given, time.Now())
	attempt := m.Upstream(upstream).Operation("op", "GET", "/x").Begin(ctx, 1, time.Now())
	h := http.Header{}
	attempt.Inject(h)
	attempt.End(time.Now(), 200, nil, nil)
	return h, &a.Trace
}

func TestPropagation(t *testing.T) {
	none := &Exporter{} // only asked whether it is there
	state, baggage := []string{"a=1,b=2"}, []string{"user=7"}
	for _, c := range []struct {
		name     string
		exporter *Exporter
		sample   float64
		given    Carrier
		upstream UpstreamInfo
		// want are the headers; TRACE and SPAN stand for the trace and the call.
		want http.Header
	}{
		{"nothing came, nothing is collected", nil, 1, Carrier{}, UpstreamInfo{}, http.Header{}},
		{"nothing came", none, 1, Carrier{}, UpstreamInfo{}, http.Header{"Traceparent": {"00-TRACE-SPAN-01"}}},
		{"nothing came, not chosen", none, 0, Carrier{}, UpstreamInfo{}, http.Header{}},
		{"a context passes where nothing is collected", nil, 1, Carrier{[]string{parentSampled}, state, baggage}, UpstreamInfo{}, http.Header{"Traceparent": {parentSampled}, "Tracestate": state, "Baggage": baggage}},
		{"a sampled caller decides", none, 0, Carrier{[]string{parentSampled}, state, nil}, UpstreamInfo{}, http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-SPAN-01"}, "Tracestate": state}},
		{"an unsampled caller decides", none, 1, Carrier{[]string{parentUnsampled}, nil, nil}, UpstreamInfo{}, http.Header{"Traceparent": {parentUnsampled}}},
		{"two parents are none", nil, 1, Carrier{[]string{parentSampled, parentSampled}, state, nil}, UpstreamInfo{}, http.Header{}},
		{"a state without a parent means nothing", nil, 1, Carrier{nil, state, baggage}, UpstreamInfo{}, http.Header{"Baggage": baggage}},
		{"a malformed parent", nil, 1, Carrier{[]string{"00-x"}, state, nil}, UpstreamInfo{}, http.Header{}},
		{"a state that breaks out of its header", nil, 1, Carrier{[]string{parentSampled}, []string{"a=1\r\nX: y"}, []string{"a=\x00"}}, UpstreamInfo{}, http.Header{"Traceparent": {parentSampled}}},
		{"too much", nil, 1, Carrier{[]string{parentSampled}, []string{strings.Repeat("a", 513)}, []string{strings.Repeat("a", 8193)}}, UpstreamInfo{}, http.Header{"Traceparent": {parentSampled}}},
		{"an upstream without baggage", nil, 1, Carrier{[]string{parentSampled}, state, baggage}, UpstreamInfo{NoBaggage: true}, http.Header{"Traceparent": {parentSampled}, "Tracestate": state}},
		{"an upstream without context", none, 1, Carrier{[]string{parentSampled}, state, baggage}, UpstreamInfo{NoTrace: true}, http.Header{}},
	} {
		got, trace := propagation(t, c.exporter, c.sample, c.given, c.upstream)
		if v := got["Traceparent"]; v != nil {
			text := strings.Replace(v[0], trace.calls[0].Span.String(), "SPAN", 1)
			if c.given.Traceparent == nil {
				text = strings.Replace(text, trace.id.String(), "TRACE", 1)
			}
			got["Traceparent"] = []string{text}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// The share of traces is what was asked for, and a matter of the trace's name.
func TestSample(t *testing.T) {
	l := New(Config{Log: slog.New(slog.DiscardHandler), Exporter: &Exporter{}, Sample: 0.25})
	chosen := 0
	const all = 20000
	for range all {
		var tr Trace
		tr.begin(context.Background(), l, Carrier{}, time.Time{})
		if tr.exported {
			chosen++
		}
		if (tr.id == TraceID{}) || (tr.span == SpanID{}) {
			t.Fatal("a name is missing")
		}
	}
	if chosen < all/5 || chosen > all*3/10 {
		t.Errorf("%d of %d", chosen, all)
	}
}
