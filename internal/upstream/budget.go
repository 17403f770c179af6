package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

// The retry budget: an upstream that fails for everybody must not get a multiple
// of its load because of it. Each call earns a fifth of a retry, each second one,
// so that an upstream with few calls has retries too; what is saved is bounded.
// Counted in thousandths of a retry.
const (
	budgetPerCall   = 200
	budgetPerSecond = 1000
	budgetMost      = 10_000
)

// budget is the retries that may be made. It is safe for concurrent use.
type budget struct {
	saved atomic.Int64

	mu   sync.Mutex
	last time.Time
}

func newBudget(now time.Time) *budget {
	b := &budget{last: now}
	b.saved.Store(budgetMost)
	return b
}

// earn adds what a call that is no retry earns.
func (b *budget) earn() { b.add(budgetPerCall) }

func (b *budget) add(amount int64) {
	for {
		have := b.saved.Load()
		if have >= budgetMost || b.saved.CompareAndSwap(have, min(budgetMost, have+amount)) {
			return
		}
	}
}

// spend takes a retry and reports whether there was one.
func (b *budget) spend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now.Sub(b.last); passed > 0 {
		b.add(min(budgetMost, passed.Milliseconds()*budgetPerSecond/1000))
		b.last = now
	}
	for {
		have := b.saved.Load()
		if have < 1000 {
			return false
		}
		if b.saved.CompareAndSwap(have, have-1000) {
			return true
		}
	}
}
