package telemetry

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestLines: each line is written once and whole, before its flush returns, and
// the lines of each goroutine stay in their order.
func TestLines(t *testing.T) {
	const writers, each = 16, 200
	var mu sync.Mutex
	var out bytes.Buffer
	pieces := 0
	l := newLines(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		pieces++
		return out.Write(p)
	}))
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				line := fmt.Sprintf("%d:%d\n", w, i)
				_, _ = l.Write([]byte(line))
				l.flush()
				mu.Lock()
				there := bytes.Contains(out.Bytes(), []byte("\n"+line)) || bytes.HasPrefix(out.Bytes(), []byte(line))
				mu.Unlock()
				if !there {
					t.Errorf("%q is not written", line)
				}
			}
		})
	}
	group.Wait()
	next := [writers]int{}
	for line := range strings.Lines(out.String()) {
		var w, i int
		if _, err := fmt.Sscanf(line, "%d:%d\n", &w, &i); err != nil || next[w] != i {
			t.Fatalf("%q, %v: want line %d", line, err, next[w])
		}
		next[w]++
	}
	for w, n := range next {
		if n != each {
			t.Errorf("writer %d has %d lines, want %d", w, n, each)
		}
	}
	t.Logf("%d lines in %d pieces", writers*each, pieces)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
