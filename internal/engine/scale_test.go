package engine_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

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
