package upstream

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"patchbay/internal/telemetry"
)

// Rate bounds the calls that are sent, as a token bucket; a PerSecond of 0 is no
// bound. Burst is at least 1.
type Rate struct {
	PerSecond float64
	Burst     int
}

// State is what is known and counted about one upstream: who has a turn and who
// waits for one, how fast calls are sent, whether it works, and how many retries
// are left. It is safe for concurrent use, and outlives a client when another one
// with the same settings takes its place.
type State struct {
	slots   chan struct{}
	most    int64 // that wait
	waiting atomic.Int64
	limiter *rate.Limiter
	breaker *breaker
	budget  *budget
	// Calls made again, and calls refused by the queue, the rate and the breaker.
	retried, full, limited, broken atomic.Uint64

	// counts is where changes of the breaker are told, once for all clients that
	// share the state: they have the namespace in common. The client made last gives it.
	counts atomic.Pointer[telemetry.Upstream]

	refs int // guarded by States.mu
	key  stateKey
}

// stateKey is what two clients must have in common to share a state.
type stateKey struct {
	namespace, base         string
	maxConcurrent, maxQueue int
	breaker                 Breaker
	rate                    Rate
}

func newState(key stateKey) *State {
	s := &State{
		slots: make(chan struct{}, max(1, key.maxConcurrent)), most: int64(key.maxQueue),
		breaker: newBreaker(key.breaker), budget: newBudget(time.Now()), key: key,
	}
	if key.rate.PerSecond > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(key.rate.PerSecond), max(1, key.rate.Burst))
	}
	if s.breaker != nil {
		s.breaker.changed = func(to BreakerState) { s.counts.Load().Breaker(to.told()) }
	}
	return s
}

// Stats is a state at one moment. The counts only grow.
type Stats struct {
	// InFlight calls have a turn, Waiting ones wait for it.
	InFlight, Waiting int
	Breaker           BreakerState
	// Opened is how often the breaker opened; Retries are calls made again.
	Opened, Retries uint64
	// Calls refused because the queue was full or the time in it was over,
	// because of the rate, and because the breaker was open.
	QueueRefused, RateRefused, BreakerRefused uint64
}

// Stats returns the state as it is.
func (s *State) Stats() Stats {
	state, opened := s.breaker.stats(time.Now())
	return Stats{
		InFlight: len(s.slots), Waiting: int(s.waiting.Load()), Breaker: state, Opened: opened, Retries: s.retried.Load(),
		QueueRefused: s.full.Load(), RateRefused: s.limited.Load(), BreakerRefused: s.broken.Load(),
	}
}

// States are the states of a process, by what clients have in common. A client
// made while another one of the same upstream and settings is open shares its
// state: so a deployment that replaces another goes on with what that one knew,
// and files that consume one API under one name share its bounds. The zero value
// is ready for use, a nil one shares nothing. It is safe for concurrent use.
type States struct {
	mu  sync.Mutex
	all map[stateKey]*State
}

func (s *States) take(key stateKey, counts *telemetry.Upstream) *State {
	if s == nil {
		state := newState(key)
		state.counts.Store(counts)
		return state
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.all[key]
	if state == nil {
		if s.all == nil {
			s.all = map[stateKey]*State{}
		}
		state = newState(key)
		s.all[key] = state
	}
	if counts != nil {
		state.counts.Store(counts)
	}
	state.refs++
	return state
}

func (s *States) release(state *State) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if state.refs--; state.refs > 0 {
		return
	}
	delete(s.all, state.key)
	// A breaker that nobody asks any more must not be told as open for good.
	left := Closed
	for key, other := range s.all {
		if now := other.breaker.current(); key.namespace == state.key.namespace && now != Closed {
			left = now
		}
	}
	state.counts.Load().BreakerIs(left.told())
}
