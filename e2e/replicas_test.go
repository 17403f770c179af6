package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// startReplica serves the embedded capability from a deployment file of its own. The
// upstream knows it by its name.
func startReplica(t *testing.T, upstream *ledger, name, more string) *process {
	t.Helper()
	return startConfigured(t, t.TempDir(), fmt.Sprintf(`upstreams:
  flex-interactions: {baseUrl: "%s/%s/v1"}
adapters:
  %s: {listen: "127.0.0.1:0"}
  %s: {listen: "127.0.0.1:0"}
control: {listen: "127.0.0.1:0"}
telemetry: {log: {level: warn}, audit: audit.log}
%s`, upstream.URL, name, restNamespace, mcpNamespace, more))
}

// startConfigured serves the embedded capability as a deployment file in a folder says.
func startConfigured(t *testing.T, dir, text string) *process {
	t.Helper()
	config := filepath.Join(dir, "patchbay.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, []string{"TWILIO_USER=ACe2e", "TWILIO_PASS=secret"}, "serve", "--config", config)
}

// TestReplicas: three processes behind a plain balancer, callers of both eras, and
// one process that is killed under load. Only the requests that it was working on
// fail, and their callers see it; nothing is sent twice.
func TestReplicas(t *testing.T) {
	upstream := newLedger(t, nil)
	// Without kept connections it is plain which requests the killed one was given.
	b := newBalancer(t, false)
	const victim = "two"
	var doomed *process
	for _, name := range []string{"one", victim, "three"} {
		p := startReplica(t, upstream, name, "")
		b.add(name, p)
		if name == victim {
			doomed = p
		}
	}
	c := newCallers(t, b.rest.URL, b.mcp.URL+"/mcp")

	// Some requests of each way wait at the upstream when it happens, wherever the
	// balancer has put them.
	type result struct {
		way way
		id  string
		ok  bool
	}
	const each = 9
	results := make(chan result, each*len(ways()))
	for _, w := range ways() {
		for range each {
			id := c.id()
			upstream.hold(id)
			go func() {
				told, err := c.call(context.WithoutCancel(t.Context()), w, id, "")
				if err == nil && told != "ok" {
					t.Errorf("%s was told %s", w, told)
				}
				results <- result{w, id, err == nil}
			}()
		}
	}
	eventually(t, "requests wait", func() (string, bool) {
		n := len(upstream.waiting())
		return fmt.Sprint(n), n == each*len(ways())
	})

	const dead = 1 // of the phases
	var lost atomic.Int64
	var mu sync.Mutex
	writes := map[string]bool{} // whether they succeeded
	l := c.start(t, 8, func(m made) {
		if m.err == nil && m.told != "ok" || m.err != nil && m.phase == dead {
			t.Errorf("%s in phase %d was told %s, %v", m.way, m.phase, m.told, m.err)
		}
		if m.err != nil {
			lost.Add(1)
		}
		if m.way.write {
			mu.Lock()
			writes[m.id] = m.err == nil
			mu.Unlock()
		}
	})
	l.more(t, 200)
	if err := doomed.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-doomed.reading
	_ = doomed.cmd.Wait()
	l.phase.Store(dead)
	l.more(t, 400)
	l.end()
	t.Logf("%d calls under load, of which %d failed", l.calls.Load(), lost.Load())

	// Who waited at the others gets an answer; who waited at the killed one has been
	// told, without anything being sent again.
	where := upstream.waiting()
	close(upstream.release)
	atVictim := 0
	for range each * len(ways()) {
		r := <-results
		if where[r.id] == victim {
			atVictim++
		}
		if r.ok != (where[r.id] != victim) {
			t.Errorf("%s at %s: succeeded %v", r.way, where[r.id], r.ok)
		}
		if e := upstream.of(r.id); e.seen != 1 {
			t.Errorf("%s at %s: %d requests came", r.way, where[r.id], e.seen)
		}
	}
	if atVictim < len(ways()) || atVictim == len(where) {
		t.Errorf("%d of %d requests waited at the killed process", atVictim, len(where))
	}
	for id, ok := range writes {
		if e := upstream.of(id); e.applied > 1 || ok && e.applied != 1 {
			t.Errorf("a write succeeded %v and was applied %d times", ok, e.applied)
		}
	}
	handed, refused, failed := b.counts()
	for name, errs := range failed {
		if name != victim {
			t.Errorf("at %q: %v", name, errs)
		}
	}
	if n := int64(len(failed[victim])); n != lost.Load()+int64(atVictim) {
		t.Errorf("%d requests failed at the killed process, callers saw %d", n, lost.Load()+int64(atVictim))
	}
	if refused == 0 || handed["one"] == 0 || handed["three"] == 0 {
		t.Errorf("handed %v, refused %d", handed, refused)
	}
}

// TestRestarts: ten rolling restarts of three replicas, and a hundred reloads, under
// calls of both adapters and eras. No call fails, and no write is applied twice.
func TestRestarts(t *testing.T) {
	const (
		rounds   = 10
		reloads  = 4 // of each process
		lameDuck = "lameDuck: 1500ms\ndrain: 1m\n"
	)
	upstream := newLedger(t, nil)
	b := newBalancer(t, true)
	var replicas []*replica
	for _, name := range []string{"one", "two", "three"} {
		replicas = append(replicas, b.add(name, startReplica(t, upstream, name, lameDuck)))
	}
	b.check()
	c := newCallers(t, b.rest.URL, b.mcp.URL+"/mcp")
	var mu sync.Mutex
	var writes []string
	l := c.start(t, 6, func(m made) {
		if m.err != nil || m.told != "ok" {
			t.Errorf("%s: %s, %v", m.way, m.told, m.err)
		}
		if m.way.write {
			mu.Lock()
			writes = append(writes, m.id)
			mu.Unlock()
		}
	})
	control := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var leaving sync.WaitGroup
	reloaded := 0
	for round := range rounds {
		for i, old := range replicas {
			for n := range reloads {
				old.reload(control, n%2 == 0)
				reloaded++
			}
			l.more(t, 20)
			// The new one is there before the old one is told to go.
			replicas[i] = b.add(fmt.Sprintf("%s.%d", old.name, round), startReplica(t, upstream, old.name, lameDuck))
			old.terminate()
			leaving.Go(old.stopped)
		}
	}
	l.more(t, 100)
	leaving.Wait() // the last of them go under load, too
	l.end()
	for _, id := range writes {
		if e := upstream.of(id); e.seen != 1 || e.applied != 1 {
			t.Errorf("of a write %d requests came and %d were applied", e.seen, e.applied)
		}
	}
	handed, refused, failed := b.counts()
	if len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	for name, n := range handed {
		if n == 0 {
			t.Errorf("%s got no request", name)
		}
	}
	if reloaded < 100 || l.calls.Load() < 2000 {
		t.Errorf("%d reloads in %d calls", reloaded, l.calls.Load())
	}
	t.Logf("%d calls, %d restarts of a process, %d reloads, %d connections refused", l.calls.Load(), rounds*len(replicas), reloaded, refused)
}

// reload makes a process load everything again, and waits until it serves the new
// deployment.
func (p *process) reload(client *http.Client, signal bool) {
	t := p.t
	t.Helper()
	generation := func(method, path string) int64 {
		request, err := http.NewRequestWithContext(t.Context(), method, p.control+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body := bodyOf(t, res)
		var status struct {
			Generation int64
			Reload     struct {
				OK    bool
				Error string
			} `json:"last_reload"`
		}
		if err := json.Unmarshal(body, &status); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s\n%s", method, path, res.Status, body)
		}
		return status.Generation
	}
	if !signal {
		generation(http.MethodPost, "/reload")
		return
	}
	before := generation(http.MethodGet, "/status")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reload", func() (string, bool) {
		now := generation(http.MethodGet, "/status")
		return fmt.Sprint(now), now > before
	})
}
