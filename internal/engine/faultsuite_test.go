package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/internal/deploy"
	"patchbay/internal/upstream"
)

// fate is what happens to the requests of one id, and what callers may be told of
// a write and of a read: a status of an answer, or an outcome of a fault. There is
// more than one where retries may be used up: then it is what the last attempt left,
// and where a retry may have met a connection that another request's fate has killed.
type fate struct {
	name        string
	steps       []string
	write, read []string
	// applied is how often a write takes effect: at most once, whatever happens.
	applied int
}

func fates() []fate {
	one := func(s ...string) []string { return s }
	return []fate{
		{"works", one(stepOK), one("200"), one("200"), 1},
		{"works, and the connection is gone", one(stepDrop), one("200"), one("200"), 1},
		{"reset within the request", one(stepResetBefore), one("unknown"), one("unknown"), 0},
		{"reset within the first request", one(stepResetBefore, stepOK), one("unknown"), one("200", "unknown"), 0},
		{"reset after the request", one(stepResetAfter), one("unknown"), one("unknown"), 0},
		{"reset after the first request", one(stepResetAfter, stepOK), one("unknown"), one("200", "unknown"), 0},
		{"applied and reset", one(stepApplyReset), one("unknown"), one("unknown"), 1},
		{"applied and reset once", one(stepApplyReset, stepOK), one("unknown"), one("200", "unknown"), 1},
		{"half an answer", one(stepHalf), one("answered"), one("answered"), 1},
		{"half an answer once", one(stepHalf, stepOK), one("answered"), one("200", "answered"), 1},
		{"no HTTP", one(stepGarbage, stepOK), one("unknown"), one("200", "unknown"), 1},
		{"stalls", one(stepStall), one("unknown"), one("unknown"), 1},
		{"stalls in the body", one(stepStallBody), one("answered"), one("answered"), 1},
		{"500", one(step500), one("500"), one("500"), 1},
		{"a burst of 503", one(step503, step503, stepOK), one("503"), one("200", "503"), 1},
		{"503 for ever", one(step503), one("503"), one("503"), 1},
		{"one 429", one(step429, stepOK), one("200", "429", "unknown"), one("200", "429"), 1},
		{"a storm of 429", one(step429), one("429", "unknown"), one("429"), 0},
		{"429 and then a reset", one(step429, stepApplyReset, stepOK), one("unknown", "429"), one("200", "429", "unknown"), 1},
		{"400", one(step400), one("400"), one("400"), 0},
	}
}

// trial is one request of the suite.
type trial struct {
	fate  *fate
	id    string
	write bool
	tool  bool
	key   string
}

// told is what a caller was told: a status, or the outcome of a fault. An answer
// that carries another request's id is "mixed".
func (x *trial) told(s *site, client *http.Client) (string, error) {
	const channel = "UO9c8b7a6d5e4f30211223344556677889"
	method, url, body := http.MethodGet, "http://"+s.rest+"/v1/interactions/"+x.id, ""
	header := http.Header{"Content-Type": {"application/json"}}
	if x.write {
		method, url, body = http.MethodPost, url+"/channels/"+channel, `{"Status":"closed"}`
	}
	if x.tool {
		name, arguments, meta := "twilio-fetch-interaction", `{"InteractionSid":"`+x.id+`"}`, ""
		if x.write {
			name = "twilio-update-interaction-channel"
			arguments = `{"InteractionSid":"` + x.id + `","ChannelSid":"` + channel + `","body":{"Status":"closed"}}`
		}
		if x.key != "" {
			meta = `,"_meta":{"patchbay/idempotencyKey":"` + x.key + `"}`
		}
		method, url, body = http.MethodPost, "http://"+s.mcp+"/mcp", callMessage(7, name, arguments, meta)
		header.Set("MCP-Protocol-Version", legacyRevision)
	} else if x.key != "" {
		header.Set("Idempotency-Key", x.key)
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header = header
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if x.tool {
		return x.toolTold(said)
	}
	var content struct {
		SID     string `json:"sid"`
		Outcome string
	}
	if err := json.Unmarshal(said, &content); err != nil {
		return "", fmt.Errorf("%s: %w", said, err)
	}
	if answer.Header.Get("Patchbay-Source") == fromGateway {
		return content.Outcome, nil
	}
	if content.SID != x.id {
		return "mixed: " + string(said), nil
	}
	return fmt.Sprint(answer.StatusCode), nil
}

// toolTold reads the same out of the result of a tool.
func (x *trial) toolTold(said []byte) (string, error) {
	var message struct {
		ID     int
		Result struct {
			Content           []struct{ Text string }
			StructuredContent struct {
				SID string `json:"sid"`
			}
			IsError bool
		}
	}
	if err := json.Unmarshal(said, &message); err != nil || message.ID != 7 || len(message.Result.Content) == 0 {
		return "", fmt.Errorf("%s: %w", said, err)
	}
	text := message.Result.Content[0].Text
	switch r := message.Result; {
	case r.StructuredContent.SID == x.id:
		return "200", nil
	case strings.HasPrefix(text, "The change was accepted (HTTP 200)"), strings.Contains(text, "answered 200, but its answer did not arrive whole"):
		return "answered", nil
	case strings.Contains(text, "answered HTTP "):
		_, rest, _ := strings.Cut(text, "answered HTTP ")
		status, _, _ := strings.Cut(rest, " ")
		return status, nil
	case strings.Contains(text, "Outcome: unknown"):
		return "unknown", nil
	case strings.Contains(text, "Outcome: not sent"):
		return "not_sent", nil
	default:
		return "mixed: " + string(said), nil
	}
}

// underLoad runs trials with many callers at a time.
func underLoad(t *testing.T, s *site, trials []trial, judge func(x *trial, told string)) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	work := make(chan *trial)
	var callers sync.WaitGroup
	for range 24 {
		callers.Go(func() {
			for x := range work {
				told, err := x.told(s, client)
				if err != nil {
					t.Errorf("%s %s: a caller got no answer: %v", x.fate.name, x.id, err)
					continue
				}
				judge(x, told)
			}
		})
	}
	for i := range trials {
		work <- &trials[i]
	}
	close(work)
	callers.Wait()
}

// rough are the settings of the suite: short times, nothing that hides a fault.
func rough(c *chaos, change func(*deploy.Options)) settings {
	return settings{upstreamURL: "http://" + c.address + "/v1", discardLog: true, options: func(o *deploy.Options) {
		o.Limits.Header, o.Limits.Total = 250*time.Millisecond, 2*time.Second
		o.Limits.Retry = deploy.Retry{Attempts: 3, Base: time.Millisecond, Max: 10 * time.Millisecond}
		o.Limits.Breaker.Failures = -1
		if change != nil {
			change(o)
		}
	}}
}

// TestFaultSuite: whatever the network does, under load and through both adapters,
// no write takes effect twice, no answer is lost or another request's, and what is
// said about the effect is true.
func TestFaultSuite(t *testing.T) {
	c := newChaos(t)
	s := serve(t, rough(c, nil))
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	all := fates()
	run := func(from, to int) {
		var trials []trial
		for round := from; round < to; round++ {
			for i := range all {
				for kind := range 6 {
					x := trial{fate: &all[i], id: fmt.Sprintf("KD%032x", round<<16|i<<8|kind), write: kind%2 == 0, tool: kind%4 < 2}
					if kind >= 4 {
						x.key = "key-" + x.id
					}
					c.script(x.id, all[i].steps)
					trials = append(trials, x)
				}
			}
		}
		underLoad(t, s, trials, func(x *trial, told string) {
			seen, applied := c.effects(x.id)
			want := x.fate.read
			if x.write {
				want = x.fate.write
				// A kept connection that another request's fate has killed, and nobody
				// can tell from here: it did not come, and might have.
				if told == "unknown" && seen == 0 {
					return
				}
			}
			if !slices.Contains(want, told) {
				t.Errorf("%s (write %v, tool %v): told %q, want %q", x.fate.name, x.write, x.tool, told, want)
			}
			if x.write && (applied > x.fate.applied || told == "200" && applied != 1) || seen == 0 {
				t.Errorf("%s (tool %v): told %s; %d requests came and %d were applied, at most %d may be", x.fate.name, x.tool, told, seen, applied, x.fate.applied)
			}
		})
		// Who repeats a write with its key never makes it happen again.
		var again []trial
		for _, x := range trials {
			if x.write && x.key != "" {
				again = append(again, x, x, x)
			}
		}
		underLoad(t, s, again, func(x *trial, _ string) {
			if _, applied := c.effects(x.id); applied > 1 {
				t.Errorf("%s: repeated with its key, it was applied %d times", x.fate.name, applied)
			}
		})
	}
	run(0, 1) // warms up
	s.idle(t, c)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	run(1, rounds+1)
	s.idle(t, c)
	eventually(t, "goroutines and descriptors are as many as before", func() (string, bool) {
		g, d := runtime.NumGoroutine(), descriptors(t)
		return fmt.Sprintf("goroutines %d, before %d; descriptors %d, before %d", g, goroutines, d, files), g <= goroutines+4 && d <= files+4
	})
}

// TestFaultSuiteBreaker: while the upstream is down nothing is sent and callers are
// told so, nearly all at once; when it is back, calls go through again.
func TestFaultSuiteBreaker(t *testing.T) {
	c := newChaos(t)
	s := serve(t, rough(c, func(o *deploy.Options) {
		o.Limits.Header, o.Limits.Total = 20*time.Second, 20*time.Second // a busy machine is slow
		o.Limits.Breaker = deploy.Breaker{Failures: 5, Window: 10, Pause: 50 * time.Millisecond}
	}))
	down := fate{name: "down", write: []string{"not_sent"}, read: []string{"not_sent"}}
	trials := func(n int) []trial {
		out := make([]trial, 200)
		for i := range out {
			out[i] = trial{fate: &down, id: fmt.Sprintf("KD%032x", n<<16|i), write: i%2 == 0, tool: i%4 < 2}
		}
		return out
	}
	state := s.deployment.Bound[0].Client(s.deployment.Bound[0].Plan.Upstreams[0]).State()
	for round := range 3 {
		c.stop()
		first := trials(round * 2)
		underLoad(t, s, first, func(x *trial, told string) {
			// A connection that was kept may be found to be dead only when it is used.
			if seen, _ := c.effects(x.id); told != "not_sent" && told != "unknown" || seen != 0 {
				t.Errorf("told %q, %d requests came", told, seen)
			}
		})
		if st := state.Stats(); st.Opened == 0 || st.BreakerRefused == 0 {
			t.Errorf("the breaker did not open: %+v", st)
		}
		c.start()
		client := &http.Client{Transport: &http.Transport{}}
		eventually(t, "calls go through again", func() (string, bool) {
			x := trial{fate: &down, id: fmt.Sprintf("KD%032x", 1<<30|round)}
			told, err := x.told(s, client)
			return fmt.Sprint(told, err), told == "200"
		})
		client.CloseIdleConnections()
		underLoad(t, s, trials(round*2+1), func(x *trial, told string) {
			if _, applied := c.effects(x.id); told != "200" || applied != 1 {
				t.Errorf("told %q after the upstream is back, %d effects", told, applied)
			}
		})
		if st := state.Stats(); st.Breaker != upstream.Closed || st.InFlight != 0 || st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
	}
}

// TestFaultSuiteOverload: who finds no room is told so at once, and nothing of it
// is sent; everybody else is served.
func TestFaultSuiteOverload(t *testing.T) {
	c := newChaos(t)
	s := serve(t, rough(c, func(o *deploy.Options) { o.Limits.MaxConcurrent, o.Limits.MaxQueue = 2, 4 }))
	stall := fate{name: "stalls", steps: []string{stepStall}, write: []string{"unknown", "not_sent"}, read: []string{"unknown", "not_sent"}}
	trials := make([]trial, 96)
	for i := range trials {
		trials[i] = trial{fate: &stall, id: fmt.Sprintf("KD%032x", i), write: i%2 == 0, tool: i%4 < 2}
		c.script(trials[i].id, stall.steps)
	}
	var mu sync.Mutex
	count := map[string]int{}
	underLoad(t, s, trials, func(x *trial, told string) {
		mu.Lock()
		count[told]++
		mu.Unlock()
		if seen, _ := c.effects(x.id); told == "not_sent" && seen != 0 || told == "unknown" && seen != 1 {
			t.Errorf("told %q, %d requests came", told, seen)
		}
	})
	if count["unknown"] == 0 || count["not_sent"] == 0 || count["unknown"]+count["not_sent"] != len(trials) {
		t.Errorf("told %v", count)
	}
}

// idle gives up kept connections on both sides of the gateway.
func (s *site) idle(t *testing.T, c *chaos) {
	for _, u := range s.deployment.Bound[0].Plan.Upstreams {
		s.deployment.Bound[0].Client(u).Close()
	}
	eventually(t, "the upstream's connections are closed", func() (string, bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return fmt.Sprintf("%d are open", len(c.open)), len(c.open) == 0
	})
}

// descriptors is how many files and sockets the process has open, 0 where the
// system does not tell.
func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Logf("descriptors are not counted: %v", err)
	}
	return len(entries)
}

// eventually waits for what happens elsewhere, as long as a test may take for it.
func eventually(t *testing.T, what string, is func() (string, bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		found, ok := is()
		if ok {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("%s: never; %s", what, found)
		}
	}
}
