package upstream

import (
	"testing"
	"time"
)

// TestBudget: retries are a fifth of the calls, with some in stock and one a second.
func TestBudget(t *testing.T) {
	now := time.Unix(1000, 0)
	b := newBudget(now)
	spend := func() (n int) {
		for b.spend(now) {
			n++
		}
		return n
	}
	if n := spend(); n != 10 {
		t.Errorf("a stock of %d retries, want 10", n)
	}
	for range 50 {
		b.earn()
	}
	if n := spend(); n != 10 {
		t.Errorf("50 calls earned %d retries, want 10", n)
	}
	for range 1000 {
		b.earn()
	}
	if n := spend(); n != 10 {
		t.Errorf("%d retries were saved, want 10 at most", n)
	}
	now = now.Add(3500 * time.Millisecond)
	if n := spend(); n != 3 {
		t.Errorf("3.5 seconds earned %d retries, want 3", n)
	}
	now = now.Add(500 * time.Millisecond)
	if n := spend(); n != 1 {
		t.Errorf("the rest of a second earned %d retries, want 1", n)
	}
	now = now.Add(time.Hour)
	if n := spend(); n != 10 {
		t.Errorf("an hour earned %d retries, want 10", n)
	}
}
