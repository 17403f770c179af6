package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// legacy is the last revision that opens with initialize.
const legacy = "2025-11-25"

// way is how a call is made: through which adapter, by a client of which era, and
// whether it changes something.
type way struct {
	revision string // "" is REST
	write    bool
}

// ways are all of them.
func ways() []way {
	return []way{{"", false}, {"", true}, {legacy, false}, {legacy, true}, {modern, false}, {modern, true}}
}

func (w way) String() string {
	name, kind := "REST", "read"
	if w.revision != "" {
		name = "MCP " + w.revision
	}
	if w.write {
		kind = "write"
	}
	return name + " " + kind
}

// callers are clients of a gateway, wherever it is, in all ways.
type callers struct {
	client   *http.Client
	rest     string
	sessions map[string]*mcp.ClientSession
	last     atomic.Int64
}

func newCallers(t *testing.T, rest, endpoint string) *callers {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	c := &callers{client: &http.Client{Transport: transport}, rest: rest, sessions: map[string]*mcp.ClientSession{}}
	for _, revision := range []string{legacy, modern} {
		c.sessions[revision] = dial(t, &mcp.StreamableClientTransport{Endpoint: endpoint, HTTPClient: c.client}, revision, nil)
	}
	return c
}

// id is one that no call had before.
func (c *callers) id() string { return fmt.Sprintf("KD%032x", c.last.Add(1)) }

// call makes a call and returns what its caller is told: "ok" for its own answer,
// "mixed" for somebody else's, and else in words. An error is no answer at all.
func (c *callers) call(ctx context.Context, w way, id, key string) (string, error) {
	if w.revision == "" {
		return c.callREST(ctx, w, id, key)
	}
	params := &mcp.CallToolParams{Name: "twilio-fetch-interaction", Arguments: map[string]any{"InteractionSid": id}}
	if w.write {
		params.Name = "twilio-update-interaction-channel"
		params.Arguments = map[string]any{"InteractionSid": id, "ChannelSid": seedChannel, "body": map[string]any{"Status": "closed"}}
	}
	if key != "" {
		params.Meta = mcp.Meta{"patchbay/idempotencyKey": key}
	}
	result, err := c.sessions[w.revision].CallTool(ctx, params)
	if err != nil {
		return "", err
	}
	content, _ := result.StructuredContent.(map[string]any)
	if sid, ok := content["sid"].(string); ok && !result.IsError {
		return told(sid, id), nil
	}
	if len(result.Content) == 1 {
		if block, ok := result.Content[0].(*mcp.TextContent); ok {
			return block.Text, nil
		}
	}
	return "", fmt.Errorf("content %v", result.Content)
}

func (c *callers) callREST(ctx context.Context, w way, id, key string) (string, error) {
	method, url, body := http.MethodGet, c.rest+"/v1/interactions/"+id, ""
	if w.write {
		method, url, body = http.MethodPost, url+"/channels/"+seedChannel, `{"Status":"closed"}`
	}
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.GetBody = nil // nor does this client repeat anything
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header["Idempotency-Key"] = []string{key}
	}
	res, err := c.client.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	if by := res.Header.Get("Balancer-Failed"); by != "" {
		return "", fmt.Errorf("the balancer: %s", by)
	}
	var said struct {
		SID  string
		Type string
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return "", fmt.Errorf("%s: %w: %s", res.Status, err, text)
	}
	if res.StatusCode == http.StatusOK {
		return told(said.SID, id), nil
	}
	if said.SID != "" && said.SID != id {
		return "mixed", nil
	}
	return fmt.Sprintf("%d %s", res.StatusCode, said.Type), nil
}

func told(sid, id string) string {
	if sid != id {
		return "mixed"
	}
	return "ok"
}

// load is callers at work.
type load struct {
	stop  context.CancelFunc
	calls atomic.Int64
	work  sync.WaitGroup
	// phase is the test's; a call belongs to the one in which it began.
	phase atomic.Int32
}

// made is a call that was made: what its caller was told, or that there was no
// answer.
type made struct {
	way   way
	id    string
	phase int32
	told  string
	err   error
}

// start lets so many callers call in all ways until the load is ended. Judge is told
// of each call, by many at a time.
func (c *callers) start(t *testing.T, workers int, judge func(m made)) *load {
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	t.Cleanup(l.end)
	all := ways()
	for worker := range workers {
		l.work.Go(func() {
			for n := worker; ctx.Err() == nil; n++ {
				m := made{way: all[n%len(all)], id: c.id(), phase: l.phase.Load()}
				// A call that has begun is finished: what is cut off by its caller tells nothing.
				m.told, m.err = c.call(context.WithoutCancel(ctx), m.way, m.id, "")
				judge(m)
				l.calls.Add(1)
			}
		})
	}
	return l
}

func (l *load) end() {
	l.stop()
	l.work.Wait()
}

// more waits until so many more calls were made.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	goal := l.calls.Load() + n
	eventually(t, "calls are made", func() (string, bool) {
		now := l.calls.Load()
		return fmt.Sprintf("%d of %d", now, goal), now >= goal
	})
}
