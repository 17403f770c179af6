package upstream

import (
	"sync"
	"time"

	"patchbay/internal/telemetry"
)

// Breaker says when an upstream is left alone (circuit breaker).
type Breaker struct {
	// Failures among the last Window calls open it; 0 or less never.
	Failures, Window int
	// Pause is how long it stays open before one call may try again.
	Pause time.Duration
}

// breakerMemory is how long a result counts: failures of an hour ago say nothing
// about an upstream that is called once a minute.
const breakerMemory = time.Minute

// BreakerState is what a breaker does with calls.
type BreakerState uint8

// The states of a breaker.
const (
	// Closed lets all calls pass.
	Closed BreakerState = iota
	// Open refuses them.
	Open
	// HalfOpen has let one call pass and waits for what becomes of it.
	HalfOpen
)

// String returns the word used in logs and metrics.
func (s BreakerState) String() string {
	switch s {
	case Open:
		return "open"
	case HalfOpen:
		return "half_open"
	default:
		return "closed"
	}
}

// told is the state as metrics have it.
func (s BreakerState) told() telemetry.BreakerState {
	switch s {
	case Open:
		return telemetry.BreakerOpen
	case HalfOpen:
		return telemetry.BreakerHalfOpen
	default:
		return telemetry.BreakerClosed
	}
}

// verdict is what a call says about the health of its upstream.
type verdict uint8

const (
	// says nothing: the call was given up for a reason of its own.
	neutral verdict = iota
	healthy
	failing
)

// pass is the permission to call. Results of calls that began before the breaker
// changed its state are not counted: they speak of what is known already.
type pass uint64

// breaker counts the results of calls. It is safe for concurrent use, takes the
// time from its caller, and allocates nothing after it was made.
type breaker struct {
	opts Breaker
	// changed, if set, is told each new state, before anybody acts on it.
	changed func(BreakerState)

	mu    sync.Mutex
	state BreakerState
	// round grows with each change of the state.
	round pass
	// until is when an open breaker lets a call try.
	until time.Time
	// results is a ring of the last calls: count of them, the oldest at first.
	results      []result
	first, count int
	failures     int
	opened       uint64
}

type result struct {
	at     time.Time
	failed bool
}

// newBreaker returns a closed breaker, or nil, which lets everything pass.
func newBreaker(opts Breaker) *breaker {
	if opts.Failures <= 0 {
		return nil
	}
	return &breaker{opts: opts, results: make([]result, max(opts.Window, opts.Failures))}
}

// refuses reports whether a call would be refused now, and after which time
// another one makes sense. It lets nobody pass.
func (b *breaker) refuses(now time.Time) (wait time.Duration, refused bool) {
	if b == nil {
		return 0, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.judge(now)
}

func (b *breaker) judge(now time.Time) (wait time.Duration, refused bool) {
	switch b.state {
	case Open:
		if wait := b.until.Sub(now); wait > 0 {
			return wait, true
		}
		return 0, false
	case HalfOpen:
		return time.Second, true
	default:
		return 0, false
	}
}

// allow lets a call pass, whose result has to be reported with done.
func (b *breaker) allow(now time.Time) (p pass, wait time.Duration, ok bool) {
	if b == nil {
		return 0, 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait, refused := b.judge(now); refused {
		return 0, wait, false
	}
	if b.state == Open {
		b.change(HalfOpen)
	}
	return b.round, 0, true
}

// current is the state of the breaker.
func (b *breaker) current() BreakerState {
	if b == nil {
		return Closed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// done takes the result of a call that passed.
func (b *breaker) done(p pass, v verdict, now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case p != b.round:
	case b.state == HalfOpen:
		b.probed(v, now)
	case v != neutral:
		b.record(v == failing, now)
		if b.failures >= b.opts.Failures {
			b.open(now)
		}
	}
}

// probed takes the result of the only call of a half-open breaker.
func (b *breaker) probed(v verdict, now time.Time) {
	switch v {
	case healthy:
		b.change(Closed)
	case failing:
		b.open(now)
	default:
		b.change(Open) // the next call tries in its place: the pause is over
	}
}

func (b *breaker) open(now time.Time) {
	b.change(Open)
	b.until = now.Add(b.opts.Pause)
	b.opened++
}

func (b *breaker) change(to BreakerState) {
	b.state = to
	b.round++
	b.first, b.count, b.failures = 0, 0, 0
	if b.changed != nil {
		b.changed(to)
	}
}

// record adds one result to the window and drops what left it.
func (b *breaker) record(failed bool, now time.Time) {
	for b.count > 0 && (b.count == len(b.results) || now.Sub(b.results[b.first].at) >= breakerMemory) {
		if b.results[b.first].failed {
			b.failures--
		}
		b.first = (b.first + 1) % len(b.results)
		b.count--
	}
	b.results[(b.first+b.count)%len(b.results)] = result{now, failed}
	b.count++
	if failed {
		b.failures++
	}
}

// stats returns the state and how often the breaker has opened.
func (b *breaker) stats(now time.Time) (state BreakerState, opened uint64) {
	if b == nil {
		return Closed, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open && !b.until.After(now) {
		return HalfOpen, b.opened // the next call passes
	}
	return b.state, b.opened
}
