package ratelimit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxCallers bounds a table. When it is full, who has not asked for longest is
// forgotten, and begins with a full bucket when it comes again.
const maxCallers = 10_000

// table holds the buckets of callers, in the order in which they last asked.
type table[K comparable] struct {
	mu      sync.Mutex
	entries map[K]*entry[K]
	// newest and oldest are the ends of the list.
	newest, oldest *entry[K]
}

type entry[K comparable] struct {
	key          K
	bucket       *rate.Limiter
	newer, older *entry[K]
}

// take takes one token, and returns what is left and whether there was one.
func (t *table[K]) take(key K, now time.Time, l *Limiter) (left float64, ok bool) {
	t.mu.Lock()
	e := t.entries[key]
	if e == nil {
		e = t.add(key, l)
	} else {
		t.unlink(e)
	}
	t.link(e)
	bucket := e.bucket
	t.mu.Unlock()
	ok = bucket.AllowN(now, 1)
	return bucket.TokensAt(now), ok
}

func (t *table[K]) add(key K, l *Limiter) *entry[K] {
	if t.entries == nil {
		t.entries = map[K]*entry[K]{}
	}
	if len(t.entries) >= maxCallers {
		gone := t.oldest
		t.unlink(gone)
		delete(t.entries, gone.key)
	}
	e := &entry[K]{key: key, bucket: rate.NewLimiter(rate.Limit(l.perSecond), l.burst)}
	t.entries[key] = e
	return e
}

func (t *table[K]) link(e *entry[K]) {
	e.newer, e.older = nil, t.newest
	if t.newest != nil {
		t.newest.newer = e
	} else {
		t.oldest = e
	}
	t.newest = e
}

func (t *table[K]) unlink(e *entry[K]) {
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		t.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		t.oldest = e.newer
	}
}
