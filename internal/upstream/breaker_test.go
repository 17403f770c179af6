package upstream

import (
	"math/rand/v2"
	"testing"
	"time"
)

// clockwork is a breaker with a clock that the test moves.
type clockwork struct {
	t *testing.T
	*breaker
	now time.Time
}

func newClockwork(t *testing.T, opts Breaker) *clockwork {
	return &clockwork{t, newBreaker(opts), time.Unix(1000, 0)}
}

// call makes a call with a result, and reports whether it was let through.
func (c *clockwork) call(v verdict) bool {
	p, _, ok := c.allow(c.now)
	if ok {
		c.done(p, v, c.now)
	}
	return ok
}

func (c *clockwork) calls(results string) (passed int) {
	for _, r := range results {
		v := map[rune]verdict{'+': healthy, '-': failing, '?': neutral}[r]
		if c.call(v) {
			passed++
		}
	}
	return passed
}

func (c *clockwork) want(state BreakerState) {
	c.t.Helper()
	if got, _ := c.stats(c.now); got != state {
		c.t.Errorf("it is %v, want %v", got, state)
	}
}

// TestBreakerOpens: so many failures among the last calls, wherever they lie.
func TestBreakerOpens(t *testing.T) {
	opts := Breaker{Failures: 3, Window: 5, Pause: 10 * time.Second}
	for _, test := range []struct {
		results string
		opens   bool
	}{
		{"---", true},
		{"--+-", true},
		{"-+-+-", true},
		{"--++-", true},
		{"--+++-", false},
		{"-++-++-++-", false},
		{"++++++++--", false},
		{"++++++++---", true},
		{"--????????", false},
		{"--????????-", true},
		{"?????????", false},
	} {
		c := newClockwork(t, opts)
		if passed := c.calls(test.results); passed != len(test.results) {
			t.Errorf("%s: %d passed", test.results, passed)
		}
		if c.calls("+") == 0 != test.opens {
			t.Errorf("%s: open is %v, want %v", test.results, !test.opens, test.opens)
		}
	}
}

// TestBreakerForgets: failures count for a minute.
func TestBreakerForgets(t *testing.T) {
	c := newClockwork(t, Breaker{Failures: 3, Window: 5, Pause: time.Second})
	c.calls("--")
	c.now = c.now.Add(breakerMemory)
	c.calls("--")
	c.want(Closed)
	c.calls("-")
	c.want(Open)
}

// TestBreakerProbe: after the pause one call passes, and what becomes of it
// decides.
func TestBreakerProbe(t *testing.T) {
	opened := func() *clockwork {
		c := newClockwork(t, Breaker{Failures: 2, Window: 2, Pause: 10 * time.Second})
		c.calls("--")
		c.want(Open)
		if wait, refused := c.refuses(c.now); !refused || wait != 10*time.Second {
			t.Errorf("refused %v for %v", refused, wait)
		}
		c.now = c.now.Add(10*time.Second - 1)
		if c.call(healthy) {
			t.Error("a call passed within the pause")
		}
		c.now = c.now.Add(1)
		return c
	}
	t.Run("succeeds", func(t *testing.T) {
		c := opened()
		c.t = t
		p, _, ok := c.allow(c.now)
		c.want(HalfOpen)
		if !ok || c.calls("+++") != 0 {
			t.Error("not exactly one call passed")
		}
		c.done(p, healthy, c.now)
		c.want(Closed)
		c.calls("-") // nothing before counts any more
		c.want(Closed)
	})
	t.Run("fails", func(t *testing.T) {
		c := opened()
		c.t = t
		c.call(failing)
		c.want(Open)
		if wait, refused := c.refuses(c.now); !refused || wait != 10*time.Second {
			t.Errorf("refused %v for %v, want another pause", refused, wait)
		}
		if _, n := c.stats(c.now); n != 2 {
			t.Errorf("opened %d times", n)
		}
	})
	t.Run("is given up", func(t *testing.T) {
		c := opened()
		c.t = t
		c.call(neutral)
		if !c.call(healthy) {
			t.Error("no call took the place of the one that was given up")
		}
		c.want(Closed)
	})
}

// TestBreakerLateResults: what began before the state changed does not count.
func TestBreakerLateResults(t *testing.T) {
	c := newClockwork(t, Breaker{Failures: 2, Window: 4, Pause: time.Second})
	var early []pass
	for range 6 {
		p, _, _ := c.allow(c.now)
		early = append(early, p)
	}
	c.calls("--")
	c.done(early[0], healthy, c.now)
	c.want(Open)
	c.now = c.now.Add(time.Second)
	probe, _, _ := c.allow(c.now)
	c.done(early[1], failing, c.now)
	c.done(early[2], healthy, c.now)
	if c.state != HalfOpen {
		t.Errorf("a late result ended the probe: %v", c.state)
	}
	c.done(probe, healthy, c.now)
	c.done(early[3], failing, c.now)
	c.done(early[4], failing, c.now)
	c.want(Closed)
}

// TestBreakerNever: without a number of failures, nothing is refused.
func TestBreakerNever(t *testing.T) {
	c := newClockwork(t, Breaker{Failures: -1})
	if c.calls("------------------------------") != 30 {
		t.Error("a breaker that is off refused a call")
	}
	c.want(Closed)
}

// TestBreakerModel holds the ring against a plain list of results.
func TestBreakerModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		opts := Breaker{Window: 1 + random.IntN(8), Pause: time.Second}
		opts.Failures = 1 + random.IntN(opts.Window)
		c := newClockwork(t, opts)
		var list []result
		for range 60 {
			c.now = c.now.Add(time.Duration(random.IntN(20)) * time.Second)
			failed := random.IntN(3) == 0
			v := healthy
			if failed {
				v = failing
			}
			c.call(v)
			list = append(list, result{c.now, failed})
			list = list[max(0, len(list)-opts.Window):]
			bad := 0
			for _, r := range list {
				if r.failed && c.now.Sub(r.at) < breakerMemory {
					bad++
				}
			}
			if open := bad >= opts.Failures; open != (c.state == Open) {
				t.Fatalf("%+v: state %v with %d failures in %v", opts, c.state, bad, list)
			}
			if c.state == Open {
				break
			}
		}
	}
}

func TestBreakerAllocatesNothing(t *testing.T) {
	c := newClockwork(t, Breaker{Failures: 10, Window: 20, Pause: time.Second})
	if n := testing.AllocsPerRun(100, func() { c.call(healthy) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkBreaker(b *testing.B) {
	br := newBreaker(Breaker{Failures: 10, Window: 20, Pause: time.Second})
	now := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, _, _ := br.allow(now)
			br.done(p, healthy, now)
		}
	})
}
