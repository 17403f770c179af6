package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// startMemory is how much of the heap the process may keep after its start, in
// bytes, without a look at whether it needs it.
const startMemory = 6 << 20

// giveBack returns to the system what loading has left over: documents,
// contracts and the text of help are several times as large as what is made of
// them, and by itself the runtime would keep their memory for minutes. It costs
// a collection, and reports whether it was worth one.
func giveBack(most uint64) bool {
	if held() <= most {
		return false
	}
	debug.FreeOSMemory()
	return true
}

// held is the memory of the heap that the system has given and not got back, in
// bytes.
func held() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys - m.HeapReleased
}

// How often the collector runs. A gateway keeps little and makes garbage all the
// time, so that by the runtime's own setting, which is to collect when garbage
// is as much as what is kept, or 4 MB, it runs a hundred times a second. What is
// saved by more garbage falls off quickly; docs/performance.md has the figures.
const (
	// garbage is how much of it there may be, in bytes, where little is kept.
	garbage = 12 << 20
	// The bounds of what is set. The lower one is the runtime's own setting, and
	// so a large deployment is collected as ever. The upper one also sets below
	// which size of the heap nothing is ever collected: that percentage of 4 MB.
	leastPercent, mostPercent = 100, 400
)

// Pace makes the collector run less often as long as little memory is in use. It
// is a setting of the whole process, and does nothing where the environment has
// one.
func Pace(lookup func(string) (string, bool)) {
	if _, set := lookup("GOGC"); set {
		return
	}
	c := &collecting{percent: mostPercent}
	debug.SetGCPercent(c.percent)
	c.await()
}

// collecting is the setting that is in force.
type collecting struct{ percent int }

// await adapts the setting when the next collection has found out what is in use.
func (c *collecting) await() {
	// The cleanup of something that nothing refers to runs once, after a
	// collection. It is a pointer, because what has none shares its memory with others.
	runtime.AddCleanup(new(*collecting), func(c *collecting) {
		if next := percentFor(inUse()); next != c.percent {
			c.percent = next
			debug.SetGCPercent(next)
		}
		c.await()
	}, c)
}

// inUse is what the runtime takes its percentage of, in bytes: what the last
// collection has found to be in use, stacks, and global variables.
func inUse() uint64 {
	read := [...]metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(read[:])
	total := uint64(0)
	for i := range read {
		if read[i].Value.Kind() == metrics.KindUint64 {
			total += read[i].Value.Uint64()
		}
	}
	return total
}

// percentFor is the setting for what is in use, in steps, because each change
// stops the process for a moment.
func percentFor(used uint64) int {
	const step = 25
	percent := mostPercent
	if used > 0 {
		percent = int(min(garbage*100/used, mostPercent)) / step * step
	}
	return max(leastPercent, percent)
}
