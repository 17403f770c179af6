package e2e

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// soak is how long TestSoak goes on. Ten minutes are what a release wants:
//
//	go test -run TestSoak -soak 10m -timeout 15m -v .
var soak = flag.Duration("soak", 20*time.Second, "how long TestSoak goes on")

// rough is what an upstream does that fails every tenth time, in all ways. A request
// that is made again mostly works.
func rough(id string, n int) fate {
	number, err := strconv.ParseUint(id[2:], 16, 64)
	if err != nil {
		return answered
	}
	// Neighbours are strangers: a multiplication spreads them.
	switch spread := (number * 0x9e3779b97f4a7c15 >> 40) % 200; {
	case n > 0 && spread%4 > 0:
		return answered
	case spread < 3:
		return resetBefore
	case spread < 6:
		return resetAfter
	case spread < 9:
		return half
	case spread < 11:
		return stalled
	case spread < 13:
		return garbage
	case spread < 15:
		return failed500
	case spread < 19:
		return failed503
	case spread < 23:
		return refused429
	default:
		return answered
	}
}

// sample is what a process says about itself.
type sample struct {
	rss, heap, goroutines, descriptors float64
}

// scrape reads metrics; with the same name their values are added up.
func scrape(t *testing.T, client *http.Client, control string) map[string]float64 {
	t.Helper()
	res, err := client.Get(control + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(bodyOf(t, res)))
	for lines.Scan() {
		line := lines.Text()
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			value, err := strconv.ParseFloat(line[at+1:], 64)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			name, _, _ := strings.Cut(line[:at], "{")
			out[name] += value
		}
	}
	return out
}

// median is that of one field of samples.
func median(samples []sample, field func(*sample) float64) float64 {
	var values []float64
	for i := range samples {
		values = append(values, field(&samples[i]))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// TestSoak: callers of both adapters and eras, an upstream that fails in every way,
// and reloads, for as long as the flag says. No answer is lost or somebody else's,
// no change is applied twice, what is said to have worked has worked, and nothing
// grows.
func TestSoak(t *testing.T) {
	upstream := newLedger(t, rough)
	// Callers wait for most of their time, as they do, and leave the machine to others.
	upstream.think = 10 * time.Millisecond
	dir := t.TempDir()
	p := startConfigured(t, dir, fmt.Sprintf(`upstreams:
  flex-interactions:
    baseUrl: "%s/soak/v1"
    timeouts: {header: 300ms, total: 2s}
    retry: {attempts: 3, base: 5ms, max: 50ms}
    breaker: {failures: 10, window: 20, pause: 500ms}
adapters:
  %s: {listen: "127.0.0.1:0"}
  %s: {listen: "127.0.0.1:0"}
control: {listen: "127.0.0.1:0"}
telemetry: {log: {level: error}, audit: audit.log}
# Full before the first quarter is over, so that keeping more would be a leak.
idempotency: {maxEntries: 1000, seconds: 2}
`, upstream.URL, restNamespace, mcpNamespace))
	c := newCallers(t, p.rest, p.mcp)
	operators := &http.Client{Transport: &http.Transport{}}
	defer operators.CloseIdleConnections()
	opening := scrape(t, operators, p.control)["patchbay_requests_total"] // the requests that open sessions

	var mu sync.Mutex
	writes := 0
	tally := map[string]int{}
	judge := func(m made) {
		mu.Lock()
		defer mu.Unlock()
		if m.way.write {
			writes++
		}
		switch {
		case m.err != nil:
			t.Errorf("%s %s: lost: %v", m.way, m.id, m.err)
		case m.told == "mixed":
			t.Errorf("%s %s: somebody else's answer", m.way, m.id)
		case m.told == "ok" && m.way.write && upstream.of(m.id).applied != 1:
			t.Errorf("%s %s: told that it worked, and applied %d times", m.way, m.id, upstream.of(m.id).applied)
		}
		switch {
		case m.err != nil:
			tally["lost"]++
		case m.told == "ok", m.told == "mixed":
			tally[m.told]++
		default:
			tally["fault"]++
		}
	}
	l := c.start(t, 8, judge)
	// Two more repeat each write with its key, at once and once again.
	var keyed atomic.Int64
	stop := make(chan struct{})
	var repeating sync.WaitGroup
	for worker := range 2 {
		repeating.Go(func() {
			all := ways()
			for n := worker; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				m := made{way: all[n%len(all)], id: c.id()}
				if !m.way.write {
					continue
				}
				for range 2 {
					m.told, m.err = c.call(t.Context(), m.way, m.id, "key-"+m.id)
					judge(m)
					keyed.Add(1)
				}
			}
		})
	}

	var samples []sample
	reloads := int64(0)
	every := max(*soak/120, 50*time.Millisecond)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < *soak && !t.Failed(); {
		<-tick.C
		m := scrape(t, operators, p.control)
		samples = append(samples, sample{m["process_resident_memory_bytes"], m["go_memstats_heap_alloc_bytes"], m["go_goroutines"], m["process_open_fds"]})
		if len(samples)%5 == 0 {
			p.reload(operators, len(samples)%2 == 0)
			reloads++
		}
	}
	l.end()
	close(stop)
	repeating.Wait()
	calls := l.calls.Load() + keyed.Load()

	// The books agree: what callers did, what the process says, what the upstream had.
	m := scrape(t, operators, p.control)
	for name, want := range map[string]int64{"patchbay_requests_total": calls + int64(opening), "patchbay_reloads_total": reloads, "patchbay_requests_in_flight": 0, "patchbay_upstream_in_flight": 0, "patchbay_upstream_queued": 0} {
		if int64(m[name]) != want {
			t.Errorf("%s is %v, want %d", name, m[name], want)
		}
	}
	audit, err := os.Open(filepath.Join(dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer audit.Close()
	told := 0
	lines := bufio.NewScanner(audit)
	for lines.Scan() {
		told++
	}
	if lines.Err() != nil || told != writes {
		t.Errorf("%d audit lines of %d writes, %v", told, writes, lines.Err())
	}
	requests, twice := 0, 0
	upstream.mu.Lock()
	for id, e := range upstream.entries {
		requests += e.seen
		if e.applied > 1 {
			twice++
			t.Errorf("%s was applied %d times", id, e.applied)
		}
	}
	upstream.mu.Unlock()
	t.Logf("%d calls, of which %d with a key, %d upstream requests, %.0f retries, %.0f changes of the breaker, %d reloads; %d answers ok, %d faults; %d lost, %d mixed, %d applied twice",
		calls, keyed.Load(), requests, m["patchbay_upstream_retries_total"], m["patchbay_upstream_breaker_transitions_total"], reloads, tally["ok"], tally["fault"], tally["lost"], tally["mixed"], twice)
	if tally["fault"] == 0 || tally["ok"] < tally["fault"] {
		t.Errorf("told %v", tally)
	}
	flat(t, samples)
}

// flat compares the second quarter of the samples with the last: the first one is for
// getting warm. What each may grow by is what a busy machine makes of a quiet one.
func flat(t *testing.T, samples []sample) {
	t.Helper()
	quarter := len(samples) / 4
	if quarter < 10 {
		t.Fatalf("%d samples are too few", len(samples))
	}
	for _, f := range []struct {
		name  string
		field func(*sample) float64
		ratio float64 // that it may grow by,
		more  float64 // and as much again
	}{
		{"resident memory", func(s *sample) float64 { return s.rss }, 1.25, 8 << 20},
		{"Go heap", func(s *sample) float64 { return s.heap }, 1.25, 4 << 20},
		{"goroutines", func(s *sample) float64 { return s.goroutines }, 1.1, 20},
		{"descriptors", func(s *sample) float64 { return s.descriptors }, 1.1, 20},
	} {
		second, last := median(samples[quarter:2*quarter], f.field), median(samples[len(samples)-quarter:], f.field)
		if second == 0 && runtime.GOOS != "linux" {
			continue // not every system tells
		}
		t.Logf("%s: median of the second quarter %.0f, of the last %.0f, ratio %.3f", f.name, second, last, last/second)
		if second == 0 || last > second*f.ratio+f.more {
			t.Errorf("%s grew from %.0f to %.0f", f.name, second, last)
		}
	}
}
