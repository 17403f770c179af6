package idempotency

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/internal/fault"
)

func id(n byte) ID { return ID{n} }

// answer is a record of so many bytes.
func answer(size int) *Record {
	return &Record{Status: 201, Body: []byte(strings.Repeat("x", size)), Outcome: fault.Answered}
}

func unknown() *Record {
	return &Record{Outcome: fault.Unknown, Fault: &fault.Fault{Kind: fault.Timeout, Outcome: fault.Unknown}}
}

func store(entries int, bytes int64) *Memory {
	return NewMemory(Bounds{Entries: entries, Bytes: bytes, Age: time.Hour})
}

// claim takes a key that is free.
func claim(t *testing.T, m *Memory, n byte) {
	t.Helper()
	if r, err := m.Claim(t.Context(), id(n), Print{}); r != nil || err != nil {
		t.Fatalf("key %d: %+v, %v, want it to be free", n, r, err)
	}
}

func TestClaim(t *testing.T) {
	m := store(10, 1000)
	claim(t, m, 1)
	m.Settle(id(1), answer(3))
	m.Settle(id(1), answer(5)) // too late
	if r, err := m.Claim(t.Context(), id(1), Print{}); err != nil || r.Status != 201 || len(r.Body) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := m.Claim(t.Context(), id(1), Print{7}); !errors.Is(err, ErrOther) {
		t.Errorf("another request: %v", err)
	}
	m.Free(id(1)) // too late as well
	if r, err := m.Claim(t.Context(), id(1), Print{}); err != nil || r == nil {
		t.Errorf("an answer was given up: %+v, %v", r, err)
	}
	claim(t, m, 2)
	m.Free(id(2))
	claim(t, m, 2)
	if _, err := m.Claim(t.Context(), id(2), Print{7}); !errors.Is(err, ErrOther) {
		t.Errorf("another request while the first is under way: %v", err)
	}
	m.Settle(id(9), answer(1)) // never claimed
	if n, bytes := m.Len(); n != 2 || bytes != 3 {
		t.Errorf("%d keys, %d bytes", n, bytes)
	}
}

// TestTwins wait for the first request, and one of them takes its place where
// nothing came of it.
func TestTwins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store(10, 1000)
		claim(t, m, 1)
		type result struct {
			record *Record
			err    error
		}
		results := make(chan result, 8)
		twin := func(ctx context.Context) {
			go func() {
				r, err := m.Claim(ctx, id(1), Print{})
				results <- result{r, err}
			}()
			synctest.Wait()
		}
		leaving, leave := context.WithCancel(t.Context())
		twin(leaving)
		leave()
		if r := <-results; !errors.Is(r.err, context.Canceled) {
			t.Errorf("a twin that left: %+v", r)
		}
		for range 3 {
			twin(t.Context())
		}
		m.Free(id(1))
		if r := <-results; r.record != nil || r.err != nil {
			t.Errorf("nobody took the free key: %+v", r)
		}
		synctest.Wait()
		if len(results) != 0 {
			t.Error("two requests have the key")
		}
		m.Settle(id(1), answer(1))
		for range 2 {
			if r := <-results; r.record == nil || r.err != nil {
				t.Errorf("a twin got %+v", r)
			}
		}
	})
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := store(10, 1000)
		claim(t, m, 1)
		time.Sleep(2 * time.Hour) // a request under way does not expire
		if _, err := m.Claim(t.Context(), id(1), Print{7}); !errors.Is(err, ErrOther) {
			t.Errorf("%v", err)
		}
		m.Settle(id(1), answer(5))
		claim(t, m, 2)
		m.Settle(id(2), unknown())
		time.Sleep(time.Hour - 1)
		if r, _ := m.Claim(t.Context(), id(1), Print{}); r == nil {
			t.Error("it is forgotten too early")
		}
		time.Sleep(time.Nanosecond)
		claim(t, m, 1)
		claim(t, m, 2)
		if n, bytes := m.Len(); n != 2 || bytes != 0 {
			t.Errorf("%d keys, %d bytes", n, bytes)
		}
	})
}

// TestRoom: what is given up, in which order, and what is not.
func TestRoom(t *testing.T) {
	m := store(4, 100)
	claim(t, m, 1)
	m.Settle(id(1), unknown())
	for n := byte(2); n <= 3; n++ {
		claim(t, m, n)
		m.Settle(id(n), answer(40))
	}
	claim(t, m, 4)
	m.Settle(id(4), answer(40)) // 120 bytes
	if r, _ := m.Claim(t.Context(), id(2), Print{}); !r.Forgotten || r.Body != nil || r.Status != 201 {
		t.Errorf("the oldest answer is still whole: %+v", r)
	}
	if r, _ := m.Claim(t.Context(), id(3), Print{}); r.Forgotten {
		t.Error("a younger answer is forgotten")
	}
	claim(t, m, 5) // the fifth key: that of the oldest answer goes
	claim(t, m, 2) // and the next
	if _, bytes := m.Len(); bytes != 40 {
		t.Errorf("%d bytes", bytes)
	}
	claim(t, m, 3)
	if _, err := m.Claim(t.Context(), id(6), Print{}); !errors.Is(err, ErrFull) {
		t.Errorf("%v: a key that matters was forgotten", err)
	}
	if r, _ := m.Claim(t.Context(), id(1), Print{}); r == nil || r.Outcome != fault.Unknown {
		t.Errorf("an unknown outcome was forgotten: %+v", r)
	}
	m.Settle(id(5), answer(1000)) // larger than everything
	if r, _ := m.Claim(t.Context(), id(5), Print{}); r == nil || !r.Forgotten {
		t.Errorf("%+v", r)
	}
}

func TestResize(t *testing.T) {
	m := store(10, 100)
	for n := byte(1); n <= 3; n++ {
		claim(t, m, n)
		m.Settle(id(n), answer(30))
	}
	m.Resize(Bounds{Entries: 2, Bytes: 30, Age: time.Minute})
	if n, bytes := m.Len(); n != 3 || bytes != 30 {
		t.Errorf("%d keys, %d bytes", n, bytes)
	}
	claim(t, m, 4)
	if n, _ := m.Len(); n != 3 {
		t.Errorf("%d keys", n)
	}
}

// TestAccount: whatever happens, the bytes are those of the whole answers.
func TestAccount(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	m := store(20, 500)
	open := map[byte]bool{}
	for range 5000 {
		n := byte(random.IntN(40))
		switch {
		case !open[n]:
			if r, err := m.Claim(t.Context(), id(n), Print{}); r == nil && err == nil {
				open[n] = true
			}
		case random.IntN(3) == 0:
			m.Free(id(n))
			open[n] = false
		default:
			r := answer(random.IntN(200))
			if random.IntN(5) == 0 {
				r = unknown()
			}
			r.Header = http.Header{"A": {"b"}}
			m.Settle(id(n), r)
			open[n] = false
		}
		var bytes int64
		for _, e := range m.entries {
			if e.fat != nil {
				bytes += e.size
			}
		}
		if n, have := m.Len(); have != bytes || have > 500 || n > 20 {
			t.Fatalf("%d keys, %d bytes, really %d", n, have, bytes)
		}
		if m.answered.Len()+m.open.Len()+count(open) != len(m.entries) {
			t.Fatalf("%d answered, %d open, %d under way, %d keys", m.answered.Len(), m.open.Len(), count(open), len(m.entries))
		}
		if m.open.Len() > 15 {
			m.expire(m.open, time.Now().Add(2*time.Hour))
		}
	}
}

func count(m map[byte]bool) (n int) {
	for _, yes := range m {
		if yes {
			n++
		}
	}
	return n
}
