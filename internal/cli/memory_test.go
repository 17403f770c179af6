package cli

import (
	"runtime"
	"testing"
)

func TestGiveBack(t *testing.T) {
	const ballast = 128 << 20
	pages := make([]byte, ballast)
	for i := 0; i < len(pages); i += 4096 {
		pages[i] = 1
	}
	if giveBack(1 << 40) {
		t.Error("memory is given back that may be kept")
	}
	before := held()
	runtime.KeepAlive(pages)
	pages = nil
	if !giveBack(ballast) {
		t.Fatalf("%d bytes are held and none is given back", before)
	}
	if after := held(); after+ballast > before+ballast/4 {
		t.Errorf("of %d bytes %d are still held, with %d that nothing needs", before, after, ballast)
	}
}

func TestPercentFor(t *testing.T) {
	for used, want := range map[uint64]int{
		0: mostPercent, 1 << 20: mostPercent, 3 << 20: mostPercent, 6 << 20: 200, 7 << 20: 150, 12 << 20: leastPercent, 1 << 40: leastPercent,
	} {
		if got := percentFor(used); got != want {
			t.Errorf("%d bytes in use: %d percent, want %d", used, got, want)
		}
	}
}
