package engine_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
)

// What one more file may take where there are many, in terms of what it takes
// where there are few.
const steadyGrowth = 1.3

// A file costs as much memory among hundreds as among few. What it costs is
// looked at between two sizes, so that what the process takes anyway does not
// count.
func TestMemoryGrowsLinearly(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var kept []float64
	sizes := []int{50, 250, 1000}
	for _, files := range sizes {
		dir := writeArmada(t, files)
		before, _ := liveHeap()
		f := startArmada(t, dir, "")
		after, _ := liveHeap()
		f.stop(t)
		kept = append(kept, float64(after)-float64(before))
	}
	few := (kept[1] - kept[0]) / float64(sizes[1]-sizes[0])
	many := (kept[2] - kept[1]) / float64(sizes[2]-sizes[1])
	t.Logf("a file takes %.0f bytes up to %d files and %.0f up to %d", few, sizes[1], many, sizes[2])
	if few <= 0 || many > few*steadyGrowth {
		t.Errorf("a file takes %.0f bytes up to %d files and %.0f up to %d", few, sizes[1], many, sizes[2])
	}
}

// fleetCalls are requests to the first of an armada's files: REST, its own MCP
// endpoint, and the endpoint of all.
func fleetCalls(t testing.TB, f *armada, files int) map[string]*track {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	kind := []string{"application/json"}
	header := http.Header{"Content-Type": kind, "Accept": kind, "Mcp-Protocol-Version": {legacyRevision}}
	call := callMessage(1, "fleet-0-fetch-ship", `{"imo":"9074729"}`, "")
	own := "/mcp"
	if files > 1 {
		own = "/mcp/fleet-0-mcp"
	}
	return map[string]*track{
		"REST":    {client, http.MethodGet, f.rest + "/v1/fleets/0/ships/9074729", nil, "", 200},
		"MCP":     {client, http.MethodPost, f.mcp + own, header, call, 200},
		"MCP all": {client, http.MethodPost, f.mcp + "/mcp", header, call, 200},
	}
}

// shipUpstream answers every call with a ship.
func shipUpstream(t testing.TB) string {
	kind := []string{"application/json"}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = kind
		_, _ = io.WriteString(w, `{"imo":"9074729","name":"Nadir"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// A request allocates as much among five hundred files as it does alone.
func TestRequestsDoNotPayForOtherFiles(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	upstream := shipUpstream(t)
	alone := map[string]float64{}
	for _, files := range []int{1, 500} {
		f := startArmada(t, writeArmada(t, files), upstream)
		for name, call := range fleetCalls(t, f, files) {
			allocations, _ := cost(func() { call.run(t) })
			for range 2 { // other work of the machine only ever adds
				again, _ := cost(func() { call.run(t) })
				allocations = min(allocations, again)
			}
			if files == 1 {
				alone[name] = allocations
				continue
			}
			t.Logf("%s: %.2f allocations alone, %.2f among %d files", name, alone[name], allocations, files)
			// Less than one is what net/http's own goroutines do now and then.
			if math.Abs(allocations-alone[name]) >= 1 {
				t.Errorf("%s: %.2f allocations alone, %.2f among %d files", name, alone[name], allocations, files)
			}
		}
		f.stop(t)
	}
}

// BenchmarkAmongFiles is the time of a request by how many files are served.
func BenchmarkAmongFiles(b *testing.B) {
	upstream := shipUpstream(b)
	for _, files := range []int{1, 500, 5000} {
		f := startArmada(b, writeArmada(b, files), upstream)
		calls := fleetCalls(b, f, files)
		for _, name := range []string{"REST", "MCP", "MCP all"} {
			b.Run(fmt.Sprintf("%s/%d", name, files), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					calls[name].run(b)
				}
			})
		}
		f.stop(b)
	}
}

// BenchmarkFiles serves generated files in one process and reports what each of
// them takes: of time until all are served, and of memory as long as they are.
// One round says enough: -benchtime 1x.
func BenchmarkFiles(b *testing.B) {
	for _, files := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprint(files), func(b *testing.B) {
			dir := writeArmada(b, files)
			var kept, objects float64
			var took time.Duration
			for b.Loop() {
				before, count := liveHeap()
				start := time.Now()
				f := startArmada(b, dir, "")
				took += time.Since(start)
				after, counted := liveHeap()
				kept, objects = float64(after-before), float64(counted-count)
				f.stop(b)
			}
			b.ReportMetric(kept/float64(files), "B/file")
			b.ReportMetric(kept/float64(files*armadaOperations), "B/operation")
			b.ReportMetric(objects/float64(files), "objects/file")
			b.ReportMetric(took.Seconds()*1e6/float64(b.N*files), "µs/file")
		})
	}
}

// liveHeap is the size in bytes and the number of all objects that are reachable.
func liveHeap() (size, objects uint64) {
	var m runtime.MemStats
	for range 3 { // finalizers and pools let go of things in the second round
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.HeapObjects
}
