package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"patchbay/internal/sandbox"
)

func TestParseFaults(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []sandbox.Fault
	}{
		{"", nil},
		{" , ", nil},
		{"429:2,slow=300ms", []sandbox.Fault{
			{Kind: sandbox.FaultThrottled, Times: 2},
			{Kind: sandbox.FaultSlow, Delay: 300 * time.Millisecond, Times: 1},
		}},
		{"slow=1m:*, cut", []sandbox.Fault{
			{Kind: sandbox.FaultSlow, Delay: time.Minute, Times: sandbox.Always},
			{Kind: sandbox.FaultCut, Times: 1},
		}},
		{"429=5s,503=1500ms", []sandbox.Fault{
			{Kind: sandbox.FaultThrottled, Delay: 5 * time.Second, Times: 1},
			{Kind: sandbox.FaultUnavailable, Delay: 1500 * time.Millisecond, Times: 1},
		}},
	} {
		got, err := sandbox.ParseFaults(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
		var texts []string
		for _, f := range got {
			texts = append(texts, f.String())
		}
		again, err := sandbox.ParseFaults(strings.Join(texts, ","))
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("%q does not survive String: %v %s", tt.text, err, diff)
		}
	}
	for _, kind := range sandbox.FaultKinds() {
		if _, err := sandbox.ParseFaults(string(kind)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"500":            "unknown kind",
		"slow=61s":       "not between 0s and 1m0s",
		"slow=-1s":       "not between 0s and 1m0s",
		"slow=fast":      "not a duration",
		"slow=":          "not a duration",
		"cut=1s":         "cut takes no delay",
		"429:0":          "at least 1",
		"429:-1":         "at least 1",
		"429:x":          "neither a number nor *",
		"429:999999":     "not between 1 and 100000",
		"429:2:3":        "neither a number nor *",
		"429;503":        "unknown kind",
		"slow=300ms,bad": `fault "bad"`,

		strings.Repeat("cut,", 65):    "at most 64",
		strings.Repeat("x", 5000):     "at most 4096",
		strings.Repeat("429:1,", 700): "at most 4096",
	} {
		if _, err := sandbox.ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want one with %q", text, err, want)
		}
	}
}

// Each fault, armed once, strikes the next request and not the one after it.
func TestFaultsStrikeOnce(t *testing.T) {
	const fetch = "/v1/Interactions/" + sandbox.SeedInteraction
	for _, tt := range []struct {
		fault  string
		check  func(t *testing.T, a answer)
		create bool
	}{
		{fault: "429", check: func(t *testing.T, a answer) {
			wantError(t, a, 429, 20429, "Too Many Requests")
			if a.header.Get("Retry-After") != "1" || a.header.Get("Twilio-Concurrent-Requests") != "100" {
				t.Errorf("headers: %v", a.header)
			}
		}},
		{fault: "429=1500ms", check: func(t *testing.T, a answer) {
			if got := a.header.Get("Retry-After"); a.status != 429 || got != "2" {
				t.Errorf("%d, Retry-After %q", a.status, got)
			}
		}},
		{fault: "503", check: func(t *testing.T, a answer) {
			wantError(t, a, 503, 20503, "Service is unavailable")
			if got := a.header.Get("Retry-After"); got != "" {
				t.Errorf("Retry-After %q", got)
			}
		}},
		{fault: "503=3s", check: func(t *testing.T, a answer) {
			if got := a.header.Get("Retry-After"); a.status != 503 || got != "3" {
				t.Errorf("%d, Retry-After %q", a.status, got)
			}
		}},
		{fault: "html502", check: func(t *testing.T, a answer) {
			if a.status != 502 || a.header.Get("Content-Type") != "text/html" || a.body != nil ||
				!strings.HasPrefix(a.text, "<html>") || a.header.Get("Twilio-Request-Id") != "" {
				t.Errorf("%d %v %s", a.status, a.header, a.text)
			}
		}},
		{fault: "not-found-once", check: func(t *testing.T, a answer) {
			wantError(t, a, 404, 20404, "The requested resource /Interactions/"+sandbox.SeedInteraction+" was not found")
		}},
		{fault: "extra-fields", check: func(t *testing.T, a answer) {
			if a.status != 200 || a.at("sandbox_extra") == nil || a.str("sid") != sandbox.SeedInteraction {
				t.Errorf("%d %s", a.status, a.text)
			}
		}},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			faults, err := sandbox.ParseFaults(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			c := start(t, sandbox.Options{Faults: faults})
			tt.check(t, c.get(fetch))
			if a := c.get(fetch); a.status != http.StatusOK || a.at("sandbox_extra") != nil {
				t.Errorf("the request after: %d %s", a.status, a.text)
			}
			tt.check(t, c.get(fetch, "Sandbox-Fault", tt.fault))
			if a := c.get(fetch); a.status != http.StatusOK {
				t.Errorf("the request after the header: %d", a.status)
			}
		})
	}
}

// What the faults refuse is not processed.
func TestRefusingFaultsProcessNothing(t *testing.T) {
	for _, fault := range []string{"429", "503", "html502"} {
		c := start(t, sandbox.Options{})
		a := c.do(http.MethodPost, "/v1/Interactions", formType,
			encodeForm("Channel", webChannel, "Routing", anyRouting), "Sandbox-Fault", fault)
		if a.status < 400 {
			t.Errorf("%s: %d", fault, a.status)
		}
		if n := c.get("/.sandbox/").at("state", "interactions"); n != 1.0 {
			t.Errorf("%s left %v interactions", fault, n)
		}
	}
}

// The ambiguous create: no answer, and an interaction.
func TestCutLeavesAnInteraction(t *testing.T) {
	c := start(t, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultCut}}})
	form := encodeForm("Channel", webChannel, "Routing", anyRouting)
	if a, err := c.try(http.MethodPost, "/v1/Interactions", formType, form); !errors.Is(err, io.EOF) {
		t.Errorf("want a cut connection, got %v %v", a, err)
	}
	if n := c.get("/.sandbox/").at("state", "interactions"); n != 2.0 {
		t.Errorf("%v interactions", n)
	}
	requests := c.sb.Requests()
	if len(requests) != 1 || requests[0].Status != 200 || requests[0].Fault != "cut" {
		t.Errorf("requests: %+v", requests)
	}
}

// Where the connection cannot be taken over, as with a recorder, cut answers.
func TestCutWithoutAConnection(t *testing.T) {
	sb := sandbox.New(sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultCut}}})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/v1/Interactions/"+sandbox.SeedInteraction, nil)
	r.SetBasicAuth(testUser, testPass)
	sb.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.Len() == 0 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestFailedSetUp(t *testing.T) {
	clk := newClock()
	c := start(t, sandbox.Options{Now: clk.Now, SetupDelay: time.Second, Faults: []sandbox.Fault{{Kind: sandbox.FaultFailedSetup}}})
	// Only a create uses it up.
	c.get("/v1/Interactions/" + sandbox.SeedInteraction)
	kd, uo, _ := c.create(webChannel, anyRouting)
	if got := c.status(kd, uo); got != "setup" {
		t.Errorf("at first %s", got)
	}
	clk.advance(time.Second)
	if a := c.get(channelPath(kd, uo)); a.str("status") != "failed" || a.at("error_code") != 45356.0 {
		t.Errorf("then %s", a.text)
	}
	kd, uo, _ = c.create(webChannel, anyRouting)
	clk.advance(time.Second)
	if got := c.status(kd, uo); got != "active" {
		t.Errorf("the create after: %s", got)
	}
}

func TestNotFoundOnceAfterACreate(t *testing.T) {
	c := start(t, sandbox.Options{Faults: []sandbox.Fault{{Kind: sandbox.FaultNotFoundOnce}}})
	kd, _, _ := c.create(webChannel, anyRouting)
	if a := c.get("/v1/Interactions/" + kd); a.status != http.StatusNotFound {
		t.Errorf("first fetch: %d", a.status)
	}
	if a := c.get("/v1/Interactions/" + kd); a.status != http.StatusOK {
		t.Errorf("second fetch: %d", a.status)
	}
}

// slow processes first and answers later; who goes away is not waited for.
func TestSlow(t *testing.T) {
	create := func(ctx context.Context, sb *sandbox.Sandbox) (int, time.Duration) {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/Interactions",
			strings.NewReader(encodeForm("Channel", webChannel, "Routing", anyRouting)))
		r.Header.Set("Content-Type", formType)
		r.SetBasicAuth(testUser, testPass)
		w := httptest.NewRecorder()
		began := time.Now()
		sb.ServeHTTP(w, r)
		return w.Body.Len(), time.Since(began)
	}
	for _, tt := range []struct {
		fault  string
		cancel time.Duration // 0: never
		want   time.Duration
		answer bool
	}{
		{"slow=300ms", 0, 300 * time.Millisecond, true},
		{"slow", 0, 2 * time.Second, true},
		{"slow=60s", 5 * time.Second, 5 * time.Second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			faults, err := sandbox.ParseFaults(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			sb := sandbox.New(sandbox.Options{Faults: faults, Rand: seededBytes()})
			ctx := t.Context()
			if tt.cancel > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.cancel)
				defer cancel()
			}
			body, took := create(ctx, sb)
			if took != tt.want || (body > 0) != tt.answer {
				t.Errorf("%s: %v, answer of %d bytes; want %v", tt.fault, took, body, tt.want)
			}
			if r := sb.Requests(); len(r) != 1 || r[0].Status != http.StatusOK {
				t.Errorf("%s: not processed: %+v", tt.fault, r)
			}
		})
	}
}

// The armed faults are a script; a header leaves it alone.
func TestFaultScript(t *testing.T) {
	faults, err := sandbox.ParseFaults("failed-setup,429:2,503,extra-fields:*")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, sandbox.Options{Faults: faults})
	const fetch = "/v1/Interactions/" + sandbox.SeedInteraction
	if a := c.get(fetch, "Authorization", ""); a.status != http.StatusUnauthorized {
		t.Errorf("no credentials: %d", a.status)
	}
	for n, want := range []int{429, 429, 503, 200, 200} {
		if n == 1 {
			if a := c.get(fetch, "Sandbox-Fault", "html502"); a.status != 502 {
				t.Errorf("header: %d", a.status)
			}
		}
		a := c.get(fetch)
		if a.status != want || (want == 200) != (a.at("sandbox_extra") != nil) {
			t.Errorf("request %d: %d %s, want %d", n, a.status, a.text, want)
		}
	}
	want := []sandbox.Fault{{Kind: sandbox.FaultFailedSetup, Times: 1}, {Kind: sandbox.FaultExtraFields, Times: sandbox.Always}}
	if diff := cmp.Diff(want, c.sb.Faults()); diff != "" {
		t.Errorf("still armed (-want +got):\n%s", diff)
	}
	c.sb.SetFaults()
	if a := c.get(fetch); a.at("sandbox_extra") != nil {
		t.Error("SetFaults() disarms nothing")
	}
	if a := c.get(fetch, "Sandbox-Fault", "nonsense"); a.status != http.StatusBadRequest || !strings.Contains(a.text, "unknown kind") {
		t.Errorf("unknown fault in the header: %d %s", a.status, a.text)
	}
}

// A header takes several faults, and only those that fit the request.
func TestFaultHeader(t *testing.T) {
	clk := newClock()
	c := start(t, sandbox.Options{Now: clk.Now})
	a := c.do(http.MethodPost, "/v1/Interactions", formType, encodeForm("Channel", webChannel, "Routing", anyRouting),
		"Sandbox-Fault", "not-found-once, failed-setup, extra-fields")
	if a.status != http.StatusOK || a.at("sandbox_extra") == nil {
		t.Fatalf("create: %d %s", a.status, a.text)
	}
	if got := c.status(a.str("sid"), a.str("channel", "sid")); got != "failed" {
		t.Errorf("the channel is %s", got)
	}
	if got := c.sb.Requests()[0].Fault; got != "failed-setup,extra-fields" {
		t.Errorf("noted faults: %s", got)
	}
}

func TestSetFaultsDropsWhatIsUnusable(t *testing.T) {
	sb := sandbox.New(sandbox.Options{Faults: []sandbox.Fault{{Kind: "explode"}, {Kind: sandbox.FaultSlow, Delay: time.Hour}, {Kind: sandbox.FaultCut}}})
	if diff := cmp.Diff([]sandbox.Fault{{Kind: sandbox.FaultCut, Times: 1}}, sb.Faults()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Extra fields hold numbers that must survive a gateway byte for byte.
func TestExtraFieldsAreJSON(t *testing.T) {
	c := start(t, sandbox.Options{})
	for _, path := range []string{"/v1/Interactions/" + sandbox.SeedInteraction, seedChannels, seedChannels + "/" + sandbox.SeedChannel} {
		a := c.get(path, "Sandbox-Fault", "extra-fields")
		if !json.Valid([]byte(a.text)) || !strings.Contains(a.text, "9007199254740993") {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}
