package sandbox_test

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/internal/sandbox"
)

const (
	testUser = "AC7f8091a2b3c4d5e6f708192031425364"
	testPass = "thisIsTheSecret0815"

	workspace = "WS1f2e3d4c5b6a79880716253443526170"
	queue     = "WQ4c5d6e7f8091a2b3c4d5e6f708192031"
	worker    = "WK0f1e2d3c4b5a69788796a5b4c3d2e1f0"

	webChannel = `{"type":"web","initiated_by":"api","participants":[{"identity":"visitor-7f31"}]}`
	anyRouting = `{"properties":{"workspace_sid":"` + workspace + `"}}`
)

// clock is a clock that moves only when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_780_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// seededBytes is an endless deterministic source of SIDs.
func seededBytes() io.Reader { return rand.NewChaCha8([32]byte{1}) }

// client talks to a sandbox over a real connection, as testUser unless told
// otherwise, and holds every success against the provider's own contract.
type client struct {
	t   *testing.T
	sb  *sandbox.Sandbox
	url string // of the listener's root
}

// start serves a sandbox on loopback until the test ends.
func start(t *testing.T, o sandbox.Options) *client {
	t.Helper()
	if o.Rand == nil {
		o.Rand = seededBytes()
	}
	sb := sandbox.New(o)
	server := httptest.NewServer(sb)
	t.Cleanup(server.Close)
	return &client{t: t, sb: sb, url: server.URL}
}

type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any // nil where the text is no JSON object
}

// at walks the body by member names; nil where there is nothing.
func (a answer) at(path ...string) any {
	var v any = a.body
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func (a answer) str(path ...string) string {
	s, _ := a.at(path...).(string)
	return s
}

// do sends a request with the test's credentials. target is a path or an
// absolute URL.
func (c *client) do(method, target, contentType, body string, header ...string) answer {
	c.t.Helper()
	a, err := c.try(method, target, contentType, body, header...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

func (c *client) try(method, target, contentType, body string, header ...string) (answer, error) {
	c.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = c.url + target
	}
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, target, reader)
	if err != nil {
		c.t.Fatalf("building the request: %v", err)
	}
	req.SetBasicAuth(testUser, testPass)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, header: res.Header, text: string(text)}
	if err := json.Unmarshal(text, &a.body); err != nil {
		a.body = nil
	}
	if res.StatusCode == http.StatusOK && method != http.MethodHead {
		checkContract(c.t, method, req.URL.Path, text)
	}
	return a, nil
}

const formType = "application/x-www-form-urlencoded"

func (c *client) get(target string, header ...string) answer {
	c.t.Helper()
	return c.do(http.MethodGet, target, "", "", header...)
}

// post sends key, value pairs as a form.
func (c *client) post(target string, pairs ...string) answer {
	c.t.Helper()
	return c.do(http.MethodPost, target, formType, encodeForm(pairs...))
}

func encodeForm(pairs ...string) string {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form.Encode()
}

// create makes an interaction that must be accepted.
func (c *client) create(channel, routing string) (kd, uo string, a answer) {
	c.t.Helper()
	a = c.post("/v1/Interactions", "Channel", channel, "Routing", routing)
	if a.status != http.StatusOK {
		c.t.Fatalf("create: %d %s", a.status, a.text)
	}
	return a.str("sid"), a.str("channel", "sid"), a
}

func channelPath(kd, uo string) string { return "/v1/Interactions/" + kd + "/Channels/" + uo }

// status fetches the status of a channel.
func (c *client) status(kd, uo string) string {
	c.t.Helper()
	return c.get(channelPath(kd, uo)).str("status")
}

// tasks lists the assignment statuses of a channel's invites.
func (c *client) tasks(kd, uo string) []string {
	c.t.Helper()
	var statuses []string
	invites, _ := c.get(channelPath(kd, uo) + "/Invites").at("invites").([]any)
	for _, inv := range invites {
		m, _ := inv.(map[string]any)
		statuses = append(statuses, answer{body: m}.str("routing", "properties", "assignment_status"))
	}
	return statuses
}

// people lists the types of a channel's participants.
func (c *client) people(kd, uo string) []string {
	c.t.Helper()
	var kinds []string
	list, _ := c.get(channelPath(kd, uo) + "/Participants").at("participants").([]any)
	for _, p := range list {
		m, _ := p.(map[string]any)
		kinds = append(kinds, answer{body: m}.str("type"))
	}
	return kinds
}

// event makes people do something; it returns the status of the control page.
func (c *client) event(uo, name string) int {
	c.t.Helper()
	return c.do(http.MethodPost, "/.sandbox/channels/"+uo, "application/json", `{"event":"`+name+`"}`).status
}
