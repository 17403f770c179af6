package cli

import (
	"runtime"
	"runtime/debug"
)

// startMemory is how much memory the process may keep, in bytes, without a look
// at whether it needs it. A few files never come near.
const startMemory = 64 << 20

// giveBack returns to the system what loading has left over, where the process
// has more memory than most: decoded contracts and documents are several times
// as large as the plans that are made of them, and by itself the runtime would
// keep their memory for minutes. It costs a collection, and reports whether it
// was worth one.
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
