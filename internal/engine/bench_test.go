package engine_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"patchbay/internal/deploy"
	"patchbay/internal/engine"
)

// answerBody is an interaction as the reference shows it.
const answerBody = `{"sid":"KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4","channel":{"type":"web","sid":"UO9c8b7a6d5e4f30211223344556677889"},` +
	`"routing":{"properties":{"workflow_sid":"WW2a3b4c5d6e7f80919283746556473829","attributes":"{\"customerName\":\"Ines Duarte\"}",` +
	`"task_channel_unique_name":"chat","routing_target":null,"queue_name":"Front desk"}},"interaction_context_sid":null,"webhook_ttid":null,` +
	`"url":"https://flex-api.twilio.com/v1/Interactions/KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4",` +
	`"links":{"channels":"https://flex-api.twilio.com/v1/Interactions/KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4/Channels"}}`

// track is one road to the same upstream: a client, a server in between, and a
// request.
type track struct {
	client *http.Client
	method string
	url    string
	header http.Header
	body   string
	want   int
}

// run sends the request once and reads the whole answer.
func (r *track) run(t testing.TB) {
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	request, err := http.NewRequest(r.method, r.url, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range r.header {
		request.Header[name] = values
	}
	answer, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != r.want {
		t.Fatalf("%s %s: status %d", r.method, r.url, answer.StatusCode)
	}
}

// tracks are the gateway's operations and, beside them, the least that a
// gateway can be: a reverse proxy that adds credentials.
type tracks struct{ proxy, fetch, create, legacy, modern track }

// twilioHeaders are what Twilio's edge is seen to add to every answer.
func twilioHeaders() http.Header {
	return http.Header{
		"Twilio-Request-Id": {"RQ0123456789abcdef0123456789abcdef"}, "Twilio-Request-Duration": {"0.080"}, "Twilio-Concurrent-Requests": {"1"},
		"X-Home-Region": {"us1"}, "X-Api-Domain": {"flex-api.twilio.com"}, "X-Powered-By": {"AT-5000"}, "X-Shenanigans": {"none"},
		"Strict-Transport-Security": {"max-age=31536000"}, "Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Allow-Methods": {"GET, POST, PATCH, PUT, DELETE, OPTIONS"}, "Access-Control-Allow-Headers": {"Accept, Authorization, Content-Type"},
		"Access-Control-Expose-Headers": {"ETag, Twilio-Request-Id"},
	}
}

// newTracks starts everything. The upstream adds header to its answers.
func newTracks(t testing.TB, header http.Header, options func(*deploy.Options)) *tracks {
	return newTracksOf(t, header, answerBody, options)
}

func newTracksOf(t testing.TB, header http.Header, body string, options func(*deploy.Options)) *tracks {
	kind := []string{"application/json"}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		maps.Copy(w.Header(), header)
		w.Header()["Content-Type"] = kind
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(upstream.Close)
	proxy := httptest.NewServer(reverseProxy(t, upstream.URL))
	t.Cleanup(proxy.Close)
	s := serve(t, settings{upstreamURL: upstream.URL + "/v1", discardLog: true, options: options})

	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	json := http.Header{"Content-Type": kind, "Accept": kind}
	legacy, modern := json.Clone(), json.Clone()
	legacy.Set("MCP-Protocol-Version", legacyRevision)
	modern.Set("MCP-Protocol-Version", modernRevision)
	modern.Set("Mcp-Method", "tools/call")
	modern.Set("Mcp-Name", "twilio-fetch-interaction")
	arguments := `{"InteractionSid":"` + interaction + `"}`
	return &tracks{
		proxy:  track{client, http.MethodGet, proxy.URL + "/v1/Interactions/" + interaction, nil, "", 200},
		fetch:  track{client, http.MethodGet, "http://" + s.rest + "/v1/interactions/" + interaction, nil, "", 200},
		create: track{client, http.MethodPost, "http://" + s.rest + "/v1/interactions", json, anyBody, 200},
		legacy: track{client, http.MethodPost, "http://" + s.mcp + "/mcp", legacy, callMessage(1, "twilio-fetch-interaction", arguments, ""), 200},
		modern: track{client, http.MethodPost, "http://" + s.mcp + "/mcp", modern, callMessage(1, "twilio-fetch-interaction", arguments, ","+modernMeta), 200},
	}
}

// buffers lends a proxy its copy buffers.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

func reverseProxy(t testing.TB, upstream string) http.Handler {
	to, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &httputil.ReverseProxy{
		Transport: transport, BufferPool: &buffers{},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.SetBasicAuth(upstreamUser, upstreamPassword)
		},
	}
}

// Allocations of a whole exchange: client, gateway and upstream, in one
// process. What differs between two tracks is the gateway.
const (
	// bareExtra is what reading the three headers that only our answers have
	// (X-Request-Id, Patchbay-Source, X-Content-Type-Options) costs the client
	// of the measurement, which is in the same process, and one allocation for
	// the names of trace and span in the line of the log. Metrics take none.
	bareExtra = 5
	// createExtra is what reading, checking and encoding a body may cost more
	// than a fetch.
	createExtra = 37
	// loadCeiling is a fifth above what loading and compiling the embedded
	// capability takes.
	loadCeiling = 26000
)

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, test := range []struct {
		name   string
		header http.Header
		extra  float64
	}{
		{"Twilio's headers", twilioHeaders(), -35},
		{"no headers", nil, bareExtra},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := newTracks(t, test.header, nil)
			measure := func(r *track) float64 {
				for range 20 { // connections, pools, caches
					r.run(t)
				}
				return testing.AllocsPerRun(300, func() { r.run(t) })
			}
			proxy, fetch, create := measure(&all.proxy), measure(&all.fetch), measure(&all.create)
			legacy, modern := measure(&all.legacy), measure(&all.modern)
			t.Logf("allocations: reverse proxy %.0f, REST fetch %.0f, REST create %.0f, MCP %s %.0f, MCP %s %.0f",
				proxy, fetch, create, legacyRevision, legacy, modernRevision, modern)
			if fetch > proxy+test.extra {
				t.Errorf("a fetch takes %.0f allocations, a reverse proxy %.0f", fetch, proxy)
			}
			if create > fetch+createExtra {
				t.Errorf("a create takes %.0f allocations, more than %d above a fetch with %.0f", create, createExtra, fetch)
			}
		})
	}
}

func TestLoadAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	took := testing.AllocsPerRun(5, func() { load(t) })
	t.Logf("allocations: load and compile %.0f", took)
	if took > loadCeiling {
		t.Errorf("loading and compiling takes %.0f allocations, at most %d", took, loadCeiling)
	}
}

func load(t testing.TB) {
	opts := deploy.Defaults()
	if _, problems, err := engine.Load(&opts); err != nil || problems.HasErrors() {
		t.Fatal(err, problems)
	}
}

func BenchmarkExchange(b *testing.B) {
	all := newTracks(b, twilioHeaders(), nil)
	for _, bench := range []struct {
		name  string
		track *track
	}{
		{"reverse-proxy", &all.proxy},
		{"fetch", &all.fetch},
		{"create", &all.create},
		{"mcp-legacy", &all.legacy},
		{"mcp-modern", &all.modern},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.track.run(b)
			}
		})
	}
}

// BenchmarkBodies shows how an exchange grows with the upstream's answer.
func BenchmarkBodies(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000} { // in KiB
		body := strings.TrimSuffix(answerBody, "}") + `,"more":[` + strings.TrimSuffix(strings.Repeat(`{"sid":"KD5d1f0a7c3b9e48a2b6c4d8e0f1a2b3c4","n":1},`, (size-1)*20), ",") + "]}"
		all := newTracksOf(b, nil, body, func(o *deploy.Options) { o.MaxResult = 0 })
		for name, track := range map[string]*track{"reverse-proxy": &all.proxy, "fetch": &all.fetch, "mcp": &all.modern} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					track.run(b)
				}
			})
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(b)
	}
}
