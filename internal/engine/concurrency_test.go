package engine_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConcurrentCalls: calls at the same time share pools and connections, and
// nothing of each other.
func TestConcurrentCalls(t *testing.T) {
	s := serve(t, settings{})
	s.upstream.script(func(w http.ResponseWriter, r *http.Request) {
		// Answers differ in length, so that memory used again would show.
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		_, _ = fmt.Fprintf(w, `{"sid":%q,"filler":%q}`, id, strings.Repeat(id[33:], int(id[33])))
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	ask := func(method, url, body string, header map[string]string) (string, error) {
		request, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			return "", err
		}
		for name, value := range header {
			request.Header.Set(name, value)
		}
		answer, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		return string(said), err
	}
	var calls sync.WaitGroup
	for worker := range 8 {
		calls.Go(func() {
			for n := range 25 {
				id := fmt.Sprintf("KD%032x", worker*1000+n)
				want := fmt.Sprintf(`{"sid":%q,"filler":%q}`, id, strings.Repeat(id[33:], int(id[33])))
				said, err := ask(http.MethodGet, "http://"+s.rest+"/v1/interactions/"+id, "", nil)
				if err != nil || said != want {
					t.Errorf("REST: %v (-want +got):\n%s", err, cmp.Diff(want, said))
				}
				said, err = ask(http.MethodPost, "http://"+s.mcp+"/mcp", callMessage(n, "twilio-fetch-interaction", `{"InteractionSid":"`+id+`"}`, ""),
					map[string]string{"Content-Type": "application/json", "MCP-Protocol-Version": legacyRevision})
				if err != nil || !strings.Contains(said, `"structuredContent":`+want) || !strings.Contains(said, fmt.Sprintf(`"id":%d,`, n)) {
					t.Errorf("MCP: %v, want %s in %s", err, want, said)
				}
			}
		})
	}
	calls.Wait()
}

// TestPassedHeaders: end-to-end headers pass both ways by name, all others stay.
func TestPassedHeaders(t *testing.T) {
	s := serve(t, settings{})
	s.upstream.script(answersJSON(200, `{}`, `ETag: "7"`, "Cache-Control: no-store", "Retry-After: 3", "RateLimit-Remaining: 9", "Link: <x>; rel=next",
		"Twilio-Request-Id: RQ1", "Set-Cookie: a=b", "WWW-Authenticate: Basic", "Server: nginx", "X-Powered-By: AT-5000", "Access-Control-Allow-Origin: *",
		"Strict-Transport-Security: max-age=1", "Content-Security-Policy: default-src *", "X-Request-Id: theirs", "Patchbay-Source: forged", "Connection: X-Hop", "X-Hop: 1"))
	a := s.REST("GET /v1/interactions/" + interaction + "\n" + `Accept-Language: pt
If-None-Match: "7"
Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
Accept: text/html
Accept-Encoding: br
User-Agent: curl/8
Referer: https://shop.example/
Forwarded: for=10.0.0.1
X-Forwarded-For: 10.0.0.1
X-Api-Key: mine
X-Request-Id: mine-1
Proxy-Authorization: Basic eDp5
Te: trailers
`)
	sent := s.upstream.take()
	if len(sent) != 1 {
		t.Fatalf("%d requests, and %s", len(sent), a)
	}
	want := `GET /v1/Interactions/` + interaction + `
Accept: application/json
Accept-Encoding: gzip
Accept-Language: pt
Authorization: Basic <` + upstreamUser + ":" + upstreamPassword + `>
If-None-Match: "7"
Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
User-Agent: patchbay/` + testVersion + "\n"
	if diff := cmp.Diff(want, sent[0].String()); diff != "" {
		t.Errorf("upstream (-want +got):\n%s", diff)
	}
	want = `200
Cache-Control: no-store
Content-Length: 2
Content-Type: application/json
Etag: "7"
Link: <x>; rel=next
Patchbay-Source: upstream
Ratelimit-Remaining: 9
Retry-After: 3
Twilio-Request-Id: RQ1
X-Content-Type-Options: nosniff
X-Request-Id: mine-1

{}
`
	if diff := cmp.Diff(want, a.String()); diff != "" {
		t.Errorf("caller (-want +got):\n%s", diff)
	}

	s.upstream.script(answers(304, "", `ETag: "7"`))
	a = s.REST("GET /v1/interactions/" + interaction + "\nIf-None-Match: \"7\"")
	if a.status != 304 || a.header.Get("Etag") != `"7"` || a.body != "" {
		t.Errorf("a conditional GET: %s", a)
	}
}
