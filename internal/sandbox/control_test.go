package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/sandbox"
)

const jsonType = "application/json"

func TestRootPage(t *testing.T) {
	c := start(t, sandbox.Options{})
	a := c.get("/", "Authorization", "")
	if a.status != http.StatusOK || a.str("base_url") != c.url+"/v1" {
		t.Errorf("%d %s", a.status, a.text)
	}
	want := map[string]any{
		"interaction": sandbox.SeedInteraction, "channel": sandbox.SeedChannel,
		"conversation": sandbox.SeedConversation, "workspace": sandbox.SeedWorkspace,
		"workflow": sandbox.SeedWorkflow, "queue": sandbox.SeedQueue, "worker": sandbox.SeedWorker,
	}
	if diff := cmp.Diff(want, a.at("seeded")); diff != "" {
		t.Errorf("seeded (-want +got):\n%s", diff)
	}
	if a := c.do(http.MethodPost, "/", "", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", a.status)
	}
	locked := start(t, sandbox.Options{Username: "me", Password: "topsecret"}).get("/", "Authorization", "")
	if locked.status != http.StatusOK || strings.Contains(locked.text, "topsecret") {
		t.Errorf("with credentials set: %d %s", locked.status, locked.text)
	}
}

func TestControlFaults(t *testing.T) {
	c := start(t, sandbox.Options{})
	note := func(fault string, times float64) map[string]any {
		return map[string]any{"fault": fault, "times": times}
	}
	for _, tt := range []struct {
		method, path, body string
		want               []any
	}{
		{"GET", "/.sandbox/faults", "", []any{}},
		{"PUT", "/.sandbox/faults", `{"fault":"429","times":2}`, []any{note("429", 2)}},
		{"POST", "/.sandbox/faults", `{"fault":"slow=300ms"}`, []any{note("429", 2), note("slow=300ms", 1)}},
		{"POST", "/.sandbox/faults", `{"fault":"cut:3,503:*"}`, []any{note("429", 2), note("slow=300ms", 1), note("cut", 3), note("503", -1)}},
		{"PUT", "/.sandbox/", `{"fault":"cut","times":-1}`, []any{note("cut", -1)}},
		{"PUT", "/.sandbox/faults", `{"faults":[{"fault":"cut","times":1},{"fault":"503","times":4}]}`, []any{note("cut", 1), note("503", 4)}},
		{"PUT", "/.sandbox/faults", `{"faults":[]}`, []any{}},
		{"POST", "/.sandbox", `{"fault":"429"}`, []any{note("429", 1)}},
		{"DELETE", "/.sandbox/faults", "", []any{}},
	} {
		a := c.do(tt.method, tt.path, jsonType, tt.body, "Authorization", "")
		if diff := cmp.Diff(any(tt.want), a.at("faults")); a.status != http.StatusOK || diff != "" {
			t.Errorf("%s %s %s: %d (-want +got):\n%s", tt.method, tt.path, tt.body, a.status, diff)
		}
	}
}

func TestControlRefuses(t *testing.T) {
	c := start(t, sandbox.Options{})
	c.sb.SetFaults(sandbox.Fault{Kind: sandbox.FaultCut})
	full := `{"fault":"` + strings.TrimSuffix(strings.Repeat("cut,", 64), ",") + `"}`
	for _, tt := range []struct {
		method, path, body string
		header             []string
		status             int
	}{
		{"PUT", "/.sandbox/faults", `{"fault":"explode"}`, nil, 400},
		{"PUT", "/.sandbox/faults", `{"fault":"429","times":0}`, nil, 400},
		{"PUT", "/.sandbox/faults", `{"fault":"429","times":-2}`, nil, 400},
		{"PUT", "/.sandbox/faults", `{"fault":"429","times":100001}`, nil, 400},
		{"PUT", "/.sandbox/faults", `{"fault":429}`, nil, 400},
		{"PUT", "/.sandbox/faults", `{}`, nil, 400},
		{"PUT", "/.sandbox/faults", `nonsense`, nil, 400},
		{"PUT", "/.sandbox/faults", ``, nil, 400},
		{"POST", "/.sandbox/faults", full, nil, 400},
		{"PUT", "/.sandbox/faults", strings.Repeat(" ", 65<<10), nil, 400},
		{"PATCH", "/.sandbox/faults", ``, nil, 405},
		{"PATCH", "/.sandbox/", ``, nil, 405},
		{"POST", "/.sandbox/requests", ``, nil, 405},
		{"GET", "/.sandbox/channels/" + sandbox.SeedChannel, ``, nil, 405},
		{"POST", "/.sandbox/channels/" + sandbox.SeedChannel, `leave`, nil, 400},
		{"GET", "/.sandbox/nothing", ``, nil, 404},
		{"DELETE", "/.sandbox/", ``, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"PUT", "/.sandbox/faults", `{"faults":[]}`, []string{"Origin", "https://example.com"}, 403},
	} {
		a := c.do(tt.method, tt.path, jsonType, tt.body, tt.header...)
		if a.status != tt.status || a.str("error") == "" {
			t.Errorf("%s %s %.60s: %d %s, want %d", tt.method, tt.path, tt.body, a.status, a.text, tt.status)
		}
	}
	if diff := cmp.Diff([]sandbox.Fault{{Kind: sandbox.FaultCut, Times: 1}}, c.sb.Faults()); diff != "" {
		t.Errorf("a refused change changed the faults (-want +got):\n%s", diff)
	}
}

func TestStateAndReset(t *testing.T) {
	initial := []sandbox.Fault{{Kind: sandbox.FaultFailedSetup, Times: 1}}
	c := start(t, sandbox.Options{Now: newClock().Now, Faults: initial})
	kd, uo, _ := c.create(webChannel, anyRouting)
	c.post(channelPath(sandbox.SeedInteraction, sandbox.SeedChannel), "Status", "closed")

	a := c.get("/.sandbox/", "Authorization", "")
	if a.at("state", "interactions") != 2.0 || a.at("requests") != 2.0 {
		t.Errorf("counts: %s", a.text)
	}
	if diff := cmp.Diff(any(map[string]any{"closed": 1.0, "failed": 1.0}), a.at("state", "channels_by_status")); diff != "" {
		t.Errorf("by status (-want +got):\n%s", diff)
	}
	for _, sid := range []string{kd, uo, sandbox.SeedInteraction, sandbox.SeedChannel} {
		if !strings.Contains(a.text, sid) {
			t.Errorf("%s is missing in %s", sid, a.text)
		}
	}

	if a := c.do(http.MethodDelete, "/.sandbox/", "", ""); a.at("state", "interactions") != 1.0 || a.at("requests") != 0.0 {
		t.Errorf("reset: %d %s", a.status, a.text)
	}
	if got := c.status(sandbox.SeedInteraction, sandbox.SeedChannel); got != "active" {
		t.Errorf("the seeded channel is %s after the reset", got)
	}
	if a := c.get("/v1/Interactions/" + kd); a.status != http.StatusNotFound {
		t.Errorf("a created interaction survives the reset: %d", a.status)
	}
	if diff := cmp.Diff(initial, c.sb.Faults()); diff != "" {
		t.Errorf("faults after the reset (-want +got):\n%s", diff)
	}
}

func TestRequestsAreNotedWithoutSecrets(t *testing.T) {
	var log bytes.Buffer
	c := start(t, sandbox.Options{Now: newClock().Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	c.create(webChannel, `{"properties":{"workspace_sid":"`+workspace+`","attributes":{"private":"hushhush"}}}`)
	listed := c.get(seedChannels + "?PageSize=5&Page=0&secret=hushhush")
	c.do(http.MethodPost, "/v1/Interactions", jsonType, `{"Channel":{}}`)
	c.get("/v1/Interactions/"+sandbox.SeedInteraction, "Authorization", "Basic hushhush")

	requests := c.sb.Requests()
	if len(requests) != 4 {
		t.Fatalf("%d requests", len(requests))
	}
	if got := listed.header.Get("Twilio-Request-Id"); got != requests[1].RequestID {
		t.Errorf("the note of request %s names %s", got, requests[1].RequestID)
	}
	want := []sandbox.Request{
		{Seq: 1, Method: "POST", Path: "/v1/Interactions", ContentType: formType, FormKeys: []string{"Channel", "Routing"}, Status: 200},
		{Seq: 2, Method: "GET", Path: seedChannels, QueryKeys: []string{"Page", "PageSize", "secret"}, Status: 200},
		{Seq: 3, Method: "POST", Path: "/v1/Interactions", ContentType: jsonType, Status: 400},
		{Seq: 4, Method: "GET", Path: "/v1/Interactions/" + sandbox.SeedInteraction, Status: 401},
	}
	for i := range want {
		want[i].Time, want[i].RequestID = newClock().Now(), requests[i].RequestID
		if len(want[i].QueryKeys) == 0 {
			want[i].QueryKeys = []string{}
		}
		if len(want[i].FormKeys) == 0 {
			want[i].FormKeys = []string{}
		}
	}
	if diff := cmp.Diff(want, requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	page := c.get("/.sandbox/requests").text + c.get("/.sandbox/").text + log.String()
	for _, secret := range []string{testUser, testPass, "hushhush", "Basic"} {
		if strings.Contains(page, secret) {
			t.Errorf("%q is told in %s", secret, page)
		}
	}
	if got := strings.Count(log.String(), "sandbox request"); got != 4 {
		t.Errorf("%d log records", got)
	}
	if a := c.do(http.MethodDelete, "/.sandbox/requests", "", ""); a.at("total") != 0.0 {
		t.Errorf("forgetting: %s", a.text)
	}
}

func TestRequestRingKeepsTheLast(t *testing.T) {
	c := start(t, sandbox.Options{})
	long := "x" + strings.Repeat("é", 1000) // a cut at an even byte splits a letter
	for range 69 {
		c.get("/v1/nowhere")
	}
	c.post("/v1/Interactions", long, "x")
	requests := c.sb.Requests()
	if len(requests) != 64 || requests[0].Seq != 7 || requests[63].Seq != 70 {
		t.Fatalf("%d requests, %d to %d", len(requests), requests[0].Seq, requests[len(requests)-1].Seq)
	}
	if key := requests[63].FormKeys[0]; len(key) > 300 || !utf8.ValidString(key) || !strings.HasPrefix(long, strings.TrimSuffix(key, "…")) {
		t.Errorf("a long key is noted as %q", key)
	}
	if a := c.get("/.sandbox/requests"); a.at("total") != 70.0 {
		t.Errorf("total %v", a.at("total"))
	}
}

func TestEviction(t *testing.T) {
	c := start(t, sandbox.Options{MaxInteractions: 3})
	var sids []string
	for range 5 {
		kd, _, _ := c.create(webChannel, anyRouting)
		sids = append(sids, kd)
	}
	for n, kd := range append(sids, sandbox.SeedInteraction) {
		want := http.StatusOK
		if n < 2 {
			want = http.StatusNotFound
		}
		if a := c.get("/v1/Interactions/" + kd); a.status != want {
			t.Errorf("interaction %d: %d, want %d", n, a.status, want)
		}
	}
}

// Tasks that later interactions add to a channel that stays are bounded too.
func TestSharedChannelIsBounded(t *testing.T) {
	c := start(t, sandbox.Options{})
	share := `{"sid":"` + sandbox.SeedChannel + `","type":"web","initiated_by":"api"}`
	heavy := fmt.Sprintf(`{"properties":{"workspace_sid":%q,"attributes":{"x":%q}}}`, workspace, strings.Repeat("x", 900_000))
	c.create(share, heavy)
	a := c.post("/v1/Interactions", "Channel", share, "Routing", heavy)
	wantError(t, a, http.StatusBadRequest, 45366, "Channel.sid names a channel that holds all the tasks this sandbox keeps")

	accepted := 1
	for range 120 {
		if a := c.post("/v1/Interactions", "Channel", share, "Routing", anyRouting); a.status == http.StatusOK {
			accepted++
		}
	}
	if accepted != 99 { // besides the seeded task
		t.Errorf("%d tasks were added", accepted)
	}
}

func TestStatePageIsBounded(t *testing.T) {
	c := start(t, sandbox.Options{SeedChannels: 40})
	for range 60 {
		c.create(webChannel, anyRouting)
	}
	var page struct {
		State struct {
			Interactions int
			Newest       []struct {
				SID      string
				Channels []json.RawMessage
			}
		}
	}
	if err := json.Unmarshal([]byte(c.get("/.sandbox/").text), &page); err != nil {
		t.Fatal(err)
	}
	newest := page.State.Newest
	if page.State.Interactions != 61 || len(newest) != 51 || newest[0].SID != sandbox.SeedInteraction || len(newest[0].Channels) != 20 {
		t.Errorf("%d interactions, %d shown, %d channels of the seeded one", page.State.Interactions, len(newest), len(newest[0].Channels))
	}
}
